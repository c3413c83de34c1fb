"""One transaction on a storage."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from shotstore.model import ParameterNamespace, Serializer
from shotstore.model.new_units import define_new_unit, new_definition
from shotstore.paths import PureSequencePath
from shotstore.records import session_errors, settings
from shotstore.records.storage_reader import StorageReader
from shotstore.records.stored_records import AnyRecords
from shotstore.session.device_configurations import DeviceConfigurationCollection
from shotstore.session.path_hierarchy import PathHierarchy
from shotstore.session.sequence import Sequence
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    from shotstore.session.storage import StorageManager


class ExperimentSession:
    """One transaction: everything done in its ``with`` block, or nothing.

    Leaving the block normally commits everything at once and durably; leaving it by an exception
    discards everything. What was read once stays the same to the end of the session, except for
    what the session itself changes, which it sees at once. A call that fails changes nothing, and
    the session goes on.

    A session is used once, and from one thread. Outside of its block everything that touches the
    storage, the objects that it has handed out included, raises
    :class:`~shotstore.ExperimentSessionNotActiveError`. Any read can raise
    :class:`~shotstore.DamagedStorageError`, and :class:`~shotstore.TransactionConflictError` for a
    path that the session has listed and another one has moved or deleted before it was read; any
    write this and :class:`~shotstore.StorageLockTimeoutError`.
    """

    serializer: Serializer
    """What turns recipes and configurations into JSON and back: that of the storage, unless
    another one is given to the session before it is entered."""

    def __init__(
        self,
        storage: StorageManager,
        serializer: Serializer,
        begin: Callable[[], AnyRecords],
        *,
        write: bool,
    ) -> None:
        """``begin`` begins a transaction, and gives what is stored as it sees it."""
        self._storage = storage
        self.serializer = serializer
        self._begin = begin
        self._write = write
        # Nothing of it refers back to the session: it ends as soon as that is dropped.
        self._begun: AnyRecords | None = None

    def __enter__(self) -> Self:
        """Begin the transaction.

        Raises:
            RuntimeError: the session was entered before.
            StorageLockTimeoutError: it is to write from its start, and another session keeps on
                writing for longer than the storage's timeout.
        """
        if self._begun is not None:
            raise session_errors.session_used_twice_error()
        self._begun = self._begin()
        transaction = self._begun.transaction
        # A Ctrl-C may prevent `__exit__` from running. So the block gets another object than the
        # one that is entered: only the `with` statement refers to that, and when it is gone the
        # transaction ends.
        transaction.rollback_when_dropped(self)
        try:
            if self._write:
                transaction.begin_writing()
            twin = object.__new__(type(self))
            twin.__dict__.update(self.__dict__)
            return twin
        except BaseException:
            transaction.rollback()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Commit, or discard everything if there is an exception, which goes on.

        Raises:
            StorageError: the transaction could not be committed, and nothing has changed.
            CommitUncertainError: it is committed, or will be when the storage is next opened.
        """
        try:
            if exc_type is None:
                self._records_().transaction.commit()
            elif self._begun is not None:
                self._begun.transaction.rollback()
        except BaseException:
            # A Ctrl-C may have come before it began. Whoever keeps the traceback, as a notebook
            # does, keeps the session too, so it would not be dropped.
            if self._begun is not None:
                self._begun.transaction.rollback()
            raise

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    @property
    def storage(self) -> StorageManager:
        """The storage that this is a session of; also when the block is over."""
        return self._storage

    @property
    def paths(self) -> PathHierarchy:
        """The tree of folders and sequences."""
        return PathHierarchy(self._records_())

    @property
    def sequences(self) -> SequenceCollection:
        """The sequences, with their recipes, states and shots."""
        return SequenceCollection(self._records_(), self.serializer)

    @property
    def default_device_configurations(self) -> DeviceConfigurationCollection:
        """The device configurations that the next sequence is to be launched with, by name."""
        return DeviceConfigurationCollection(self._records_(), self.serializer)

    def get_sequence(self, path: PureSequencePath | str) -> Sequence:
        r"""Return the sequence at the path, as an object to work with.

        This reads nothing: if there is no sequence at the path, the first use of the object says
        so.

        Args:
            path: The path, or its text, such as ``r"\2026\rabi"``.

        Raises:
            InvalidPathFormatError: the text is not a valid path.
        """
        return Sequence(path, self)

    def _reader_(self) -> StorageReader:
        return StorageReader(self._records_(), self.serializer)

    def get_global_parameters(self) -> ParameterNamespace:
        """Return the parameters that the next sequence is to be launched with.

        The namespace is empty in a storage where none were set.
        """
        return settings.get_global_parameters(self._records_(), self.serializer)

    def set_global_parameters(self, parameters: ParameterNamespace) -> None:
        """Replace all parameters that the next sequence is to be launched with.

        Sequences that were launched keep those of their launch.

        Raises:
            TypeError: ``parameters`` is not a namespace.
        """
        settings.set_global_parameters(self._records_(), self.serializer, parameters)

    def get_unit_definitions(self) -> tuple[str, ...]:
        """Return the units that the storage defines, in the order in which they were defined."""
        return settings.get_unit_definitions(self._records_())

    def define_unit(self, definition: str) -> None:
        """Define a unit for all who use this storage.

        The storage keeps it, and gives it to pint's application registry wherever it is used: in
        other programs, on the command line, and in copies. What a unit means stays, since shots
        have been recorded in it; the registry of this process knows it from here on, also if this
        session is discarded.

        Args:
            definition: A name and what it means, and further names: ``"recoil = 3.77 kHz"``,
                ``"recoil = 3.77 kHz = Er"``. ``"photons = []"`` is a number of things, and
                ``"steps = [motor_steps]"`` is converted to nothing else.

        Raises:
            ValueError: it is written in another way, has a unit that is not known, or the storage
                defines one of the names in another way.
            UnitConflictError: one of the names means something else in this process, to pint or to
                another storage.
        """
        known = self.get_unit_definitions()
        new = new_definition(definition, known)
        if str(new) not in known:
            define_new_unit(new, str(self.storage))
            settings.set_unit_definitions(self._records_(), (*known, str(new)))

    def _records_(self) -> AnyRecords:
        """What is stored, while the block is running."""
        if self._begun is None:
            raise session_errors.session_not_active_error()
        transaction = self._begun.transaction
        if not transaction.is_open:
            transaction.check_open()
        return self._begun
