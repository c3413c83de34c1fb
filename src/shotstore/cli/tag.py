"""``shotstore tag``: words to find sequences by, and to tell shots apart."""

from collections import Counter
from typing import Annotated

import typer

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json
from shotstore.cli.noted import SHOT_HELP, find_noted
from shotstore.cli.opening import open_to_read, open_to_write
from shotstore.cli.options import JsonOption, StorageOption, path_argument
from shotstore.paths import PureSequencePath


def tag(
    path: Annotated[
        str | None,
        path_argument(f"{SHOT_HELP}; without one, all tags of sequences are listed."),
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Argument(metavar="TAG", help="Tags to put on it; without any, its tags are printed."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove", "-r", metavar="TAG", help="Take a tag off; can be given several times."
        ),
    ] = None,
    as_json: JsonOption = False,
    store: StorageOption = None,
) -> None:
    """Put tags on a sequence or a shot, or take them off, in any state.

    A tag is a text of up to 100 characters without commas. `shotstore find --tag` finds the
    sequences that have it, and `--where "not tag = bad"` leaves out the shots that have it.
    """
    from shotstore.records.annotations import check_tags

    if path is None:
        _list(store, as_json=as_json)
        return
    try:
        added, removed = check_tags(tags or []), check_tags(remove or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    is_change = bool(added or removed)
    storage = open_to_write(store) if is_change else open_to_read(store, recipes=False)
    with storage.session(write=is_change) as session:
        tagged = find_noted(session, path)
        has = tagged.get_tags(session)
        if is_change:
            has = (has - removed) | added
            tagged.set_tags(session, has)
    if as_json:
        print_json(sorted(has))
    elif has:
        typer.echo(", ".join(sorted(has)))
    else:
        typer.echo(f"{tagged} has no tags.")


def _list(store: str | None, *, as_json: bool) -> None:
    with open_to_read(store, recipes=False).session() as session:
        summaries = session.sequences.get_summaries(PureSequencePath.root())
    numbers = Counter(tag for summary in summaries for tag in summary.tags)
    if as_json:
        print_json(dict(sorted(numbers.items())))
    elif not numbers:
        typer.echo("There are no tags.")
    else:
        rows: list[tuple[Cell, ...]] = [
            (((tag, "magenta"),), counted(number, "sequence"))
            for tag, number in sorted(numbers.items())
        ]
        print_columns(new_console(), (Column("TAG"), Column("ON", is_right=True)), rows)
