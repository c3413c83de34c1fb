"""``shotstore verify``: read everything, and report what is damaged."""

from typing import TYPE_CHECKING

import attrs
import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json, readable_size
from shotstore.cli.opening import open_store
from shotstore.cli.options import AnyPathArgument, JsonOption, StoreOption
from shotstore.paths import PureSequencePath
from shotstore.progress_bar import progress_bar

if TYPE_CHECKING:
    from shotstore.hdf5 import Report


def verify(
    path: AnyPathArgument = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read everything in a store, and report what is damaged.

    Programs may go on recording meanwhile; nothing is changed. A directory that was copied out of a
    store can be checked too, with --store. The exit code is 1 if something is damaged: then each
    finding says what to do. Notes are about what is harmless.
    """
    place = None if path is None else PureSequencePath(path)
    storage = open_store(store, read_only=True)
    with progress_bar("Reading") as progress:
        report = storage.verify(place, progress=progress)
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report, new_console())
    if report.is_damaged:
        raise typer.Exit(1)


def _print(report: "Report", console: Console) -> None:
    by_severity = sorted(report.findings, key=lambda finding: finding.severity)
    for finding in by_severity:
        style = "bold red" if finding.severity == "damage" else "yellow"
        file = finding.file
        where = file.relative_to(report.root) if file.is_relative_to(report.root) else file
        title = str(where) if finding.path is None else str(finding.path)
        console.print(Text.assemble((f"{finding.severity:<8}", style), (title, "bold")))
        if finding.path is not None:
            _print_indented(console, Text(str(where), style="dim"))
        _print_indented(console, Text(finding.problem))
        _print_indented(console, Text(finding.remedy, style="cyan"))
        console.print()
    damages = sum(finding.severity == "damage" for finding in report.findings)
    notes = len(report.findings) - damages
    sequences, shots = counted(report.sequences, "sequence"), counted(report.shots, "shot")
    result = Text("Nothing is damaged.", style="green")
    if damages:
        result = Text(f"Damage: {damages}.", style="bold red")
    more = f" Notes: {notes}." if notes else ""
    console.print(
        Text.assemble(result, f"{more} Read: {sequences}, {shots}, {readable_size(report.size)}.")
    )


def _print_indented(console: Console, text: Text) -> None:
    # Padding fills the lines with spaces, up to the width of a terminal.
    is_wrapped = not console.soft_wrap
    console.print(Padding(text, (0, 0, 0, 8)) if is_wrapped else Text("        ") + text)


def _as_json(report: "Report") -> dict[str, object]:
    return {
        "store": str(report.root),
        "damaged": report.is_damaged,
        "sequences": report.sequences,
        "shots": report.shots,
        "bytes": report.size,
        "findings": [attrs.asdict(finding, recurse=False) for finding in report.findings],
    }
