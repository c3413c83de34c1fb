import enum
import json
import math
import pickle
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
import pint
import pytest
from hypothesis import given

from shotstore.model import (
    JSON,
    DefaultSerializer,
    DeviceConfiguration,
    ExecuteShot,
    Expression,
    IterationConfiguration,
    LinspaceLoop,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    Serializer,
    StepsConfiguration,
    TimeLane,
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import namespaces, steps_configurations, time_lanes


class Trigger(enum.Enum):
    INTERNAL = "internal"
    EXTERNAL = "external"


@attrs.frozen
class Region:
    x: int
    y: int


@attrs.frozen
class CameraConfiguration(DeviceConfiguration):
    exposure: "pint.Quantity[Any] | None"
    gain: float = 1.0
    region: Region = Region(0, 0)
    trigger: Trigger = Trigger.INTERNAL
    names: tuple[str, ...] = ()
    delay: Expression = attrs.field(default=Expression("0 ms"), converter=Expression)
    limit: float | str = math.inf
    offsets: Mapping[str, float] = attrs.field(factory=dict)


@attrs.define
class GeneratorConfiguration(DeviceConfiguration):
    channels: list[str]


class Table(DeviceConfiguration):
    """Not an attrs class of its own: it is stored by functions."""

    def __init__(self, rows: list[tuple[int, float]]) -> None:
        super().__init__(remote_server="pc")
        self.__dict__["rows"] = rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]


def dump_table(table: Table) -> object:
    return {"rows": table.__dict__["rows"]}


def load_table(content: dict[str, list[tuple[int, float]]]) -> Table:
    return Table([(index, value) for index, value in content["rows"]])


@attrs.frozen
class NoiseLane(TimeLane):
    level: float
    number_steps: int


@attrs.frozen
class ListedShots(IterationConfiguration):
    values: list[float]

    def expected_number_shots(self) -> int:
        return len(self.values)

    def get_parameter_names(self) -> set[str]:
        return {"x"}

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        return ParameterSchema.of({**initial, "x": 1.0})


CAMERA = CameraConfiguration(
    quantity(1.5, "ms"),
    math.nan,
    Region(1, 2),
    Trigger.EXTERNAL,
    ("a", "b"),
    "2 * exposure",
    "auto",
    {"x": -math.inf},
    remote_server="imaging-pc",
)


@pytest.fixture
def serializer() -> DefaultSerializer:
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    serializer.register_device_configuration(GeneratorConfiguration, tag="generator")
    serializer.register_device_configuration(Table, dump_table, load_table)
    serializer.register_time_lane(NoiseLane)
    serializer.register_iteration(ListedShots)
    return serializer


def through_text(content: JSON) -> JSON:
    read: JSON = json.loads(json.dumps(content, allow_nan=False))
    return read


@given(steps_configurations)
def test_an_iteration_comes_back_equal(iteration: StepsConfiguration) -> None:
    serializer: Serializer = DefaultSerializer()
    content = through_text(serializer.dump_iteration(iteration))
    assert serializer.load_iteration(content) == iteration


@given(time_lanes())
def test_time_lanes_come_back_equal(lanes: TimeLanes) -> None:
    serializer: Serializer = DefaultSerializer()
    content = through_text(serializer.dump_time_lanes(lanes))
    again = serializer.load_time_lanes(content)
    assert again == lanes
    assert list(again.lanes) == list(lanes.lanes)


@given(namespaces)
def test_a_namespace_comes_back_equal(namespace: ParameterNamespace) -> None:
    serializer: Serializer = DefaultSerializer()
    content = through_text(serializer.dump_global_parameters(namespace))
    assert serializer.load_global_parameters(content) == namespace


def test_the_stored_form_is_readable() -> None:
    serializer = DefaultSerializer()
    namespace = ParameterNamespace.from_mapping({"a": "1", "mot": {"detuning": "-12 MHz"}})
    assert serializer.dump_global_parameters(namespace) == [
        ["a", "1"],
        ["mot", [["detuning", "-12 MHz"]]],
    ]
    assert serializer.dump_iteration(StepsConfiguration([])) == {
        "type": "steps",
        "content": {"steps": []},
    }


