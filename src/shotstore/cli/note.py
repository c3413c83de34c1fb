"""``shotstore note``: what people want to remember about a folder, a sequence or a shot."""

import os
import shlex
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.noted import SHOT_HELP, Noted, find_noted
from shotstore.cli.opening import open_to_read, open_to_write
from shotstore.cli.options import StorageOption, path_argument
from shotstore.errors import PathError, StorageError

if TYPE_CHECKING:
    from shotstore.session import StorageManager


def note(
    path: Annotated[str, path_argument(f"{SHOT_HELP}; or a folder.")],
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            help="What to add to the note; `-` to read it from the standard input. Without it, the "
            "note is opened in your editor.",
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help='Let the text be all of the note; `""` takes the note away.'
        ),
    ] = False,
    print_it: Annotated[
        bool, typer.Option("--print", "-p", help="Print the note, and change nothing.")
    ] = False,
    store: StorageOption = None,
) -> None:
    """Write on the note of a folder, a sequence or a shot, in any state.

    The text is added to what is there, with the date, unless the note is to be replaced. The editor
    is that of the environment variable VISUAL or EDITOR.
    """
    from shotstore.records.annotations import check_note

    if print_it:
        with open_to_read(store, recipes=False).session() as session:
            typer.echo(find_noted(session, path, may_be_folder=True).get_note(session))
        return
    storage = open_to_write(store)
    with storage.session() as session:
        noted = find_noted(session, path, may_be_folder=True)
        old = noted.get_note(session)
    if text is None:
        _edit(storage, noted, old)
        return
    try:
        new = check_note(sys.stdin.read().rstrip() if text == "-" else text)
    except ValueError as error:  # bytes that are not a text in the encoding of the terminal
        raise typer.BadParameter(str(error)) from error
    if not new and not replace:
        raise typer.BadParameter(
            'An empty text adds nothing to the note: `--replace ""` takes it away.'
        )
    with storage.session(write=True) as session:
        if not replace:
            entry = f"{datetime.now().astimezone():%Y-%m-%d %H:%M} {new}"
            old = noted.get_note(session).rstrip()
            new = f"{old}\n{entry}" if old else entry
        noted.set_note(session, new)
    _say(noted, new)


def _edit(storage: "StorageManager", noted: Noted, old: str) -> None:
    """Open the note in an editor; no session is open meanwhile."""
    if not sys.stdin.isatty():
        raise StorageError(
            "There is no terminal to edit the note in: give the text, or - to read it from the "
            "standard input."
        )
    descriptor, name = tempfile.mkstemp(prefix="note-", suffix=".txt")
    os.close(descriptor)
    file = Path(name)
    file.write_text(f"{old}\n" if old else "", encoding="utf-8")
    _run_editor(file)
    new = file.read_text(encoding="utf-8").rstrip()
    if new == old.rstrip():
        file.unlink()
        typer.echo("The note was left as it is.")
        return
    try:
        with storage.session(write=True) as session:
            if noted.get_note(session) != old:
                raise StorageError(f"The note on {noted} was changed by somebody else meanwhile")
            noted.set_note(session, new)
    except (StorageError, PathError, OSError) as error:
        raise StorageError(f"{str(error).rstrip('.')}. Your text is in {file}") from error
    file.unlink()
    _say(noted, new)


def _run_editor(file: Path) -> None:
    default = "notepad" if os.name == "nt" else "vi"
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or default
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise StorageError(
            f"{editor} has failed ({error}), so the note was left as it is. Name another editor in "
            f"the environment variable EDITOR, or give the text. What is left of it is in {file}"
        ) from error


def _say(noted: Noted, note: str) -> None:
    typer.echo(f"{noted}: {note}" if note else f"{noted} has no note.")
