"""What is written on disk of objects that one serializer knows and another one does not."""

from collections.abc import Callable
from typing import Any

import pytest

from shotstore import ExperimentSession
from shotstore.hdf5 import HDF5StorageManager
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
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import ERROR, PARAMETERS, PATH, TIME_LANES, launch, path, recipe
from shotstore.testing.lab import CameraConfiguration, Schedule, Sound

CAMERA = CameraConfiguration(exposure=0.5)
UNKNOWN = UnknownDeviceConfiguration("Laser", {"power": {"float": "nan"}, "list": [1, 1.0, None]})


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


def test_classes_of_a_lab_are_stored_and_kept_where_nobody_knows_them(
    storage: HDF5StorageManager,
) -> None:
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
