"""The tree of a session on a store of files."""

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.tree import Node
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules, state_rules
from shotstore.records.stored_paths import StoredPaths

if TYPE_CHECKING:
    from shotstore.hdf5.session import HDF5ExperimentSession


class HDF5PathHierarchy(StoredPaths):
    def __init__(self, session: "HDF5ExperimentSession") -> None:
        self._session = session

    def does_path_exists(self, path: PureSequencePath) -> bool:
        transaction = self._session.transaction
        return transaction.read(lambda: transaction.tree.find(path) is not None)

    def create_path(self, path: PureSequencePath) -> list[PureSequencePath]:
        transaction = self._session.transaction
        return transaction.write(
            lambda: [node.path for node in transaction.tree.create_folders(path)]
        )

    def delete_path(self, path: PureSequencePath, delete_sequences: bool) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("deleted")
        transaction = self._session.transaction
        transaction.begin_writing()
        transaction.load_below(path, documents=True)

        def delete() -> None:
            node = transaction.tree.get(path)
            sequences = transaction.tree.sequences(node)
            if sequences and not delete_sequences:
                raise path_rules.path_holds_sequences_error(
                    path, [found.path for found in sequences]
                )
            _check_idle(transaction, sequences, "deleting")
            transaction.discard(node)

        transaction.write(delete)

    def get_children(self, path: PureSequencePath) -> set[PureSequencePath]:
        transaction = self._session.transaction

        def children() -> set[PureSequencePath]:
            node = transaction.tree.get(path)
            if node.is_sequence:
                raise path_rules.path_is_sequence_error(path)
            return {path / name for name in transaction.tree.children(node)}

        return transaction.read(children)

    def get_all_paths(self) -> set[PureSequencePath]:
        transaction = self._session.transaction
        transaction.load_below(PureSequencePath.root(), documents=False)

        def paths() -> set[PureSequencePath]:
            root = transaction.tree.root
            nodes = transaction.tree.walk(root, skip_unreadable=True)
            return {node.path for node in nodes if node is not root}

        return transaction.run(paths)

    def get_path_creation_date(self, path: PureSequencePath) -> datetime:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        transaction = self._session.transaction
        return transaction.read(lambda: transaction.tree.creation_date(transaction.tree.get(path)))

    def update_creation_date(self, path: PureSequencePath, date: datetime) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        transaction = self._session.transaction

        def update() -> None:
            node = transaction.tree.get(path)
            if node.is_sequence:
                document = transaction.tree.document(node)
                transaction.change_document(node, evolve(document, created=date))
            else:
                node.created = date
                node.is_changed = True

        transaction.write(update)

    def move(self, source: PureSequencePath, destination: PureSequencePath) -> None:
        path_rules.check_move(source, destination)
        transaction = self._session.transaction
        transaction.begin_writing()
        transaction.load_below(source, documents=True)

        def move() -> None:
            node = transaction.tree.get(source)
            if transaction.tree.find(destination) is not None:
                raise path_rules.path_exists_error(destination)
            _check_idle(transaction, transaction.tree.sequences(node), "moving")
            transaction.move(node, destination)

        transaction.write(move)


def _check_idle(transaction: Transaction, sequences: list[Node], doing: str) -> None:
    for node in sequences:
        # One that cannot be read can be thrown away, and restored from the trash.
        state = transaction.tree.state(node)
        if state is not None and state.is_active():
            raise state_rules.sequence_running_error(node.path, state, doing)
