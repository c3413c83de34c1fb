"""The first tables."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from shotstore.sql.tables import JSON, ROOT_ID, UTCTime

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    paths = op.create_table(
        "paths",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("parent_id", _ID),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", UTCTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_paths"),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["paths.id"], name="fk_paths_parent_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("parent_id", "name", name="uq_paths_parent_id_name"),
    )
    op.create_table(
        "sequences",
        sa.Column("path_id", _ID, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("start_time", UTCTime),
        sa.Column("stop_time", UTCTime),
        sa.Column("expected_number_of_shots", sa.BigInteger),
        sa.Column("number_of_shots", sa.BigInteger),
        sa.Column("iteration", JSON, nullable=False),
        sa.Column("time_lanes", JSON, nullable=False),
        sa.Column("exception", JSON),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("note", JSON, nullable=False),
        sa.Column("global_parameters", JSON),
        sa.Column("device_configurations", JSON),
        sa.Column("parameter_schema", JSON, nullable=False),
        sa.Column("data_schema", JSON, nullable=False),
        sa.PrimaryKeyConstraint("path_id", name="pk_sequences"),
        sa.ForeignKeyConstraint(
            ["path_id"], ["paths.id"], name="fk_sequences_path_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sequences_state", "sequences", ["state"])
    op.create_table(
        "shots",
        sa.Column("id", _ID, autoincrement=True),
        sa.Column("sequence_id", _ID, nullable=False),
        sa.Column("shot_index", sa.BigInteger, nullable=False),
        sa.Column("start_time", UTCTime, nullable=False),
        sa.Column("end_time", UTCTime, nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shots"),
        sa.ForeignKeyConstraint(
            ["sequence_id"], ["sequences.path_id"], name="fk_shots_sequence_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("sequence_id", "shot_index", name="uq_shots_sequence_id_shot_index"),
    )
    op.create_table(
        "arrays",
        sa.Column("shot_id", _ID, autoincrement=False),
        sa.Column("position", sa.Integer, autoincrement=False),
        sa.Column("part", sa.SmallInteger, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("shot_id", "position", "part", name="pk_arrays"),
        sa.ForeignKeyConstraint(
            ["shot_id"], ["shots.id"], name="fk_arrays_shot_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "device_configurations",
        sa.Column("name", sa.Text),
        sa.Column("type", JSON, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_device_configurations"),
    )
    op.create_table(
        "global_parameters",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_global_parameters"),
    )
    op.create_table(
        "units",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
    )
    op.create_table(
        "writer",
        sa.Column("id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_writer"),
    )
    op.bulk_insert(
        paths,
        [{"id": ROOT_ID, "parent_id": None, "name": "", "created": datetime.now(UTC)}],
    )
