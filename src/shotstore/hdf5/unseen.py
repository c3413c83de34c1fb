"""What lies in the tree of a store and is seen by nobody: sequences in directories whose names
stand for no path, as file managers and other programs give them, and directories that the system
does not let us look into."""

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from shotstore.hdf5 import on_disk
from shotstore.hdf5.names import (
    FILES_OF_ROWS,
    SEQUENCE_DOCUMENT,
    directory_name,
    path_name,
    suggested_name,
)
from shotstore.hdf5.places import directory_of
from shotstore.hdf5.store import Store
from shotstore.paths import PureSequencePath


@frozen
class Unseen:
    """A directory that is not shown, or in which nothing is."""

    folder: PureSequencePath
    """The folder in which it lies."""
    directory: Path
    why: str
    """As a clause."""
    path: PureSequencePath | None = None
    """Its own, of a directory that cannot be read."""


def find_unseen(store: Store, path: PureSequencePath) -> list[Unseen]:
    """What nobody sees at and below a path.

    Raises:
        PathNotFoundError: nothing is at the path.
    """
    found: list[Unseen] = []
    pending = [(directory_of(store, path), path)]
    while pending:
        directory, place = pending.pop()
        for entry, entries in _entries(directory, place, found):
            name = seen_as(entry, entries)
            if name is not None:
                pending.append((directory / entry, place / name))
            elif holds_sequence(directory / entry):
                better = what_to_call(entry, entries)
                why = f"its name stands for no path: rename the directory to {better!r}"
                found.append(Unseen(place, directory / entry, why))
    return sorted(found, key=lambda unseen: unseen.directory)


def _entries(
    directory: Path, path: PureSequencePath, found: list[Unseen]
) -> Iterator[tuple[str, list[str]]]:
    """Each directory in a folder, with the names of all."""
    try:
        is_sequence = on_disk.is_regular_file(directory / SEQUENCE_DOCUMENT)
        entries = [] if is_sequence else on_disk.list_directories(str(directory))
    except FileNotFoundError:
        return  # moved away meanwhile
    except OSError as error:
        why = f"it cannot be read: {error.strerror or error}"
        found.append(Unseen(path.parent or path, directory, why, path))
        return
    for entry in entries:
        if not entry.startswith("."):
            yield entry, entries


def seen_as(entry: str, entries: list[str]) -> str | None:
    """The path name for which a directory among others stands, or None."""
    name = path_name(entry)
    if name is None or not PureSequencePath.is_valid_name(name):
        return None
    return None if any(_hides(other, entry, name) for other in entries) else name


def _hides(other: str, entry: str, name: str) -> bool:
    """Whether another directory stands for the same name, in the form that we write."""
    return other != entry and not entry.isascii() and other == directory_name(name)


def what_to_call(entry: str, entries: list[str]) -> str:
    """What to rename a directory to, so that it stands for a path."""
    suggested = better = suggested_name(entry)
    number = 2
    while better in entries:
        better = f"{suggested} {number}"
        number += 1
    return better


def holds_sequence(directory: Path) -> bool:
    """Whether a sequence lies in a directory, at any depth; one that cannot be read may."""
    pending = [str(directory)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.name in (SEQUENCE_DOCUMENT, *FILES_OF_ROWS):
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False
