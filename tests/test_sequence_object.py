"""``Sequence`` and ``Shot``, the objects that people work with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import numpy as np
import pytest

from shotstore import (
    DataNotFoundError,
    ExperimentSession,
    ExperimentSessionNotActiveError,
    InvalidPathFormatError,
    PathIsNotSequenceError,
    PathIsSequenceError,
    PathNotFoundError,
    PureSequencePath,
    Sequence,
    SequenceNotCrashedError,
    SequenceNotLaunchedError,
    Shot,
    ShotId,
    ShotNotFoundError,
    State,
    TracebackSummary,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    Data,
    DefaultSerializer,
    DeviceConfiguration,
    ExecuteShot,
    LinspaceLoop,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
)

PATH = PureSequencePath(r"\2026\rabi")
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RECIPE = StepsConfiguration([LinspaceLoop("pulse.length", "1 us", "4 us", 4, [ExecuteShot()])])
TIME_LANES = TimeLanes(step_names=["pulse", "image"], step_durations=["1 us", "10 ms"], lanes={})
PARAMETERS = ParameterNamespace.from_mapping({"offset": "2 MHz", "pulse": {"power": "0.5"}})


@attrs.frozen
class CameraConfiguration(DeviceConfiguration):
    exposure: float


DEVICES = {"camera": CameraConfiguration(exposure=0.1, remote_server="imaging-pc")}


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    return HDF5StorageManager(tmp_path / "store", serializer=serializer)


@pytest.fixture
def session(storage: HDF5StorageManager) -> Iterator[ExperimentSession]:
    with storage.session() as session:
        yield session


@pytest.fixture
def draft(session: ExperimentSession) -> Sequence:
    return Sequence.create(PATH, RECIPE, TIME_LANES, session)


@pytest.fixture
def running(draft: Sequence) -> Sequence:
    """A running sequence that has recorded its shots 2 and 0."""
    sequences = draft.session.sequences
    sequences.set_preparing(PATH, DEVICES, PARAMETERS)
    sequences.set_running(PATH, START)
    for index in (2, 0):
        time = START + index * SECOND
        data: dict[str, Data] = {
            r"Camera\picture": np.full((2, 3), index, np.uint16),
            "counts": 10 * index,
        }
        parameters = {"offset": 2.0, "pulse.length": index}
        sequences.create_shot(ShotId(PATH, index), parameters, data, time, time + SECOND / 2)
    return draft


def test_a_new_sequence_is_a_draft_without_shots(draft: Sequence) -> None:
    assert draft.get_state() is State.DRAFT
    assert len(draft) == 0
    assert draft.get_shots() == []
    assert draft.get_start_time() is None
    assert draft.get_end_time() is None
    assert draft.get_expected_number_of_shots() == 4
    assert draft.get_iteration_configuration() == RECIPE
    assert draft.get_time_lanes() == TIME_LANES


def test_a_sequence_reads_as_its_path(draft: Sequence) -> None:
    assert str(draft) == r"\2026\rabi"
    assert repr(draft) == r"Sequence('\\2026\\rabi')"


def test_a_sequence_is_found_by_path_or_text(draft: Sequence) -> None:
    session = draft.session
    assert Sequence(r"\2026\rabi", session) == session.get_sequence(PATH) == draft
    assert session.get_sequence(r"\2026\rabi").get_state() is State.DRAFT
    assert len({draft, Sequence(PATH, session)}) == 1
    with pytest.raises(InvalidPathFormatError):
        session.get_sequence("\\2026\\")


def test_a_sequence_without_shots_is_not_false(draft: Sequence) -> None:
    assert draft


def test_sequences_of_two_sessions_are_not_equal(storage: HDF5StorageManager) -> None:
    with storage.session() as one, storage.session() as other:
        assert one.get_sequence(PATH) != other.get_sequence(PATH)


def test_shots_are_sorted_by_index(running: Sequence) -> None:
    assert len(running) == 2
    assert [shot.index for shot in running.get_shots()] == [0, 2]
    assert list(running) == running.get_shots()
    assert running.get_shot(2) == running.get_shots()[1]
    assert {shot.sequence_path for shot in running} == {PATH}


def test_a_shot_gives_what_was_recorded(running: Sequence) -> None:
    shot = running.get_shot(2)
    assert shot.get_parameters() == {"offset": 2.0, "pulse.length": 2}
    data = shot.get_data()
    assert set(data) == {r"Camera\picture", "counts"}
    picture = data[r"Camera\picture"]
    assert isinstance(picture, np.ndarray)
    assert picture.dtype == np.uint16
    np.testing.assert_array_equal(picture, np.full((2, 3), 2))
    assert shot.get_data_by_label("counts") == 20
    assert shot.get_data_by_labels(["counts"]) == {"counts": 20}
    assert shot.get_start_time() == START + 2 * SECOND
    assert shot.get_end_time() == START + 2.5 * SECOND


def test_missing_data_names_every_label_and_the_closest_ones(running: Sequence) -> None:
    shot = running.get_shot(0)
    with pytest.raises(DataNotFoundError, match=r"'count' .*'counts'"):
        shot.get_data_by_label("count")
    with pytest.raises(DataNotFoundError, match=r"'Kamera'.*'temperature'"):
        shot.get_data_by_labels(["temperature", "counts", "Kamera"])
    with pytest.raises(TypeError):
        shot.get_data_by_labels("counts")


def test_a_shot_that_was_not_recorded_is_not_found(running: Sequence) -> None:
    shot = running.get_shot(1)
    for read in (shot.get_parameters, shot.get_data, shot.get_start_time, shot.get_end_time):
        with pytest.raises(ShotNotFoundError, match=r"\\2026\\rabi has no shot 1"):
            read()
    with pytest.raises(ValueError, match="negative"):
        running.get_shot(-1)
    with pytest.raises(TypeError):
        running.get_shot(1.0)  # type: ignore[arg-type]


def test_a_launched_sequence_keeps_the_parameters_and_devices_of_its_launch(
    running: Sequence,
) -> None:
    running.session.set_global_parameters(ParameterNamespace.empty())
    assert running.get_global_parameters() == PARAMETERS
    assert running.get_device_configurations() == DEVICES


def test_a_draft_has_no_parameters_and_devices_of_a_launch(draft: Sequence) -> None:
    with pytest.raises(SequenceNotLaunchedError):
        draft.get_global_parameters()
    with pytest.raises(SequenceNotLaunchedError):
        draft.get_device_configurations()


def test_the_names_of_parameters_are_those_varied_and_the_global_ones(draft: Sequence) -> None:
    draft.session.set_global_parameters(ParameterNamespace.from_mapping({"field": "1 G"}))
    assert draft.get_local_parameters() == {"pulse.length"}
    assert draft.get_parameter_names("sequence") == {"pulse.length"}
    assert draft.get_parameter_names("all") == {"field", "pulse.length"}
    draft.session.sequences.set_preparing(PATH, {}, PARAMETERS)
    assert draft.get_parameter_names() == {"offset", "pulse.power", "pulse.length"}
    with pytest.raises(ValueError, match="must be"):
        draft.get_parameter_names("local")  # type: ignore[arg-type]


def test_the_schema_is_computed_for_a_draft_and_read_off_the_shots(draft: Sequence) -> None:
    draft.session.set_global_parameters(PARAMETERS)
    assert set(draft.get_parameter_schema()) == {"offset", "pulse.power", "pulse.length"}
    sequences = draft.session.sequences
    sequences.set_preparing(PATH, DEVICES, PARAMETERS)
    sequences.set_running(PATH, "now")
    sequences.create_shot(ShotId(PATH, 0), {"offset": 1.0}, {}, START, START)
    assert set(draft.get_parameter_schema()) == {"offset"}


def test_times_and_errors_are_those_of_the_run(running: Sequence) -> None:
    assert running.get_start_time() == START
    assert running.get_end_time() is None
    with pytest.raises(SequenceNotCrashedError):
        running.get_traceback_summary()
    summary = TracebackSummary.from_exception(RuntimeError("the laser is off"))
    running.session.sequences.set_crashed(PATH, summary, START + 9 * SECOND)
    assert running.get_end_time() == START + 9 * SECOND
    assert running.get_traceback_summary() == summary
    assert running.get_stats().number_completed_shots == 2


def test_a_duplicate_is_a_draft_with_the_same_recipe(running: Sequence) -> None:
    copy = running.duplicate(r"\2026\again\rabi")
    assert str(copy) == r"\2026\again\rabi"
    assert copy.get_state() is State.DRAFT
    assert len(copy) == 0
    assert copy.get_iteration_configuration() == RECIPE
    assert copy.get_time_lanes() == TIME_LANES
    with pytest.raises(PathIsSequenceError):
        running.duplicate(copy.path)


def test_a_misspelt_path_gets_the_closest_sequence_as_a_note(draft: Sequence) -> None:
    session = draft.session
    Sequence.create(r"\2025\ramsey", RECIPE, TIME_LANES, session)
    missing = Sequence(r"\2026\rabbi", session)
    for read in (missing.get_state, missing.get_shots, missing.get_time_lanes, missing.__len__):
        with pytest.raises(PathNotFoundError, match=r"\\2026\\rabbi does not exist") as caught:
            read()
        assert caught.value.__notes__ == [r"The closest existing sequence is \2026\rabi"]
    with pytest.raises(PathNotFoundError) as caught:
        Shot(missing, 0).get_data()
    assert caught.value.__notes__ == [r"The closest existing sequence is \2026\rabi"]
    with pytest.raises(PathNotFoundError):
        missing.duplicate(r"\2026\other")


def test_there_is_no_note_where_there_is_no_sequence(session: ExperimentSession) -> None:
    with pytest.raises(PathNotFoundError) as caught:
        session.get_sequence(PATH).get_state()
    assert not hasattr(caught.value, "__notes__")


def test_a_folder_is_no_sequence(draft: Sequence) -> None:
    with pytest.raises(PathIsNotSequenceError, match=r"\\2026 is a folder"):
        draft.session.get_sequence(r"\2026").get_state()


def test_a_sequence_ends_with_its_session(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        sequence = Sequence.create(PATH, RECIPE, TIME_LANES, session)
    with pytest.raises(ExperimentSessionNotActiveError):
        sequence.get_state()
    with storage() as session:
        assert session.get_sequence(PATH).get_state() is State.DRAFT
