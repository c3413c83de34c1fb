"""Many shots at once by reading shot after shot, where a backend knows nothing better."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import numpy as np

from shotstore.model import Data, DataSchema, Parameter, ParameterSchema
from shotstore.model.structures import Structure, structure_of
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules
from shotstore.records.columns import (
    LARGEST_BATCH,
    ShotColumns,
    ShotRows,
    as_number,
    data_column,
    parameter_column,
    row_size,
    time_column,
)
from shotstore.records.values import ShotId


class ReadsShots(Protocol):
    """What the sequences of a session can be asked; see `shotstore.SequenceCollection`."""

    def get_shots(self, path: PureSequencePath) -> list[ShotId]: ...

    def get_shot_parameters(
        self, path: PureSequencePath, shot_index: int
    ) -> dict[str, Parameter]: ...

    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]: ...

    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime: ...

    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime: ...

    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema: ...

    def get_data_schema(self, path: PureSequencePath) -> DataSchema: ...

    def get_columns(
        self,
        path: PureSequencePath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns: ...


def data_schema(sequences: ReadsShots, path: PureSequencePath) -> DataSchema:
    """Return what :meth:`shotstore.SequenceCollection.get_data_schema` does."""
    schema = DataSchema()
    for shot in sequences.get_shots(path):
        schema = schema.merged(DataSchema.of(sequences.get_all_shot_data(path, shot.index)))
    return schema


def has_wide_integers(sequences: ReadsShots, path: PureSequencePath) -> bool:
    """Return what `SequenceReader.has_wide_integers` does."""
    if not sequences.get_shots(path):
        return False
    parameters, data = sequences.get_parameter_schema(path), sequences.get_data_schema(path)
    found = sequences.get_columns(
        path,
        parameters=[name for name, kind in parameters.items() if kind.type == "int"],
        labels=[label for label, kind in data.items() if kind.kind == "int"],
    )
    columns = [*found.parameters.values(), *found.data.values()]
    return any(column.values.dtype.kind == "O" for column in columns)


def structures(
    sequences: ReadsShots, path: PureSequencePath, labels: Collection[str]
) -> dict[str, list[Structure]]:
    """Return what `SequenceReader.get_structures` does."""
    kinds = data_rules.check_data_labels(path, labels, sequences.get_data_schema(path))
    found: dict[str, dict[Structure, None]] = {label: {} for label in kinds}
    count = len(sequences.get_shots(path))
    step = max(1, LARGEST_BATCH // row_size(kinds.values()))
    for start in range(0, count, step):
        rows = range(start, min(start + step, count))
        read = sequences.get_columns(path, labels=list(kinds), rows=rows)
        for label, column in read.data.items():
            values = column.values[column.is_present]
            is_array = kinds[label].kind == "array"
            items = map(np.asarray, values) if is_array else values.tolist()
            found[label].update(dict.fromkeys(map(structure_of, items)))
    return {label: list(several) for label, several in found.items()}


def columns(
    sequences: ReadsShots,
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
            name: parameter_column(name, kind, [as_number(shot.get(name)) for shot in numbers])
            for name, kind in kinds.items()
        },
        data={
            label: data_column(kind, [shot.get(label) for shot in data])
            for label, kind in types.items()
        },
    )
