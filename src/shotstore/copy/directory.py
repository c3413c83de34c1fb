"""Copy one sequence into a store of files of its own."""

from pathlib import Path

from shotstore.copy.transfer import copy_sequence
from shotstore.hdf5 import HDF5StorageManager
from shotstore.records.directories import Progress
from shotstore.records.sequence_reader import ReadableSequence
from shotstore.session import Sequence


def write_directory(sequence: ReadableSequence, store: Path, progress: Progress) -> Path:
    """Return the directory of the copy; see `shotstore.records.directories`."""
    assert isinstance(sequence, Sequence)
    path, session = sequence.path, sequence.session
    storage = HDF5StorageManager(store, serializer=session.storage.serializer)
    with storage.session(write=True) as copy:
        whole = len(sequence)
        copy_sequence(path, session, copy, lambda shots, _: progress(shots, whole))
    directory = storage.get_directory(path)
    storage.close()
    return directory