def test_the_type_of_a_step_comes_first() -> None:
    steps = [LinspaceLoop("x", "0", "1", 2, [VariableDeclaration("y", "x"), ExecuteShot()])]
    content = DefaultSerializer().dump_iteration(StepsConfiguration(steps))
    assert json.dumps(content) == (
        '{"type": "steps", "content": {"steps": [{"type": "linspace", "variable": "x", '
        '"start": "0", "stop": "1", "num": 2, "sub_steps": [{"type": "declaration", '
        '"variable": "y", "value": "x"}, {"type": "shot"}]}]}}'
    )


def test_a_device_configuration_comes_back_equal(serializer: DefaultSerializer) -> None:
    configuration = attrs.evolve(CAMERA, gain=2.0)
    tag, content = serializer.dump_device_configuration(configuration)
    assert tag == "CameraConfiguration"
    assert serializer.load_device_configuration(tag, through_text(content)) == configuration


def test_nan_in_a_device_configuration_comes_back(serializer: DefaultSerializer) -> None:
    tag, content = serializer.dump_device_configuration(CAMERA)
    again = serializer.load_device_configuration(tag, through_text(content))
    assert isinstance(again, CameraConfiguration)
    assert math.isnan(again.gain)
    assert exactly_equal(again.exposure, CAMERA.exposure)


def test_a_class_with_functions_comes_back_equal(serializer: DefaultSerializer) -> None:
    table = Table([(1, math.inf), (2, 0.5)])
    tag, content = serializer.dump_device_configuration(table)
    assert (tag, content) == ("Table", {"rows": [[1, {"float": "inf"}], [2, 0.5]]})
    assert serializer.load_device_configuration(tag, through_text(content)) == table


def test_numpy_scalars_are_stored_as_numbers(serializer: DefaultSerializer) -> None:
    row: Any = (np.int64(1), np.float32(0.5))
    table = Table([row])
    assert serializer.dump_device_configuration(table)[1] == {"rows": [[1, 0.5]]}


def test_registered_lanes_and_iterations_come_back_equal(serializer: DefaultSerializer) -> None:
    lanes = TimeLanes(["a"], ["1 s"], {"noise": NoiseLane(0.5, 1)})
    content = through_text(serializer.dump_time_lanes(lanes))
    assert serializer.load_time_lanes(content) == lanes
    iteration = ListedShots([1.0, math.inf])
    content = through_text(serializer.dump_iteration(iteration))
    assert serializer.load_iteration(content) == iteration


def test_what_is_not_registered_here_is_kept_and_written_back(
    serializer: DefaultSerializer,
) -> None:
    laptop = DefaultSerializer()
    tag, content = serializer.dump_device_configuration(CAMERA)
    unknown = laptop.load_device_configuration(tag, through_text(content))
    assert unknown == UnknownDeviceConfiguration(tag, content)
    assert unknown.remote_server == "imaging-pc"
    assert laptop.dump_device_configuration(unknown) == (tag, content)

    lanes = TimeLanes(["a"], ["1 s"], {"noise": NoiseLane(math.inf, 1)})
    stored = serializer.dump_time_lanes(lanes)
    unknown_lanes = laptop.load_time_lanes(through_text(stored))
    assert isinstance(unknown_lanes.lanes["noise"], UnknownTimeLane)
    assert laptop.dump_time_lanes(unknown_lanes) == stored

    stored = serializer.dump_iteration(ListedShots([math.nan]))
    iteration = laptop.load_iteration(through_text(stored))
    assert isinstance(iteration, UnknownIterationConfiguration)
    assert iteration.expected_number_shots() is None
    assert iteration.get_parameter_names() == set()
    assert iteration.get_parameter_schema({"a": 1}) == ParameterSchema.of({"a": 1})
    assert laptop.dump_iteration(iteration) == stored


