"""Reading many shots at once: each dataset that is asked for in as few reads as can be."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.rows import ROW_CHUNK, Rows
from shotstore.hdf5.shots.schemas import Schema, Schemas
from shotstore.hdf5.shots.stored_values import (
    Slot,
    decode_array,
    load_data,
    load_number,
)
from shotstore.model import DataType, ParameterType
from shotstore.model.dtypes import load_dtype
from shotstore.session.columns import (
    Column,
    ShotColumns,
    data_column,
    empty_column,
    in_unit,
    missing,
    parameter_column,
)

Array = npt.NDArray[Any]
_RowNumbers = npt.NDArray[np.int64]

_ROW_OF_TABLES = 1024  # bytes, more or less
_DTYPES = {"bool": np.dtype(bool), "int": np.dtype(np.int64), "float": np.dtype(np.float64)}


def data_type(slot: Slot) -> DataType:
    """What `DataType.of` says of the values of a slot."""
    match slot.type:
        case "array" | "empty":
            return DataType.of_array(load_dtype(slot.dtype), slot.shape or ())
        case "ragged":
            return DataType.of_array(load_dtype(slot.dtype), (None, *(slot.shape or ())))
        case "big int":
            return DataType("int")
    return DataType(slot.type)


def row_size(datasets: Datasets, schemas: Schemas, count: int, labels: Collection[str]) -> int:
    """How many bytes a shot among the first ``count`` has under these labels, at the most; of what
    has another length in each shot, on the average."""
    sizes: dict[str, int] = {}
    for slot in used_slots(datasets, schemas, count, lambda found: found.data):
        if slot.name in labels and slot.dataset is not None and slot.column is None:
            rows = schemas.rows(slot)
            size = rows.row_bytes
            if slot.index is not None:
                size = size * len(rows) // max(1, len(datasets.rows(slot.index)))
            sizes[slot.name] = max(size, sizes.get(slot.name, 0))
    return _ROW_OF_TABLES + sum(sizes.values())


class ColumnReader:
    """The values of some shots of a file, by column."""

    def __init__(self, datasets: Datasets, schemas: Schemas, rows: _RowNumbers) -> None:
        """``rows`` are the shots, which the file has."""
        self._datasets = datasets
        self._schemas = schemas
        self._rows = rows
        self._tables: dict[tuple[str, bytes], Array] = {}
        self._shots = _read(datasets.rows("shots"), rows)

    def read(
        self, parameters: Mapping[str, ParameterType], labels: Mapping[str, DataType]
    ) -> ShotColumns:
        """Read these parameters and labels, which the file has, in these types."""
        return ShotColumns(
            shot_index=self._shots["shot_index"].astype(np.int64),
            start_time=self._shots["start_time"].astype("datetime64[us]"),
            end_time=self._shots["end_time"].astype("datetime64[us]"),
            parameters={name: self._parameter(name, kind) for name, kind in parameters.items()},
            data={label: self._label(label, kind) for label, kind in labels.items()},
        )

    def _parameter(self, name: str, kind: ParameterType) -> Column:
        slots = self._slots(lambda schema: schema.parameters, name)
        if any(slot.type == "big int" for slot, _ in slots):
            numbers = self._one_by_one(
                slots, lambda slot, value: (load_number(slot, value), slot.unit)
            )
            return parameter_column(name, kind, numbers)
        return self._numbers(
            slots, kind.type, lambda slot, values: in_unit(name, values, slot.unit, kind.units)
        )

    def _label(self, label: str, kind: DataType) -> Column:
        slots = self._slots(lambda schema: schema.data, label)
        if kind.kind in _DTYPES and not any(slot.type == "big int" for slot, _ in slots):
            slots = [(slot, places) for slot, places in slots if slot.type != "none"]
            return self._numbers(slots, kind.kind, lambda _, values: values)
        if kind.is_fixed_array():
            return self._arrays(slots, kind)
        return data_column(kind, self._one_by_one(slots, load_data))

    def _numbers(
        self,
        slots: list[tuple[Slot, _RowNumbers]],
        kind: str,
        convert: Callable[[Slot, Array], Array],
    ) -> Column:
        is_present = np.zeros(len(self._rows), bool)
        column = np.full(len(self._rows), missing(_DTYPES[kind]), _DTYPES[kind])
        for slot, places in slots:
            column[places] = convert(slot, self._column(slot, places))
            is_present[places] = True
        return Column(column, is_present)

    def _arrays(self, slots: list[tuple[Slot, _RowNumbers]], kind: DataType) -> Column:
        is_present = np.zeros(len(self._rows), bool)
        column: Array | None = None
        for slot, places in slots:
            if slot.type == "none":
                continue
            is_present[places] = True
            if slot.type == "empty":
                continue
            values = decode_array(
                _read(self._schemas.rows(slot), self._rows[places]), load_dtype(slot.dtype)
            )
            if len(places) == len(self._rows) and values.dtype == kind.dtype:
                column = values
                break
            column = empty_column(kind, len(self._rows)) if column is None else column
            column[places] = values
        return Column(empty_column(kind, len(self._rows)) if column is None else column, is_present)

    def _one_by_one(
        self, slots: list[tuple[Slot, _RowNumbers]], load: Callable[[Slot, Any], Any]
    ) -> list[Any]:
        """What ``load`` makes of each stored value; None where there is none."""
        values: list[Any] = [None] * len(self._rows)
        for slot, places in slots:
            for place, payload in zip(places.tolist(), self._payloads(slot, places), strict=True):
                values[place] = load(slot, payload)
        return values

    def _payloads(self, slot: Slot, places: _RowNumbers) -> Iterable[Any]:
        if slot.column is not None:
            values: list[Any] = self._column(slot, places).tolist()
            return values
        if slot.dataset is None:
            return [None] * len(places)
        if slot.index is None:
            stored = _read(self._schemas.rows(slot), self._rows[places])
            if stored.ndim > 1 or slot.size is not None:
                return stored
            return (stored[row : row + 1].reshape(()) for row in range(len(stored)))
        spans = _read(self._datasets.rows(slot.index), self._rows[places])
        return _read_spans(self._schemas.rows(slot), spans["start"], spans["length"])

    def _column(self, slot: Slot, places: _RowNumbers) -> Array:
        assert slot.dataset is not None
        key = slot.dataset, places.tobytes()
        if key not in self._tables:
            self._tables[key] = _read(self._schemas.rows(slot), self._rows[places])
        column: Array = self._tables[key][slot.column]
        return column

    def _slots(
        self, section: Callable[[Schema], list[Slot]], name: str
    ) -> list[tuple[Slot, _RowNumbers]]:
        """The slots in which the shots have a value of this name, and which shots each time."""
        numbers = self._shots["schema"]
        schemas = self._schemas.load()
        found: dict[Slot, list[int]] = {}
        for number in np.unique(numbers).tolist():
            for slot in section(schemas[number]):
                if slot.name == name:
                    found.setdefault(slot, []).append(number)
        return [(slot, np.flatnonzero(np.isin(numbers, used))) for slot, used in found.items()]


def _read(rows: Rows, wanted: _RowNumbers) -> Array:
    """The rows of these numbers, in this order."""
    if not len(wanted):
        return np.empty((0, *rows.row_shape), rows.dtype)
    first, last = int(wanted.min()), int(wanted.max())
    if last - first + 1 == len(wanted) and (np.diff(wanted) == 1).all():
        return rows.read(first, len(wanted))
    found = np.empty((len(wanted), *rows.row_shape), rows.dtype)
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    # Rows between wanted ones in the same or the next chunk cost less to read than to leave out.
    # A chunk without any wanted row may have none at all, and then the file none of its bytes.
    breaks = np.flatnonzero(np.diff(ordered) > max(1, ROW_CHUNK // rows.row_bytes)) + 1
    for part in np.split(np.arange(len(wanted)), breaks):
        start = int(ordered[part[0]])
        block = rows.read(start, int(ordered[part[-1]]) - start + 1)
        found[order[part]] = block[ordered[part] - start]
    return found


def _read_spans(rows: Rows, starts: Array, lengths: Array) -> Iterable[Array]:
    """The rows of each span. Those of shots that follow each other lie together."""
    first, end = int(starts.min()), int((starts + lengths).max())
    if end - first == int(lengths.sum()):
        whole = rows.read(first, end - first)
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            yield whole[start - first : start - first + length]
    else:
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            yield rows.read(start, length)


def used_slots(
    datasets: Datasets, schemas: Schemas, count: int, section: Callable[[Schema], list[Slot]]
) -> list[Slot]:
    """The slots that the first ``count`` shots use, each once."""
    numbers = np.unique(datasets.rows("shots").read(0, count)["schema"]).tolist()
    known = schemas.load()
    return list({slot: None for number in numbers for slot in section(known[number])})
