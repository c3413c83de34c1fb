"""Tables in terminals of any width."""

import io

import pytest
from rich.console import Console

from shotstore.cli.columns import Cell, Column, print_columns

COLUMNS = (
    Column("NAME"),
    Column("SHOTS", is_right=True, rank=1),
    Column("SIZE", is_right=True, rank=3),
    Column("TAGS", rank=2, is_cut=True),
    Column("EMPTY", rank=1),
)
ROWS: list[tuple[Cell, ...]] = [
    ("rabi", "12/24", "3.1 MB", "a tag, and another one", ""),
    (((("├── ", "dim"), ("原子", "bold blue"))), "1", "", "", ""),
]


def printed(width: int, *, is_terminal: bool = True, rows: list[tuple[Cell, ...]] = ROWS) -> str:
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=is_terminal, width=width, color_system=None, legacy_windows=False
    )
    print_columns(console, COLUMNS, rows)
    return file.getvalue()


def test_columns_are_lined_up() -> None:
    assert printed(80) == (
        "NAME      SHOTS    SIZE  TAGS\n"
        "rabi      12/24  3.1 MB  a tag, and another one\n"
        "├── 原子      1\n"
    )


def test_what_does_not_fit_is_cut_or_left_out() -> None:
    assert printed(40).splitlines()[1] == "rabi      12/24  a tag, and another one"
    assert printed(35).splitlines()[1] == "rabi      12/24  a tag, and anothe…"
    assert printed(20).splitlines()[1] == "rabi      12/24"
    assert printed(10).splitlines()[1] == "rabi"
    assert printed(5).splitlines() == ["NAME", "rabi", "├── 原子"]


def test_a_file_gets_all_of_it() -> None:
    assert printed(10, is_terminal=False) == printed(80)


@pytest.mark.parametrize("width", range(4, 60))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(len(line) <= max(width, 8) for line in printed(width).splitlines())


def test_nothing_in_a_cell_reaches_the_terminal_but_text() -> None:
    said = printed(80, rows=[("a\033[31m\nb\tc", "\u202e1", "", "", "")])
    assert said.count("\n") == 2
    assert not {"\033", "\t", "\u202e"} & set(said)
