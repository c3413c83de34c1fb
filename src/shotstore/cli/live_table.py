"""The newest shots of a run, and how far it is, as a table that stays in its place."""

import math
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import attrs
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from shotstore import (
    PathError,
    PureSequencePath,
    SequenceStats,
    State,
    StorageError,
    StorageManager,
)
from shotstore.analysis.tables.names import short_name
from shotstore.cli.formats import printable
from shotstore.cli.listing import state_pieces
from shotstore.cli.shot_numbers import ShotNumbers
from shotstore.model.value_texts import duration_text
from shotstore.records.recorders import Recorder

_INDEX, _TIME = "shot", "time"
_LONGEST_CELL = 24
_GAP = 2
_LOOK = 2.0
"""Seconds between two looks at whether the recorder lives."""


class LiveTable:
    """What a terminal shows of a run that is followed."""

    def __init__(self, path: PureSequencePath, storage: StorageManager, rows: int) -> None:
        self._path = path
        self._storage = storage
        self._shots: deque[ShotNumbers] = deque(maxlen=rows)
        self._end: SequenceStats | None = None
        self._known_recorder: Recorder | None = None
        self._last_look = -math.inf
        self._varied: frozenset[str] | None = None
        self._paused = timedelta()

    @contextmanager
    def shown_on(self, console: Console) -> Iterator[None]:
        """Show the table for the time of the block; it stays there as it is in the end."""
        with Live(self, console=console, refresh_per_second=5):
            yield

    def add(self, shot: ShotNumbers) -> None:
        """Show a further shot."""
        self._path = shot.path
        if self._varied is None:
            self._look_at_recipe()
        self._shots.append(shot)

    def end(self, stats: SequenceStats | None) -> None:
        """Show how the run has ended, if that is known."""
        self._end = stats

    def __rich__(self) -> RenderableType:
        # A copy, since this runs in the thread that refreshes the screen.
        shots = list(self._shots)
        if not shots:
            return Text(f"{self._path}: waiting for shots", style="dim")
        return Group(self._header(shots), _NewestShots(shots, self._varied or frozenset()))

    def _recorder(self) -> Recorder | None:
        """Whether the recorder lives, as it was when that was last looked at."""
        if time.monotonic() - self._last_look > _LOOK:
            self._last_look = time.monotonic()
            with suppress(PathError, StorageError), self._storage.session() as session:
                self._known_recorder = session.sequences.get_stats(self._path).recorder
        return self._known_recorder

    def _look_at_recipe(self) -> None:
        """Find out what the recipe varies, but for what it computes from that, and how long the run
        was interrupted."""
        self._varied = frozenset()
        with suppress(PathError, StorageError), self._storage.session() as session:
            [summary] = session.sequences.get_summaries(self._path)
            varied = summary.varied.items()
            self._varied = frozenset(name for name, found in varied if found.count is not None)
            self._paused = summary.paused

    def _header(self, shots: list[ShotNumbers]) -> RenderableType:
        stats = self._end or attrs.evolve(shots[-1].stats, recorder=self._recorder())
        done, expected = stats.number_completed_shots, stats.expected_number_shots
        line = Table.grid(padding=(0, _GAP))
        cells: list[RenderableType] = [
            Text(str(self._path), style="bold"),
            Text.assemble(*state_pieces(stats)),
        ]
        if expected:
            cells.append(ProgressBar(total=expected, completed=done, width=24))
            cells.append(Text(f"{done}/{expected} shots"))
        else:
            cells.append(Text(f"{done} shots"))
        if stats.start_time is not None:
            until = stats.stop_time or datetime.now(UTC)
            cells.append(Text(duration_text(until - stats.start_time), style="dim"))
            is_going_on = stats.state is State.RUNNING and stats.recorder != "gone"
            if is_going_on and expected and 0 < done < expected:
                average = (shots[-1].end_time - stats.start_time - self._paused) / done
                left = duration_text(average * (expected - done))
                cells.append(Text(f"{left} left", style="dim"))
        line.add_row(*cells)
        return line


class _NewestShots:
    """A table, the newest shot last, with as many columns as fit."""

    def __init__(self, shots: Sequence[ShotNumbers], varied: Collection[str]) -> None:
        self._shots = shots
        self._varied = varied

    def __rich_console__(self, console: Console, _: object) -> Iterator[RenderableType]:
        rows = [shot.cells() for shot in self._shots]
        columns = {
            _INDEX: [shot.title for shot in self._shots],
            _TIME: [f"{shot.start_time.astimezone():%H:%M:%S}" for shot in self._shots],
        }
        names = list(dict.fromkeys(name for row in rows for name in row))
        titles = self._titles(names)
        columns |= {titles[name]: [row.get(name, "") for row in rows] for name in names}
        by_interest = self._by_interest(names, rows)
        shown = _fitting(columns, [titles[name] for name in by_interest], console.width)
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim")
        for title in shown:
            table.add_column(
                Text(printable(title)),
                justify="right",
                no_wrap=True,
                overflow="ellipsis",
                max_width=_LONGEST_CELL,
            )
        for row in range(len(rows)):
            cells = [Text(printable(columns[title][row])) for title in shown]
            table.add_row(*cells, style="bold" if row == len(rows) - 1 else "")
        yield table

    def _by_interest(self, names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[str]:
        """What is varied first, then what was measured, then what follows from the first."""
        parameters = [name for name in names if name in self._shots[-1].parameters]
        differing = [name for name in parameters if len({row.get(name) for row in rows}) > 1]
        varied = [name for name in parameters if name in self._varied] or differing[:1]
        measured = [name for name in names if name not in parameters]
        return list(dict.fromkeys([*varied, *measured, *differing, *parameters]))

    def _titles(self, names: Sequence[str]) -> dict[str, str]:
        """Names as short as they can be told from each other, with the units."""
        units, parameters = self._shots[-1].units, self._shots[-1].parameters
        titles = {}
        for name in names:
            title = short_name(name, [*names, _INDEX, _TIME]) if name in parameters else name
            if title in (_INDEX, _TIME):
                title = f"parameter.{title}" if name in parameters else f"data.{title}"
            titles[name] = f"{title} ({units[name]})" if units.get(name) else title
        return titles


def _fitting(
    columns: Mapping[str, Sequence[str]], by_interest: Sequence[str], width: int
) -> list[str]:
    """The titles of the columns for which there is room."""
    shown = {_INDEX, _TIME}
    for title in (_INDEX, _TIME, *by_interest):
        width -= min(max(map(cell_len, [title, *columns[title]])), _LONGEST_CELL) + _GAP
        if width < -_GAP:
            break
        shown.add(title)
    return [title for title in columns if title in shown]
