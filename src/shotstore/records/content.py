"""What is stored: the record of a sequence, that of its launch, and those of its shots."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

import attrs

from shotstore.model import JSON, Data, DataSchema, ParameterSchema, ParameterType
from shotstore.model.parameters import Number
from shotstore.state import State


@attrs.frozen(kw_only=True)
class SequenceRecord:
    """All there is to know of a sequence but its launch and its shots. Times are in UTC."""

    created: datetime
    state: State = State.DRAFT
    iteration: JSON
    time_lanes: JSON
    expected_number_of_shots: int | None
    start_time: datetime | None = None
    stop_time: datetime | None = None
    number_of_shots: int | None = None
    """Once it has ended."""
    exception: JSON = None
    tags: frozenset[str] = frozenset()
    note: str = ""

    def as_draft(self) -> Self:
        """Return the record of the same sequence before it was launched."""
        return attrs.evolve(
            self,
            state=State.DRAFT,
            start_time=None,
            stop_time=None,
            number_of_shots=None,
            exception=None,
        )

    def for_any_storage(self) -> "SequenceRecord":
        """Return the record without what only the storage that it is from knows."""
        fields = attrs.fields(SequenceRecord)
        return SequenceRecord(**{field.name: getattr(self, field.name) for field in fields})


@attrs.frozen
class LaunchRecord:
    """What a sequence was launched with besides its recipe."""

    global_parameters: JSON
    device_configurations: Mapping[str, tuple[str, JSON]]
    """Tag and content by name."""


@attrs.frozen
class ShotRecord:
    """A shot. Times are in UTC, and parameters and data have been checked."""

    start_time: datetime
    end_time: datetime
    parameters: Mapping[str, Number]
    data: Mapping[str, Data]

    def parameter_schema(self) -> ParameterSchema:
        """Return the types and units of its parameters."""
        return ParameterSchema(
            {
                name: ParameterType(ParameterType.of(magnitude).type, unit)
                for name, (magnitude, unit) in self.parameters.items()
            }
        )

    def data_schema(self) -> DataSchema:
        """Return the types and shapes of its data."""
        return DataSchema.of(self.data)
