"""The schemas of a shots file: which slots a shot of each kind uses.

A value goes to the first slot of its name that holds it. What no slot holds gets a new one:
parameters and numbers a column each in a further table, everything else a further dataset.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import cattrs
import numpy as np
from attrs import evolve, field, frozen

from shotstore.hdf5.names import hdf5_name
from shotstore.hdf5.shots.copies import copy_of, read_either
from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.fixed_texts import text_dtype
from shotstore.hdf5.shots.rows import ROW_CHUNK, Rows
from shotstore.hdf5.shots.slot_checks import check_fits, check_slot
from shotstore.hdf5.shots.stored_values import (
    COLUMN_DTYPES,
    COLUMN_TYPES,
    SPAN,
    Slot,
    Stored,
    encode_array,
    text_size,
)
from shotstore.hdf5.shots.viewers import describe_frames, describe_unit
from shotstore.model import JSON
from shotstore.model.dtypes import dump_dtype

# Each write compares all columns with all: 4 ms for one table of 500, 0.7 ms for five of 100.
_MOST_COLUMNS = 100
_MOST_NAME_BYTES = 32 * 1024  # of a table's column names: HDF5 limits a header message to 64 KiB
ABOUT = "about"
"""The group with what the rows of a file without tables are about."""
_LARGEST_RAGGED_CHUNK = 256 * 1024  # bytes


@frozen
class Schema:
    """Where a shot keeps its values."""

    parameters: list[Slot] = field(factory=list)
    data: list[Slot] = field(factory=list)


class Schemas:
    """The schemas of a file, in the order of their numbers. The file has each of them twice: no
    shot can be read without its schema."""

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets
        self.has_tables = True
        """Whether numbers and parameters are columns of tables; else each is a dataset."""
        self._is_loaded = False
        self._schemas: list[Schema] = []
        self._without_copy: list[tuple[int, bytes]] = []
        self._noted = 0
        self._numbers: dict[frozenset[Slot], int] = {}
        self._slots: dict[tuple[str, str], list[Slot]] = {}
        self._last: tuple[int, dict[tuple[str, str], Slot]] = 0, {}
        """The number of the schema that was found last, and its slots, if no value of these names
        could go to another slot."""
        self._checked: set[Slot] = set()

    def rows(self, slot: Slot) -> Rows:
        """The dataset of a slot, once it is certain that it holds what the slot says."""
        assert slot.dataset is not None
        rows = self._datasets.rows[slot.dataset]
        if slot not in self._checked:
            check_fits(slot, rows.dtype, rows.row_shape)
            self._checked.add(slot)
        return rows

    def load(self) -> list[Schema]:
        """All schemas."""
        if self._is_loaded:  # others do not write to an open file, and what is added here is known
            return self._schemas
        total = read_either("schemas", self._count)
        shots = self._datasets.rows["shots"].length
        if total > shots:  # each was written with a shot that needs it
            raise ValueError(f"it has {total} schemas for {shots} shots")
        for number in range(len(self._schemas), total):  # a load that failed goes on
            self._schemas.append(read_either("schemas", partial(self._read, number)))
        self._is_loaded = True
        return self._schemas

    def _count(self, name: str) -> int:
        datasets = self._datasets.numbered(name)
        return max((self._datasets.rows[each].length for each in datasets), default=0)

    def _read(self, number: int, name: str) -> Schema:
        datasets = [self._datasets.rows[each] for each in self._datasets.numbered(name)]
        texts = (bytes(rows.read(number, 1)[0]) for rows in datasets if number < rows.length)
        return load_schema(b"".join(texts))

    def _note_slots(self) -> None:
        """Take down which slots there are, which who only reads need not know."""
        while self._noted < len(self._schemas):
            schema = self._schemas[self._noted]
            self._numbers[frozenset((*schema.parameters, *schema.data))] = self._noted
            self._noted += 1
            for section, slots in (("parameters", schema.parameters), ("data", schema.data)):
                for slot in slots:
                    known = self._slots.setdefault((section, slot.name), [])
                    if slot not in known:
                        known.append(slot)

    def find(
        self, stored: Mapping[tuple[str, str], Stored], compression: str | int | None
    ) -> tuple[int, Schema]:
        """The number of the schema for a shot, and the schema; what is missing is created.

        Args:
            stored: The values of the shot, by section (``parameters`` or ``data``) and name.
            compression: Filter for new datasets of arrays.
        """
        if self._noted < len(self.load()):
            self._note_slots()
        latest, last = self._last
        if (
            last
            and last.keys() == stored.keys()
            and all(value.fits(last[key]) for key, value in stored.items())
        ):
            return latest, self._schemas[latest]
        slots = {
            key: next(filter(value.fits, self._slots.get(key, ())), None)
            for key, value in stored.items()
        }
        new = {key: value for key, value in stored.items() if slots[key] is None}
        if new and self.has_tables:
            slots |= self._create_columns("parameters", new) | self._create_columns("data", new)
        for key, value in new.items():
            if slots[key] is None:
                slots[key] = self._create_slot(key, value, compression)
        chosen = {key: slot for key, slot in slots.items() if slot is not None}
        number = self._numbers.get(frozenset(chosen.values()))
        if number is None:
            number = len(self._schemas)
            schema = Schema(
                [slot for (section, _), slot in chosen.items() if section == "parameters"],
                [slot for (section, _), slot in chosen.items() if section == "data"],
            )
            text = _dump_schema(schema)
            self._write("schemas", number, text)
            self._without_copy.append((number, text))
            self._schemas.append(schema)
            self._note_slots()
        has_one_each = all(len(self._slots[key]) == 1 for key in chosen)
        self._last = number, chosen if has_one_each else {}
        return number, self._schemas[number]

    def write_copies(self) -> None:
        """Write what `find` has created for the second time, once the values of the shot are
        written: so these lie between both, if there are many."""
        for number, text in self._without_copy:
            self._write(copy_of("schemas"), number, text)
        self._without_copy.clear()

    def _write(self, name: str, number: int, text: bytes) -> None:
        for each in self._datasets.numbered(name):
            rows = self._datasets.rows[each]
            if rows.dtype.itemsize >= len(text):
                break
        else:
            created = self._datasets.create(name, text_dtype(text_size(len(text))))
            rows = self._datasets.rows[created]
        rows.write(number, np.array([text], rows.dtype))

    def _create_columns(
        self, section: str, new: Mapping[tuple[str, str], Stored]
    ) -> dict[tuple[str, str], Slot]:
        """Create tables with a column for each of the new values of the section that have one."""
        slots: dict[tuple[str, str], Slot] = {}
        in_tables = [
            (key, value)
            for key, value in new.items()
            if key[0] == section and (section == "parameters" or value.type in COLUMN_TYPES)
        ]
        for part in _split(in_tables):
            columns = {hdf5_name(key[1]): value for key, value in part}
            dtype = np.dtype([(name, _column_dtype(value)) for name, value in columns.items()])
            kind = "parameters" if section == "parameters" else "scalars"
            table = self._datasets.create(kind, dtype)
            units = {name: value.unit for name, value in columns.items()}
            if kind == "parameters" or any(units.values()):
                self._write_units(table.replace(kind, f"{kind[:-1]}_units", 1), units)
            for (key, value), column in zip(part, columns, strict=True):
                slots[key] = Slot(
                    key[1], value.type, table, column, unit=value.unit, size=_size(value)
                )
        return slots

    def _write_units(self, table: str, units: Mapping[str, str | None]) -> None:
        """A table with one row beside another one, the same columns, and units in them."""
        texts = [(unit or "").encode() for unit in units.values()]
        dtype = np.dtype(
            [
                (name, text_dtype(text_size(len(text))))
                for name, text in zip(units, texts, strict=True)
            ]
        )
        self._datasets.file.create_dataset(
            table,
            shape=(1,),
            dtype=dtype,
            data=np.array([tuple(texts)], dtype) if any(texts) else None,  # zeros are not written
            chunks=(1,),
            fletcher32=True,
            fill_time="alloc",
        )

    def _create_slot(
        self, key: tuple[str, str], value: Stored, compression: str | int | None
    ) -> Slot:
        section, label = key
        name = f"{'data' if section == 'data' else ABOUT}/{hdf5_name(label)}"
        slot = Slot(label, value.type, unit=value.unit, size=_size(value))
        if value.type == "none":
            return slot
        if slot.size is not None or value.type in COLUMN_DTYPES:
            dataset = self._datasets.create(name, _column_dtype(value))
            describe_unit(self._datasets.file, dataset, value.unit)
            return evolve(slot, dataset=dataset)
        array = value.payload
        slot = evolve(slot, dtype=dump_dtype(array.dtype), shape=array.shape)
        if value.type == "empty":
            return slot
        siblings = (
            known
            for known in self._slots.get(key, ())
            if (known.dtype, known.unit) == (slot.dtype, slot.unit)
        )
        if value.type == "ragged" or any(_differ_in_length(slot, other) for other in siblings):
            one = encode_array(np.zeros((1, *array.shape[1:]), array.dtype))
            chunk = min(max(array.nbytes, ROW_CHUNK), _LARGEST_RAGGED_CHUNK)
            dataset = self._datasets.create(
                name, one.dtype, one.shape[1:], compression=compression, chunk_bytes=chunk
            )
            index = f"{dataset}#rows"
            self._datasets.create(index, SPAN)
            describe_unit(self._datasets.file, dataset, value.unit)
            return evolve(slot, type="ragged", dataset=dataset, index=index, shape=array.shape[1:])
        encoded = encode_array(array)
        dataset = self._datasets.create(name, encoded.dtype, encoded.shape, compression=compression)
        describe_frames(self._datasets.file, dataset, self._datasets.rows[dataset])
        describe_unit(self._datasets.file, dataset, value.unit)
        return evolve(slot, dataset=dataset)


def _dump_schema(schema: Schema) -> bytes:
    def plain(slot: Slot) -> dict[str, JSON]:
        return {key: value for key, value in cattrs.unstructure(slot).items() if value is not None}

    content = {
        "parameters": [plain(slot) for slot in schema.parameters],
        "data": [plain(slot) for slot in schema.data],
    }
    return json.dumps(content, ensure_ascii=False).encode()


@lru_cache(maxsize=256)  # who polls a running sequence opens its file anew after each commit
def load_schema(text: bytes) -> Schema:
    """A schema from the text that a file has of it."""
    content = json.loads(text)

    def slots(section: str) -> list[Slot]:
        return [
            check_slot(Slot(**{**slot, "shape": tuple(slot["shape"])} if "shape" in slot else slot))
            for slot in content[section]
        ]

    return Schema(slots("parameters"), slots("data"))


def _column_dtype(value: Stored) -> np.dtype[Any]:
    return COLUMN_DTYPES.get(value.type) or text_dtype(text_size(len(value.payload)))


def _size(value: Stored) -> int | None:
    return text_size(len(value.payload)) if isinstance(value.payload, bytes) else None


def _differ_in_length(slot: Slot, other: Slot) -> bool:
    """Whether arrays of the two differ in their first dimension at most."""
    if not slot.shape or other.shape is None:
        return False
    if other.type == "ragged":
        return slot.shape[1:] == other.shape
    return len(slot.shape) == len(other.shape) and slot.shape[1:] == other.shape[1:]


def _split(
    values: list[tuple[tuple[str, str], Stored]],
) -> Iterator[list[tuple[tuple[str, str], Stored]]]:
    """Parts that each fit in one table."""
    part: list[tuple[tuple[str, str], Stored]] = []
    size = 0
    for key, value in values:
        length = len(hdf5_name(key[1]).encode())
        if part and (len(part) == _MOST_COLUMNS or size + length > _MOST_NAME_BYTES):
            yield part
            part, size = [], 0
        part.append((key, value))
        size += length
    if part:
        yield part
