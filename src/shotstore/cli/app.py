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
    ls,
    mv,
    note,
    plot,
    recover,
    rm,
    shots,
    show,
    tag,
    trash,
    tree,
    upgrade,
    verify,
)
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
    StorageError,
)

app = typer.Typer(
    help="Store the shots of an experiment in plain files, and look at them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("ls")(ls.ls)
app.command("tree")(tree.tree)
app.command("show")(show.show)
app.command("shots")(shots.shots)
app.command("find")(find.find)
app.command("tag")(tag.tag)
app.command("note")(note.note)
app.command("mv")(mv.mv)
app.command("rm")(rm.rm)
app.command("du")(du.du)
app.command("info")(info.info)
app.command("verify")(verify.verify)
app.command("recover")(recover.recover)
app.command("follow")(follow.follow)
app.command("plot")(plot.plot)
app.command("export")(export.export)
app.command("copy")(copy.copy)
app.command("upgrade")(upgrade.upgrade)
app.add_typer(trash.app, name="trash")


_FOR_THE_USER = (
    PathError,
    SequenceStateError,
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


def run() -> None:
    """Run the command that the process was started with.

    An error that the user can do something about ends in one line and exit code 1; any other is
    ours, and keeps its traceback.
    """
    try:
        app(prog_name="shotstore")
    except _FOR_THE_USER as error:
        _print_error(" ".join((f"shotstore: {error}", *getattr(error, "__notes__", ()))))
        sys.exit(1)


def _print_error(message: str) -> None:
    """On one line, which a terminal wraps, in red where there is one."""
    from rich.console import Console
    from rich.text import Text

    line = re.sub(r"\s*\n\s*", " ", message)  # a database server may say more than one
    Console(stderr=True).print(Text(line, style="red"), soft_wrap=True)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"shotstore {metadata.version('shotstore')}")
        raise typer.Exit


@app.callback()
def _options(
    print_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    # typer reads the options that all commands share from this signature.
    del print_version
