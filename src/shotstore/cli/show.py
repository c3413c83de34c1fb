"""``shotstore show``: all about one sequence but its shots."""

from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.completion import complete_path
from shotstore.cli.opening import StorageOption, counted, open_to_read, readable_size
from shotstore.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from shotstore.cli.columns import Cell
    from shotstore.cli.description import Description
    from shotstore.records.summaries import SequenceSummary


def show(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A sequence, such as 2026/rabi.", autocompletion=complete_path
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    store: StorageOption = None,
) -> None:
    """Show what a sequence is: state, times, what it varies, its parameters and data, its files.

    Of parameters that differ between the shots, the range over the shots is shown; of one that has
    crashed, the error with its causes.
    """
    from shotstore.cli.console import new_console
    from shotstore.cli.description import as_json as to_json
    from shotstore.cli.description import describe
    from shotstore.cli.formats import print_json
    from shotstore.cli.places import find_sequence

    with open_to_read(store).session() as session:
        description = describe(session, find_sequence(session, path))
    if as_json:
        print_json(to_json(description))
    else:
        _print(description, new_console())


def _print(found: "Description", console: "Console") -> None:
    from rich.text import Text

    from shotstore.analysis.recipes import not_readable_line
    from shotstore.cli.columns import Column, print_columns
    from shotstore.cli.listing import STATE_STYLES

    summary = found.summary
    style = STATE_STYLES[summary.state]
    console.print(
        Text.assemble((str(summary.path), "bold"), "  ", (summary.state.value, style)),
        soft_wrap=True,
    )
    facts = [(((name, "dim"),), value) for name, value in _facts(found) if value]
    print_columns(console, (Column(""), Column("")), facts, has_header=False)
    if line := not_readable_line(found.not_readable):
        console.print(Text(f"\n{line}", style="yellow"), soft_wrap=True)
    if summary.note:
        console.print(Text("\nNote", style="bold"))
        console.print(Text(summary.note), soft_wrap=True)
    for title, rows in _sections(found).items():
        if rows:
            console.print(Text(f"\n{title}", style="bold"))
            table = [(f"  {name}", value) for name, value in rows.items()]
            print_columns(console, (Column(""), Column("")), table, has_header=False)
    if found.error is not None:
        console.print(Text("\nError", style="bold"))
        console.print(Text(str(found.error), style="red"), soft_wrap=True)


def _facts(found: "Description") -> "list[tuple[str, Cell]]":
    from shotstore.cli.formats import readable_duration, readable_time, time_span

    summary, lanes = found.summary, found.time_lanes
    expected = summary.expected_number_of_shots
    shots = counted(summary.number_of_shots, "shot")
    if expected is not None and expected != summary.number_of_shots:
        shots = f"{summary.number_of_shots} of {counted(expected, 'shot')}"
    span = time_span(summary)
    ago = "" if span is None else f", {readable_duration(span)} ago"
    after = "" if span is None else f", after {readable_duration(span)}"
    size = found.listing.sizes.get(summary.path)
    steps = len(lanes.step_names) if lanes is not None else 0
    return [
        ("shots", f"{shots}{_time_left(summary)}"),
        ("created", readable_time(summary.created, seconds=True)),
        ("started", _moment(summary.start_time, ago if summary.state.is_active() else "")),
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
    from shotstore.cli.description import readable_type

    constant = "The same in all shots" if found.summary.number_of_shots else "Set"
    return {
        "Varied": found.varied(),
        constant: found.constant(),
        "Data of each shot": {label: readable_type(kind) for label, kind in found.data.items()},
    }


def _moment(time: "datetime | None", more: str) -> str:
    from shotstore.cli.formats import readable_time

    return "" if time is None else readable_time(time, seconds=True) + more


def _time_left(summary: "SequenceSummary") -> str:
    """If it goes on as it did until now."""
    from shotstore.cli.formats import readable_duration, time_span

    span, expected = time_span(summary), summary.expected_number_of_shots
    done = summary.number_of_shots
    if summary.state is not State.RUNNING or span is None or not expected or not done:
        return ""
    left = span * (expected - done) / done
    return f", about {readable_duration(left)} left" if left else ""
