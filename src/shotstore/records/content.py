"""What is stored: the record of a sequence, that of its launch, and those of its shots."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

import attrs

from shotstore.model import JSON, Data, DataSchema, ParameterSchema, ParameterType
from shotstore.model.parameters import PlainParameter
from shotstore.records.times import dump_time, load_time
from shotstore.state import State

RESUMABLE = (State.INTERRUPTED, State.CRASHED)
"""The states that a sequence can be resumed from, if it has run."""


@attrs.frozen
class InterruptionRecord:
    """How a sequence had ended that was resumed. Times are in UTC."""

    state: State
    """INTERRUPTED or CRASHED."""
    stop_time: datetime
    exception: JSON
    resume_time: datetime

    def to_json(self) -> JSON:
        """Return it as a JSON object."""
        return {
            "state": self.state.value,
            "stop_time": dump_time(self.stop_time),
            "exception": self.exception,
            "resume_time": dump_time(self.resume_time),
        }

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Return what `to_json` has made the object of.

        Raises:
            LookupError, TypeError, ValueError: the content is something else.
        """
        state = State(content["state"])
        if state not in RESUMABLE:
            raise ValueError(f"nothing is resumed that is {state.value}")
        stop_time, resume_time = load_time(content["stop_time"]), load_time(content["resume_time"])
        return cls(state, stop_time, content["exception"], resume_time)


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
    interruptions: tuple[InterruptionRecord, ...] = ()
    """Those after which it was resumed, in their order."""
    tags: frozenset[str] = frozenset()
    note: str = ""
    measured: Mapping[str, JSON] | None = None
    """Once it has ended, as `shotstore.records.measured` has it; None if that is not known."""
    recorder: str | None = None
    """The mark of the program that records it, if that keeps a lock for as long as it lives."""

    def as_draft(self) -> Self:
        """Return the record of the same sequence before it was launched."""
        return attrs.evolve(
            self,
            state=State.DRAFT,
            start_time=None,
            stop_time=None,
            number_of_shots=None,
            exception=None,
            interruptions=(),
            measured=None,
            recorder=None,
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
    parameters: Mapping[str, PlainParameter]
    data: Mapping[str, Data]

    def parameter_schema(self) -> ParameterSchema:
        """Return the types and units of its parameters."""
        return schema_of_parameters(self.parameters)

    def data_schema(self) -> DataSchema:
        """Return the types and shapes of its data."""
        return DataSchema.of(self.data)


def schema_of_parameters(parameters: Mapping[str, PlainParameter]) -> ParameterSchema:
    """Return the types and units of parameters."""
    return ParameterSchema(
        {
            name: ParameterType(ParameterType.of(plain).type, unit)
            for name, (plain, unit) in parameters.items()
        }
    )


@attrs.frozen
class Setting:
    """What a storage keeps beside its paths, as a JSON object: global parameters under
    ``parameters``, units under ``definitions``, a device under ``type`` and ``content``."""

    kind: Literal["global parameters", "units", "device configuration"]
    name: str = ""
    """That of the device."""
