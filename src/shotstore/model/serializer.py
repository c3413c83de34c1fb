"""How the objects of the model become JSON and come back."""

from typing import TYPE_CHECKING, Protocol

from shotstore.model.devices import DeviceConfiguration
from shotstore.model.scalars import JSON

if TYPE_CHECKING:
    from shotstore.model.iteration import IterationConfiguration
    from shotstore.model.namespaces import ParameterNamespace
    from shotstore.model.time_lanes import TimeLanes


class Serializer(Protocol):
    """What a storage needs to know about the objects it stores.

    All JSON is strict: ``json.dumps(..., allow_nan=False)`` takes it. Each ``load_`` method
    returns an object equal to the one given to its ``dump_`` method, and raises ``ValueError`` for
    JSON that it cannot read. A storage is pickled together with its serializer.
    """

    def dump_iteration(self, iteration: "IterationConfiguration") -> JSON: ...

    def load_iteration(self, content: JSON) -> "IterationConfiguration": ...

    def dump_time_lanes(self, time_lanes: "TimeLanes") -> JSON: ...

    def load_time_lanes(self, content: JSON) -> "TimeLanes": ...

    def dump_global_parameters(self, parameters: "ParameterNamespace") -> JSON: ...

    def load_global_parameters(self, content: JSON) -> "ParameterNamespace": ...

    def dump_device_configuration(self, configuration: DeviceConfiguration) -> tuple[str, JSON]:
        """Return the tag that names the class of the configuration, and its content."""
        ...

    def load_device_configuration(self, tag: str, content: JSON) -> DeviceConfiguration: ...
