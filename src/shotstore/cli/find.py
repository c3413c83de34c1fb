"""``shotstore find``: the sequences that meet some conditions."""

from typing import Annotated

import typer

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json
from shotstore.cli.listing import COLUMNS, Listing, listing_of, sequence_as_json, sequence_cells
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import JsonOption, StorageOption, path_argument
from shotstore.errors import IncompatibleUnitsError, InvalidConditionError
from shotstore.state import State


def find(
    pattern: Annotated[
        str | None,
        path_argument(
            "A sequence, or a folder with all that is in it; with wildcards, several: "
            "`'2026/*/rabi*'`; `**` is any number of folders. A name alone is looked for in all "
            "folders.",
            metavar="PATTERN",
        ),
    ] = None,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state",
            "-s",
            metavar="STATE",
            help="Its state: draft, preparing, running, finished, interrupted or crashed; can be "
            "given several times, for any of them.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="It began at this time or later, or was created then if it never began: "
            "`2026-11-22`, `'2026-11-22 18:30'`, `'7 days'`, `today`, `yesterday`, `'last week'`.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="It began at this time or earlier; a day counts as a whole."
        ),
    ] = None,
    varied: Annotated[
        list[str] | None,
        typer.Option(
            "--varied",
            "-v",
            metavar="NAME",
            help="This parameter differs between its shots, in a loop or set anew; can be given "
            "several times.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            "-w",
            metavar="CONDITION",
            help="A parameter, or what was measured, takes values in a range: "
            "`'detuning > 5 MHz'`, `'atom_number > 3e5'`, `'detuning > 0 and 1 s < hold_time <= "
            "2 s'`; several times, as if `and` joined them.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag", "-t", metavar="TAG", help="It has this tag; can be given several times."
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Its recipe, note or error has this text in it."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="A shot of it has data under this label."),
    ] = None,
    min_shots: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="It has at least this many shots.")
    ] = None,
    max_shots: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="It has at most this many shots.")
    ] = None,
    paths_only: Annotated[
        bool, typer.Option("--paths", help="Print paths alone, one a line.")
    ] = False,
    as_json: JsonOption = False,
    store: StorageOption = None,
) -> None:
    """Find the sequences that meet all conditions.

    Parameters may be named by the end of their names, and with `*` and `?`. In the table, VARIED is
    what differs between the shots of the recipe.
    """
    from shotstore.analysis.finding import unknown_names
    from shotstore.model.condition_grammar import parse_condition
    from shotstore.model.conditions import And, comparisons_in

    storage = open_to_read(store)
    condition = And(tuple(parse_condition(text) for text in where or ()))
    try:
        found = storage.find(
            pattern,
            state=state or None,
            since=since,
            until=until,
            min_shots=min_shots,
            max_shots=max_shots,
            varied=varied or None,
            where=condition,
            label=label,
            text=text,
            tag=tag or None,
        )
    except (InvalidConditionError, IncompatibleUnitsError):
        raise  # as of all commands that take conditions
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if paths_only:
        for summary in found:
            typer.echo(str(summary.path))
        return
    with storage.session() as session:
        listing = listing_of(session, {summary.path: summary for summary in found})
    if as_json:
        print_json([sequence_as_json(summary, listing) for summary in found])
    elif found:
        _print(listing)
    else:
        names = unknown_names(
            storage,
            pattern,
            parameters=[*(varied or ()), *(each.name for each in comparisons_in(condition))],
            label=label,
            tags=tag or (),
        )
        typer.echo(" ".join(["Nothing was found.", *names]))


def _print(listing: Listing) -> None:
    console = new_console()
    rows: list[tuple[Cell, ...]] = []
    for path, summary in listing.summaries.items():
        varied = ", ".join(f"{name} {found}" for name, found in summary.varied.items())
        *cells, note = sequence_cells(summary, listing)
        rows.append((str(path), *cells, varied, note))
    *columns, note_column = COLUMNS
    varied_column = Column("VARIED", rank=3, is_cut=True)
    print_columns(console, (Column("PATH"), *columns, varied_column, note_column), rows)
    if console.is_terminal:
        console.print(f"{counted(len(rows), 'sequence')}.", style="dim")
