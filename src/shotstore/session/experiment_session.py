"""One transaction on a storage."""

from __future__ import annotations

import abc
from types import TracebackType
from typing import TYPE_CHECKING, Self

from shotstore.model import ParameterNamespace, Serializer
from shotstore.model.new_units import define_new_unit, new_definition
from shotstore.paths import PureSequencePath
from shotstore.records.sequence_reader import StorageReader
from shotstore.session.device_configurations import DeviceConfigurationCollection
from shotstore.session.path_hierarchy import PathHierarchy
from shotstore.session.sequence import Sequence
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    from shotstore.session.storage import StorageManager


class ExperimentSession(abc.ABC):
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

    @abc.abstractmethod
    def __enter__(self) -> Self:
        """Begin the transaction.

        Raises:
            RuntimeError: the session was entered before.
            StorageLockTimeoutError: it is to write from its start, and another session keeps on
                writing for longer than the storage's timeout.
        """

    @abc.abstractmethod
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

    @property
    @abc.abstractmethod
    def storage(self) -> StorageManager:
        """The storage that this is a session of; also when the block is over."""

    @property
    @abc.abstractmethod
    def paths(self) -> PathHierarchy:
        """The tree of folders and sequences."""

    @property
    @abc.abstractmethod
    def sequences(self) -> SequenceCollection:
        """The sequences, with their recipes, states and shots."""

    @property
    @abc.abstractmethod
    def default_device_configurations(self) -> DeviceConfigurationCollection:
        """The device configurations that the next sequence is to be launched with, by name."""

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
        return StorageReader(self.sequences._stored, self.paths._stored, self.get_global_parameters)

    @abc.abstractmethod
    def get_global_parameters(self) -> ParameterNamespace:
        """Return the parameters that the next sequence is to be launched with.

        The namespace is empty in a storage where none were set.
        """

    @abc.abstractmethod
    def set_global_parameters(self, parameters: ParameterNamespace) -> None:
        """Replace all parameters that the next sequence is to be launched with.

        Sequences that were launched keep those of their launch.

        Raises:
            TypeError: ``parameters`` is not a namespace.
        """

    @abc.abstractmethod
    def get_unit_definitions(self) -> tuple[str, ...]:
        """Return the units that the storage defines, in the order in which they were defined."""

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
            self._set_unit_definitions((*known, str(new)))

    @abc.abstractmethod
    def _set_unit_definitions(self, definitions: tuple[str, ...]) -> None:
        """Replace what the storage defines."""
