"""Many values of one kind, which are written at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.schemas import Schema
from shotstore.hdf5.shots.stored_values import (
    COLUMN_TYPES,
    SPAN,
    Slot,
    Stored,
    encode_array,
    store_data,
    store_number,
)
from shotstore.model import Data
from shotstore.model.dtypes import dump_dtype

Array = npt.NDArray[Any]


@frozen(eq=False)
class AlikeValues:
    """Values that one slot holds, one for each of some shots."""

    kind: Stored
    """One of them, which fits no slot that another one does not fit."""
    payloads: Array | Sequence[Any]
    """As those of `Stored`; single numbers, and arrays, may be one array."""

    @classmethod
    def of(cls, stored: Sequence[Stored]) -> "AlikeValues":
        """Of values for which `kind_of` says the same."""
        longest = stored[0]
        if isinstance(longest.payload, bytes):
            longest = max(stored, key=lambda each: len(each.payload))
        return cls(longest, [each.payload for each in stored])

    @classmethod
    def of_array(cls, values: Array) -> "AlikeValues":
        """Of the items of an array along its first dimension, which has at least one."""
        one = values[0]
        kind = store_data(one) if isinstance(one, np.ndarray) else store_number(one.item())
        return cls(kind, values)


def kind_of(stored: Stored) -> object:
    """What tells values apart that are not alike."""
    if isinstance(stored.payload, np.ndarray):
        return stored.type, stored.unit, dump_dtype(stored.payload.dtype), stored.payload.shape
    return stored.type, stored.unit


def grouped(
    columns: Mapping[str, Array | Sequence[Data]], count: int
) -> Iterator[tuple[Sequence[int], dict[str, AlikeValues]]]:
    """Yield places that are alike in all columns, and their values.

    Args:
        columns: As `shotstore.records.additions.ResultColumn` says.
        count: How many places there are.
    """
    uniform = {name: each for name, each in columns.items() if isinstance(each, np.ndarray)}
    mixed = {
        name: [store_data(value) for value in column]
        for name, column in columns.items()
        if name not in uniform
    }
    for places in _places_alike(mixed, count):
        is_all = len(places) == count
        yield (
            places,
            {
                name: AlikeValues.of([mixed[name][place] for place in places])
                if name in mixed
                else AlikeValues.of_array(uniform[name] if is_all else uniform[name][places])
                for name in columns
            },
        )


def _places_alike(columns: Mapping[str, Sequence[Stored]], count: int) -> Collection[Sequence[int]]:
    if not columns:
        return [range(count)]
    groups: dict[tuple[object, ...], list[int]] = {}
    kinds = [list(map(kind_of, stored)) for stored in columns.values()]
    for place, key in enumerate(zip(*kinds, strict=True)):
        groups.setdefault(key, []).append(place)
    return groups.values()


def write_alike(
    datasets: Datasets, schema: Schema, first: int, values: Mapping[tuple[str, str], AlikeValues]
) -> None:
    """Write values of shots that follow each other, from the row ``first`` on, into the slots of
    their schema."""
    tables: dict[str, dict[str, Any]] = {}
    count = 0
    for section, slots in (("parameters", schema.parameters), ("data", schema.data)):
        for slot in slots:
            payloads = values[section, slot.name].payloads
            count = len(payloads)
            if slot.dataset is None:
                continue
            if slot.column is not None:
                tables.setdefault(slot.dataset, {})[slot.column] = payloads
            elif slot.index is not None:
                _write_ragged(datasets, slot, first, payloads)
            else:
                _write(datasets, slot, first, payloads)
    for table, columns in tables.items():
        rows = datasets.rows[table]
        records = np.empty(count, rows.dtype)
        for name, missing in zip(rows.dtype.names or (), rows.missing, strict=True):
            records[name] = columns.get(name, missing)
        rows.write(first, records)


def _write(datasets: Datasets, slot: Slot, first: int, payloads: Array | Sequence[Any]) -> None:
    assert slot.dataset is not None
    rows = datasets.rows[slot.dataset]
    if slot.size is not None or slot.type in COLUMN_TYPES:
        rows.write(first, np.ascontiguousarray(payloads, rows.dtype))
    elif isinstance(payloads, np.ndarray):
        rows.write(first, encode_array(payloads))
    else:
        for row, payload in enumerate(payloads, first):
            rows.write(row, encode_array(payload)[np.newaxis])


def _write_ragged(
    datasets: Datasets, slot: Slot, first: int, payloads: Array | Sequence[Any]
) -> None:
    assert slot.dataset is not None
    assert slot.index is not None
    flat = datasets.rows[slot.dataset]
    spans = np.zeros(len(payloads), SPAN)
    for place, payload in enumerate(payloads):
        spans[place] = flat.length, len(payload)
        if len(payload):
            flat.write(flat.length, encode_array(payload))
    datasets.rows[slot.index].write(first, spans)
