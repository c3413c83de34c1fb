"""A session on a SQL database."""

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from shotstore.model import JSON, ParameterNamespace, Serializer
from shotstore.model.json_form import strict_json
from shotstore.records import configurations, session_errors
from shotstore.session import (
    DeviceConfigurationCollection,
    ExperimentSession,
    PathHierarchy,
    SequenceCollection,
    StorageManager,
)
from shotstore.sql.device_configurations import SQLDeviceConfigurationCollection
from shotstore.sql.engine import Engines
from shotstore.sql.path_hierarchy import SQLPathHierarchy
from shotstore.sql.sequence_collection import SQLSequenceCollection
from shotstore.sql.summaries import RememberedRanges
from shotstore.sql.tables import global_parameters, units
from shotstore.sql.transaction import Transaction, read_unit_definitions
from shotstore.sql.tree import Tree

_T = TypeVar("_T")


class SQLExperimentSession(ExperimentSession):
    """A transaction on a database; see `ExperimentSession` for what it promises."""

    def __init__(
        self,
        storage: StorageManager,
        engines: Engines,
        serializer: Serializer,
        lock_timeout: float,
        remembered_ranges: RememberedRanges,
        *,
        write: bool,
        beside_writers: bool = False,
    ) -> None:
        self._storage = storage
        self._engines = engines
        self.serializer = serializer
        self.remembered_ranges = remembered_ranges
        self._lock_timeout = lock_timeout
        self._write = write
        self._beside_writers = beside_writers
        self._transaction: Transaction | None = None

    def __enter__(self) -> Self:
        if self._transaction is not None:
            raise session_errors.session_used_twice_error()
        self._transaction = Transaction(
            self._engines, self._lock_timeout, beside_writers=self._beside_writers
        )
        # A Ctrl-C may prevent `__exit__` from running. So the block gets another object than the
        # one that is entered: only the `with` statement refers to that, and when it is gone the
        # transaction ends.
        weakref.finalize(self, self._transaction.rollback)
        try:
            if self._write:
                self._transaction.begin_writing()
            return self._twin()
        except BaseException:
            self._transaction.rollback()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None:
                self.transaction.commit()
        finally:
            if self._transaction is not None:
                self._transaction.rollback()

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    def _twin(self) -> Self:
        twin = type(self)(
            self._storage,
            self._engines,
            self.serializer,
            self._lock_timeout,
            self.remembered_ranges,
            write=self._write,
            beside_writers=self._beside_writers,
        )
        twin._transaction = self._transaction
        return twin

    @property
    def transaction(self) -> Transaction:
        """The transaction of the session, while its block is running."""
        if self._transaction is None or not self._transaction.is_open:
            raise session_errors.session_not_active_error()
        return self._transaction

    def read_tree(self, function: Callable[[Tree], _T]) -> _T:
        """Call a function that reads; see `Transaction.read`."""
        database = self._engines.database
        return self.transaction.read(lambda connection: function(Tree(connection, database)))

    def write_tree(self, function: Callable[[Tree], _T]) -> _T:
        """Call a function that checks and then writes; see `Transaction.write`."""
        database = self._engines.database
        return self.transaction.write(lambda connection: function(Tree(connection, database)))

    @property
    def storage(self) -> StorageManager:
        return self._storage

    @property
    def paths(self) -> PathHierarchy:
        self.transaction  # noqa: B018 - raises outside the block
        return PathHierarchy(SQLPathHierarchy(self))

    @property
    def sequences(self) -> SequenceCollection:
        self.transaction  # noqa: B018 - raises outside the block
        return SequenceCollection(SQLSequenceCollection(self))

    @property
    def default_device_configurations(self) -> DeviceConfigurationCollection:
        self.transaction  # noqa: B018 - raises outside the block
        return SQLDeviceConfigurationCollection(self)

    def get_global_parameters(self) -> ParameterNamespace:
        def get(connection: Connection) -> list[JSON]:
            return list(connection.scalars(select(global_parameters.c.content)))

        found = self.transaction.read(get)
        if not found:
            return ParameterNamespace.empty()
        return configurations.load_global_parameters(self.serializer, found[0])

    def set_global_parameters(self, parameters: ParameterNamespace) -> None:
        content = strict_json(self.serializer.dump_global_parameters(parameters))

        def replace(connection: Connection) -> None:
            change = update(global_parameters).values(content=content)
            if not connection.execute(change).rowcount:
                connection.execute(insert(global_parameters).values(id=0, content=content))

        self.transaction.write(replace)

    def get_unit_definitions(self) -> tuple[str, ...]:
        return self.transaction.read(read_unit_definitions)

    def _set_unit_definitions(self, definitions: tuple[str, ...]) -> None:
        rows = [{"id": number, "definition": text} for number, text in enumerate(definitions)]

        def replace(connection: Connection) -> None:
            connection.execute(delete(units))
            if rows:
                connection.execute(insert(units), rows)

        self.transaction.write(replace)
