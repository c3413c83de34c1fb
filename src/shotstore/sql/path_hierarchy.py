"""The tree of a session on a SQL database."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from shotstore.paths import PureSequencePath
from shotstore.records import path_rules
from shotstore.records.stored_paths import StoredPaths
from shotstore.sql.tables import paths
from shotstore.sql.tree import Tree, check_idle

if TYPE_CHECKING:
    from shotstore.sql.session import SQLExperimentSession


class SQLPathHierarchy(StoredPaths):
    def __init__(self, session: "SQLExperimentSession") -> None:
        self._session = session

    def does_path_exists(self, path: PureSequencePath) -> bool:
        return self._session.read_tree(lambda tree: tree.find(path) is not None)

    def create_path(self, path: PureSequencePath) -> list[PureSequencePath]:
        return self._session.write_tree(
            lambda tree: [node.path for node in tree.create_folders(path)]
        )

    def delete_path(self, path: PureSequencePath, delete_sequences: bool) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("deleted")

        def delete_all(tree: Tree) -> None:
            node = tree.get(path)
            found = [below for below in tree.below(node) if below.is_sequence]
            if found and not delete_sequences:
                raise path_rules.path_holds_sequences_error(
                    path, [sequence.path for sequence in found]
                )
            check_idle(found, "deleting")
            tree.connection.execute(delete(paths).where(paths.c.id == node.id))

        self._session.write_tree(delete_all)

    def get_children(self, path: PureSequencePath) -> set[PureSequencePath]:
        def children(tree: Tree) -> set[PureSequencePath]:
            node = tree.get(path)
            if node.is_sequence:
                raise path_rules.path_is_sequence_error(path)
            return tree.children(node)

        return self._session.read_tree(children)

    def get_all_paths(self) -> set[PureSequencePath]:
        root = PureSequencePath.root()
        return self._session.read_tree(
            lambda tree: {node.path for node in tree.below(tree.get(root))} - {root}
        )

    def get_path_creation_date(self, path: PureSequencePath) -> datetime:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        return self._session.read_tree(lambda tree: tree.get(path).created)

    def update_creation_date(self, path: PureSequencePath, date: datetime) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        self._session.write_tree(
            lambda tree: tree.connection.execute(
                update(paths).where(paths.c.id == tree.get(path).id).values(created=date)
            )
        )

    def move(self, source: PureSequencePath, destination: PureSequencePath) -> None:
        path_rules.check_move(source, destination)

        def move(tree: Tree) -> None:
            node = tree.get(source)
            if tree.find(destination) is not None:
                raise path_rules.path_exists_error(destination)
            check_idle(tree.below(node), "moving")
            tree.move(node, destination)

        self._session.write_tree(move)
