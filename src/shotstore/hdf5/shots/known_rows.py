"""What the table ``/shots`` says of each row, remembered from one opening of its file to the next.

A run only grows, and who follows it opens its file anew after each commit: to read all of the table
each time would cost more with each shot.
"""

from collections.abc import Collection, Hashable
from typing import Any

import numpy.typing as npt

from shotstore.hdf5.shots.rows import Rows

_MOST_FILES = 8


class KnownRows:
    """The shots of a file, as far as somebody has looked. Threads may share one: each step is done
    once or twice with the same outcome, and no lock is there to be locked for ever by a fork."""

    def __init__(self) -> None:
        self.by_index: dict[int, int] = {}
        """The row in which each shot was recorded first, by its index, in the order of the rows."""
        self._again: dict[int, dict[int, None]] = {}
        """All rows of the shots that were taken again, by index."""
        self.indices: list[int] = []
        """The index of the shot in each row."""
        self.schemas: list[int] = []
        """The number of the schema of each row."""
        self._first_uses: dict[int, int] = {}
        self._start_times: list[int] = []
        """The start time of each row that is known."""
        self.is_of_another_file = False
        """Whether it was found not to fit the file that it was remembered for."""
        self.may_repeat = False
        """Whether several rows may be of one shot, of which the last one is meant."""

    def fits(self, shots: Rows) -> bool:
        """Whether the file has these rows: the last one is compared that both have."""
        row = min(len(self._start_times), shots.length) - 1
        if row < 0:
            return not self._start_times
        shot = shots.read(row, 1, values=0)[0]
        known = self._start_times[row], self.schemas[row], self.find(shot["shot_index"], row + 1)
        self.is_of_another_file = known != (shot["start_time"], shot["schema"], row)
        return not self.is_of_another_file

    def extend(self, shots: Rows, retakes: Collection[int]) -> None:
        """Read the rows that are new.

        Args:
            shots: The table.
            retakes: The rows of shots that were taken again.

        Raises:
            ValueError: a shot index stands in the table twice, and was not taken again.
        """
        known = len(self._start_times)
        if known < shots.length:
            self.note(known, shots.read(known, shots.length - known, values=0), retakes)

    def find(self, index: int, count: int) -> int | None:
        """The row of a shot, among the first ``count`` rows; the last one if it was taken again."""
        row = self.by_index.get(index, count)
        if index in self._again and row < count:
            return self.rows_of(index, count)[-1]
        return row if row < count else None

    def rows_of(self, index: int, count: int) -> list[int]:
        """All rows of a shot among the first ``count`` rows, the last of which counts."""
        rows = self._again.get(index)
        if rows is None:
            row = self.by_index.get(index, count)
            return [row] if row < count else []
        return sorted(row for row in list(rows) if row < count)

    def counting_rows(self, count: int) -> list[int]:
        """The rows that count among the first ``count`` rows: the last one of each shot."""
        replaced: set[int] = set()
        for index in list(self._again):
            replaced.update(self.rows_of(index, count)[:-1])
        return [row for row in range(count) if row not in replaced]

    def used_schemas(self, count: int) -> list[int]:
        """The numbers of the schemas that the rows that count use, among the first ``count`` rows,
        in their order."""
        if self._again:
            return list(dict.fromkeys(self.schemas[row] for row in self.counting_rows(count)))
        return sorted(number for number, row in list(self._first_uses.items()) if row < count)

    def note(self, first: int, shots: npt.NDArray[Any], retakes: Collection[int]) -> None:
        """Take down the rows from the ``first`` on; for the rest, see `extend`."""
        indices, numbers = shots["shot_index"].tolist(), shots["schema"].tolist()
        stop = first + len(shots)
        if self.may_repeat:
            self.by_index.update(zip(indices, range(first, stop), strict=True))
        else:
            self._note_each(first, indices, retakes)
        firsts = dict(zip(reversed(numbers), reversed(range(first, stop)), strict=True))
        for number, row in firsts.items():
            self._first_uses.setdefault(number, row)
        self.indices[first:stop] = indices
        self.schemas[first:stop] = numbers
        self._start_times[first:stop] = shots["start_time"].tolist()

    def _note_each(self, first: int, indices: list[int], retakes: Collection[int]) -> None:
        for row, index in enumerate(indices, first):
            earliest = self.by_index.setdefault(index, row)
            if earliest != row:
                if row not in retakes:
                    raise ValueError("a shot index stands in it twice")
                self._again.setdefault(index, {earliest: None})[row] = None


class RowsOfFiles:
    """What is known of the files that were opened last, by what tells them apart."""

    def __init__(self) -> None:
        self._known: dict[Hashable, KnownRows] = {}

    def of(self, file: Hashable) -> KnownRows:
        """What is known of a file. Its inode alone does not tell it from others: that is used again
        once the trash is emptied."""
        known = self._known.pop(file, None)
        if known is None or known.is_of_another_file:
            known = KnownRows()
        self._known[file] = known
        for surplus in list(self._known)[:-_MOST_FILES]:
            self._known.pop(surplus, None)
        return known
