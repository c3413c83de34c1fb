"""The shots of several sequences, by path and index, as one table."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.runs.chosen import Runs, in_sessions
from shotstore.analysis.runs.joining import joined_column, joined_kind
from shotstore.analysis.tables import SEQUENCE, SequenceTable, Table, TableColumn
from shotstore.analysis.tables.names import Origin, name_joined
from shotstore.analysis.tables.sequence_table import OF_EVERY_SHOT
from shotstore.analysis.tables.units import Unit, in_first_unit, units_of
from shotstore.errors import DataNotFoundError, PathError, TransactionConflictError
from shotstore.paths import PureSequencePath, common_folder
from shotstore.records.columns import Column, ShotColumns
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.storage_reader import ReadableStorage


@attrs.frozen(eq=False)
class _Run:
    """A sequence, and the shots that it had when it was looked at, in the order of recording."""

    path: PureSequencePath
    shots: ShotColumns


@attrs.frozen(eq=False)
class _Known:
    """What is known of the columns, by what they hold.

    Attributes:
        kinds: What each is, in the unit of the first sequence that has it.
        units: These units.
        numbers: Which sequences have it.
    """

    kinds: dict[Origin, TableColumn] = attrs.field(factory=dict)
    units: dict[Origin, Unit] = attrs.field(factory=dict)
    numbers: dict[Origin, set[int]] = attrs.field(factory=dict)

    def add(self, number: int, table: SequenceTable) -> None:
        """Add what the columns of the next sequence are that has shots."""
        for at, column in _with_origin(table).items():
            self.kinds[at] = joined_kind(self.kinds.get(at, column), column)
            self.numbers.setdefault(at, set()).add(number)
        for at, unit in units_of(table).items():
            self.units.setdefault(at, unit)


class RunsTable(Table):
    """The shots that several sequences have when this is made.

    Each read has sessions of its own, which keep few files open, and finds the same shots.
    """

    def __init__(
        self,
        storage: ReadableStorage,
        runs: Sequence[_Run],
        *,
        split: bool,
        unpack: bool,
    ) -> None:
        """Take the sequences; `of` looks them up.

        Args:
            storage: Where they are.
            runs: The sequences, by path.
            split: Whether complex numbers are two columns: their real and imaginary part.
            unpack: Whether arrays of one item are what their item is.
        """
        self._storage = storage
        self._runs = runs
        self._split = split
        self._unpack = unpack
        self._ends = np.cumsum([len(run.shots.shot_index) for run in runs], dtype=np.int64)
        self.title = _title([run.path for run in runs])
        self.number_of_sequences = len(runs)

    @classmethod
    def of(cls, runs: Runs) -> "RunsTable":
        """Return the table of the shots that there are.

        Raises:
            PathNotFoundError: nothing is at a path, or no sequence matches a pattern.
            DataNotFoundError: there is no sequence at and below the paths.
        """
        found, known = [], _Known()
        for number, reader in enumerate(runs.readers()):
            found.append(_Run(reader.path, reader.get_columns()))
            if len(found[number].shots.shot_index):
                known.add(number, SequenceTable(reader))
        if not found:
            raise DataNotFoundError("No sequence is in what is asked for, only empty folders.")
        table = cls(runs.storage, found, split=True, unpack=True)
        table._known = known
        return table

    def with_columns(self, *, split: bool, unpack: bool) -> "RunsTable":
        """Return the same shots, with columns as for `SequenceTable`."""
        if (split, unpack) == (self._split, self._unpack):
            return self
        return RunsTable(self._storage, self._runs, split=split, unpack=unpack)

    @property
    def what(self) -> str:
        return self.title if self.number_of_sequences == 1 else f"The table of {self.title}"

    @cached_property
    def columns(self) -> Mapping[str, TableColumn]:
        """The columns that any of them has, by name."""
        columns = {column.name: column for column in OF_EVERY_SHOT}
        kinds = self._known.kinds
        names = name_joined(kinds)
        return columns | {name: attrs.evolve(kinds[at], name=name) for name, at in names.items()}

    @cached_property
    def _known(self) -> "_Known":
        known = _Known()
        for number, table in self._tables(self._with_shots()):
            known.add(number, table)
        return known

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        columns = [self.columns[name] for name in names]
        rows = np.arange(len(self)) if rows is None else np.asarray(rows)
        numbers = np.searchsorted(self._ends, rows, "right")
        parts: list[Mapping[str, Column]] = []
        own_rows = {
            int(number): rows[numbers == number] - self._start(number)
            for number in np.unique(numbers)
        }
        for number, table in self._tables(own_rows):
            parts.append(self._read_part(number, table, columns, own_rows[number]))
        counts = [len(own) for own in own_rows.values()]
        found = {
            column.name: joined_column(column, [part.get(column.name) for part in parts], counts)
            for column in columns
        }
        if (np.diff(numbers) >= 0).all():
            return found
        back = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
        return {
            name: Column(column.values[back], column.is_present[back])
            for name, column in found.items()
        }

    def runs(self) -> Runs:
        """Return these sequences, and no others."""
        return Runs.of(self._storage, [run.path for run in self._runs])

    def readers(self) -> Iterator[SequenceReader]:
        """Yield the readers of the sequences, each to be used before the next is asked for."""
        for _, table in self._tables(range(len(self._runs))):
            yield table.reader

    def tags(self) -> list[Collection[str]]:
        tables = self._tables(self._with_shots())
        return [tags for _, table in tables for tags in table.tags()]

    def usual_columns(self) -> list[TableColumn]:
        return list(self.columns.values())

    def default_x(self) -> TableColumn | None:
        """Return what each of them varies, if that is the same in all."""
        found = {table.default_x() for _, table in self._tables(self._with_shots())}
        origins = {column.origin for column in found}
        if len(origins) != 1:
            return None
        [at] = origins
        if at is None:
            return self.columns[next(iter(found)).name]
        return next(column for column in self.columns.values() if column.origin == at)

    def default_by(self) -> TableColumn | None:
        return self.columns[SEQUENCE] if self.number_of_sequences > 1 else None

    def _read_part(
        self,
        number: int,
        table: SequenceTable,
        columns: list[TableColumn],
        rows: npt.NDArray[np.int64],
    ) -> dict[str, Column]:
        """The columns that one sequence has, of some of its shots, as they are called here."""
        there = _with_origin(table)
        own: dict[str, TableColumn] = {}
        for column in columns:
            at = column.origin
            if at is None:
                own[column.name] = column
            elif number in self._known.numbers[at]:
                if at not in there:  # it has become complex, or is so no longer in all shots
                    raise _changed_error(table.reader.path)
                own[column.name] = there[at]
        found = table.read({column.name for column in own.values()}, rows)
        path, units = table.reader.path, self._known.units
        return {
            name: in_first_unit(units, found[column.name], column, path)
            for name, column in own.items()
        }

    def _start(self, number: int) -> int:
        return 0 if number == 0 else int(self._ends[number - 1])

    def _with_shots(self) -> list[int]:
        return [number for number, run in enumerate(self._runs) if len(run.shots.shot_index)]

    def _tables(self, numbers: Collection[int]) -> Iterator[tuple[int, SequenceTable]]:
        """Some of the sequences, each to be read before the next is asked for."""
        chosen = [self._runs[number] for number in numbers]
        readers = in_sessions(self._storage, [run.path for run in chosen])
        for number, run, reader in zip(numbers, chosen, readers, strict=True):
            _check_is_same(run, reader)
            yield (
                number,
                SequenceTable(reader, split=self._split, unpack=self._unpack, shots=run.shots),
            )


def _check_is_same(run: _Run, reader: SequenceReader) -> None:
    """Check that the shots that were there are there."""
    try:
        shots = reader.get_columns()
    except PathError:
        shots = None
    count = len(run.shots.shot_index)
    if shots is None or not (
        np.array_equal(shots.shot_index[:count], run.shots.shot_index)
        and np.array_equal(shots.start_time[:count], run.shots.start_time)
    ):
        raise _changed_error(run.path)


def _changed_error(path: PureSequencePath) -> TransactionConflictError:
    return TransactionConflictError(
        f"Sequence {path} was moved, deleted, reset, or had a shot taken again while it was read "
        "with others: begin again."
    )


def _with_origin(table: SequenceTable) -> dict[Origin, TableColumn]:
    return {column.origin: column for column in table.columns.values() if column.origin is not None}


def _title(paths: Sequence[PureSequencePath]) -> str:
    if len(paths) == 1:
        return str(paths[0])
    folder = common_folder(paths)
    return f"{len(paths)} sequences{'' if folder.is_root() else f' in {folder}'}"
