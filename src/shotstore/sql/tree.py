"""Where paths are in the tables: each question is one query, however deep or large the tree."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    bindparam,
    insert,
    literal,
    select,
)

from shotstore.paths import PureSequencePath
from shotstore.records.stored_tree import StoredTree
from shotstore.sql.database import Database
from shotstore.sql.tables import ROOT_ID, AnyRow, paths, sequences
from shotstore.sql.transaction import Transaction
from shotstore.state import State


@attrs.define(eq=False)
class Node:
    """A folder, or a sequence, which has a state."""

    id: int
    path: PureSequencePath
    created: datetime
    state: State | None
    row: AnyRow | None = None
    """That of the record of a sequence, once it was read."""

    @property
    def is_sequence(self) -> bool:
        return self.state is not None


class Tree(StoredTree[Node]):
    """The tree of a database, as a transaction sees it."""

    def __init__(self, transaction: Transaction, database: Database) -> None:
        self._transaction = transaction
        self._database = database

    def chain(self, path: PureSequencePath) -> list[Node]:
        rows = self._transaction.connection.execute(
            _chain(self._database), {"parts": json.dumps(path.parts, ensure_ascii=False)}
        )
        return [
            Node(row.id, PureSequencePath.from_parts(path.parts[:depth]), row.created, _state(row))
            for depth, row in enumerate(rows)
        ]

    def children(self, node: Node) -> Collection[str]:
        names = select(paths.c.name).where(paths.c.parent_id == node.id)
        return self._transaction.connection.scalars(names).all()

    def walk(self, node: Node, *, skip_unreadable: bool = False) -> Iterator[Node]:
        del skip_unreadable
        return (found for found, _ in self._below(node, _BELOW))

    def state(self, node: Node) -> State | None:
        return node.state

    def creation_date(self, node: Node) -> datetime:
        return node.created

    def folder_note(self, node: Node) -> str:
        query = select(paths.c.note).where(paths.c.id == node.id)
        return str(self._transaction.connection.scalar(query) or "")

    def add_folder(self, parent: Node, name: str) -> Node:
        time = datetime.now(UTC)
        statement = insert(paths).values(parent_id=parent.id, name=name, created=time)
        row_id = self._transaction.connection.scalars(statement.returning(paths.c.id)).one()
        return Node(row_id, parent.path / name, time, None)

    def rows_below(
        self, node: Node, statement: Select[*tuple[Any, ...]]
    ) -> list[tuple[Node, AnyRow]]:
        """The sequences at and below a node, each with its row of a statement that `below_with`
        has made."""
        return [(found, row) for found, row in self._below(node, statement) if found.is_sequence]

    def in_state(self, state: State) -> set[PureSequencePath]:
        """The sequences that are in the state."""
        rows = self._transaction.connection.execute(_ABOVE_STATE, {"state": state.value}).all()
        above = {row.id: row for row in rows}

        def parts(row: AnyRow) -> list[str]:
            names: list[str] = []
            while row.id != ROOT_ID:
                names.append(row.name)
                row = above[row.parent_id]
            return names[::-1]

        return {PureSequencePath.from_parts(parts(row)) for row in rows if row.is_found}

    def _below(self, node: Node, statement: Select[*tuple[Any, ...]]) -> list[tuple[Node, AnyRow]]:
        known: dict[int, Node] = {}
        found = []
        for row in self._transaction.connection.execute(statement, {"top": node.id}):
            if row.id == node.id:
                known[row.id] = node
            else:
                path = known[row.parent_id].path / row.name
                known[row.id] = Node(row.id, path, row.created, _state(row))
            found.append((known[row.id], row))
        return found


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
