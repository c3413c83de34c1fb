"""Recipes and configurations whose classes have changed are not damaged, and all else works."""

from collections.abc import Callable

import pytest

from shotstore import (
    DamagedStorageError,
    ExperimentSession,
    StorageManager,
    UnreadableConfigurationError,
)
from shotstore.model import (
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.testing.content import reopened
from shotstore.testing.experiments import DEVICES, PARAMETERS, PATH, START, STOP, path, record

# Of the classes of the suite's serializer, as they may have been when they were stored.
OLD_CAMERA = UnknownDeviceConfiguration("CameraConfiguration", {"gain": 3})
OLD_SCHEDULE = UnknownIterationConfiguration("Schedule", {"times": [1.5]}, number_of_shots=3)
OLD_SOUND = UnknownTimeLane("Sound", {"loudness": [1]})
OLD_LANES = TimeLanes(["pulse"], ["1 us"], {"loudspeaker": OLD_SOUND})
READING: dict[str, tuple[Callable[[ExperimentSession], object], str, str]] = {
    "the iteration": (
        lambda session: session.sequences.get_iteration_configuration(PATH),
        "Schedule",
        "register_iteration",
    ),
    "the time lanes": (
        lambda session: session.sequences.get_time_lanes(PATH),
        "Sound",
        "register_time_lane",
    ),
    "the devices of a launch": (
        lambda session: session.sequences.get_device_configurations(PATH),
        "CameraConfiguration",
        "register_device_configuration",
    ),
    "a device": (
        lambda session: session.default_device_configurations["camera"],
        "CameraConfiguration",
        "register_device_configuration",
    ),
}


def _fill(storage: StorageManager) -> None:
    with storage.session() as session:
        session.default_device_configurations["camera"] = OLD_CAMERA
        session.sequences.create(PATH, OLD_SCHEDULE, OLD_LANES)
        session.sequences.set_preparing(PATH, {**DEVICES, "old": OLD_CAMERA}, PARAMETERS)
        session.sequences.set_running(PATH, START)
        record(session)
        session.sequences.set_finished(PATH, STOP)


@pytest.mark.parametrize("part", READING)
def test_what_does_not_fit_its_class_is_said_not_to_be_damaged(
    storage: StorageManager, part: str
) -> None:
    read, name, register = READING[part]
    _fill(storage)
    with reopened(storage).session() as session:
        with pytest.raises(UnreadableConfigurationError) as refused:
            read(session)
        assert not isinstance(refused.value, DamagedStorageError)
        for expected in (name, register, "load=", "Nothing is damaged"):
            assert expected in str(refused.value)
        assert len(session.sequences.get_shots(PATH)) == 1


def test_a_sequence_whose_classes_have_changed_is_used_as_any_other(
    storage: StorageManager,
) -> None:
    _fill(storage)
    with storage.session() as session:
        sequences = session.sequences
        [summary] = sequences.get_summaries(PATH)
        assert summary.expected_number_of_shots == 3
        assert sequences.get_stats(PATH).number_completed_shots == 1
        assert sequences.get_all_shot_data(PATH, 0) == {"counts": 0}
        assert sequences.get_parameter_schema(PATH).keys() == {"index"}
        assert sequences.get_global_parameters(PATH) == PARAMETERS
        assert sorted(session.default_device_configurations) == ["camera"]
        session.paths.move(PATH, path(r"\moved"))
        sequences.set_tags("moved", {"old"})
    with storage.session() as session:
        assert session.sequences.get_contained_sequences("\\") == {path(r"\moved")}
        session.sequences.reset_to_draft("moved")
        session.paths.delete_path("moved", delete_sequences=True)
        del session.default_device_configurations["camera"]


@pytest.mark.parametrize("tag", ["x" * 70_000, "\ud800", "a\0b"], ids=ascii)
def test_a_tag_that_no_storage_can_hold_is_refused(storage: StorageManager, tag: str) -> None:
    device = UnknownDeviceConfiguration(tag, {})
    with storage.session() as session:
        session.sequences.create(PATH, OLD_SCHEDULE, OLD_LANES)
        with pytest.raises(ValueError, match="device configuration"):
            session.default_device_configurations["camera"] = device
        with pytest.raises(ValueError, match="device configuration"):
            session.sequences.set_preparing(PATH, {"camera": device}, PARAMETERS)
        session.sequences.set_preparing(PATH, {}, PARAMETERS)
    with storage.session() as session:
        assert len(session.default_device_configurations) == 0
