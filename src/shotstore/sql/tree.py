"""Where paths are in the tables: each question is one query, however deep or large the tree."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import attrs
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    bindparam,
    insert,
    literal,
    select,
    update,
)

from shotstore.errors import InvalidPathFormatError
from shotstore.paths import LONGEST_NAME, PureSequencePath
from shotstore.records import path_rules, state_rules
from shotstore.sql.database import Database
from shotstore.sql.tables import ROOT_ID, AnyRow, paths, sequences
from shotstore.state import State


@attrs.frozen
class Node:
    """A folder, or a sequence, which has a state."""

    id: int
    path: PureSequencePath
    created: datetime
    state: State | None

    @property
    def is_sequence(self) -> bool:
        return self.state is not None


class Tree:
    """The tree of a database, as a connection sees it."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self._database = database

    def chain(self, path: PureSequencePath) -> list[Node]:
        """The root and those of the nodes on the way to the path that exist."""
        rows = self.connection.execute(
            _chain(self._database), {"parts": json.dumps(path.parts, ensure_ascii=False)}
        )
        return [
            Node(row.id, PureSequencePath.from_parts(path.parts[:depth]), row.created, _state(row))
            for depth, row in enumerate(rows)
        ]

    def find(self, path: PureSequencePath) -> Node | None:
        """The node at the path."""
        chain = self.chain(path)
        return chain[-1] if len(chain) > len(path.parts) else None

    def get(self, path: PureSequencePath) -> Node:
        """The node at the path.

        Raises:
            PathNotFoundError: nothing is there.
        """
        node = self.find(path)
        if node is None:
            raise path_rules.path_not_found_error(path)
        return node

    def get_sequence(self, path: PureSequencePath) -> tuple[int, State]:
        """The row of a sequence, and its state.

        Raises:
            PathNotFoundError: nothing is at the path.
            PathIsNotSequenceError: a folder is.
        """
        node = self.get(path)
        if node.state is None:
            raise path_rules.path_is_not_sequence_error(path)
        return node.id, node.state

    def below(self, node: Node) -> list[Node]:
        """The node and all below it, parents first."""
        return [found for found, _ in self._below(node, _BELOW)]

    def rows_below(
        self, node: Node, statement: Select[*tuple[Any, ...]]
    ) -> list[tuple[Node, AnyRow]]:
        """The sequences at and below a node, each with its row of a statement that `below_with`
        has made."""
        return [(found, row) for found, row in self._below(node, statement) if found.is_sequence]

    def _below(self, node: Node, statement: Select[*tuple[Any, ...]]) -> list[tuple[Node, AnyRow]]:
        known: dict[int, Node] = {}
        found = []
        for row in self.connection.execute(statement, {"top": node.id}):
            if row.id == node.id:
                known[row.id] = node
            else:
                path = known[row.parent_id].path / row.name
                known[row.id] = Node(row.id, path, row.created, _state(row))
            found.append((known[row.id], row))
        return found

    def children(self, node: Node) -> set[PureSequencePath]:
        """The paths directly inside a folder."""
        names = self.connection.scalars(select(paths.c.name).where(paths.c.parent_id == node.id))
        return {node.path / name for name in names}

    def in_state(self, state: State) -> set[PureSequencePath]:
        """The sequences that are in the state."""
        rows = self.connection.execute(_ABOVE_STATE, {"state": state.value}).all()
        above = {row.id: row for row in rows}

        def parts(row: AnyRow) -> list[str]:
            names: list[str] = []
            while row.id != ROOT_ID:
                names.append(row.name)
                row = above[row.parent_id]
            return names[::-1]

        return {PureSequencePath.from_parts(parts(row)) for row in rows if row.is_found}

    def create_folders(self, path: PureSequencePath, moving: Node | None = None) -> list[Node]:
        """Create the folders of the path that do not exist; return them, parents first.

        Args:
            path: The last one.
            moving: What is about to leave its place, and is in nobody's way.

        Raises:
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only.
            InvalidPathFormatError: a name is too long.
        """
        _check_length(path.parts)
        chain = self.chain(path)
        last = chain[-1]
        if last.is_sequence:
            raise path_rules.path_is_sequence_error(last.path, path)
        if missing := path.parts[len(chain) - 1 :]:
            self._check_siblings(last, missing[0], moving)
        created: list[Node] = []
        for name in missing:
            time = datetime.now(UTC)
            statement = insert(paths).values(parent_id=last.id, name=name, created=time)
            row_id = self.connection.scalars(statement.returning(paths.c.id)).one()
            last = Node(row_id, last.path / name, time, None)
            created.append(last)
        return created

    def move(self, node: Node, destination: PureSequencePath) -> None:
        """Move a node to a path where nothing is, and create the folders above.

        Raises:
            PathIsSequenceError: an ancestor of the destination is a sequence.
            InvalidPathFormatError: a name is too long.
        """
        _check_length(destination.parts)
        assert destination.parent is not None
        self.create_folders(destination.parent, node)
        parent = self.get(destination.parent)
        assert destination.name is not None
        self._check_siblings(parent, destination.name, node)
        self.connection.execute(
            update(paths)
            .where(paths.c.id == node.id)
            .values(parent_id=parent.id, name=destination.name)
        )

    def _check_siblings(self, parent: Node, name: str, moving: Node | None) -> None:
        inside = select(paths.c.name).where(paths.c.parent_id == parent.id)
        if moving is not None:
            inside = inside.where(paths.c.id != moving.id)
        path_rules.check_siblings(parent.path, name, self.connection.scalars(inside))


