"""``shotstore follow``: see the shots of a run as they are recorded."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json
from shotstore.cli.listing import STATE_STYLES
from shotstore.cli.opening import open_to_read, open_to_write
from shotstore.cli.options import SequenceArgument, StorageOption, json_option
from shotstore.errors import PathError, SequenceStateError, StorageError
from shotstore.paths import PureSequencePath
from shotstore.state import State

if TYPE_CHECKING:
    from shotstore import SequenceStats, StorageManager
    from shotstore.cli.shot_numbers import ShotNumbers

_ROWS = 12
"""How many shots the live table shows."""
_INTERRUPTED = 130
"""The exit code of what Ctrl-C has ended."""


def follow(
    path: SequenceArgument,
    store: StorageOption = None,
    only_new: Annotated[
        bool, typer.Option("--new", help="Leave out the shots that are there already.")
    ] = False,
    as_json: Annotated[bool, json_option("Print each shot as a line of JSON.")] = False,
    poll: Annotated[
        float, typer.Option(min=0.01, metavar="SECONDS", help="Time between two looks.")
    ] = 0.2,
) -> None:
    """Show the shots of a sequence as they are recorded, until it ends.

    In a terminal: the progress, and a table of the newest shots with the parameters that the
    sequence sets and the numbers that were measured. Elsewhere: a line for each shot, from the
    first one on.

    It waits for a draft to be launched. The recorder is not disturbed: frames are never read, and
    while nothing is recorded, neither is anything else. Ctrl-C ends the command, with exit code
    130, but not the run.
    """
    from shotstore.cli.live_table import LiveTable

    place, storage, console = PureSequencePath(path), _open(store), new_console()
    is_live = console.is_terminal and not as_json
    with storage.session() as session:
        there = len(session.get_sequence(place)._reader_().get_recorded_indices())
    skip = there if only_new else max(0, there - _ROWS) if is_live else 0
    table = LiveTable(place, storage, _ROWS)
    try:
        with table.shown_on(console) if is_live else nullcontext():
            for numbers in _numbers(storage, place, poll, skip):
                place = numbers.path
                if is_live:
                    table.add(numbers)
                elif as_json:
                    print_json(_as_json(numbers), indent=None)
                else:
                    console.print(numbers.as_line(), soft_wrap=True)
            table.end(_end(storage, place))
    except KeyboardInterrupt:
        if not as_json:
            console.print("Not followed any further; the run goes on.", style="dim")
        raise typer.Exit(_INTERRUPTED) from None
    if not as_json:
        _print_end(console, storage, place, with_state=not is_live)


def _open(name: str | None) -> "StorageManager":
    """Open a store so that a commit can be finished that a killed recorder leaves behind; one that
    cannot be written to, for reading."""
    try:
        return open_to_write(name)
    except StorageError:
        return open_to_read(name)


def _numbers(
    storage: "StorageManager", path: PureSequencePath, poll: float, skip: int
) -> Iterator["ShotNumbers"]:
    from shotstore.cli.shot_numbers import ShotNumbers

    return map(ShotNumbers.of, storage.follow(path, poll=poll, skip=skip))


def _end(storage: "StorageManager", path: PureSequencePath) -> "SequenceStats | None":
    """What has become of the sequence; None if it was moved or deleted meanwhile."""
    with suppress(PathError), storage.session() as session:
        return session.sequences.get_stats(path)
    return None


def _print_end(
    console: Console, storage: "StorageManager", path: PureSequencePath, *, with_state: bool
) -> None:
    stats = _end(storage, path)
    if stats is None:
        return
    if with_state:
        state = (stats.state.value, STATE_STYLES[stats.state])
        shots = counted(stats.number_completed_shots, "shot")
        console.print(Text.assemble(f"{path}: ", state, f", {shots}"), soft_wrap=True)
    if stats.state is State.CRASHED:
        with suppress(PathError, SequenceStateError), storage.session() as session:
            error = session.sequences.get_exception(path)
            console.print(error.headline, style="red", soft_wrap=True)


def _as_json(numbers: "ShotNumbers") -> dict[str, object]:
    return {
        "sequence": str(numbers.path),
        "shot_index": numbers.index,
        "attempt": numbers.attempt,
        "start_time": numbers.start_time.isoformat(),
        "end_time": numbers.end_time.isoformat(),
        "parameters": numbers.parameters,
        "units": {name: unit for name, unit in numbers.units.items() if unit is not None},
        "data": numbers.data,
    }
