"""What the two databases do differently, as the rest of the package sees it."""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import BindParameter, Connection, Engine, FromClause
from sqlalchemy.exc import DBAPIError

from shotstore.errors import StorageError
from shotstore.records.recorders import Recorder


class Database(Protocol):
    """One of the databases."""

    is_bound_to_process: bool
    """Whether what an open connection has locked counts for the process, not for the connection,
    so that a forked child takes the locks of its parent for its own."""

    aborts_on_errors: bool
    """Whether an error ends what a transaction can do."""

    @property
    def name(self) -> str:
        """The database, without a password, for messages."""
        ...

    @property
    def identity(self) -> str:
        """The database, however it is named and whoever asks, to tell it from others."""
        ...

    def create_engine(self) -> Engine: ...

    def prepare(self, check: Callable[[Connection], object]) -> None:
        """Make the database ready to be given tables.

        Args:
            check: Called before anything is changed; raises where the database is not ours.

        Raises:
            StorageError: it cannot hold what is stored.
        """
        ...

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that reads: from here on the connection sees one moment."""
        ...

    def begin_writing(
        self, connection: Connection, *, has_begun: bool, wait: Callable[[], None]
    ) -> None:
        """Become the one that writes, in a transaction that has begun, and keeps what it has read,
        or that begins only then.

        Args:
            wait: Called between two attempts; raises when it is time to give up.
        """
        ...

    def begin_upgrade(self, connection: Connection, wait: Callable[[], None]) -> None:
        """Begin a transaction that creates or changes the tables, which may be missing, and wait
        for others that do; see `begin_writing`."""
        ...

    def holder(self, connection: Connection) -> str | None:
        """Who writes at present, as far as the database says."""
        ...

    def hold_recorder(self, connect: Callable[[], Connection], mark: str) -> Callable[[], None]:
        """Take the lock of the recorder with a mark, for as long as this process lives; return the
        function that releases it. ``connect`` returns a connection to the database."""
        ...

    def look_at_recorder(self, connection: Connection, mark: str) -> Recorder | None:
        """Return whether somebody has that lock."""
        ...

    def size(self, connection: Connection) -> int:
        """How many bytes the database takes on its disk."""
        ...

    def parts(self, parts: BindParameter[str]) -> FromClause:
        """The items of a JSON list of texts, as rows of ``depth``, from 1, and ``name``."""
        ...

    def understand(self, error: DBAPIError) -> StorageError | None:
        """What an error of the database means, or None if it is none that users can meet."""
        ...
