"""What the writers of all formats are given."""

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.runs import Runs
from shotstore.analysis.runs.table import RunsTable
from shotstore.analysis.tables import SequenceTable, TableColumn
from shotstore.analysis.tables.labels import label_columns
from shotstore.records.columns import Column
from shotstore.records.sequence_reader import ReadableSequence

Progress: TypeAlias = Callable[[int, int], object]
"""Takes how much is done, and of how much."""


@attrs.frozen
class Change:
    """What became of a column.

    Attributes:
        column: Its name.
        what: What became of it, and why: ``"is called 'a_b'"``.
    """

    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.column} {self.what}"


@attrs.frozen(eq=False)
class Job:
    """Some columns of some shots, to be written.

    Attributes:
        source: Of which sequence or sequences they are.
        table: The shots of these.
        columns: What to write, in this order.
        rows: Which rows of the table, increasing.
        show: Called with how much is done, and of how much.
        raw: Whether pixels are written as they are.
        changes: What the file does not hold as it was recorded, of these columns.
    """

    source: ReadableSequence | Runs
    table: SequenceTable | RunsTable
    columns: tuple[TableColumn, ...]
    rows: npt.NDArray[np.int64]
    show: Progress
    raw: bool = False
    changes: list[Change] = attrs.field(factory=list)

    @property
    def path(self) -> str | None:
        """The path of the sequence; None where several are meant."""
        return self.table.title if isinstance(self.table, SequenceTable) else None

    def note(self, column: TableColumn, what: str) -> None:
        """Note what became of a column: ``"holds integers that are rounded here"``."""
        self.changes.append(Change(column.name, what))

    def labels(
        self,
        *,
        reserved: Collection[str] = (),
        spelled: Callable[[str], str] = str,
        occupies: Callable[[TableColumn, str], Collection[str]] = lambda _, name: (name,),
    ) -> dict[str, str]:
        """Return what each column is called in the file, and note where that is something else;
        see :func:`~shotstore.analysis.tables.labels.label_columns`."""
        names = label_columns(self.columns, reserved=reserved, spelled=spelled, occupies=occupies)
        for column in self.columns:
            if names[column.name] != column.name:
                self.note(column, f"is called {names[column.name]!r} there")
        return names

    def units(self) -> dict[str, str]:
        """Return the units of the columns that have one."""
        return {column.name: column.units for column in self.columns if column.units}

    def batches(self, names: list[str]) -> Iterator[tuple[int, dict[str, Column]]]:
        """Yield columns of all rows, a bounded number of bytes at a time, after the number of rows
        that came before."""
        done = 0
        for batch in self.table.batches(names, self.rows):
            yield done, batch
            done += len(next(iter(batch.values())).values)
            self.show(done, len(self.rows))

    def read(self, column: TableColumn) -> Column:
        """Return all rows of one column, of which each row is small."""
        return self.table.read([column.name], self.rows)[column.name]
