"""Global parameters, device configurations, and the serializer that a storage is given."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from shotstore import ExperimentSession, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    JSON,
    DefaultSerializer,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLane,
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from tests.builders import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    TIME_LANES,
    CameraConfiguration,
    content,
    content_after,
    create,
    launch,
    path,
    recipe,
    reopened,
)

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

    def change(session: ExperimentSession) -> None:
        session.set_global_parameters(ParameterNamespace.empty())
        session.set_global_parameters(other)

    assert content_after(storage, change)["parameters"] == other


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

    def change(session: ExperimentSession) -> None:
        devices = session.default_device_configurations
        devices["a"] = CameraConfiguration(exposure=2.0, remote_server="pc")
        del devices["b"]
        devices["new"] = CAMERA
        del devices["new"]

    found = content_after(storage, change)["devices"]
    assert found == {"a": CameraConfiguration(exposure=2.0, remote_server="pc")}


def test_a_removed_device_comes_back(storage: StorageManager) -> None:
    with storage.session() as session:
        session.default_device_configurations["a"] = CAMERA

    def change(session: ExperimentSession) -> None:
        del session.default_device_configurations["a"]
        assert "a" not in session.default_device_configurations
        session.default_device_configurations["a"] = UNKNOWN

    assert content_after(storage, change)["devices"] == {"a": UNKNOWN}


NAMES = ["..", ".", "a/b", r"a\b", "CON", "\n", "é", "e\u0301", " ", "a. ", "%2F", "x.json", "#"]


def test_a_device_may_have_any_name(storage: StorageManager) -> None:
    devices = {name: CameraConfiguration(exposure=float(index)) for index, name in enumerate(NAMES)}

    def change(session: ExperimentSession) -> None:
        session.default_device_configurations.update(devices)
        create(session)
        session.sequences.set_preparing(PATH, devices, PARAMETERS)

    found = content_after(storage, change)
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
        ("x" * 10_000, CAMERA, ValueError),
        ("x" * 252, CAMERA, ValueError),
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


def test_an_unknown_device_is_kept_and_written_back_unchanged(
    storage: HDF5StorageManager,
) -> None:
    known = {"camera": CAMERA, "laser": UNKNOWN}
    with storage.session() as session:
        session.default_device_configurations.update(known)
        launch(session)
    before = _device_documents(storage)
    laptop = HDF5StorageManager(storage.root)
    with laptop.session() as session:
        devices = session.default_device_configurations
        camera = devices["camera"]
        assert camera == UnknownDeviceConfiguration(
            "CameraConfiguration", {"exposure": 0.5, "remote_server": None}
        )
        del devices["camera"], devices["laser"]
        session.sequences.set_crashed(PATH, ERROR, "now")
        session.sequences.reset_to_draft(PATH)
        session.sequences.set_preparing(PATH, {"camera": camera, "laser": UNKNOWN}, PARAMETERS)
        devices["camera"] = camera
        devices["laser"] = UNKNOWN
    assert _device_documents(storage) == before
    with storage.session() as session:
        assert dict(session.default_device_configurations) == known
        assert session.sequences.get_device_configurations(PATH) == known


def _device_documents(storage: HDF5StorageManager) -> dict[str, bytes]:
    directory = storage.root / "device_configurations"
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@attrs.frozen
class Schedule(IterationConfiguration):
    """An iteration of a lab's own making."""

    values: tuple[float, ...]

    def expected_number_shots(self) -> int:
        return len(self.values)

    def get_parameter_names(self) -> set[str]:
        return {"value"}

    def get_parameter_schema(self, initial: Any) -> ParameterSchema:
        parameters: dict[str, Parameter] = {**initial, "value": 0.5}
        return ParameterSchema.of(parameters)


@attrs.frozen
class Sound(TimeLane):
    volumes: tuple[float, ...]

    @property
    def number_steps(self) -> int:
        return len(self.volumes)


def test_classes_of_a_lab_are_stored_and_kept_where_nobody_knows_them(
    storage: HDF5StorageManager, serializer: DefaultSerializer
) -> None:
    serializer.register_iteration(Schedule)
    serializer.register_time_lane(Sound)
    iteration = Schedule((1.0, 2.0, 4.5))
    lanes = TimeLanes(["a"], ["1 s"], {"speaker": Sound((0.5,))})
    with storage.session() as session:
        session.sequences.create(PATH, iteration, lanes)
    with reopened(storage).session() as session:
        assert session.sequences.get_iteration_configuration(PATH) == iteration
        assert session.sequences.get_time_lanes(PATH) == lanes
        assert session.sequences.get_stats(PATH).expected_number_shots == 3
        assert set(session.sequences.get_parameter_schema(PATH)) == {"value"}
    copy = path(r"\copy")
    with HDF5StorageManager(storage.root).session() as session:
        unknown = session.sequences.get_iteration_configuration(PATH)
        assert unknown == UnknownIterationConfiguration("Schedule", {"values": [1.0, 2.0, 4.5]})
        unknown_lanes = session.sequences.get_time_lanes(PATH)
        assert unknown_lanes.lanes == {"speaker": UnknownTimeLane("Sound", {"volumes": [0.5]})}
        session.sequences.create(copy, unknown, unknown_lanes)
    with storage.session() as session:
        assert session.sequences.get_iteration_configuration(copy) == iteration
        assert session.sequences.get_time_lanes(copy) == lanes


class Broken(DefaultSerializer):
    """A serializer whose results are no strict JSON."""

    result: Any = None

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON:  # noqa: ARG002
        return self.result  # type: ignore[no-any-return]

    def dump_device_configuration(self, _: DeviceConfiguration) -> tuple[str, JSON]:
        return "Broken", self.result

    def dump_global_parameters(self, parameters: ParameterNamespace) -> JSON:  # noqa: ARG002
        return self.result  # type: ignore[no-any-return]


NO_JSON: dict[str, Any] = {
    "nan": float("nan"),
    "inf": [float("inf")],
    "half a pair": "\ud800",
    "an object": {"a": object()},
    "a set": {1, 2},
}


@pytest.mark.parametrize("kind", NO_JSON)
def test_a_serializer_that_makes_no_json_is_told_at_once(
    storage: HDF5StorageManager, kind: str
) -> None:
    serializer = Broken()
    serializer.result = NO_JSON[kind]
    changes: list[Callable[[ExperimentSession], object]] = [
        lambda session: session.sequences.create(PATH, recipe(), TIME_LANES),
        lambda session: session.set_global_parameters(PARAMETERS),
        lambda session: session.default_device_configurations.update({"a": CAMERA}),
    ]
    with storage.session() as session:
        before = content(session)
    with HDF5StorageManager(storage.root, serializer=serializer).session() as session:
        for change in changes:
            with pytest.raises((ValueError, TypeError)):
                change(session)
    with storage.session() as session:
        assert content(session) == before
