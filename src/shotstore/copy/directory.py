"""Copy one sequence into a store of files of its own."""

from pathlib import Path

from shotstore.copy.transfer import transfer
from shotstore.hdf5 import HDF5ExperimentSession, HDF5StorageManager
from shotstore.records.directories import Progress
from shotstore.records.sequence_reader import ReadableSequence
from shotstore.session import Sequence


def write_directory(sequence: ReadableSequence, store: Path, progress: Progress) -> Path:
    """Return the directory of the copy; see `shotstore.records.directories.write_directory`."""
    assert isinstance(sequence, Sequence)
    path, session = sequence.path, sequence.session
    storage = HDF5StorageManager(store, serializer=session.storage.serializer)
    with storage.session(write=True) as copy:
        if isinstance(session, HDF5ExperimentSession):
            copy.copy_files(path, session, progress)
        else:
            shots = len(sequence)
            done = iter(range(1, shots + 1))
            transfer(path, session, copy, lambda _: progress(next(done), shots))
    directory = storage.get_directory(path)
    storage.close()
    return directory
