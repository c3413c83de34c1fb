"""A session on a store of files."""

from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self

from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.copying import copy_files
from shotstore.hdf5.device_configurations import HDF5DeviceConfigurationCollection
from shotstore.hdf5.dropped import call_when_dropped
from shotstore.hdf5.path_hierarchy import HDF5PathHierarchy
from shotstore.hdf5.sequence_collection import HDF5SequenceCollection
from shotstore.hdf5.store import GLOBAL_PARAMETERS, Store
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.unit_documents import UNITS, dump_units, load_units
from shotstore.hdf5.worker import wait_if_exiting
from shotstore.model import ParameterNamespace, Serializer
from shotstore.model.json_form import strict_json
from shotstore.paths import PureSequencePath
from shotstore.records import configurations, session_errors
from shotstore.records.owner import current_owner
from shotstore.session import (
    DeviceConfigurationCollection,
    ExperimentSession,
    PathHierarchy,
    SequenceCollection,
    StorageManager,
)


class HDF5ExperimentSession(ExperimentSession):
    """A transaction on a store; see `ExperimentSession` for what it promises."""

    def __init__(
        self,
        storage: StorageManager,
        store: Store,
        serializer: Serializer,
        compression: str | int | None,
        *,
        write: bool,
    ) -> None:
        self._storage = storage
        self._store = store
        self.serializer = serializer
        self.compression = compression
        self._write = write
        # Nothing of it refers back to the session: it ends as soon as it is dropped.
        self._transaction: Transaction | None = None

    def __enter__(self) -> Self:
        if self._transaction is not None:
            raise session_errors.session_used_twice_error()
        self._store.units.give_to_process()
        self._transaction = Transaction(self._store, current_owner())
        # A Ctrl-C may prevent `__exit__` from running. So the block gets another object than the
        # one that is entered: only the `with` statement refers to that, and when it is gone the
        # transaction ends.
        call_when_dropped(self, self._transaction.rollback)
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
                transaction = self.transaction
                transaction.commit()
                if transaction.has_committed:
                    self._store.after_writing()
            elif self._transaction is not None:
                self._transaction.rollback()
        except BaseException:
            # A Ctrl-C may have come before it began. Whoever keeps the traceback, as a notebook
            # does, keeps the session too, so it would not be dropped.
            if self._transaction is not None and self._transaction.is_open:
                self._transaction.rollback()
            raise

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    def _twin(self) -> Self:
        twin = type(self)(
            self._storage, self._store, self.serializer, self.compression, write=self._write
        )
        twin._transaction = self._transaction
        return twin

    @property
    def transaction(self) -> Transaction:
        """The transaction of the session, while its block is running."""
        if self._transaction is None or not self._transaction.is_open:
            wait_if_exiting()
            raise session_errors.session_not_active_error()
        return self._transaction

    def copy_files(
        self,
        path: PureSequencePath,
        source: Self,
        on_copied: Callable[[int, int], object] = lambda *_: None,
    ) -> None:
        """Create a sequence as a copy of the one at the same path of another store, as it is: its
        shots file byte for byte.

        Args:
            path: Of a sequence that has ended, or a draft. Nothing, or an empty folder, is there
                in this store.
            source: A session on the other store, that has changed nothing.
            on_copied: Called now and then with the bytes that were copied and those there are.

        Raises:
            SequenceRunningError: the sequence is preparing or running.
            DamagedStorageError: it cannot be read, or not all of it is there.
            PathError: it cannot be created here, as `SequenceCollection.create` says it.
        """
        copy_files(path, source.transaction, self.transaction, on_copied)

    @property
    def storage(self) -> StorageManager:
        return self._storage

    @property
    def paths(self) -> PathHierarchy:
        self.transaction  # noqa: B018 - raises outside the block
        return PathHierarchy(HDF5PathHierarchy(self))

    @property
    def sequences(self) -> SequenceCollection:
        self.transaction  # noqa: B018 - raises outside the block
        return SequenceCollection(HDF5SequenceCollection(self))

    @property
    def default_device_configurations(self) -> DeviceConfigurationCollection:
        self.transaction  # noqa: B018 - raises outside the block
        return HDF5DeviceConfigurationCollection(self)

    def get_global_parameters(self) -> ParameterNamespace:
        transaction = self.transaction
        content = transaction.read(lambda: transaction.read_document(GLOBAL_PARAMETERS))
        if content is None:
            return ParameterNamespace.empty()
        path = self._store.root / GLOBAL_PARAMETERS
        parameters = documents.load("global parameters", content, path).get("parameters")
        return configurations.load_global_parameters(self.serializer, parameters)

    def set_global_parameters(self, parameters: ParameterNamespace) -> None:
        content = documents.dump(
            "global parameters",
            {"parameters": strict_json(self.serializer.dump_global_parameters(parameters))},
        )
        transaction = self.transaction
        transaction.write(lambda: transaction.replace_document(GLOBAL_PARAMETERS, content))

    def get_unit_definitions(self) -> tuple[str, ...]:
        transaction, file = self.transaction, self._store.units.file
        if self._store.is_archive:  # that of the store which it is a folder of
            content = on_disk.read_file(str(file))
        else:
            content = transaction.read(lambda: transaction.read_document(UNITS))
        return () if content is None else load_units(content, file)

    def _set_unit_definitions(self, definitions: tuple[str, ...]) -> None:
        content = dump_units(definitions)
        transaction = self.transaction
        transaction.write(lambda: transaction.replace_document(UNITS, content))
