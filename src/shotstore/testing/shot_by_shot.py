"""Many shots at once, as one would read them shot after shot: what a storage has to give."""

from collections.abc import Collection

from shotstore import SequenceCollection
from shotstore.model import DataSchema
from shotstore.model.parameters import check_plain_parameters
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules
from shotstore.records.columns import ShotColumns, ShotRows, columns_of
from shotstore.records.content import ShotRecord


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
    records = [
        ShotRecord(
            sequences.get_shot_start_time(path, index),
            sequences.get_shot_end_time(path, index),
            check_plain_parameters(sequences.get_shot_parameters(path, index)),
            sequences.get_all_shot_data(path, index),
        )
        for index in indices
    ]
    return columns_of(indices, records, kinds, types)
