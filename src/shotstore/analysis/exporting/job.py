"""What the writers of all formats are given."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables import SequenceTable, TableColumn
from shotstore.session import Sequence
from shotstore.session.columns import Column

Progress: TypeAlias = Callable[[int, int], object]
"""Takes how much is done, and of how much."""


@attrs.frozen(eq=False)
class Job:
    """Some columns of some shots, to be written.

    Attributes:
        sequence: Of which they are.
        table: Its shots.
        columns: What to write, in this order.
        rows: Which rows of the table, increasing.
        show: Called with how much is done, and of how much.
        raw: Whether pixels are written as they are.
    """

    sequence: Sequence
    table: SequenceTable
    columns: tuple[TableColumn, ...]
    rows: npt.NDArray[np.int64]
    show: Progress
    raw: bool = False

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
