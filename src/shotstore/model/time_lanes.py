"""Time lanes: what each channel of an experiment plays, step by step."""

import abc
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import attrs

from shotstore.model.expressions import Expression
from shotstore.model.scalars import JSON, check_positive, check_text, copy_json, plain_scalar

_Given = TypeVar("_Given")
_Checked = TypeVar("_Checked")


class TimeLane(abc.ABC):
    """What one channel plays. A value: immutable and compared by content."""

    @property
    @abc.abstractmethod
    def number_steps(self) -> int | None:
        """How many steps the lane lasts, ``None`` if that is not known."""


def _checked_spans(
    spans: Iterable[tuple[_Given, int]], check: Callable[[_Given], _Checked]
) -> tuple[tuple[_Checked, int], ...]:
    return tuple(
        (check(value), check_positive(length, "The number of steps of a span"))
        for value, length in spans
    )


class _LaneOfSpans(TimeLane):
    """A lane of values that hold for some steps each; which values is a matter of the kind."""

    spans: tuple[tuple[object, int], ...]

    @property
    def number_steps(self) -> int:
        return sum(length for _, length in self.spans)


def _digital_spans(
    spans: Iterable[tuple[bool | str | Expression, int]],
) -> tuple[tuple[bool | Expression, int], ...]:
    def check(value: bool | str | Expression) -> bool | Expression:
        plain = plain_scalar(value)
        return plain if isinstance(plain, bool) else Expression(value)  # type: ignore[arg-type]

    return _checked_spans(spans, check)


@attrs.frozen
class DigitalTimeLane(_LaneOfSpans):
    """A channel that is on or off.

    >>> DigitalTimeLane([(True, 2), ("power > 0", 1)]).number_steps
    3

    Args:
        spans: Pairs of a bool or an expression and the number of steps for which it holds.

    Raises:
        TypeError: a value or a length is something else.
        ValueError: a length is less than 1.
    """

    spans: tuple[tuple[bool | Expression, int], ...] = attrs.field(converter=_digital_spans)


@attrs.frozen
class Ramp:
    """Go steadily from the value before the span to the value after it."""


def _analog_spans(
    spans: Iterable[tuple[str | Expression | Ramp, int]],
) -> tuple[tuple[Expression | Ramp, int], ...]:
    def check(value: str | Expression | Ramp) -> Expression | Ramp:
        return value if isinstance(value, Ramp) else Expression(value)

    return _checked_spans(spans, check)


@attrs.frozen
class AnalogTimeLane(_LaneOfSpans):
    """A channel with a continuous value.

    Args:
        spans: Pairs of an expression or a Ramp and the number of steps for which it holds.

    Raises:
        TypeError: a value or a length is something else.
        ValueError: a length is less than 1.
    """

    spans: tuple[tuple[Expression | Ramp, int], ...] = attrs.field(converter=_analog_spans)


def _picture_name(name: str) -> str:
    return check_text(name, "The name of a picture")


@attrs.frozen
class TakePicture:
    """Expose the camera during the span, and give the picture a name."""

    picture_name: str = attrs.field(converter=_picture_name)


def _camera_spans(
    spans: Iterable[tuple[TakePicture | None, int]],
) -> tuple[tuple[TakePicture | None, int], ...]:
    def check(value: TakePicture | None) -> TakePicture | None:
        if value is None or isinstance(value, TakePicture):
            return value
        raise TypeError(f"A camera does TakePicture or None, not {type(value).__name__}.")

    return _checked_spans(spans, check)


@attrs.frozen
class CameraTimeLane(_LaneOfSpans):
    """A camera.

    Args:
        spans: Pairs of a TakePicture, or ``None`` to do nothing, and a number of steps.

    Raises:
        TypeError: a value or a length is something else.
        ValueError: a length is less than 1.
    """

    spans: tuple[tuple[TakePicture | None, int], ...] = attrs.field(converter=_camera_spans)


@attrs.frozen
class UnknownTimeLane(TimeLane):
    """A stored lane whose class is not registered here, kept as it was stored.

    It is written back unchanged. How many steps it lasts is not known.

    Attributes:
        tag: The name under which its class was registered.
        content: Its JSON.
    """

    tag: str = attrs.field(validator=attrs.validators.instance_of(str))
    content: JSON = attrs.field(converter=copy_json, hash=False)

    @property
    def number_steps(self) -> None:
        return None


def _step_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(check_text(name, "The name of a time step") for name in names)


def _durations(durations: Iterable[str | Expression]) -> tuple[Expression, ...]:
    return tuple(Expression(duration) for duration in durations)


def _lanes(lanes: Mapping[str, TimeLane]) -> dict[str, TimeLane]:
    for name, lane in lanes.items():
        if not isinstance(lane, TimeLane):
            raise TypeError(f"Time lane '{name}' must be a TimeLane, not {type(lane).__name__}.")
    return {check_text(name, "The name of a time lane"): lane for name, lane in lanes.items()}


@attrs.frozen
class TimeLanes:
    """What all channels play during a shot: a table of steps and lanes.

    Args:
        step_names: One for each step.
        step_durations: An expression for each step, in the same order.
        lanes: By name. All last as many steps as there are.

    Raises:
        ValueError: the numbers of steps differ (the message names the lane), or a name holds a lone
            surrogate.
        TypeError: a name, duration or lane is something else.
    """

    step_names: tuple[str, ...] = attrs.field(converter=_step_names)
    step_durations: tuple[Expression, ...] = attrs.field(converter=_durations)
    lanes: Mapping[str, TimeLane] = attrs.field(converter=_lanes, factory=dict)

    @classmethod
    def empty(cls) -> "TimeLanes":
        """Return time lanes without any step."""
        return cls((), ())

    @property
    def number_steps(self) -> int:
        return len(self.step_names)

    def __attrs_post_init__(self) -> None:
        if len(self.step_durations) != self.number_steps:
            raise ValueError(
                f"There are {self.number_steps} step names and {len(self.step_durations)} step "
                "durations: there must be one of both for each step."
            )
        for name, lane in self.lanes.items():
            if lane.number_steps not in (None, self.number_steps):
                raise ValueError(
                    f"Time lane '{name}' lasts {lane.number_steps} steps, but there are "
                    f"{self.number_steps}."
                )
