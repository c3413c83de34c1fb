"""Run by Alembic, on the connection that `shotstore.sql.schema` gives it."""

from alembic import context

from shotstore.sql.schema import VERSION_TABLE
from shotstore.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
