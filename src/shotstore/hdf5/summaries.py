"""What is known of many sequences without their shots: their documents are read, and nothing else
but the numbers of shots of those that are running."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import TypeVar

from attrs import evolve, frozen

from shotstore.errors import (
    DamagedStorageError,
    StorageError,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.hdf5.documents import SequenceDocument, load_sequence
from shotstore.hdf5.folders import Folder
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.tree import Node, Tree
from shotstore.model import IterationConfiguration, Serializer
from shotstore.model.scalars import copy_json
from shotstore.paths import PureSequencePath
from shotstore.records.recorders import Recorder
from shotstore.records.summaries import RangesWhenAsked, SequenceSummary, summary_of
from shotstore.state import State

_NOT_COUNTED = -1

_P = TypeVar("_P", "_Found", SequenceSummary)
_T = TypeVar("_T")


@frozen
class _Found:
    """A sequence, and its document: as it is on the disk, or as the session has changed it."""

    path: PureSequencePath
    file: str
    content: bytes | None = None
    document: SequenceDocument | None = None
    error: DamagedStorageError | None = None
    """Why its content could not be read."""

    def load(self) -> SequenceDocument:
        """The document.

        Raises:
            DamagedStorageError: it is damaged, or cannot be read.
        """
        if self.error is not None:
            raise self.error
        return self.document or load_sequence(self.content or b"", self.file)


@frozen
class _Untouched:
    """The sequences in a folder that the session has not come across by themselves."""

    path: PureSequencePath
    folder: Folder
    contents: Mapping[str, bytes]
    """Their documents by name."""


@frozen
class _Made:
    """What was made of the documents of such sequences before."""

    path: PureSequencePath
    contents: Mapping[str, bytes]
    summaries: list[SequenceSummary]


def read(
    transaction: Transaction,
    path: PureSequencePath,
    serializer: Serializer,
    recorder_of: Callable[[SequenceDocument], Recorder | None],
) -> list[SequenceSummary]:
    """What is known of the sequences at and below a path; the last argument tells of one that is
    running.

    Raises:
        PathNotFoundError: nothing is at the path.
        DamagedStorageError: the sequence at the path cannot be read.
    """
    transaction.load_below(path, documents=True)
    remembered = transaction.store.summaries

    def make(found: _Found) -> SequenceSummary:
        make = partial(_summary, found, serializer)
        known = make() if found.content is None else remembered.get(found.content, make)
        return known if known.path == found.path else evolve(known, path=found.path)

    def count(summary: SequenceSummary) -> SequenceSummary:
        def read() -> SequenceSummary:
            node = transaction.tree.get(summary.path)
            return evolve(
                summary,
                number_of_shots=transaction.shots.number_in_a_list(node),
                recorder=recorder_of(transaction.tree.document(node)),
            )

        return transaction.read(read)

    touched, folders = transaction.run(lambda: _look(transaction.tree, path))
    summaries = _readable(make, touched, path)
    for untouched in folders:
        summaries += _summaries_in(untouched, make)
    counted = [each for each in summaries if each.number_of_shots != _NOT_COUNTED]
    others = [each for each in summaries if each.number_of_shots == _NOT_COUNTED]
    return counted + _readable(count, others, path)


def records_below(
    transaction: Transaction, path: PureSequencePath
) -> Iterator[tuple[Node, SequenceDocument]]:
    """The sequences at and below a path.

    Raises:
        PathNotFoundError: nothing is at the path.
        DamagedStorageError: the sequence at the path cannot be read.
    """
    transaction.load_below(path, documents=True)
    tree = transaction.tree

    def find() -> list[tuple[Node, _Found]]:
        nodes = tree.sequences(tree.get(path), skip_unreadable=True)
        return [(node, _found(tree, node)) for node in nodes]

    for node, found in transaction.run(find):
        for document in _readable(_Found.load, [found], path):
            yield node, document


def _look(tree: Tree, path: PureSequencePath) -> tuple[list[_Found], list[_Untouched]]:
    """The sequences at and below a path: those that the session has come across, and others."""
    touched, folders = [], []
    pending = [tree.get(path)]
    while pending:
        node = pending.pop()
        if node.is_sequence:
            touched.append(_found(tree, node))
            continue
        with suppress(DamagedStorageError):  # one that cannot be read must not hide the others
            found = tree.untouched(node)
            if found is not None:
                folders.append(_Untouched(node.path, *found))
        # In the order of their names, so that little is left to sort.
        pending += sorted(node.children.values(), key=lambda child: child.name, reverse=True)
    return touched, folders


def _found(tree: Tree, node: Node) -> _Found:
    path, file = node.path, tree.file(node)
    try:
        content = tree.content(node)
        return _Found(path, file, content, tree.document(node) if content is None else None)
    except DamagedStorageError as error:
        return _Found(path, file, error=error)


def _summaries_in(
    untouched: _Untouched, make: Callable[[_Found], SequenceSummary]
) -> list[SequenceSummary]:
    """What is known of the sequences in a folder, made once for the same documents."""
    path, folder, contents = untouched.path, untouched.folder, untouched.contents
    match folder.made:
        case _Made(path=known_path, contents=known, summaries=summaries) if (
            known_path == path and known == contents
        ):
            return summaries
    files = dict(zip(folder.children, folder.files, strict=True))
    found = [_Found(path / name, files[name], content) for name, content in contents.items()]
    summaries = sorted(_readable(make, found, path), key=attrgetter("path.parts"))
    folder.made = _Made(path, contents, summaries)
    return summaries


def _readable(
    function: Callable[[_P], _T], found: Iterable[_P], path: PureSequencePath
) -> list[_T]:
    """What the function makes of each; of one that is damaged nothing, unless it is at the path."""
    made = []
    for each in found:
        try:
            made.append(function(each))
        except (StorageLockTimeoutError, TransactionConflictError):
            raise
        except StorageError:
            if each.path == path:
                raise
    return made


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
    return serializer.load_iteration(copy_json(document.iteration))
