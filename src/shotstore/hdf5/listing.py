"""Read a part of the tree as it was at one moment, without keeping commits out for long."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain
from time import monotonic
from typing import TypeAlias

from shotstore.errors import TransactionConflictError
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.tree import Node

Reading: TypeAlias = Callable[[], AbstractContextManager[int]]
"""Keeps commits out; gives how many there were."""

_LONGEST_BATCH = 0.005  # seconds for which commits are kept out
_TRIES = 3


def read_below(
    known: Snapshot, directories: list[str], reading: Reading, *, documents: bool
) -> Snapshot:
    """Return a snapshot that knows everything below some directories, as it was at one moment.

    Commits are let in between any two files; if one came, all is read again.

    Args:
        known: What is known already.
        directories: Relative to the root of the store.
        reading: As it is to be called before files are read.
        documents: Whether to read those of sequences too.
    """
    for attempt in range(1, _TRIES + 1):
        snapshot = known.copy()
        steps = chain.from_iterable(
            snapshot.scan(directory, documents=documents) for directory in directories
        )
        try:
            if _run_batches(steps, reading, at_once=attempt == _TRIES):
                break
        except TransactionConflictError:
            # Something was moved between two batches: nobody has been told of it yet.
            if attempt == _TRIES:
                raise
    return snapshot


def directories_below(node: Node) -> list[str]:
    """The directories on the disk that hold what is below a node."""
    found = [node.directory] if node.directory is not None else []
    pending = list(node.children.values())
    while pending:
        child = pending.pop()
        pending.extend(child.children.values())
        above = child.parent.directory if child.parent is not None else None
        if child.directory is not None and child.directory.rpartition("/")[0] != above:
            found.append(child.directory)
    return found


def _run_batches(steps: Iterator[None], reading: Reading, *, at_once: bool) -> bool:
    """Run all steps, letting commits in between; whether there was none."""
    seen: set[int] = set()
    unfinished = True
    while unfinished:
        with reading() as commits:
            seen.add(commits)
            deadline = monotonic() + _LONGEST_BATCH
            unfinished = False
            for _ in steps:
                if not at_once and monotonic() > deadline:
                    unfinished = True
                    break
    return len(seen) == 1