def test_an_unknown_configuration_does_not_change_with_its_content() -> None:
    numbers: list[JSON] = [1]
    unknown = UnknownDeviceConfiguration("Camera", {"remote_server": 5, "list": numbers})
    numbers.append(2)
    assert unknown.content == {"remote_server": 5, "list": [1]}
    assert unknown.remote_server is None
    assert hash(unknown) == hash(UnknownDeviceConfiguration("Camera", unknown.content))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"color": 1}, r"extra fields found \(color\) @ CameraConfiguration"),
        ({"gain": "1"}, "a str where a float is expected @ CameraConfiguration.gain"),
        ({"gain": True}, "a bool where a float is expected"),
        ({"names": [1]}, "a int where a str is expected"),
        ({"region": {"x": 1}}, "required field missing @ CameraConfiguration.region.y"),
        ({"exposure": 1}, "a int where a quantity is expected"),
        ({"trigger": "sometimes"}, "sometimes"),
    ],
)
def test_content_that_does_not_fit_the_class_is_a_value_error_that_says_where(
    serializer: DefaultSerializer, change: dict[str, JSON], reason: str
) -> None:
    tag, content = serializer.dump_device_configuration(CAMERA)
    assert isinstance(content, dict)
    with pytest.raises(
        ValueError, match=f"The stored CameraConfiguration cannot be read: .*{reason}"
    ):
        serializer.load_device_configuration(tag, {**content, **change})


def test_an_integer_in_a_field_for_floats_is_taken(serializer: DefaultSerializer) -> None:
    configuration = attrs.evolve(CAMERA, gain=2)
    tag, content = serializer.dump_device_configuration(configuration)
    assert serializer.load_device_configuration(tag, content) == configuration


@pytest.mark.parametrize(
    ("configuration", "change"),
    [
        (CAMERA, {"gain": "high"}),
        (CAMERA, {"exposure": 1}),
        (CAMERA, {"region": None}),
        (CAMERA, {"names": (b"a",)}),
        (CAMERA, {"offsets": {"x": np.zeros(3)}}),
        (GeneratorConfiguration([]), {"channels": 5}),
    ],
    ids=str,
)
def test_what_could_not_be_read_again_is_not_stored(
    serializer: DefaultSerializer, configuration: DeviceConfiguration, change: dict[str, Any]
) -> None:
    configuration = attrs.evolve(configuration, **change)
    with pytest.raises(TypeError, match="cannot be stored"):
        serializer.dump_device_configuration(configuration)


def test_what_a_function_returns_is_not_stored_where_it_is_not_json(
    serializer: DefaultSerializer,
) -> None:
    rows: Any = [...]
    with pytest.raises(TypeError, match="cannot be stored"):
        serializer.dump_device_configuration(Table(rows))


def test_a_lone_surrogate_is_not_stored(serializer: DefaultSerializer) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        serializer.dump_device_configuration(GeneratorConfiguration(["\ud800"]))


def test_only_registered_classes_are_stored() -> None:
    serializer = DefaultSerializer()
    with pytest.raises(TypeError, match=r"CameraConfiguration .* is not registered"):
        serializer.dump_device_configuration(CAMERA)
    with pytest.raises(TypeError, match=r"NoiseLane .* is not registered"):
        serializer.dump_time_lanes(TimeLanes(["a"], ["1 s"], {"noise": NoiseLane(1.0, 1)}))
    with pytest.raises(TypeError, match=r"ListedShots .* is not registered"):
        serializer.dump_iteration(ListedShots([]))


def test_a_class_is_registered_once(serializer: DefaultSerializer) -> None:
    with pytest.raises(ValueError, match="registered already, as 'generator'"):
        serializer.register_device_configuration(GeneratorConfiguration, tag="other")


def test_a_tag_stands_for_one_class(serializer: DefaultSerializer) -> None:
    with pytest.raises(ValueError, match=r"The tag 'generator' is taken by .*tag="):
        serializer.register_device_configuration(DeviceConfiguration, tag="generator")
    with pytest.raises(ValueError, match="The tag 'digital' is taken"):
        serializer.register_time_lane(UnknownTimeLane, tag="digital")
    with pytest.raises(ValueError, match="The tag 'steps' is taken"):
        serializer.register_iteration(UnknownIterationConfiguration, tag="steps")


def test_a_class_of_another_kind_is_not_registered() -> None:
    camera: Any = CameraConfiguration
    with pytest.raises(TypeError, match="does not inherit from TimeLane"):
        DefaultSerializer().register_time_lane(camera)


