"""``shotstore shots``: the numbers of shots, as a table."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shotstore.cli.columns import Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import (
    SequenceArgument,
    StorageOption,
    WhereOption,
    columns_option,
    json_option,
    names_in,
)
from shotstore.cli.places import find_sequence

if TYPE_CHECKING:
    from shotstore import Sequence
    from shotstore.analysis.tables import Table, TableColumn
    from shotstore.records.columns import Column as Values

_USUAL_NUMBER = 50
_LONGEST_TEXT = 40
_NOTHING = "-"
_IN_CELLS = ("number", "text", "time")
_TITLES = {"shot_index": "SHOT", "shot_start_time": "START", "shot_end_time": "END"}


def shots(
    path: SequenceArgument,
    columns: Annotated[str | None, columns_option("those that differ between the shots")] = None,
    where: WhereOption = None,
    first: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first N of them.")
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help=f"Only the last N of them; by default {_USUAL_NUMBER}."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="All of them.")] = False,
    results: Annotated[
        bool,
        typer.Option(
            "--results",
            help="Beside what is varied, only what was stored of them later: results, tags and "
            "notes.",
        ),
    ] = False,
    as_json: Annotated[
        bool, json_option("Print JSON, with all columns and exact numbers.")
    ] = False,
    store: StorageOption = None,
) -> None:
    """Show parameters and numbers of shots as a table.

    Each with the time at which it began, and with its results, tags and note. Parameters that are
    the same in all shots shown are named below the table. `shotstore export` writes all of it to a
    file.
    """
    from shotstore.analysis.tables import as_table
    from shotstore.analysis.tables.conditions import matching_rows

    if sum((first is not None, last is not None, every)) > 1:
        raise typer.BadParameter("Only one of --first, --last and --all can be meant.")
    if results and columns is not None:
        raise typer.BadParameter("Only one of --columns and --results can be meant.")
    with open_to_read(store).session() as session:
        sequence = session.get_sequence(find_sequence(session, path))
        table = as_table(sequence)
        rows = matching_rows(table, where)
        number = len(rows)
        if first is not None:
            rows = rows[:first]
        elif not every:
            rows = rows[-(last or _USUAL_NUMBER) :]
        names = names_in(columns)
        chosen = None if names is None else [table.find(name) for name in names]
        shown = _shown(table, chosen)
        if results:
            shown = [column for column in shown if not column.is_label]
        values = table.read([column.name for column in shown], rows)
        varied = _varied(sequence) if len(rows) == 1 else None
    if as_json:
        print_json(_as_json(shown, values, len(rows)))
    elif not len(rows):
        typer.echo("There are no shots." if where is None else "No shot meets the condition.")
    else:
        _print(shown, values, is_chosen=chosen is not None, varied=varied)
        if len(rows) < number:
            end = "last" if first is None else "first"
            typer.echo(f"The {end} {len(rows)} of {counted(number, 'shot')}; --all shows all.")


def _shown(table: "Table", chosen: "list[TableColumn] | None") -> "list[TableColumn]":
    """Index and start, and the columns that were chosen or, by default, those that fit a table."""
    always = [table.columns["shot_index"], table.columns["shot_start_time"]]
    if chosen is None:
        rest = [table.columns["shot_end_time"]]
        rest += [column for column in table.columns.values() if column.origin is not None]
        return always + [column for column in rest if column.kind in _IN_CELLS]
    for column in chosen:
        if column.kind not in _IN_CELLS:
            raise typer.BadParameter(
                f"{column.name} holds no single numbers or texts: `shotstore export` writes arrays "
                "to a file, and `shotstore plot --image` draws them."
            )
    return always + [column for column in chosen if column not in always]


def _as_json(
    columns: "list[TableColumn]", values: "dict[str, Values]", number: int
) -> dict[str, object]:
    found = {column.name: _plain(values[column.name], column.kind) for column in columns}
    return {
        "units": {column.name: column.units for column in columns if column.units is not None},
        "shots": [{name: items[row] for name, items in found.items()} for row in range(number)],
    }


def _plain(values: "Values", kind: str) -> list[Any]:
    """The values as Python objects, None where a shot has none; times as ISO 8601 in UTC."""
    from shotstore.analysis.tables.gaps import present_or_none
    from shotstore.analysis.times import utc_texts

    return present_or_none(values, utc_texts(values.values, "+00:00") if kind == "time" else None)


def _varied(sequence: "Sequence") -> set[str]:
    """What is to differ between the shots, as the recipe tells it."""
    [summary] = sequence.session.sequences.get_summaries(sequence.path)
    return set(summary.varied)


def _print(
    columns: "list[TableColumn]",
    values: "dict[str, Values]",
    *,
    is_chosen: bool,
    varied: "set[str] | None",
) -> None:
    """Print the table. Of a single shot, ``varied`` says which parameters are columns."""
    from shotstore.analysis.tables.names import short_name
    from shotstore.analysis.tables.variation import ParameterValues

    constant: list[str] = []
    titles: list[Column] = []
    cells: list[list[str]] = []
    for column in columns:
        found = None
        if column.is_parameter:
            found = ParameterValues.of(values[column.name], column.units)
        is_same = column.is_parameter and (found is None or found.is_constant())
        if is_same and not is_chosen and column.name not in (varied or ()):
            if found is not None:
                constant.append(f"{column.name} = {found}")
        elif is_chosen or column.name != "shot_end_time":
            title = _TITLES.get(column.name) or column.name
            title = short_name(title, values) if column.is_parameter else title
            title = f"{title} ({column.units})" if column.units else title
            # The first ones stay: index and what is varied.
            rank = len(columns) if column.kind == "time" else len(titles)
            titles.append(Column(title, is_right=column.kind != "text", rank=rank))
            cells.append(_texts(values[column.name], column.kind))
    console = new_console()
    left_out = print_columns(console, titles, list(zip(*cells, strict=True)))
    if constant:
        console.print(
            f"{'Its other parameters' if varied is not None else 'The same in all of them'}: "
            f"{', '.join(constant)}",
            style="dim",
        )
    if left_out:
        console.print(f"No room for {', '.join(left_out)}: --columns chooses.", style="yellow")


def _texts(values: "Values", kind: str) -> list[str]:
    from shotstore.analysis.tables.gaps import present_or_none
    from shotstore.model.value_texts import number_text

    found = present_or_none(values, _times(values) if kind == "time" else None)
    texts = []
    for item in found:
        if item is None:
            texts.append(_NOTHING)
        elif isinstance(item, str):
            line = " ".join(item.split())
            texts.append(line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…")
        else:
            texts.append(number_text(item))
    return texts


def _times(values: "Values") -> list[str]:
    """On the clock of this machine, without the day where it is the same for all."""
    from shotstore.analysis.times import local_texts

    texts = local_texts(values.values)
    if len({text.partition(" ")[0] for text in texts if text != _NOTHING}) == 1:
        texts = [text.rpartition(" ")[2] for text in texts]
    return texts
