"""What is known of many sequences without their shots: their documents are read, and nothing else
but the numbers of shots of those that are running."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from attrs import evolve, frozen

from shotstore.errors import (
    DamagedStorageError,
    StorageError,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.hdf5.documents import SequenceDocument, load_sequence
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.tree import Node
from shotstore.model import IterationConfiguration, Serializer
from shotstore.paths import PureSequencePath
from shotstore.records.summaries import RangesWhenAsked, SequenceSummary, summary_of
from shotstore.state import State

_NOT_COUNTED = -1

_T = TypeVar("_T")


@frozen
class _Found:
    """A sequence, and its document: as it is on the disk, or as the session has changed it."""

    path: PureSequencePath
    node: Node
    file: str
    content: bytes | None
    document: SequenceDocument | None
    error: DamagedStorageError | None
    """Why its content could not be read."""

    def load(self) -> SequenceDocument:
        """The document.

        Raises:
            DamagedStorageError: it is damaged, or cannot be read.
        """
        if self.error is not None:
            raise self.error
        return self.document or load_sequence(self.content or b"", self.file)


def read(
    transaction: Transaction, path: PureSequencePath, serializer: Serializer
) -> list[SequenceSummary]:
    """What is known of the sequences at and below a path.

    Raises:
        PathNotFoundError: nothing is at the path.
        DamagedStorageError: the sequence at the path cannot be read.
    """
    remembered = transaction.store.summaries

    def summary(found: _Found) -> SequenceSummary:
        make = partial(_summary, found, serializer)
        known = make() if found.content is None else remembered.get(found.content, make)
        if known.number_of_shots == _NOT_COUNTED:
            number = transaction.read(lambda: transaction.shots.number_in_a_list(found.node))
            return evolve(known, path=found.path, number_of_shots=number)
        return known if known.path == found.path else evolve(known, path=found.path)

    return list(_each(transaction, path, summary))


def records_below(
    transaction: Transaction, path: PureSequencePath
) -> Iterator[tuple[Node, SequenceDocument]]:
    """The sequences at and below a path.

    Raises:
        PathNotFoundError: nothing is at the path.
        DamagedStorageError: the sequence at the path cannot be read.
    """
    return _each(transaction, path, lambda found: (found.node, found.load()))


def _each(
    transaction: Transaction, path: PureSequencePath, function: Callable[[_Found], _T]
) -> Iterator[_T]:
    """What the function makes of each sequence. One damaged sequence must not make a listing of
    the others fail, so it is left out."""
    transaction.load_below(path, documents=True)
    for found in transaction.run(partial(_find, transaction, path)):
        try:
            yield function(found)
        except (StorageLockTimeoutError, TransactionConflictError):
            raise
        except StorageError:
            if found.path == path:
                raise


def _find(transaction: Transaction, path: PureSequencePath) -> list[_Found]:
    tree = transaction.tree
    found = []
    for node in tree.sequences(tree.get(path), skip_unreadable=True):
        content, document, error = None, None, None
        try:
            content = tree.content(node)
            document = tree.document(node) if content is None else None
        except DamagedStorageError as raised:
            error = raised
        file = f"{transaction.store.root}/{node.directory or ''}/{SEQUENCE_DOCUMENT}"
        found.append(_Found(node.path, node, file, content, document, error))
    return found


def _summary(found: _Found, serializer: Serializer) -> SequenceSummary:
    document = found.load()
    # Of the content: thousands of parsed recipes in memory would make garbage collections slow.
    ranges = RangesWhenAsked(
        partial(_load_iteration, found.content, found.document, found.file, serializer)
    )
    number = document.number_of_shots
    if document.state in (State.DRAFT, State.PREPARING):
        number = 0
    elif number is None or not document.state.has_ended():
        number = _NOT_COUNTED
    return summary_of(found.path, document, number, ranges)


def _load_iteration(
    content: bytes | None, changed: SequenceDocument | None, file: str, serializer: Serializer
) -> IterationConfiguration:
    document = changed or load_sequence(content or b"", file)
    return serializer.load_iteration(document.iteration)
