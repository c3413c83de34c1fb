"""Shots as polars LazyFrames, of which only what a query needs is read.

Polars says which columns it needs, which shots it filters for, and of how many it wants the first.
The conditions of a filter are applied one after the other, those first whose columns take little to
read. So the frames of a shot that a parameter rules out are never read.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TypeAlias

import attrs
import polars as pl
from polars.io.plugins import register_io_source

from shotstore.analysis.runs import Runs
from shotstore.analysis.scanning.plan import Plan, joined_plan, plan_sequence
from shotstore.analysis.scanning.shot_reader import ROW, ShotReader
from shotstore.analysis.tables.names import FIXED
from shotstore.errors import ExperimentSessionNotActiveError, PathError
from shotstore.paths import PureSequencePath
from shotstore.records.columns import LARGEST_BATCH
from shotstore.records.sequence_reader import SequenceReader

_SMALL_BATCH = 256 * 2**10
"""Bytes that are read first: a query that wants a few shots is to read a few."""
_SMALL_BATCHES = 4
"""How many batches are small: so many polars asks for ahead."""
_NUMBERS = 2**22
"""Bytes of numbers that are filtered at once, at the least: they are read in little time."""
_COLUMN = 32 * 2**10
"""Bytes that are read in the time that a column takes of which nothing is read."""
_OF_PARAMETER = 2
"""The cost of a column of numbers in a table."""

_Frames: TypeAlias = Iterator[pl.DataFrame]


def scan_sequence(reader: SequenceReader) -> pl.LazyFrame:
    """Return the shots of a sequence, to be collected while its session is active."""
    plan = plan_sequence(reader)

    def read(query: "_Query") -> _Frames:
        with _saying_that_the_session_has_ended(reader.path):
            yield from query.read(ShotReader(reader, plan, _one_at_a_time))

    return _lazy_frame(plan, read)


def scan_runs(runs: Runs) -> pl.LazyFrame:
    """Return the shots of several sequences, by path and index."""
    plan = joined_plan(_plans(runs))

    def read(query: "_Query") -> _Frames:
        for found in query.sequences(runs.paths()):
            with runs.storage.session() as session:
                try:
                    reader = session._reader_().get_sequence(found)
                    shots = ShotReader(reader, plan, nullcontext())
                except PathError:
                    continue  # moved or deleted since the sequences were listed
                yield from query.read(shots)
            if query.is_done:
                return

    return _lazy_frame(plan, read)


def _plans(runs: Runs) -> Iterator[Plan]:
    for reader in runs.readers():
        if reader.get_stats().number_completed_shots:
            yield plan_sequence(reader)


# Polars reads from threads of its own, where a query has two scans from two at the same time. A
# session is for one thread.
_one_at_a_time = threading.Lock()


def _lazy_frame(plan: Plan, read: Callable[["_Query"], _Frames]) -> pl.LazyFrame:
    schema = plan.schema()

    def source(
        columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> _Frames:
        wanted = list(schema) if columns is None else columns
        query = _Query(plan, wanted, _stages(plan, predicate), n_rows, batch_size)
        found_any = False
        for frame in read(query):
            found_any = True
            yield frame
        if not found_any:
            yield pl.DataFrame(schema={name: schema[name] for name in wanted})

    # Needs cloudpickle, if a filter calls a function of Python.
    return register_io_source(source, schema=schema, is_pure=True)


def _only(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Some columns, by themselves: polars takes a plain ``"*"`` or ``"^a.*$"`` for many of them."""
    return pl.DataFrame([frame.get_column(name) for name in names])


def _stages(plan: Plan, predicate: pl.Expr | None) -> list[list[pl.Expr]]:
    """The conditions of a filter, those first whose columns are the quickest to read."""
    stages: list[list[pl.Expr]] = [[] for _ in range(5)]
    for condition in [] if predicate is None else _conditions(predicate):
        costs = [_cost(plan, name) for name in condition.meta.root_names()]
        stages[max(costs, default=0)].append(condition)
    return stages


