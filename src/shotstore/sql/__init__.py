"""Sessions on SQL databases: SQLite for one machine, PostgreSQL for a lab.

A module an idea: `config` says where a database is, `storage` opens it, `schema` creates its
`tables` and checks their version. A session is one `transaction`; `sqlite` and `postgresql` hold
what the two databases do differently. `tree`, `records`, `shots` and `settings` fulfil the contract
of `shotstore.records`, `values` turns parameters and data into what columns hold.
"""

from shotstore.installing import needed

with needed("A database", "sqlite"):
    import sqlalchemy  # noqa: F401 - so that what is missing is told at once

from shotstore.sql.config import PostgreSQLConfig, SQLiteConfig
from shotstore.sql.storage import PostgreSQLStorageManager, SQLiteStorageManager, SQLStorageManager

__all__ = [
    "PostgreSQLConfig",
    "PostgreSQLStorageManager",
    "SQLStorageManager",
    "SQLiteConfig",
    "SQLiteStorageManager",
]
