"""The tables of a database.

The tree is `paths`: each row names its parent, so that a path moves with all below it by a change
of one row. A row of `sequences` makes a path a sequence. The data of a shot is one JSON object by
label; an array in it is described there (``{"array": {"dtype": ..., "shape": ...}}``), and its
items lie in rows of `arrays`, so that they are read only when asked for. `results` and
`result_arrays` are the same for what is added to shots later.
"""

from datetime import UTC, datetime
from typing import Any, TypeAlias

import sqlalchemy
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.ext.compiler import compiles

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

ROOT_ID = 0
"""The row of the root in `paths`."""

# SQLite counts rows by INTEGER alone.
_Id = BigInteger().with_variant(Integer, "sqlite")


class JSON(sqlalchemy.JSON):
    """JSON that comes back with every number as it was."""


@compiles(JSON, "sqlite")
def _json_on_sqlite(*_: Any, **__: Any) -> str:
    # In a column of type JSON, SQLite takes the text 1.0 for a number, and gives back 1.
    return "TEXT"


class UTCTime(TypeDecorator[datetime]):
    """An aware time: with its zone on PostgreSQL, as text in UTC on SQLite, which knows none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

paths = Table(
    "paths",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("parent_id", _Id, ForeignKey("paths.id", ondelete="CASCADE")),
    Column("name", Text, nullable=False),
    Column("created", UTCTime, nullable=False),
    # On a folder; that on a sequence is in its row
    Column("note", JSON(none_as_null=True)),
    UniqueConstraint("parent_id", "name"),
)

sequences = Table(
    "sequences",
    metadata,
    Column("path_id", _Id, ForeignKey("paths.id", ondelete="CASCADE"), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("start_time", UTCTime),
    Column("stop_time", UTCTime),
    Column("expected_number_of_shots", BigInteger),
    # Once it has ended
    Column("number_of_shots", BigInteger),
    Column("iteration", JSON, nullable=False),
    Column("time_lanes", JSON, nullable=False),
    Column("exception", JSON(none_as_null=True)),
    # Those after which it was resumed: as in `sequence.json`
    Column("interruptions", JSON, nullable=False),
    # A JSON text, since a text of PostgreSQL cannot hold every character
    Column("tags", JSON, nullable=False),
    Column("note", JSON, nullable=False),
    # Once it has ended: by label, the smallest and the largest number
    Column("measured", JSON(none_as_null=True)),
    # While it is running: the mark of the program that records it
    Column("recorder", String(32)),
    # Of the launch
    Column("global_parameters", JSON(none_as_null=True)),
    Column("device_configurations", JSON(none_as_null=True)),
    # How many more rows than shots it has
    Column("number_of_retakes", BigInteger, nullable=False),
    # Of the shots that count: lists of [name, type, unit], and of [label, kind, dtype, shape]
    Column("parameter_schema", JSON, nullable=False),
    Column("data_schema", JSON, nullable=False),
)

shots = Table(
    "shots",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("sequence_id", _Id, ForeignKey("sequences.path_id", ondelete="CASCADE"), nullable=False),
    Column("shot_index", BigInteger, nullable=False),
    # 0 for the one that counts. When it is taken again, that gets the next number from 1 on.
    Column("attempt", Integer, nullable=False),
    Column("start_time", UTCTime, nullable=False),
    Column("end_time", UTCTime, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("sequence_id", "shot_index", "attempt"),
)

arrays = Table(
    "arrays",
    metadata,
    Column("shot_id", _Id, ForeignKey("shots.id", ondelete="CASCADE"), primary_key=True),
    # Of the label in the shot's data
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

results = Table(
    "results",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("sequence_id", _Id, ForeignKey("sequences.path_id", ondelete="CASCADE"), nullable=False),
    # Of the shot: its place in the order of recording, and its index
    Column("shot_row", BigInteger, nullable=False),
    Column("shot_index", BigInteger, nullable=False),
    Column("time", UTCTime, nullable=False),
    # JSON texts, as the note of a sequence
    Column("by", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    Column("tags", JSON(none_as_null=True)),
    Column("note", JSON(none_as_null=True)),
    Index("ix_results_sequence_id", "sequence_id", "id"),
)
"""What was added to shots later: a row for each time and shot."""

result_arrays = Table(
    "result_arrays",
    metadata,
    Column("result_id", _Id, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True),
    # Of the name in the data of the row
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

device_configurations = Table(
    "device_configurations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("type", JSON, nullable=False),
    Column("content", JSON, nullable=False),
)

global_parameters = Table(
    "global_parameters",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
)

units = Table(
    "units",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("definition", Text, nullable=False),
)
"""What the units of the lab mean, in the order in which they were defined."""

writer = Table("writer", metadata, Column("id", Integer, primary_key=True))
"""Always empty. Whoever writes on PostgreSQL locks it."""

versions = Table("shotstore_version", metadata, Column("version_num", String(32), primary_key=True))
"""One row: the version of these tables; see `shotstore.sql.schema`."""
