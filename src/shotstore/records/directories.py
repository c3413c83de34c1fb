"""Who writes a sequence as a directory of files: a room above those that ask for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from shotstore.records.sequence_reader import ReadableSequence

Progress: TypeAlias = Callable[[int, int], object]
"""Takes how much is done, and of how much."""

Writer: TypeAlias = Callable[[ReadableSequence, Path, Progress], Path]
"""Copies a sequence into a store of files that it makes at a path, and returns its directory."""

_writers: list[Writer] = []


def register_writer(writer: Writer) -> None:
    """Register who writes all sequences, of whatever backend."""
    _writers[:] = [writer]


def write_directory(sequence: ReadableSequence, store: Path, progress: Progress) -> Path:
    """Write a sequence as a directory of files.

    Args:
        sequence: What to write, with all its shots.
        store: Where to make a store of files with nothing else in it.
        progress: Called now and then with how much is done, and of how much.

    Returns:
        The directory of the sequence.

    Raises:
        SequenceRunningError: it is preparing or running.
    """
    [writer] = _writers
    return writer(sequence, store, progress)
