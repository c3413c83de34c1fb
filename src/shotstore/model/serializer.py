"""How the objects of the model become JSON and come back."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs

from shotstore.model.class_registry import ClassRegistry
from shotstore.model.devices import DeviceConfiguration, UnknownDeviceConfiguration
from shotstore.model.iteration import IterationConfiguration, UnknownIterationConfiguration
from shotstore.model.json_form import from_json, to_json
from shotstore.model.namespaces import ParameterNamespace
from shotstore.model.open_ended import OpenEnded
from shotstore.model.scalars import JSON
from shotstore.model.steps import StepsConfiguration
from shotstore.model.time_lanes import (
    AnalogTimeLane,
    CameraTimeLane,
    DigitalTimeLane,
    TimeLane,
    TimeLanes,
    UnknownTimeLane,
)

_Device = TypeVar("_Device", bound=DeviceConfiguration)
_Lane = TypeVar("_Lane", bound=TimeLane)
_Iteration = TypeVar("_Iteration", bound=IterationConfiguration)


class Serializer(Protocol):
    """What a storage needs to know about the objects it stores.

    All JSON is strict: ``json.dumps(..., allow_nan=False)`` takes it. Each ``load_`` method
    returns an object equal to the one given to its ``dump_`` method, and raises ``ValueError`` for
    JSON that it cannot read. A storage is pickled together with its serializer.
    """

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON: ...

    def load_iteration(self, content: JSON) -> IterationConfiguration: ...

    def dump_time_lanes(self, time_lanes: TimeLanes) -> JSON: ...

    def load_time_lanes(self, content: JSON) -> TimeLanes: ...

    def dump_global_parameters(self, parameters: ParameterNamespace) -> JSON: ...

    def load_global_parameters(self, content: JSON) -> ParameterNamespace: ...

    def dump_device_configuration(self, configuration: DeviceConfiguration) -> tuple[str, JSON]:
        """Return the tag that names the class of the configuration, and its content."""
        ...

    def load_device_configuration(self, tag: str, content: JSON) -> DeviceConfiguration: ...


def _iterations() -> ClassRegistry[IterationConfiguration]:
    classes = ClassRegistry(
        IterationConfiguration,  # type: ignore[type-abstract]
        UnknownIterationConfiguration,
    )
    classes.register(StepsConfiguration, "steps")
    classes.register(OpenEnded, "open_ended")
    return classes


def _time_lanes() -> ClassRegistry[TimeLane]:
    classes = ClassRegistry(TimeLane, UnknownTimeLane)  # type: ignore[type-abstract]
    classes.register(DigitalTimeLane, "digital")
    classes.register(AnalogTimeLane, "analog")
    classes.register(CameraTimeLane, "camera")
    return classes


@attrs.define
class DefaultSerializer:
    """The serializer for the classes of ``shotstore.model``, and for those registered with it.

    Only an object whose class is registered can be stored. A stored one whose tag is not registered
    loads as an UnknownDeviceConfiguration, UnknownTimeLane or UnknownIterationConfiguration, which
    is stored again as it was.

    A class that attrs has made needs no functions: its fields are written and read by their types,
    as cattrs does it, expressions and pint quantities included. Stored content that has another
    set of fields or other types is a ``ValueError``; a ``load`` function can take care of what an
    older version has stored.

    Two serializers are equal if they have the same classes registered. A serializer can be pickled
    if these, and the functions for them, can be imported by name.

    >>> @attrs.frozen
    ... class CameraConfiguration(DeviceConfiguration):
    ...     exposure: float
    >>> serializer = DefaultSerializer()
    >>> serializer.register_device_configuration(CameraConfiguration)
    >>> serializer.dump_device_configuration(CameraConfiguration(0.1))
    ('CameraConfiguration', {'remote_server': None, 'exposure': 0.1})
    """

    _iterations: ClassRegistry[IterationConfiguration] = attrs.field(
        init=False, factory=_iterations
    )
    _time_lanes: ClassRegistry[TimeLane] = attrs.field(init=False, factory=_time_lanes)
    _devices: ClassRegistry[DeviceConfiguration] = attrs.field(
        init=False, factory=lambda: ClassRegistry(DeviceConfiguration, UnknownDeviceConfiguration)
    )

    def register_device_configuration(
        self,
        cls: type[_Device],
        dump: Callable[[_Device], object] | None = None,
        load: Callable[[Any], _Device] | None = None,
        *,
        tag: str | None = None,
    ) -> None:
        """Make a class of device configurations storable.

        Args:
            dump: Returns the content of an instance as something that ``json.dumps`` takes.
            load: Returns the instance of which ``dump`` has made such content.
            tag: Stored to name the class; its name if not given.

        Raises:
            TypeError: the class is not a DeviceConfiguration, or not an attrs class and a function
                is missing.
            ValueError: the class or the tag is registered already.
        """
        self._devices.register(cls, tag or cls.__name__, dump, load)

    def register_time_lane(
        self,
        cls: type[_Lane],
        dump: Callable[[_Lane], object] | None = None,
        load: Callable[[Any], _Lane] | None = None,
        *,
        tag: str | None = None,
    ) -> None:
        """Make a class of time lanes storable; see :meth:`register_device_configuration`."""
        self._time_lanes.register(cls, tag or cls.__name__, dump, load)

    def register_iteration(
        self,
        cls: type[_Iteration],
        dump: Callable[[_Iteration], object] | None = None,
        load: Callable[[Any], _Iteration] | None = None,
        *,
        tag: str | None = None,
    ) -> None:
        """Make a class of iterations storable; see :meth:`register_device_configuration`."""
        self._iterations.register(cls, tag or cls.__name__, dump, load)

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON:
        return _tagged(*self._iterations.dump(iteration))

    def load_iteration(self, content: JSON) -> IterationConfiguration:
        return self._iterations.load(*_untagged(content))

    def dump_time_lanes(self, time_lanes: TimeLanes) -> JSON:
        _check_is(TimeLanes, time_lanes)
        return {
            "step_names": to_json(time_lanes.step_names),
            "step_durations": to_json(time_lanes.step_durations),
            "lanes": {
                name: _tagged(*self._time_lanes.dump(lane))
                for name, lane in time_lanes.lanes.items()
            },
        }

    def load_time_lanes(self, content: JSON) -> TimeLanes:
        match content:
            case {
                "step_names": list(names),
                "step_durations": list(durations),
                "lanes": dict(lanes),
                **rest,
            } if not rest:
                return TimeLanes(
                    from_json(names, list[str]),
                    from_json(durations, list[str]),
                    {name: self._time_lanes.load(*_untagged(lane)) for name, lane in lanes.items()},
                )
        raise ValueError(f"{content!r} is not stored TimeLanes.")

    def dump_global_parameters(self, parameters: ParameterNamespace) -> JSON:
        _check_is(ParameterNamespace, parameters)
        return to_json(parameters)

    def load_global_parameters(self, content: JSON) -> ParameterNamespace:
        return from_json(content, ParameterNamespace)

    def dump_device_configuration(self, configuration: DeviceConfiguration) -> tuple[str, JSON]:
        return self._devices.dump(configuration)

    def load_device_configuration(self, tag: str, content: JSON) -> DeviceConfiguration:
        return self._devices.load(tag, content)


def _check_is(cls: type, value: object) -> None:
    if not isinstance(value, cls):
        raise TypeError(f"A {cls.__name__} was expected, not {value!r}.")


def _tagged(tag: str, content: JSON) -> JSON:
    return {"type": tag, "content": content}


def _untagged(content: JSON) -> tuple[str, JSON]:
    match content:
        case {"type": str(tag), "content": inner, **rest} if not rest:
            return tag, inner
    raise ValueError(f"{content!r} is not of the form {{'type': ..., 'content': ...}}.")
