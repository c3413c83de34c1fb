"""The record of a sequence as its row in the database, and the columns that are read of it."""

from typing import Any

import attrs
from sqlalchemy import Text, cast, func, null, select

from shotstore.model import JSON
from shotstore.records.content import InterruptionRecord, SequenceRecord
from shotstore.records.measured import check_measured
from shotstore.sql.loading import loading
from shotstore.sql.tables import AnyRow, sequences, shots
from shotstore.sql.tree import Node, below_with
from shotstore.state import State

NO_SHOTS: dict[str, JSON] = {"parameter_schema": [], "data_schema": [], "number_of_retakes": 0}

COUNTED_SHOTS = func.coalesce(
    sequences.c.number_of_shots,
    select(func.count())
    .where(shots.c.sequence_id == sequences.c.path_id, shots.c.attempt == 0)
    .scalar_subquery(),
).label("counted_shots")
"""How many there are, without counting those of one that has ended."""

SCHEMAS = (sequences.c.parameter_schema, sequences.c.data_schema)
_KNOWN = (
    sequences.c.start_time,
    sequences.c.stop_time,
    sequences.c.expected_number_of_shots,
    sequences.c.number_of_shots,
    sequences.c.interruptions,
    sequences.c.tags,
    sequences.c.note,
    sequences.c.measured,
    sequences.c.recorder,
)
_LONG = (sequences.c.iteration, sequences.c.time_lanes, sequences.c.exception)
RECORD = (sequences.c.state, *_KNOWN, *_LONG)
RECORDS_BELOW = below_with(*_KNOWN, *_LONG)
SUMMARIES_BELOW = below_with(
    *_KNOWN,
    *(null().label(column.name) for column in _LONG),
    cast(sequences.c.iteration, Text).label("iteration_text"),
    COUNTED_SHOTS,
)


def row_of(record: SequenceRecord) -> dict[str, Any]:
    """A record as its row; when it was created is in that of its path."""
    row = attrs.asdict(record, recurse=False)
    del row["created"]
    return row | {
        "state": record.state.value,
        "interruptions": [each.to_json() for each in record.interruptions],
        "tags": sorted(record.tags),
    }


def record_of(node: Node, row: AnyRow) -> SequenceRecord:
    """A row, or some of its columns, as the record."""
    with loading(f"Sequence {node.path}"):
        return SequenceRecord(
            created=node.created,
            state=State(row.state),
            start_time=row.start_time,
            stop_time=row.stop_time,
            expected_number_of_shots=row.expected_number_of_shots,
            number_of_shots=row.number_of_shots,
            iteration=row.iteration,
            time_lanes=row.time_lanes,
            exception=row.exception,
            interruptions=tuple(map(InterruptionRecord.from_json, row.interruptions)),
            tags=frozenset(row.tags),
            note=row.note,
            measured=check_measured(row.measured),
            recorder=row.recorder,
        )
