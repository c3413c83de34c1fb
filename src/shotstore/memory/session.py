"""A session: a copy of the content, which becomes that of the storage when it is committed."""

from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from shotstore.errors import TransactionConflictError
from shotstore.memory.content import Content
from shotstore.memory.device_configurations import InMemoryDeviceConfigurations
from shotstore.memory.path_hierarchy import InMemoryPathHierarchy
from shotstore.memory.sequence_collection import InMemorySequenceCollection
from shotstore.model import ParameterNamespace, Serializer
from shotstore.model.json_form import strict_json
from shotstore.model.unit_definitions import UnitDefinition, add_definitions
from shotstore.records import configurations, session_errors
from shotstore.session import ExperimentSession, PathHierarchy, SequenceCollection, StorageManager

if TYPE_CHECKING:
    from shotstore.memory.storage import Memory


class InMemoryExperimentSession(ExperimentSession):
    """A transaction; see `ExperimentSession` for what it promises."""

    def __init__(
        self,
        storage: StorageManager,
        memory: "Memory",
        serializer: Serializer,
        lock_timeout: float,
        *,
        write: bool,
    ) -> None:
        self.serializer = serializer
        self._storage = storage
        self._memory = memory
        self._lock_timeout = lock_timeout
        self._write = write
        self._was_entered = False
        self._is_active = False
        self._is_writing = False
        # What was committed when the session first looked, and what has become of it since.
        self._base: Content | None = None
        self._content = Content()

    def __enter__(self) -> Self:
        if self._was_entered:
            raise session_errors.session_used_twice_error()
        self._was_entered = True
        if self._write:
            self._begin_writing()
        self._is_active = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._check_active()
        self._is_active = False
        if self._is_writing:
            if exc_type is None and self._base is not None:
                self._memory.content = self._content
            self._memory.release()

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    def reading(self) -> Content:
        """Return what the session sees, not to be changed."""
        self._check_active()
        if self._base is None:
            content = self._memory.content
            add_definitions(map(UnitDefinition.parse, content.unit_definitions), str(self._storage))
            self._base = content
            self._content = content.copy()
        return self._content

    def writing(self) -> Content:
        """Return what the session sees, to be changed."""
        self._check_active()
        if not self._is_writing:
            self._begin_writing()
        return self.reading()

    def _begin_writing(self) -> None:
        self._memory.acquire(self._lock_timeout)
        if self._base is not None and self._base is not self._memory.content:
            self._memory.release()
            raise TransactionConflictError(
                "Another session has committed since this one began to read: run the block again, "
                "or open the session with write=True."
            )
        self._is_writing = True

    def _check_active(self) -> None:
        if not self._is_active:
            raise session_errors.session_not_active_error()

    @property
    def storage(self) -> StorageManager:
        return self._storage

    @property
    def paths(self) -> PathHierarchy:
        self._check_active()
        return PathHierarchy(InMemoryPathHierarchy(self))

    @property
    def sequences(self) -> SequenceCollection:
        self._check_active()
        return SequenceCollection(InMemorySequenceCollection(self))

    @property
    def default_device_configurations(self) -> InMemoryDeviceConfigurations:
        self._check_active()
        return InMemoryDeviceConfigurations(self)

    def get_global_parameters(self) -> ParameterNamespace:
        content = self.reading().global_parameters
        if content is None:
            return ParameterNamespace.empty()
        return configurations.load_global_parameters(self.serializer, content)

    def set_global_parameters(self, parameters: ParameterNamespace) -> None:
        content = strict_json(self.serializer.dump_global_parameters(parameters))
        self.writing().global_parameters = content

    def get_unit_definitions(self) -> tuple[str, ...]:
        return self.reading().unit_definitions

    def _set_unit_definitions(self, definitions: tuple[str, ...]) -> None:
        self.writing().unit_definitions = definitions
