"""Many shots at once, as one would read them shot after shot: what a storage has to give."""

from collections.abc import Collection

import numpy as np

from shotstore import SequenceCollection
from shotstore.model import DataSchema
from shotstore.model.parameters import as_number
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules
from shotstore.records.columns import (
    ShotColumns,
    ShotRows,
    data_column,
    parameter_column,
    time_column,
)


def data_schema(sequences: SequenceCollection, path: PureSequencePath) -> DataSchema:
    """Return what :meth:`shotstore.SequenceCollection.get_data_schema` does."""
    schema = DataSchema()
    for shot in sequences.get_shots(path):
        schema = schema.merged(DataSchema.of(sequences.get_all_shot_data(path, shot.index)))
    return schema


def columns(
    sequences: SequenceCollection,
    path: PureSequencePath,
    parameters: Collection[str],
    labels: Collection[str],
    rows: ShotRows | None,
) -> ShotColumns:
    """Return what :meth:`shotstore.SequenceCollection.get_columns` does."""
    shots = sequences.get_shots(path)
    wanted = data_rules.check_rows(path, rows, len(shots)).tolist()
    schema = sequences.get_parameter_schema(path) if shots else {}
    kinds = data_rules.check_parameter_names(path, parameters, schema)
    types = data_rules.check_data_labels(path, labels, sequences.get_data_schema(path))
    indices = [shots[row].index for row in wanted]
    numbers = [sequences.get_shot_parameters(path, index) for index in indices]
    data = [sequences.get_all_shot_data(path, index) for index in indices]
    starts = [sequences.get_shot_start_time(path, index) for index in indices]
    ends = [sequences.get_shot_end_time(path, index) for index in indices]
    return ShotColumns(
        shot_index=np.array(indices, np.int64),
        start_time=time_column(starts),
        end_time=time_column(ends),
        parameters={
            name: parameter_column(
                name, kind, [as_number(shot[name]) if name in shot else None for shot in numbers]
            )
            for name, kind in kinds.items()
        },
        data={
            label: data_column(kind, [shot.get(label) for shot in data])
            for label, kind in types.items()
        },
    )
