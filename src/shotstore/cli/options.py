"""Arguments and options that several commands have."""

from typing import Annotated, Any

import typer

from shotstore.cli.completion import complete_path

_BY_DEFAULT = "By default the current directory, or the nearest one above it that is a store."


def path_argument(help: str, metavar: str = "PATH") -> Any:  # noqa: A002 - as typer calls it
    """Return an argument that is a path in the store, which the shell completes."""
    return typer.Argument(metavar=metavar, help=help, autocompletion=complete_path)


def json_option(help: str = "Print JSON.") -> Any:  # noqa: A002 - as typer calls it
    """Return the option with which a command tells a program what it tells people."""
    return typer.Option("--json", help=help)


def columns_option(by_default: str) -> Any:
    """Return the option that chooses columns, all in one text: see `names_in`."""
    return typer.Option(
        "--columns",
        "-c",
        metavar="NAMES",
        help="Parameters and labels, with commas between them; the end of a name is enough. "
        f"By default {by_default}.",
    )


def output_option(help: str) -> Any:  # noqa: A002 - as typer calls it
    """Return the option that names a file to write."""
    return typer.Option("--output", "-o", metavar="FILE", help=help)


StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", envvar="SHOTSTORE", metavar="DIR", help=f"The store of files. {_BY_DEFAULT}"
    ),
]
StorageOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="SHOTSTORE",
        metavar="STORE",
        help="The store: a directory, or the URL of a database such as sqlite:///runs.db. "
        f"{_BY_DEFAULT}",
    ),
]
SequenceArgument = Annotated[str, path_argument("A sequence, such as 2026/rabi.")]
SequencesArgument = Annotated[
    list[str],
    path_argument(
        "A sequence, such as 2026/rabi; several, a folder for all that is in it, or a pattern such "
        "as `'2026/*/rabi*'`.",
    ),
]
AnyPathArgument = Annotated[
    str | None, path_argument("A sequence or folder, such as 2026/rabi; by default everything.")
]
JsonOption = Annotated[bool, json_option()]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="CONDITION",
        help="Only shots such as those with `'detuning > 5 MHz and hold_time <= 2 s'`.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace a file that exists.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def names_in(columns: str | None) -> list[str] | None:
    """Return the names that ``--columns`` gives."""
    return None if columns is None else [name.strip() for name in columns.split(",")]