def check_idle(nodes: Collection[Node], doing: str) -> None:
    """Check that none of the sequences is worked on.

    Args:
        nodes: Sequences and folders.
        doing: "moving" or "deleting".

    Raises:
        SequenceRunningError: one is preparing or running.
    """
    for node in nodes:
        if node.state is not None and node.state.is_active():
            raise state_rules.sequence_running_error(node.path, node.state, doing)


def _check_length(names: Iterable[str]) -> None:
    for name in names:
        length = len(name.encode())
        if length > LONGEST_NAME:
            raise InvalidPathFormatError(
                f"The name {name!r} has {length} bytes, and names have up to {LONGEST_NAME}: "
                f"choose a shorter one."
            )


def _state(row: AnyRow) -> State | None:
    return None if row.state is None else State(row.state)


def _chain(database: Database) -> Select[*tuple[Any, ...]]:
    statement = _CHAINS.get(type(database))
    if statement is None:
        parts = database.parts(bindparam("parts", type_=Text))
        walk = select(
            literal(ROOT_ID, BigInteger).label("id"), literal(0, BigInteger).label("depth")
        ).cte("walk", recursive=True)
        walk = walk.union_all(
            select(paths.c.id, walk.c.depth + 1)
            .join_from(walk, parts, parts.c.depth == walk.c.depth + 1)
            .join(paths, (paths.c.parent_id == walk.c.id) & (paths.c.name == parts.c.name))
        )
        statement = _CHAINS[type(database)] = (
            select(paths.c.id, paths.c.created, sequences.c.state)
            .join_from(walk, paths, paths.c.id == walk.c.id)
            .outerjoin(sequences, sequences.c.path_id == paths.c.id)
            .order_by(walk.c.depth)
        )
    return statement


_CHAINS: dict[type[Database], Select[*tuple[Any, ...]]] = {}


def below_with(*columns: Any) -> Select[*tuple[Any, ...]]:
    """What `Tree.rows_below` executes, for these columns of sequences."""
    below = (
        select(paths.c.id, literal(0, BigInteger).label("depth"))
        .where(paths.c.id == bindparam("top"))
        .cte("below", recursive=True)
    )
    below = below.union_all(
        select(paths.c.id, below.c.depth + 1).join_from(
            below, paths, paths.c.parent_id == below.c.id
        )
    )
    node = (paths.c.id, paths.c.parent_id, paths.c.name, paths.c.created, sequences.c.state)
    return (
        select(*node, *columns)
        .join_from(below, paths, paths.c.id == below.c.id)
        .outerjoin(sequences, sequences.c.path_id == paths.c.id)
        .order_by(below.c.depth)
    )


_BELOW = below_with()


def _above_state() -> Select[*tuple[Any, ...]]:
    found = select(sequences.c.path_id).where(sequences.c.state == bindparam("state"))
    above = select(found.subquery().c.path_id.label("id")).cte("above", recursive=True)
    above = above.union(select(paths.c.parent_id).join_from(above, paths, paths.c.id == above.c.id))
    return select(
        paths.c.id, paths.c.parent_id, paths.c.name, paths.c.id.in_(found).label("is_found")
    ).join_from(above, paths, paths.c.id == above.c.id)


_ABOVE_STATE = _above_state()
