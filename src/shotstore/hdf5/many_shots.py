"""Reading many shots at once, some MB at a time: a commit waits while files are read."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.transaction import Transaction
from shotstore.model import DataSchema, DataType, ParameterSchema, ParameterType
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules
from shotstore.records.columns import LARGEST_BATCH, ShotColumns, ShotRows, joined
from shotstore.state import State

_T = TypeVar("_T")
_Rows = npt.NDArray[np.int64]


def parameter_schema(transaction: Transaction, path: PureSequencePath) -> ParameterSchema | None:
    """The parameters of all shots; None if there is no shot."""
    return _look(transaction, path, _parameter_schema, None)


def data_schema(transaction: Transaction, path: PureSequencePath) -> DataSchema:
    """The data of all shots."""
    return _look(transaction, path, _data_schema, DataSchema())


def has_wide_integers(transaction: Transaction, path: PureSequencePath) -> bool:
    """Whether a shot has a number beyond 64 bits."""
    return _look(transaction, path, ShotsFile.has_wide_integers, False)


def structures(
    transaction: Transaction, path: PureSequencePath, labels: Collection[str]
) -> dict[str, list[Structure]]:
    """See `SequenceCollection.get_structures`."""
    schema = data_schema(transaction, path)
    wanted = list(data_rules.check_data_labels(path, labels, schema))

    def look(shots: ShotsFile, count: int) -> tuple[int, int]:
        return count, shots.row_size(count, wanted)

    def read(shots: ShotsFile, rows: _Rows) -> dict[str, list[Structure]]:
        return shots.structures(rows, wanted)

    found: dict[str, dict[Structure, None]] = {label: {} for label in wanted}
    count, row_size = _look(transaction, path, look, (0, 0))
    if count:
        for part in _in_parts(transaction, path, read, np.arange(count), row_size):
            for label, structures_of_part in part.items():
                found[label].update(dict.fromkeys(structures_of_part))
    return {label: list(structures_of_label) for label, structures_of_label in found.items()}


def columns(
    transaction: Transaction,
    path: PureSequencePath,
    parameters: Collection[str],
    labels: Collection[str],
    rows: ShotRows | None,
) -> ShotColumns:
    """See `SequenceCollection.get_columns`."""

    def look(shots: ShotsFile, count: int) -> tuple[int, ParameterSchema, DataSchema, int]:
        return (
            count,
            _parameter_schema(shots, count),
            _data_schema(shots, count),
            shots.row_size(count, labels),
        )

    count, of_parameters, of_data, row_size = _look(
        transaction, path, look, (0, ParameterSchema(), DataSchema(), 0)
    )
    wanted = data_rules.check_rows(path, rows, count)
    numbers = data_rules.check_parameter_names(path, parameters, of_parameters)
    data = data_rules.check_data_labels(path, labels, of_data)
    if not count:
        return ShotColumns.empty()

    def read(shots: ShotsFile, rows: _Rows) -> ShotColumns:
        return shots.columns(rows, numbers, data)

    return joined(_in_parts(transaction, path, read, wanted, row_size), len(wanted))


def _look(
    transaction: Transaction,
    path: PureSequencePath,
    function: Callable[[ShotsFile, int], _T],
    nothing: _T,
) -> _T:
    """What the function makes of the shots file, and of how many shots the session sees in it;
    ``nothing`` where it sees none."""

    def look() -> _T:
        node, document = transaction.get_sequence(path)
        if document.state is State.DRAFT:
            return nothing
        shots, count = transaction.shots.open(node)
        return function(shots, count) if count else nothing

    return transaction.read(look)


def _in_parts(
    transaction: Transaction,
    path: PureSequencePath,
    function: Callable[[ShotsFile, _Rows], _T],
    rows: _Rows,
    row_size: int,
) -> Iterator[_T]:
    """What the function makes of some rows after the other, and of none where there are none."""

    def read(part: _Rows) -> _T:
        node, _ = transaction.get_sequence(path)
        return function(transaction.shots.open(node)[0], part)

    step = max(1, LARGEST_BATCH // row_size)
    for start in range(0, max(1, len(rows)), step):
        yield transaction.read(partial(read, rows[start : start + step]))


def _parameter_schema(shots: ShotsFile, count: int) -> ParameterSchema:
    types: dict[str, ParameterType] = {}
    for name, kind, units in shots.parameter_types(count):
        new = ParameterType(kind, units)
        types[name] = types[name].merged(new) if name in types else new
    return ParameterSchema(types)


def _data_schema(shots: ShotsFile, count: int) -> DataSchema:
    types: dict[str, DataType] = {}
    for label, kind in shots.data_types(count):
        types[label] = types[label].merged(kind) if label in types else kind
    return DataSchema(types)
