"""What lies in the slots of some shots, as it is stored: of one shot or of many, in as few reads as
can be."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shotstore.hdf5.shots.rows import ROW_CHUNK, Array, Rows
from shotstore.hdf5.shots.stored_values import COLUMN_TYPES, Slot

RowNumbers: TypeAlias = npt.NDArray[np.int64]

_FIRST = np.zeros(1, np.int64)


class Payloads:
    """The payloads of some shots, by slot."""

    def __init__(
        self,
        rows: RowNumbers,
        dataset: Callable[[Slot], Rows],
        index: Callable[[str], Rows],
        in_table: Callable[[str], RowNumbers] | None = None,
    ) -> None:
        """Args:
        rows: Those of the shots.
        dataset: Gives the dataset of a slot.
        index: Gives a dataset of spans by its name.
        in_table: Tells which of the shots have something in a table; by default all of them.
        """
        self._rows = rows
        self._dataset = dataset
        self._index = index
        self._in_table = in_table
        self._tables: dict[str, Array] = {}

    def of_one(self, slot: Slot) -> Any:
        """The payload of a slot, where there is only one shot."""
        if slot.column is not None:
            return self._table(slot)[slot.column].item()
        [payload] = self.of(slot, _FIRST)
        return payload

    def of(self, slot: Slot, places: RowNumbers) -> Iterable[Any]:
        """The payload of a slot for each of these among the shots."""
        if slot.column is not None:
            values: list[Any] = self.column(slot, places).tolist()
            return values
        if slot.dataset is None:
            return [None] * len(places)
        if slot.index is not None:
            spans = read_rows(self._index(slot.index), self._rows[places])
            return _read_spans(self._dataset(slot), spans["start"], spans["length"])
        stored = self.stacked(slot, places)
        if slot.size is not None:
            texts: list[bytes] = stored.tolist()
            return texts
        if slot.type in COLUMN_TYPES:
            numbers: list[Any] = stored.tolist()
            return numbers
        if stored.ndim > 1:
            return stored
        return (stored[row : row + 1].reshape(()) for row in range(len(stored)))

    def stacked(self, slot: Slot, places: RowNumbers) -> Array:
        """The rows of a slot that has a dataset of its own."""
        return read_rows(self._dataset(slot), self._rows[places])

    def read_into(self, place: Array, slot: Slot) -> None:
        """Read the rows of a slot that has a dataset of its own, and that all shots use, into a
        place of the same bytes."""
        rows = self._dataset(slot)
        stored = place.reshape(-1).view(rows.dtype).reshape(len(place), *rows.row_shape)
        read_rows_into(stored, rows, self._rows)

    def column(self, slot: Slot, places: RowNumbers) -> Array:
        """The numbers in a slot: in its column of a table, or a dataset of its own."""
        if slot.column is None:
            return self.stacked(slot, places)
        column: Array = self._table(slot)[slot.column]
        return column if len(places) == len(self._rows) else column[places]

    def _table(self, slot: Slot) -> Array:
        """The table of a slot, a row for each shot; anything where a shot has nothing in it."""
        assert slot.dataset is not None
        if slot.dataset not in self._tables:
            rows = self._dataset(slot)
            places = None if self._in_table is None else self._in_table(slot.dataset)
            if places is None or len(places) == len(self._rows):
                table = read_rows(rows, self._rows)
            else:
                table = np.empty(len(self._rows), rows.dtype)
                table[places] = read_rows(rows, self._rows[places])
            self._tables[slot.dataset] = table
        return self._tables[slot.dataset]


def read_rows(rows: Rows, wanted: RowNumbers) -> Array:
    """The rows of these numbers, in this order."""
    if _is_run(wanted):
        return rows.read(int(wanted[0]), len(wanted))
    found = np.empty((len(wanted), *rows.row_shape), rows.dtype)
    read_rows_into(found, rows, wanted)
    return found


def read_rows_into(place: Array, rows: Rows, wanted: RowNumbers) -> None:
    """Read the rows of these numbers, in this order, into a place, C-contiguous and of their
    type."""
    if not len(wanted):
        return
    if _is_run(wanted):
        rows.read_into(place, int(wanted[0]))
        return
    ordered, places = np.unique(wanted, return_inverse=True)
    in_order = np.array_equal(ordered, wanted)
    found = place if in_order else np.empty((len(ordered), *rows.row_shape), rows.dtype)
    if not rows.read_some_into(found, ordered):
        _read_spans_into(found, rows, ordered)
    if not in_order:
        place[:] = found[places]


def _read_spans_into(found: Array, rows: Rows, ordered: RowNumbers) -> None:
    # Rows between wanted ones in the same or the next chunk cost less to read than to leave out.
    # A chunk without any wanted row may have none at all, and then the file none of its bytes.
    breaks = np.flatnonzero(np.diff(ordered) > max(1, ROW_CHUNK // rows.row_bytes)) + 1
    for begin, end in pairwise((0, *breaks.tolist(), len(ordered))):
        start, count = int(ordered[begin]), int(ordered[end - 1]) - int(ordered[begin]) + 1
        if count == end - begin:
            rows.read_into(found[begin:end], start)
        else:
            found[begin:end] = rows.read(start, count)[ordered[begin:end] - start]


def _is_run(wanted: RowNumbers) -> bool:
    """Whether these are numbers that follow each other."""
    return (
        len(wanted) > 0
        and int(wanted[-1]) - int(wanted[0]) == len(wanted) - 1
        and bool((wanted[1:] - wanted[:-1] == 1).all())
    )


def _read_spans(rows: Rows, starts: Array, lengths: Array) -> Iterable[Array]:
    """The rows of each span. Those of shots that follow each other lie together."""
    first, end = int(starts.min()), int((starts + lengths).max())
    if end - first == int(lengths.sum()):
        whole = rows.read(first, end - first, values=len(starts))
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            yield whole[start - first : start - first + length]
    else:
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            yield rows.read(start, length, values=1)