def _conditions(predicate: pl.Expr) -> list[pl.Expr]:
    """The conditions that must all hold, as one by one."""
    parts = predicate.meta.pop()
    if len(parts) == 2:
        for first, second in (parts, parts[::-1]):
            if (first & second).meta.eq(predicate):
                return [*_conditions(first), *_conditions(second)]
    return [predicate]


def _cost(plan: Plan, name: str) -> int:
    if name in FIXED:
        return 0 if name == "sequence" else 1
    origin = plan.origins[name]
    if origin.kind == "parameter":
        return _OF_PARAMETER
    return 4 if plan.types[origin].is_nested() else 3


@contextmanager
def _saying_that_the_session_has_ended(path: PureSequencePath) -> Iterator[None]:
    try:
        yield
    except ExperimentSessionNotActiveError as error:
        raise ExperimentSessionNotActiveError(
            f"The session in which {path} was scanned has ended: collect the scan inside its "
            "block, or use storage.scan(...), which opens a session when it is collected."
        ) from error


@attrs.define
class _Query:
    """What polars asks for, and how far it was answered."""

    plan: Plan
    wanted: Sequence[str]
    stages: Sequence[Sequence[pl.Expr]]
    remaining: int | None
    """How many shots are looked at, those that the filter rules out included."""
    batch_size: int | None
    _batches: int = 0

    @property
    def is_done(self) -> bool:
        """Whether no further shots are asked for."""
        return self.remaining == 0

    def sequences(self, paths: list[PureSequencePath]) -> list[PureSequencePath]:
        """Return those whose shots can be among the result."""
        if not self.stages[0] or self.remaining is not None:
            return paths
        names = pl.DataFrame({"sequence": [str(path) for path in paths]}, {"sequence": pl.String})
        kept = set(names.filter(*self.stages[0])["sequence"])
        return [path for path in paths if str(path) in kept]

    def read(self, reader: ShotReader) -> _Frames:
        """Read the shots of a sequence that are asked for."""
        rows = reader.rows(self.remaining)
        if self.remaining is not None:
            self.remaining -= len(rows)
        return self._read(reader, rows, [stage for stage in self.stages if stage])

    def _read(
        self, reader: ShotReader, table: pl.DataFrame, stages: Sequence[Sequence[pl.Expr]]
    ) -> _Frames:
        """Filter the shots of the table by each stage, a batch at a time, and read the rest."""
        needed = self.wanted
        if stages:
            needed = list({name for part in stages[0] for name in part.meta.root_names()})
        missing = [name for name in needed if name not in table.columns]
        row_size = reader.row_size(missing)
        start = 0
        least = _COLUMN * len(missing)
        if stages and all(_cost(self.plan, name) <= _OF_PARAMETER for name in needed):
            least = max(least, _NUMBERS)
        while start < len(table):
            part = table.slice(start, self._at_once(row_size, least))
            start += len(part)
            read = reader.read(missing, part[ROW].to_numpy())
            # A schema does not tell how large a text is, or an array of another shape each time.
            row_size = max(row_size, int(read.estimated_size()) // len(part))
            whole = part.hstack(read) if missing else part
            if not stages:
                self._batches += 1
                yield _only(whole, self.wanted)
                continue
            matching = whole.filter(*stages[0])
            if len(matching):
                yield from self._read(reader, matching, stages[1:])

    def _at_once(self, row_size: int, least: int) -> int:
        """How many shots to read at once, of so many bytes each, and at least so many bytes."""
        count = max(1, LARGEST_BATCH // row_size)
        if self._batches < _SMALL_BATCHES:
            # Polars takes a frame of a single shot for constants, and is slow to compare their
            # pixels.
            count = min(count, max(2, max(_SMALL_BATCH, least) // row_size))
        return count if self.batch_size is None else min(count, max(1, self.batch_size))
