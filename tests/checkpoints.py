"""When the storages of a test make checkpoints: not by chance while it watches the disk, and none
in a later test."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from shotstore.hdf5 import dropped
from shotstore.hdf5.membership import Membership
from shotstore.hdf5.worker import run


@contextmanager
def without_pauses() -> Iterator[None]:
    """No checkpoint is made in a pause."""

    def note_commit(membership: Membership) -> None:
        membership._has_committed = True

    with patch.object(Membership, "note_commit", note_commit):
        yield


def close_storages() -> None:
    """End every session of this process and close every storage, as the end of Python does; but a
    storage can be used further. Those that nobody refers to are found without the garbage
    collector, which takes too long for each test."""
    dropped.settle(10)
    for action in list(dropped._watched):
        run(action)


def close_dropped_storages() -> None:
    """Wait until what was dropped, by this test or an earlier one, has closed its files."""
    for _ in range(3):  # a session lets go of its storage, which lets go of the file
        gc.collect()
        dropped.settle(10)
