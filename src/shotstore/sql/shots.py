"""One shot, in its row and in those of its arrays."""

import json
from collections.abc import Collection
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from shotstore.model import Data
from shotstore.model.parameters import PlainParameter, plain_parameter_from_json
from shotstore.records.stored_shot import StoredShot
from shotstore.sql.columns import read_arrays
from shotstore.sql.loading import loading
from shotstore.sql.tables import AnyRow
from shotstore.sql.values import array_positions, decode_data


class Shot(StoredShot):
    """See `StoredShot`."""

    def __init__(self, connection: Connection, row: AnyRow, what: str) -> None:
        """``row`` has all columns, JSON as its text, and ``what`` is for messages: "shot ..."."""
        self._connection = connection
        self._row = row
        self._what = what

    @cached_property
    def _document(self) -> dict[str, Any]:
        with loading(f"The data of {self._what}"):
            document: dict[str, Any] = json.loads(self._row.data)
            return document

    def times(self) -> tuple[datetime, datetime]:
        return self._row.start_time, self._row.end_time

    def parameters(self) -> dict[str, PlainParameter]:
        with loading(f"The parameters of {self._what}"):
            parameters = json.loads(self._row.parameters)
            return {name: plain_parameter_from_json(value) for name, value in parameters.items()}

    def labels(self) -> Collection[str]:
        return self._document

    def data(self, labels: Collection[str]) -> dict[str, Data]:
        with loading(f"The data of {self._what}"):
            positions = array_positions(self._document, labels)
            contents = read_arrays(self._connection, [self._row.id], positions)
            found = {label: contents[self._row.id, at] for at, label in positions.items()}
            return decode_data(self._document, labels, found)
