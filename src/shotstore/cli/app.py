"""The commands put together, and what they have in common: options, errors, exit codes."""

import re
import sys
from importlib import metadata
from typing import Annotated

import typer

from shotstore.cli import (
    copy,
    demo,
    du,
    export,
    find,
    follow,
    info,
    init,
    interrupt,
    ls,
    mv,
    note,
    plot,
    recover,
    resume,
    rm,
    shots,
    show,
    tag,
    trash,
    tree,
    upgrade,
    verify,
)
from shotstore.cli.commands import Commands
from shotstore.cli.console import new_console
from shotstore.errors import (
    ColumnKindError,
    DataNotFoundError,
    ExportError,
    IncompatibleUnitsError,
    InvalidConditionError,
    InvalidPathFormatError,
    MissingPackageError,
    PathError,
    SequenceStateError,
    ShotNotFoundError,
    StorageError,
)

app = Commands("Store the shots of an experiment in plain files, and look at them.")
for command in (
    demo.demo,
    init.init,
    ls.ls,
    tree.tree,
    show.show,
    shots.shots,
    find.find,
    tag.tag,
    note.note,
    mv.mv,
    rm.rm,
    du.du,
    info.info,
    verify.verify,
    recover.recover,
    follow.follow,
    interrupt.interrupt,
    resume.resume,
    plot.plot,
    export.export,
    copy.copy,
    upgrade.upgrade,
):
    app.add(command)
app.add_typer(trash.app, name="trash")


_FOR_THE_USER = (
    PathError,
    SequenceStateError,
    ShotNotFoundError,
    StorageError,
    ColumnKindError,
    DataNotFoundError,
    ExportError,
    InvalidPathFormatError,
    InvalidConditionError,
    IncompatibleUnitsError,
    MissingPackageError,
    OSError,
)

_IN_WORDS = {
    "open it with read_only=True": "name it with --store, for a command that only reads",
    "without read_only=True": "for writing",
    "run the block again": "try again",
    "get_contained_sequences lists those inside it": "`shotstore ls` names those inside it",
    ", or create it first": "",
    ", or storage.upgrade() in Python, once": "",
    ", or storage.upgrade() in Python": "",
}
"""What messages of the library advise in Python, as a command says it."""

_IN_PYTHON = re.compile(r"\S+ \(`?(--[^)`]+)`?(?: on the command line)?\)")
"""What Python calls something, and the option that does the same: ``force (--force)``."""


def run() -> None:
    """Run the command that the process was started with.

    An error that the user can do something about ends in one line and exit code 1; any other is
    a bug, and keeps its traceback.
    """
    try:
        app(prog_name="shotstore")
    except _FOR_THE_USER as error:
        _print_error(" ".join((f"shotstore: {error}", *getattr(error, "__notes__", ()))))
        sys.exit(1)


def _print_error(message: str) -> None:
    """On one line, which a terminal wraps, in red where there is one."""
    line = re.sub(r"\s*\n\s*", " ", message)  # a database server may say more than one
    line = _IN_PYTHON.sub(r"\1", line)
    for python, words in _IN_WORDS.items():
        line = line.replace(python, words)
    new_console(stderr=True).print(line, style="red", soft_wrap=True)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"shotstore {metadata.version('shotstore')}")
        raise typer.Exit


@app.callback()
def _options(
    print_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    # typer reads the options that all commands share from this signature.
    del print_version
