"""``shotstore note``: what people want to remember about a sequence."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.opening import open_to_read, open_to_write
from shotstore.cli.options import StorageOption, path_argument
from shotstore.cli.places import find_sequence
from shotstore.errors import PathError, StorageError

if TYPE_CHECKING:
    from shotstore.paths import PureSequencePath
    from shotstore.session import StorageManager


def note(
    path: Annotated[str, path_argument("A sequence.")],
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            help='The note; `""` for none, `-` to read it from the standard input. Without it, the '
            "note is opened in your editor.",
        ),
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", "-a", help="Add the text to the note, as its last line.")
    ] = False,
    print_it: Annotated[
        bool, typer.Option("--print", "-p", help="Print the note, and change nothing.")
    ] = False,
    store: StorageOption = None,
) -> None:
    """Write a note on a sequence, in any state.

    The editor is that of the environment variable VISUAL or EDITOR.
    """
    from shotstore.records.annotations import check_note

    if print_it:
        with open_to_read(store, recipes=False).session() as session:
            typer.echo(session.sequences.get_note(find_sequence(session, path)))
        return
    storage = open_to_write(store)
    with storage.session() as session:
        sequence = find_sequence(session, path)
        old = session.sequences.get_note(sequence)
    if text is None:
        _edit(storage, sequence, old)
        return
    try:
        new = check_note(sys.stdin.read().rstrip() if text == "-" else text)
    except ValueError as error:  # bytes that are not a text in the encoding of the terminal
        raise typer.BadParameter(str(error)) from error
    with storage.session(write=True) as session:
        if append and (old := session.sequences.get_note(sequence)):
            new = f"{old.rstrip()}\n{new}"
        session.sequences.set_note(sequence, new)
    _say(sequence, new)


def _edit(storage: "StorageManager", sequence: "PureSequencePath", old: str) -> None:
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
            if session.sequences.get_note(sequence) != old:
                raise StorageError(f"The note on {sequence} was changed by somebody else meanwhile")
            session.sequences.set_note(sequence, new)
    except (StorageError, PathError, OSError) as error:
        raise StorageError(f"{str(error).rstrip('.')}. Your text is in {file}") from error
    file.unlink()
    _say(sequence, new)


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


def _say(sequence: "PureSequencePath", note: str) -> None:
    typer.echo(f"{sequence}: {note}" if note else f"{sequence} has no note.")
