"""Reading many shots at once: each dataset that is asked for in as few reads as can be."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.payloads import Payloads, RowNumbers, read_rows
from shotstore.hdf5.shots.schemas import Schemas
from shotstore.hdf5.shots.stored_values import (
    Slot,
    decode_array,
    is_stored_as_it_is,
    load_data,
    load_number,
    load_parameter,
)
from shotstore.hdf5.shots.structures import Structures, structures_of_texts
from shotstore.model import DataType, ParameterType
from shotstore.model.dtypes import load_dtype
from shotstore.model.structures import Structure, structure_of, structure_with_unit
from shotstore.records.columns import (
    NUMBER_DTYPES,
    Column,
    Places,
    ShotColumns,
    data_column,
    in_unit,
    missing,
    parameter_column,
)

Array = npt.NDArray[Any]
_Slots: TypeAlias = "list[tuple[Slot, RowNumbers]]"
"""Where values lie, and of which of the shots"""


class ColumnReader:
    """The values of some shots of a file, by column."""

    def __init__(self, datasets: Datasets, schemas: Schemas, rows: RowNumbers) -> None:
        """``rows`` are the shots, which the file has."""
        self._datasets = datasets
        self._rows = rows
        self._shots = read_rows(datasets.rows["shots"], rows)
        numbers, self._kinds = _different(self._shots["schema"])
        known = schemas.load()
        self._used = [known[number] for number in numbers.tolist()]
        self._places: dict[tuple[int, ...], RowNumbers] = {}
        self._payloads = Payloads(rows, schemas.rows, datasets.rows.__getitem__, self._in_table)

    def read(
        self,
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        """Read these parameters and labels, which the file has, in these types, arrays of one shape
        into their places."""
        of_parameters = self._slots([schema.parameters for schema in self._used], parameters)
        of_labels = self._slots([schema.data for schema in self._used], labels)
        return ShotColumns(
            shot_index=self._shots["shot_index"].astype(np.int64),
            start_time=self._shots["start_time"].astype("datetime64[us]"),
            end_time=self._shots["end_time"].astype("datetime64[us]"),
            parameters={
                name: self._parameter(name, kind, of_parameters[name])
                for name, kind in parameters.items()
            },
            data={
                label: self._arrays(label, kind, of_labels[label], places[label])
                if label in places
                else self._label(label, kind, of_labels[label])
                for label, kind in labels.items()
            },
        )

    def structures(self, labels: Collection[str]) -> dict[str, list[Structure]]:
        """What the data under these labels is made of, in the order of the shots that have it."""
        slots = self._slots([schema.data for schema in self._used], labels)
        return {label: self._structures(slots[label]) for label in labels}

    def _structures(self, slots: _Slots) -> list[Structure]:
        found: dict[Structure, int] = {}
        for slot, places in slots:
            if slot.type == "none":
                continue
            for structure, first in self._structures_in(slot, places).items():
                if slot.unit is not None:
                    structure = structure_with_unit(structure)
                place = int(places[first])
                found[structure] = min(place, found.get(structure, place))
        return sorted(found, key=found.__getitem__)

    def _structures_in(self, slot: Slot, places: RowNumbers) -> Structures:
        match slot.type:
            case "json":
                rows = self._rows[places]
                return structures_of_texts(self._payloads.stacked(slot, places), rows)
            case "big int":
                values = (load_number(slot, text) for text in self._payloads.of(slot, places))
                return {structure_of(value): place for place, value in enumerate(values)}
            case "array" | "ragged" | "empty" | "complex":
                dimensions = len(slot.shape or ()) + (slot.type == "ragged")
                return {("array", load_dtype(slot.dtype), dimensions): 0}
        return {slot.type: 0}

    def _parameter(self, name: str, kind: ParameterType, slots: _Slots) -> Column:
        if kind.type == "text" or any(slot.type == "big int" for slot, _ in slots):
            found = self._one_by_one(
                slots, lambda slot, value: (load_parameter(slot, value), slot.unit)
            )
            return parameter_column(name, kind, found)
        return self._numbers(f"Parameter {name}", kind.type, kind.units, slots)

    def _label(self, label: str, kind: DataType, slots: _Slots) -> Column:
        if kind.kind in NUMBER_DTYPES and not any(slot.type == "big int" for slot, _ in slots):
            slots = [(slot, places) for slot, places in slots if slot.type != "none"]
            return self._numbers(f"Data {label!r}", kind.kind, kind.units, slots)
        return data_column(label, kind, self._one_by_one(slots, load_data))

    def _numbers(self, what: str, kind: str, unit: str | None, slots: _Slots) -> Column:
        count, dtype = len(self._rows), NUMBER_DTYPES[kind]
        if len(slots) == 1 and len(slots[0][1]) == count:
            [(slot, _)] = slots
            values = in_unit(what, self._payloads.column(*slots[0]), slot.unit, unit)
            return Column(values.astype(dtype), np.ones(count, bool))
        is_present = np.zeros(count, bool)
        column = np.full(count, missing(dtype), dtype)
        for slot, places in slots:
            column[places] = in_unit(what, self._payloads.column(slot, places), slot.unit, unit)
            is_present[places] = True
        return Column(column, is_present)

    def _arrays(self, label: str, kind: DataType, slots: _Slots, column: Array) -> Column:
        """Read arrays of one shape into their place."""
        is_present, is_filled = np.zeros((2, len(self._rows)), bool)
        for slot, places in slots:
            if slot.type == "none":
                continue
            is_present[places] = True
            if slot.type == "empty":
                continue
            is_filled[places] = True
            dtype = load_dtype(slot.dtype)
            if len(places) == len(column) and dtype == column.dtype and is_stored_as_it_is(dtype):
                self._payloads.read_into(column, slot)
            else:
                column[places] = decode_array(self._payloads.stacked(slot, places), dtype)
            if slot.unit != kind.units:
                what = f"Data {label!r}"
                column[places] = in_unit(what, column[places], slot.unit, kind.units)
        column[~is_filled] = missing(column.dtype)
        return Column(column, is_present)

    def _one_by_one(self, slots: _Slots, load: Callable[[Slot, Any], Any]) -> list[Any]:
        """What ``load`` makes of each stored value; None where there is none."""
        values: list[Any] = [None] * len(self._rows)
        for slot, places in slots:
            for place, payload in zip(
                places.tolist(), self._payloads.of(slot, places), strict=True
            ):
                values[place] = load(slot, payload)
        return values

    def _in_table(self, table: str) -> RowNumbers:
        """Which of the shots have something in a table."""
        return self._places_of(
            number
            for number, schema in enumerate(self._used)
            if any(table == slot.dataset for slot in (*schema.parameters, *schema.data))
        )

    def _slots(self, sections: Iterable[list[Slot]], names: Collection[str]) -> dict[str, _Slots]:
        """The slots in which shots have such a value, by name, and which shots use each of them.

        Args:
            sections: The slots of each kind of shots.
            names: Those that are asked for.
        """
        kinds: dict[Slot, list[int]] = {}
        for number, section in enumerate(sections):
            for slot in section:
                if slot.name in names:
                    kinds.setdefault(slot, []).append(number)
        found: dict[str, _Slots] = {name: [] for name in names}
        for slot, used in kinds.items():
            found[slot.name].append((slot, self._places_of(used)))
        return found

    def _places_of(self, kinds: Iterable[int]) -> RowNumbers:
        """Which of the shots are of these kinds."""
        key = tuple(kinds)
        if key not in self._places:
            is_every_one = len(key) == len(self._used)
            found = np.ones(len(self._rows), bool) if is_every_one else np.isin(self._kinds, key)
            self._places[key] = np.flatnonzero(found)
        return self._places[key]


def _different(numbers: Array) -> tuple[Array, Array]:
    """The different ones among some numbers, and which of them each of them is."""
    if len(numbers) and (numbers == numbers[0]).all():  # as they mostly are
        return numbers[:1], np.zeros(len(numbers), np.int64)
    return np.unique(numbers, return_inverse=True)
