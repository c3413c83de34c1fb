"""What is added to shots later: a row for each time and shot, and those of its arrays."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Text, cast, insert, select

from shotstore.model import Data, DataType
from shotstore.records.additions import Additions, StoredAddition
from shotstore.sql.columns import read_arrays
from shotstore.sql.loading import loading
from shotstore.sql.tables import AnyRow, result_arrays, results
from shotstore.sql.values import array_positions, decode_data, encode_data, type_in_document


class Addition(StoredAddition):
    """See `StoredAddition`."""

    def __init__(self, connection: Connection, row: AnyRow, what: str) -> None:
        """``row`` has all columns, the data as its text, and ``what`` is for messages."""
        self._connection = connection
        self._stored = row
        self._what = what

    @cached_property
    def _document(self) -> dict[str, Any]:
        with loading(self._what):
            document: dict[str, Any] = json.loads(self._stored.data)
            return document

    @property
    def row(self) -> int:
        return int(self._stored.shot_row)

    @property
    def index(self) -> int:
        return int(self._stored.shot_index)

    @property
    def time(self) -> datetime:
        time: datetime = self._stored.time
        return time

    @property
    def by(self) -> str:
        return str(self._stored.by)

    @property
    def tags(self) -> frozenset[str] | None:
        return None if self._stored.tags is None else frozenset(self._stored.tags)

    @property
    def note(self) -> str | None:
        return None if self._stored.note is None else str(self._stored.note)

    @cached_property
    def types(self) -> Mapping[str, DataType]:
        with loading(self._what):
            return {name: type_in_document(value) for name, value in self._document.items()}

    def results(self, names: Collection[str]) -> dict[str, Data]:
        with loading(self._what):
            positions = array_positions(self._document, names)
            contents = read_arrays(
                self._connection, [self._stored.id], positions, table=result_arrays
            )
            found = {name: contents[self._stored.id, at] for at, name in positions.items()}
            return decode_data(self._document, names, found)


def read_additions(connection: Connection, sequence: int, what: str) -> list[Addition]:
    """All that was added to the shots of a sequence, in the order of storing."""
    columns = [column for column in results.c if column is not results.c.data]
    query = (
        select(*columns, cast(results.c.data, Text).label("data"))
        .where(results.c.sequence_id == sequence)
        .order_by(results.c.id)
    )
    with loading(what):
        return [Addition(connection, row, what) for row in connection.execute(query)]


def append_additions(connection: Connection, sequence: int, additions: Additions) -> None:
    """Store them, in their order."""
    encoded = [encode_data(additions.results_of(place)) for place in range(len(additions.rows))]
    rows = [
        {
            "sequence_id": sequence,
            "shot_row": row,
            "shot_index": index,
            "time": additions.time,
            "by": additions.by,
            "data": data.document,
            "tags": None if additions.tags is None else sorted(additions.tags),
            "note": additions.note,
        }
        for row, index, data in zip(additions.rows, additions.indices, encoded, strict=True)
    ]
    statement = insert(results)
    if not any(data.arrays for data in encoded):
        connection.execute(statement, rows)
        return
    for row, data in zip(rows, encoded, strict=True):
        number = connection.scalars(statement.values(row).returning(results.c.id)).one()
        for position, part, content in data.parts():
            values = {"result_id": number, "position": position, "part": part, "content": content}
            connection.execute(insert(result_arrays).values(values))
