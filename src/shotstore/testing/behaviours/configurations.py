"""Global parameters, device configurations, and what the serializer makes of them."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from shotstore import ExperimentSession, Sequence, StorageManager
from shotstore.model import (
    JSON,
    DefaultSerializer,
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.testing.content import changed, content, content_after, reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    TIME_LANES,
    create,
    launch,
    path,
    recipe,
)
from shotstore.testing.lab import CameraConfiguration, Schedule, Sound

T = TypeVar("T")

CAMERA = CameraConfiguration(exposure=0.5)
UNKNOWN = UnknownDeviceConfiguration("Laser", {"power": {"float": "nan"}, "list": [1, 1.0, None]})


# Global parameters


def test_an_empty_storage_has_no_global_parameters(storage: StorageManager) -> None:
    with storage.session() as session:
        assert session.get_global_parameters() == ParameterNamespace.empty()


def test_global_parameters_come_back_with_their_order_and_duplicates(
    storage: StorageManager,
) -> None:
    parameters = ParameterNamespace(
        [("b", "1"), ("a", "2 +"), ("b", {"c": "é", "d": {}}), ("b", "\0"), ("a.x", "  ")]
    )
    found = content_after(storage, lambda session: session.set_global_parameters(parameters))
    assert found["parameters"] == parameters
    assert list(found["parameters"].items()) == list(parameters.items())


def test_global_parameters_are_replaced_as_a_whole(storage: StorageManager) -> None:
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
    other = ParameterNamespace.from_mapping({"other": "1"})
    with changed(storage) as (session, found):
        session.set_global_parameters(ParameterNamespace.empty())
        session.set_global_parameters(other)
    assert found["parameters"] == other


@pytest.mark.parametrize("wrong", [{"a": "1"}, None, "a = 1"])
def test_what_is_no_namespace_is_refused(storage: StorageManager, wrong: Any) -> None:
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
        create(session)
        with pytest.raises(TypeError):
            session.set_global_parameters(wrong)
        with pytest.raises(TypeError):
            session.sequences.set_preparing(PATH, {}, wrong)
    with storage.session() as session:
        assert session.get_global_parameters() == PARAMETERS


# Devices


def test_devices_are_a_mapping(storage: StorageManager) -> None:
    with storage.session() as session:
        devices = session.default_device_configurations
        assert dict(devices) == {}
        assert len(devices) == 0
        devices["b"] = CAMERA
        devices.update({"a": CAMERA, "c": UNKNOWN})
        assert list(devices) == ["a", "b", "c"]
        assert "b" in devices
        assert "d" not in devices
        assert devices.get("d") is None
        assert devices.pop("b") == CAMERA
    with reopened(storage).session() as session:
        devices = session.default_device_configurations
        assert devices == {"a": CAMERA, "c": UNKNOWN}
        devices.clear()
        assert len(devices) == 0
    with storage.session() as session:
        assert dict(session.default_device_configurations) == {}


def test_a_device_is_replaced_and_removed(storage: StorageManager) -> None:
    with storage.session() as session:
        session.default_device_configurations.update({"a": CAMERA, "b": CAMERA})
    with changed(storage) as (session, found):
        devices = session.default_device_configurations
        devices["a"] = CameraConfiguration(exposure=2.0, remote_server="pc")
        del devices["b"]
        devices["new"] = CAMERA
        del devices["new"]
    found = found["devices"]
    assert found == {"a": CameraConfiguration(exposure=2.0, remote_server="pc")}


def test_a_removed_device_comes_back(storage: StorageManager) -> None:
    with storage.session() as session:
        session.default_device_configurations["a"] = CAMERA
    with changed(storage) as (session, found):
        del session.default_device_configurations["a"]
        assert "a" not in session.default_device_configurations
        session.default_device_configurations["a"] = UNKNOWN
    assert found["devices"] == {"a": UNKNOWN}


NAMES = [
    "..",
    ".",
    "a/b",
    r"a\b",
    "CON",
    "\n",
    "é",
    "e\u0301",
    " ",
    "a. ",
    "%2F",
    "x.json",
    "#",
    "x" * 250,
]


def test_a_device_may_have_any_name(storage: StorageManager) -> None:
    devices = {name: CameraConfiguration(exposure=float(index)) for index, name in enumerate(NAMES)}
    with changed(storage) as (session, found):
        session.default_device_configurations.update(devices)
        create(session)
        session.sequences.set_preparing(PATH, devices, PARAMETERS)
    assert found["devices"] == devices
    assert found[str(PATH)]["devices"] == devices


MISSING = ["missing", "", "x" * 10_000, "\ud800", 3, None]


@pytest.mark.parametrize("name", MISSING, ids=lambda name: ascii(name)[:9])
def test_a_missing_device_is_a_key_error(storage: StorageManager, name: Any) -> None:
    with storage.session() as session:
        devices = session.default_device_configurations
        devices["camera"] = CAMERA
        assert name not in devices
        assert devices.get(name) is None
        with pytest.raises(KeyError):
            devices[name]
        with pytest.raises(KeyError):
            del devices[name]
        assert devices.pop(name, None) is None


@pytest.mark.parametrize(
    ("name", "device", "error"),
    [
        ("", CAMERA, ValueError),
        ("\ud800", CAMERA, ValueError),
        ("a\0", CAMERA, ValueError),
        ("x" * 251, CAMERA, ValueError),
        ("é" * 126, CAMERA, ValueError),
        (3, CAMERA, TypeError),
        ("a", {"exposure": 1}, TypeError),
        ("a", None, TypeError),
        ("a", DeviceConfiguration(), TypeError),
        ("a", UnknownDeviceConfiguration("tag", [float("nan")]), ValueError),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_no_device_is_refused(
    storage: StorageManager, name: Any, device: Any, error: type[Exception]
) -> None:
    with storage.session() as session:
        create(session)
        session.default_device_configurations["camera"] = CAMERA
        with pytest.raises(error):
            session.default_device_configurations[name] = device
        with pytest.raises(error):
            session.sequences.set_preparing(PATH, {"camera": CAMERA, name: device}, PARAMETERS)
        session.sequences.set_preparing(PATH, {}, PARAMETERS)
    with storage.session() as session:
        assert dict(session.default_device_configurations) == {"camera": CAMERA}
        assert session.sequences.get_device_configurations(PATH) == {}


def test_the_devices_of_a_launch_are_kept(storage: StorageManager) -> None:
    with storage.session() as session:
        session.default_device_configurations["camera"] = CAMERA
        launch(session)
    with storage.session() as session:
        session.default_device_configurations["camera"] = UNKNOWN
        found = session.sequences.get_device_configurations(PATH)
        assert found == DEVICES


# The serializer


def test_what_nobody_knows_is_kept_and_written_back_unchanged(storage: StorageManager) -> None:
    iteration = UnknownIterationConfiguration("Scan", {"values": [1, 1.0, None, "é\0"]})
    lanes = TimeLanes(["a"], ["1 s"], {"speaker": UnknownTimeLane("Music", {"notes": [[], {}]})})
    with changed(storage) as (session, found):
        session.sequences.create(PATH, iteration, lanes)
        session.sequences.set_preparing(PATH, {"laser": UNKNOWN}, PARAMETERS)
        session.default_device_configurations["laser"] = UNKNOWN
    assert found["devices"] == found[str(PATH)]["devices"] == {"laser": UNKNOWN}
    assert found[str(PATH)]["iteration"] == iteration
    assert found[str(PATH)]["time lanes"] == lanes
    assert exactly_equal(found["devices"]["laser"].content["list"], [1, 1.0, None])
    assert exactly_equal(found[str(PATH)]["iteration"].content["values"], [1, 1.0, None, "é\0"])
    assert found[str(PATH)]["stats"].expected_number_shots is None


@pytest.mark.parametrize("number", [0, 7, None])
def test_an_iteration_that_nobody_knows_keeps_its_number_of_shots(
    storage: StorageManager, number: int | None
) -> None:
    unknown = UnknownIterationConfiguration("Scan", {"values": [1]}, number_of_shots=number)
    again = path(r"\again")
    with storage.session() as session:
        session.sequences.create(PATH, unknown, TIME_LANES)
        found = session.sequences.get_iteration_configuration(PATH)
        assert found.expected_number_shots() == number
    with storage.session() as session:
        sequence = Sequence(PATH, session)
        sequence.duplicate(again)
        session.sequences.set_iteration_configuration(PATH, sequence.get_iteration_configuration())
    with storage.session() as session:
        for kept in (PATH, again):
            assert session.sequences.get_stats(kept).expected_number_shots == number
            found = session.sequences.get_iteration_configuration(kept)
            assert found == unknown
            assert found.expected_number_shots() == number


CONTENTS: list[JSON] = [None, True, 1, 1.0, -0.0, 2**64 - 1, "", "1.0", "null", [], {}, [[0.0]]]


def test_what_nobody_knows_may_be_any_json(storage: StorageManager) -> None:
    contents = {f"number {number}": json for number, json in enumerate(CONTENTS)}
    devices = {name: UnknownDeviceConfiguration("Laser", json) for name, json in contents.items()}
    with changed(storage) as (session, found):
        session.default_device_configurations.update(devices)
        create(session)
        session.sequences.set_preparing(PATH, devices, PARAMETERS)
        for name, json in contents.items():
            iteration = UnknownIterationConfiguration("Scan", json)
            lanes = TimeLanes(["a"], ["1 s"], {"a": UnknownTimeLane("Music", json)})
            session.sequences.create(path("\\") / name, iteration, lanes)
    for name, json in contents.items():
        assert exactly_equal(found["devices"][name].content, json)
        assert exactly_equal(found[str(PATH)]["devices"][name].content, json)
        assert exactly_equal(found["\\" + name]["iteration"].content, json)
        assert exactly_equal(found["\\" + name]["time lanes"].lanes["a"].content, json)


def test_classes_of_a_lab_are_stored(storage: StorageManager) -> None:
    iteration = Schedule((1.0, 2.0, 4.5))
    lanes = TimeLanes(["a"], ["1 s"], {"speaker": Sound((0.5,))})
    found = content_after(storage, lambda s: s.sequences.create(PATH, iteration, lanes))[str(PATH)]
    assert found["iteration"] == iteration
    assert found["time lanes"] == lanes
    assert found["stats"].expected_number_shots == 3
    with storage.session() as session:
        assert set(session.sequences.get_parameter_schema(PATH)) == {"value"}


def test_what_was_stored_where_nobody_knew_it_is_known_again(storage: StorageManager) -> None:
    iteration = UnknownIterationConfiguration("Schedule", {"values": [1.0, 2.0]})
    lanes = TimeLanes(["a"], ["1 s"], {"speaker": UnknownTimeLane("Sound", {"volumes": [0.5]})})
    camera = UnknownDeviceConfiguration(
        "CameraConfiguration", {"exposure": 0.5, "remote_server": None}
    )
    with storage.session() as session:
        session.sequences.create(PATH, iteration, lanes)
        session.default_device_configurations["camera"] = camera
    with storage.session() as session:
        assert session.sequences.get_iteration_configuration(PATH) == Schedule((1.0, 2.0))
        assert session.sequences.get_time_lanes(PATH).lanes == {"speaker": Sound((0.5,))}
        assert dict(session.default_device_configurations) == {"camera": CAMERA}


class Consuming(DefaultSerializer):
    """It takes what it is given apart."""

    def load_iteration(self, content: JSON) -> IterationConfiguration:
        return _consumed(content, super().load_iteration)

    def load_time_lanes(self, content: JSON) -> TimeLanes:
        return _consumed(content, super().load_time_lanes)

    def load_global_parameters(self, content: JSON) -> ParameterNamespace:
        return _consumed(content, super().load_global_parameters)


def _consumed(content: JSON, load: Callable[[JSON], T]) -> T:
    assert isinstance(content, dict | list)
    loaded = load(content)
    content.clear()
    return loaded


def test_a_serializer_may_take_apart_what_it_is_given(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.set_global_parameters(PARAMETERS)
        [summary] = session.sequences.get_summaries(PATH)
        varied = set(summary.varied)
        assert varied
    for _ in range(2):
        given = storage.session()
        given.serializer = Consuming()
        with given as session:
            session.sequences.set_note(PATH, "changed")
            for _ in range(2):
                [summary] = session.sequences.get_summaries(PATH)
                assert set(summary.varied) == varied
                assert session.sequences.get_iteration_configuration(PATH) == recipe()
                assert session.sequences.get_time_lanes(PATH) == TIME_LANES
                assert session.get_global_parameters() == PARAMETERS


NO_JSON: dict[str, Any] = {
    "nan": float("nan"),
    "inf": [float("inf")],
    "half a pair": "\ud800",
    "an object": {"a": object()},
    "a set": {1, 2},
}


@pytest.mark.parametrize("kind", NO_JSON)
def test_a_serializer_that_makes_no_json_is_told_at_once(
    storage: StorageManager, kind: str
) -> None:
    broken = NO_JSON[kind]
    iteration = UnknownIterationConfiguration("Broken", broken)
    lanes = TimeLanes(["a"], ["1 s"], {"broken": UnknownTimeLane("Broken", broken)})
    device = UnknownDeviceConfiguration("Broken", broken)
    changes: list[Callable[[ExperimentSession], object]] = [
        lambda session: session.sequences.create(path(r"\new"), iteration, TIME_LANES),
        lambda session: session.sequences.create(path(r"\new"), recipe(), lanes),
        lambda session: session.sequences.set_iteration_configuration(PATH, iteration),
        lambda session: session.sequences.set_time_lanes(PATH, lanes),
        lambda session: session.sequences.set_preparing(PATH, {"a": device}, PARAMETERS),
        lambda session: session.default_device_configurations.update({"a": device}),
    ]
    with storage.session() as session:
        create(session)
        before = content(session)
        for change in changes:
            with pytest.raises((ValueError, TypeError)):
                change(session)
    assert content(storage) == before
