"""Who writes a sequence as a directory of files: a room above those that ask for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from shotstore.records.sequence_reader import ReadableSequence

Progress: TypeAlias = Callable[[int, int], object]
"""Takes how much is done, and of how much."""

DirectoryWriter: TypeAlias = Callable[[ReadableSequence, Path, Progress], Path]
"""Copies a sequence of any backend into a store of files that it makes at a path, and returns its
directory there. It raises SequenceRunningError for one that is preparing or running."""

writers: list[DirectoryWriter] = []
"""The one that there is, which `shotstore` itself brings here."""