def test_a_class_without_attrs_needs_functions() -> None:
    class Plain(TimeLane):
        number_steps = 1

    with pytest.raises(TypeError, match="not an attrs class: give functions"):
        DefaultSerializer().register_time_lane(Plain)


def test_serializers_are_equal_by_what_they_know(serializer: DefaultSerializer) -> None:
    assert DefaultSerializer() == DefaultSerializer()
    assert serializer != DefaultSerializer()
    again = pickle.loads(pickle.dumps(serializer))
    assert again == serializer
    assert again.load_device_configuration(*serializer.dump_device_configuration(Table([])))


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"type": "steps"},
        {"type": 1, "content": {}},
        {"type": "steps", "content": {"steps": []}, "more": 1},
        {"type": "steps", "content": []},
        {"type": "steps", "content": None},
        {"type": "steps", "content": {"steps": 1}},
        {"type": "steps", "content": {"steps": [{"type": "jump"}]}},
        {"type": "steps", "content": {"steps": [{"type": "shot", "number": 2}]}},
        {"type": "steps", "content": {"steps": [{"type": "declaration", "variable": "a"}]}},
        {
            "type": "steps",
            "content": {"steps": [{"type": "declaration", "variable": "a b", "value": "1"}]},
        },
    ],
    ids=str,
)
def test_what_is_not_a_stored_iteration_is_a_value_error(content: JSON) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|not of the form"):
        DefaultSerializer().load_iteration(content)


@pytest.mark.parametrize("step", [None, 1, "a type", ["type"], {}, {"type": []}, {"type": "jump"}])
def test_what_is_not_a_step_is_told_with_the_types_there_are(step: JSON) -> None:
    content: JSON = {"type": "steps", "content": {"steps": [step]}}
    with pytest.raises(ValueError, match="one of declaration, linspace, arange, values, shot @"):
        DefaultSerializer().load_iteration(content)


@pytest.mark.parametrize(
    "change",
    [
        {"step_names": "a"},
        {"step_names": [1]},
        {"step_durations": [1]},
        {"step_durations": []},
        {"lanes": []},
        {"lanes": {"x": {"type": "digital"}}},
        {"lanes": {"x": {"type": "digital", "content": {"spans": [[True, 2]]}}}},
        {"lanes": {"x": {"type": "digital", "content": {"spans": [[1, 1]]}}}},
        {"lanes": {"x": {"type": "digital", "content": {"spans": [[True, 1, 1]]}}}},
        {"lanes": {"x": {"type": "analog", "content": {"spans": [[{"type": "jump"}, 1]]}}}},
        {"lanes": {"x": {"type": "camera", "content": {"spans": [[{"name": "a"}, 1]]}}}},
        {"more": 1},
    ],
    ids=str,
)
def test_what_are_not_stored_time_lanes_is_a_value_error(change: dict[str, JSON]) -> None:
    content: dict[str, JSON] = {"step_names": ["a"], "step_durations": ["1 s"], "lanes": {}}
    DefaultSerializer().load_time_lanes(content)
    with pytest.raises(ValueError, match=r"cannot be read|not of the form|step|not stored"):
        DefaultSerializer().load_time_lanes({**content, **change})


@pytest.mark.parametrize("content", [None, {}, [1], [["a"]], [["a", 1]], [["a b", "1"]]], ids=str)
def test_what_is_not_a_stored_namespace_is_a_value_error(content: JSON) -> None:
    with pytest.raises(ValueError, match="The stored ParameterNamespace cannot be read"):
        DefaultSerializer().load_global_parameters(content)


def test_a_device_configuration_has_a_server_or_none() -> None:
    assert GeneratorConfiguration([]).remote_server is None
    assert GeneratorConfiguration([], remote_server="pc").remote_server == "pc"
    number: Any = 5
    with pytest.raises(TypeError, match="remote_server"):
        GeneratorConfiguration([], remote_server=number)


@pytest.mark.parametrize(
    "cls", [UnknownDeviceConfiguration, UnknownIterationConfiguration, UnknownTimeLane]
)
def test_the_tag_of_what_is_not_known_is_a_text(cls: type) -> None:
    for tag in (5, None, b"Camera"):
        with pytest.raises(TypeError):
            cls(tag, {})
