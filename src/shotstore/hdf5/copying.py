"""Copy a sequence from one store of files to another, file by file.

No lock is held while the shots are copied, however many they are: those of a sequence that has
ended do not change, and the open file stays what it is where the sequence is reset, moved or
deleted meanwhile. What was added to them later can grow, and is copied piece by piece.
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial

from attrs import frozen

from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.open_shots import ShotsReader
from shotstore.hdf5.records import HDF5Records
from shotstore.hdf5.transaction import Transaction
from shotstore.paths import PureSequencePath
from shotstore.records import state_rules
from shotstore.records.addition_copies import copy_additions
from shotstore.state import State


@frozen
class _Source:
    document: SequenceDocument
    reader: ShotsReader | None


def copy_files(
    path: PureSequencePath,
    source: Transaction,
    destination: Transaction,
    on_copied: Callable[[int, int], object],
) -> None:
    """Create a sequence as a copy; see `HDF5ExperimentSession.copy_files`."""
    found = source.read(lambda: _open(source, path))
    destination.write(lambda: HDF5Records(destination).create_sequence(path, found.document))
    node = destination.read(lambda: destination.tree.get(path))
    with destination.appending():  # a sequence without its shots must not be committed
        if found.reader is not None:
            staged = destination.write(destination.new_slot)
            with closing(found.reader.copy_to(staged)) as pieces:
                # On a worker thread, and a piece at a time: a Ctrl-C comes in between.
                while (copied := destination.run(partial(next, pieces, None))) is not None:
                    on_copied(*copied)
            destination.write(lambda: destination.shots.files.adopt(node, staged))
            copy_additions(path, HDF5Records(source), HDF5Records(destination))
        destination.write(lambda: destination.change_document(node, found.document))


def _open(transaction: Transaction, path: PureSequencePath) -> _Source:
    """Look at a sequence while commits are kept out: whether all of it is there, and of one
    moment."""
    node = transaction.tree.get_sequence(path)
    document = transaction.document(node)
    if document.state.is_active():
        raise state_rules.sequence_running_error(path, document.state, "copying")
    if document.state is State.DRAFT:
        return _Source(document, None)
    transaction.shots.open(node)
    transaction.results.open(node)
    return _Source(document, transaction.shots.files.reader(node))
