"""``shotstore show``: what one sequence is, without its shots."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from shotstore.cli.columns import Cell, print_facts
from shotstore.cli.console import new_console
from shotstore.cli.formats import (
    counted,
    print_json,
    readable_size,
    readable_time,
    time_span,
)
from shotstore.cli.listing import state_pieces
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import JsonOption, SequenceArgument, StorageOption
from shotstore.cli.places import find_sequence
from shotstore.model.value_texts import duration_text, type_text
from shotstore.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from shotstore.cli.description import Description
    from shotstore.records.summaries import SequenceSummary
    from shotstore.records.values import Interruption


def show(
    path: SequenceArgument,
    as_json: JsonOption = False,
    store: StorageOption = None,
) -> None:
    """Show what a sequence is: state, times, what it varies, its parameters and data, its files.

    For parameters that differ between the shots, it shows the range over the shots; for a sequence
    that has crashed, the error with its causes.
    """
    from shotstore.cli.description import as_json as to_json
    from shotstore.cli.description import describe

    with open_to_read(store).session() as session:
        description = describe(session, find_sequence(session, path))
    if as_json:
        print_json(to_json(description))
    else:
        _print(description, new_console())


def _print(found: "Description", console: Console) -> None:
    from shotstore.analysis.recipes import not_readable_line

    summary = found.summary
    console.print(
        Text.assemble((str(summary.path), "bold"), "  ", *state_pieces(summary)), soft_wrap=True
    )
    print_facts(console, _facts(found))
    if line := not_readable_line(found.not_readable):
        console.print(f"\n{line}", style="yellow", soft_wrap=True)
    if summary.note:
        console.print("\nNote", style="bold")
        console.print(summary.note, soft_wrap=True)
    for title, rows in _sections(found).items():
        if rows:
            console.print(f"\n{title}", style="bold")
            print_facts(console, [(f"  {name}", value) for name, value in rows.items()], style="")
    if found.error is not None:
        console.print("\nError", style="bold")
        console.print(str(found.error), style="red", soft_wrap=True)


def _facts(found: "Description") -> list[tuple[str, Cell]]:
    summary, lanes = found.summary, found.time_lanes
    expected = summary.expected_number_of_shots
    shots = counted(summary.number_of_shots, "shot")
    if expected is not None and expected != summary.number_of_shots:
        shots = f"{summary.number_of_shots} of {counted(expected, 'shot')}"
    span = time_span(summary)
    ago = "" if span is None else f", {duration_text(span)} ago"
    after = "" if span is None else f", after {duration_text(span)}"
    size = found.listing.sizes.get(summary.path)
    steps = len(lanes.step_names) if lanes is not None else 0
    return [
        ("shots", f"{shots}{_time_left(summary)}"),
        ("created", readable_time(summary.created, seconds=True)),
        ("started", _moment(summary.start_time, ago if summary.state.is_active() else "")),
        *(("interrupted", _interruption(each)) for each in found.interruptions),
        ("ended", _moment(summary.stop_time, after)),
        ("tags", ((", ".join(sorted(summary.tags)), "magenta"),) if summary.tags else ""),
        (
            "plays",
            f"{counted(len(lanes.lanes), 'lane')} in {counted(steps, 'step')}"
            if lanes is not None and steps
            else "",
        ),
        ("devices", ", ".join(f"{name} ({kind})" for name, kind in found.devices.items())),
        ("files", "" if found.directory is None else str(found.directory)),
        ("size", "" if size is None else readable_size(size)),
    ]


def _sections(found: "Description") -> dict[str, dict[str, str]]:
    from shotstore.analysis.tables.variation import constant_texts, varied_texts

    constant = "The same in all shots" if found.summary.number_of_shots else "Set"
    return {
        "Varied": varied_texts(found.summary, found.values),
        constant: constant_texts(found.summary, found.values),
        "Data of each shot": {label: type_text(kind) for label, kind in found.data.items()},
        "Results": {name: type_text(kind) for name, kind in found.results.items()},
        "Tags of shots": found.tags_of_shots,
    }


def _moment(time: "datetime | None", more: str) -> str:
    return "" if time is None else readable_time(time, seconds=True) + more


def _interruption(found: "Interruption") -> str:
    until = readable_time(found.resume_time, seconds=True)
    crash = "" if found.exception is None else f" ({found.exception.headline})"
    return f"{readable_time(found.stop_time, seconds=True)} until {until}{crash}"


def _time_left(summary: "SequenceSummary") -> str:
    """If it goes on as it has so far."""
    span, expected = time_span(summary), summary.expected_number_of_shots
    done = summary.number_of_shots
    if summary.recorder == "gone":
        return ": `shotstore resume` lets it go on, `shotstore interrupt` ends it"
    if summary.state is not State.RUNNING or span is None or not expected or not done:
        return ""
    left = (span - summary.paused) * (expected - done) / done
    return f", about {duration_text(left)} left" if left else ""
