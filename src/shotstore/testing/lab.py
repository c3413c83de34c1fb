"""Classes as a lab would add them, and the serializer that knows them."""

from collections.abc import Mapping

import attrs
import numpy as np

from shotstore.model import (
    DefaultSerializer,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterSchema,
    TimeLane,
)


@attrs.frozen
class CameraConfiguration(DeviceConfiguration):
    """A device with one setting."""

    exposure: float


@attrs.frozen
class Schedule(IterationConfiguration):
    """An iteration that lists the values of a parameter, and counts them with numpy."""

    values: tuple[float, ...]

    def expected_number_shots(self) -> int:
        return np.int64(len(self.values))  # type: ignore[return-value]

    def get_parameter_names(self) -> set[str]:
        return {"value"}

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        return ParameterSchema.of({**initial, "value": 0.5})


@attrs.frozen
class Sound(TimeLane):
    """A lane for a loudspeaker: the volume in each step."""

    volumes: tuple[float, ...]

    @property
    def number_steps(self) -> int:
        return len(self.volumes)


def serializer() -> DefaultSerializer:
    """Return the serializer that a storage to be tested is made with."""
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    serializer.register_iteration(Schedule)
    serializer.register_time_lane(Sound)
    return serializer
