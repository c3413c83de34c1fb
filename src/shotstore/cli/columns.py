"""Tables of any length for a terminal of any width: columns that do not fit are cut or left out."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import attrs
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from shotstore.cli.formats import printable

Piece: TypeAlias = tuple[str, str]
"""A text and its style."""
Cell: TypeAlias = str | tuple[Piece, ...]

_GAP = 2
_SMALLEST_NOTE = 10


@attrs.frozen
class Column:
    """A column of a table."""

    title: str
    is_right: bool = False
    """Whether its cells end in one line, as numbers do."""
    rank: int = 0
    """Where not all columns fit, that of the highest rank is left out first; 0 never is."""
    is_cut: bool = False
    """Whether its cells may be cut before it is left out."""


def print_columns(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    has_header: bool = True,
) -> list[str]:
    """Print a table, without the columns in which all cells are empty.

    Whole if it goes to a file or to another program.

    Returns:
        The titles of the columns for which the terminal is too narrow.
    """
    table = [[_pieces(cell) for cell in row] for row in rows]
    widths = [
        max((_width(row[place]) for row in table), default=0) for place in range(len(columns))
    ]
    places = [place for place, width in enumerate(widths) if width]
    for place in places:
        widths[place] = max(widths[place], cell_len(columns[place].title))
    kept = _fit(columns, places, widths, console.width) if console.is_terminal else places
    if has_header:
        table.insert(0, [((column.title, "dim"),) for column in columns])
    segments: list[Segment] = []
    styles: dict[str, Style | None] = {"": None}
    for row in table:
        for text, style in _line(columns, kept, widths, row):
            if style not in styles:
                styles[style] = console.get_style(style)
            segments.append(Segment(text, styles[style]))
        segments.append(Segment.line())
    if kept:
        # rich's own table takes a second for two thousand rows.
        console.print(Segments(segments), end="", soft_wrap=True)
    return [columns[place].title for place in places if place not in kept]


def print_facts(console: Console, facts: Iterable[tuple[str, Cell]], *, style: str = "dim") -> None:
    """Print what things are: a name and a value a line, without those that have no value."""
    rows = [(((name, style),), value) for name, value in facts if value]
    print_columns(console, (Column(""), Column("")), rows, has_header=False)


def _fit(
    columns: Sequence[Column], places: Sequence[int], widths: list[int], width: int
) -> list[int]:
    """The columns that fit, some of which are made narrower."""
    kept = list(places)
    for place in sorted(places, key=lambda place: -columns[place].rank):
        column = columns[place]
        too_much = sum(widths[other] + _GAP for other in kept) - _GAP - width
        if too_much <= 0 or not column.rank:
            break
        narrow = max(cell_len(column.title), _SMALLEST_NOTE)
        if column.is_cut and widths[place] - too_much >= narrow:
            widths[place] -= too_much
        else:
            kept.remove(place)
    return kept


def _line(
    columns: Sequence[Column],
    kept: Sequence[int],
    widths: Sequence[int],
    row: Sequence[tuple[Piece, ...]],
) -> list[Piece]:
    line: list[Piece] = []
    space = 0
    for place in kept:
        pieces = row[place]
        left = widths[place] - _width(pieces)
        if left < 0:
            pieces, left = _cut(pieces, widths[place]), 0
        before, after = (left, 0) if columns[place].is_right else (0, left)
        if pieces:
            line.append((" " * (space + before), ""))
            line.extend(pieces)
            space = after + _GAP
        else:
            space += left + _GAP
    return line


def _cut(pieces: tuple[Piece, ...], width: int) -> tuple[Piece, ...]:
    cut: list[Piece] = []
    left = width - 1
    for text, style in pieces:
        if cell_len(text) > left:
            cut.append((set_cell_size(text, left).rstrip() + "…", style))
            break
        cut.append((text, style))
        left -= cell_len(text)
    return tuple(cut)


def _pieces(cell: Cell) -> tuple[Piece, ...]:
    if isinstance(cell, str):
        return ((printable(cell), ""),) if cell else ()
    return tuple((printable(text), style) for text, style in cell if text)


def _width(pieces: tuple[Piece, ...]) -> int:
    return sum(cell_len(text) for text, _ in pieces)
