"""What becomes of a storage that nobody refers to any more."""

import gc

from shotstore.hdf5.dropped import settle


def close_dropped_storages() -> None:
    """Wait until storages that were dropped have closed the files that they recorded into."""
    for _ in range(3):  # a session lets go of its storage, which lets go of the file
        gc.collect()
        settle(10)
