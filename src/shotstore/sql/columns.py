"""Reading many shots at once: a query for some thousands of them, and one for their arrays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from shotstore.model import DataType, ParameterType
from shotstore.model.parameters import plain_parameter_from_json
from shotstore.records.columns import Places, ShotColumns, columns_of
from shotstore.records.content import ShotRecord
from shotstore.sql.loading import loading
from shotstore.sql.tables import AnyRow, arrays, shots
from shotstore.sql.values import array_positions, decode_data

_MOST_SHOTS = 5000
"""In one query, each of which is a parameter: SQLite takes 32,766."""


def read_columns(
    connection: Connection,
    ids: Sequence[int],
    parameters: Mapping[str, ParameterType],
    labels: Mapping[str, DataType],
    places: Places,
) -> ShotColumns:
    """Some parameters and labels of shots, in the types of their schemas, the arrays of one shape
    in their places.

    Raises:
        IncompatibleUnitsError: a unit cannot be converted to that of the schema.
        DamagedStorageError: a row is not what was stored.
    """
    columns: list[Any] = [shots.c.id, shots.c.shot_index, shots.c.start_time, shots.c.end_time]
    columns += [shots.c.parameters] if parameters else []
    columns += [shots.c.data] if labels else []
    found: dict[int, AnyRow] = {
        row.id: row
        for some in _batches(ids)
        for row in connection.execute(select(*columns).where(shots.c.id.in_(some)))
    }
    rows = [found[shot] for shot in ids]
    data = _read_data(connection, rows, labels) if labels else [{}] * len(rows)
    with loading("The parameters of a shot"):
        numbers = [
            {
                name: plain_parameter_from_json(row.parameters[name])
                for name in parameters
                if name in row.parameters
            }
            for row in rows
        ]
    records = [
        ShotRecord(row.start_time, row.end_time, *values)
        for row, *values in zip(rows, numbers, data, strict=True)
    ]
    return columns_of([row.shot_index for row in rows], records, parameters, labels, places)


def read_arrays(
    connection: Connection,
    ids: Collection[int],
    positions: Collection[int],
    table: Table = arrays,
) -> dict[tuple[int, int], bytes]:
    """The bytes of the arrays of some shots, or of some rows of results, by these and position."""
    owner = next(iter(table.primary_key))
    if not positions:
        return {}
    parts: dict[tuple[int, int], list[bytes]] = {
        (shot, position): [] for shot in ids for position in positions
    }
    for some in _batches(list(ids)):
        rows = connection.execute(
            select(owner, table.c.position, table.c.content)
            .where(owner.in_(some), table.c.position.in_(positions))
            .order_by(owner, table.c.position, table.c.part)
        )
        for of, position, content in rows:
            parts[of, position].append(content)
    return {
        place: found[0] if len(found) == 1 else b"".join(found) for place, found in parts.items()
    }


def _read_data(
    connection: Connection, rows: Sequence[AnyRow], labels: Collection[str]
) -> list[dict[str, Any]]:
    """The data of each shot under those of the labels that it has."""
    with loading("The data of a shot"):
        positions = [
            array_positions(row.data, [label for label in labels if label in row.data])
            for row in rows
        ]
    # Most often all shots have an array at the same places: one query then.
    same: dict[tuple[int, ...], list[int]] = {}
    for row, places in zip(rows, positions, strict=True):
        same.setdefault(tuple(places), []).append(row.id)
    contents: dict[tuple[int, int], bytes] = {}
    for shared, ids in same.items():
        contents |= read_arrays(connection, ids, shared)
    with loading("The data of a shot"):
        return [
            decode_data(
                row.data,
                [label for label in labels if label in row.data],
                {label: contents[row.id, at] for at, label in places.items()},
            )
            for row, places in zip(rows, positions, strict=True)
        ]


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _MOST_SHOTS):
        yield ids[start : start + _MOST_SHOTS]
