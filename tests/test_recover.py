"""`storage.recover`: saves every readable shot of a damaged sequence, and says what is lost."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore import (
    DamagedStorageError,
    PathHasChildrenError,
    PathIsNotSequenceError,
    PathNotFoundError,
    SequenceRunningError,
    State,
    StorageError,
)
from shotstore.hdf5 import HDF5StorageManager, Recovered
from shotstore.model import (
    Data,
    DefaultSerializer,
    Parameter,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    quantity,
)
from shotstore.testing.content import content
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    STOP,
    TIME_LANES,
    create,
    launch,
    path,
)
from shotstore.testing.experiments import record as record_shot

FRAME = np.arange(64 * 64, dtype="<u2").reshape(64, 64)
LOST = "lost in a recovery"
ORDER = [3, 0, 4, 1]
"""The indices of the shots, in the order they were recorded."""


def parameters(index: int) -> dict[str, Parameter]:
    return {"n": index, "detuning": quantity(float(index), "MHz"), "large": 2**70 + index}


def data(index: int) -> dict[str, Data]:
    found: dict[str, Data] = {
        "frame": FRAME + index,
        "text": f"shot {index}",
        "tags": np.arange(index + 1),
        "sum": 0.5 * index,
    }
    if index == 4:
        found["extra"] = [1, {"a": None}]
    return found


def record(storage: HDF5StorageManager, index: int) -> None:
    with storage.session() as session:
        record_shot(session, PATH, index, parameters(index), data(index))


@pytest.fixture
def running(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a sequence that is running and has four shots."""
    with storage.session() as session:
        launch(session, shots=5)
    for index in ORDER:
        record(storage, index)
    return storage


@pytest.fixture
def ended(running: HDF5StorageManager) -> HDF5StorageManager:
    """The same, crashed."""
    with running.session() as session:
        session.sequences.set_crashed(PATH, ERROR, "now")
    return running


def shots_file(storage: HDF5StorageManager) -> Path:
    return storage.root.joinpath("sequences", *PATH.parts, "shots.h5")


def document(storage: HDF5StorageManager) -> Path:
    return shots_file(storage).with_name("sequence.json")


def flip(file: Path, position: int) -> None:
    changed = bytearray(file.read_bytes())
    changed[position] ^= 1
    file.write_bytes(changed)


def flip_in(file: Path, piece: bytes) -> None:
    """Flip a bit in the first of such bytes in a file."""
    flip(file, file.read_bytes().index(piece))


def all_of(storage: HDF5StorageManager) -> dict[str, object]:
    """All that a session says of the sequence."""
    with storage.session() as session:
        found: dict[str, object] = content(session)[str(PATH)]
        return found


def shots_of(
    storage: HDF5StorageManager,
) -> dict[int, tuple[dict[str, Parameter], dict[str, Data]]]:
    """Parameters and data by index."""
    with storage.session() as session:
        sequences = session.sequences
        return {
            shot.index: (
                sequences.get_shot_parameters(PATH, shot.index),
                sequences.get_all_shot_data(PATH, shot.index),
            )
            for shot in sequences.get_shots(PATH)
        }


def assert_same(found: object, expected: object) -> None:
    np.testing.assert_equal(found, expected)


def assert_nothing_changed(storage: HDF5StorageManager, before: dict[Path, bytes]) -> None:
    assert files(storage) == before


def files(storage: HDF5StorageManager) -> dict[Path, bytes]:
    return {f: f.read_bytes() for f in (storage.root / "sequences").rglob("*") if f.is_file()}


def recovered_if_possible(storage: HDF5StorageManager) -> Recovered | None:
    """What was done, or None if nothing could be, and nothing was changed."""
    before = files(storage)
    try:
        return storage.recover(PATH)
    except DamagedStorageError:
        assert_nothing_changed(storage, before)
        return None


def test_nothing_is_changed_where_nothing_is_damaged(ended: HDF5StorageManager) -> None:
    before = files(ended)
    assert ended.recover(PATH) == Recovered(PATH)
    assert_nothing_changed(ended, before)
    assert ended.trash.entries() == []


def test_a_shot_keeps_what_can_be_read_of_it(ended: HDF5StorageManager) -> None:
    before, damaged = all_of(ended), shots_file(ended)
    flip_in(damaged, (FRAME + np.uint16(4)).tobytes())
    content_before = damaged.read_bytes()
    done = ended.recover(str(PATH))
    assert done.number_of_shots == 4
    assert done.lost_shots == 0
    assert done.incomplete_shots == {4: ("frame",)}
    assert done.lost_configuration == ()
    assert ended.verify().findings == []
    after = all_of(ended)
    shots = before["shots"]
    assert isinstance(shots, dict)
    del shots[4][3]["frame"]
    assert_same(after, before)
    assert list(shots_of(ended)) == ORDER
    [entry] = ended.trash.entries()
    assert (entry.id, entry.reason, entry.path) == (done.trash_entry, "recovered", PATH)
    place = ended.trash.restore(entry, r"\damaged")
    restored = ended.root.joinpath("sequences", *place.parts, "shots.h5")
    assert restored.read_bytes() == content_before


def test_parameters_that_cannot_be_read(ended: HDF5StorageManager) -> None:
    with h5py.File(shots_file(ended)) as file:
        [chunk] = _chunks(file["parameters"])
    flip(shots_file(ended), chunk + 3)
    done = ended.recover(PATH)
    lost = ("n", "detuning", "large")
    assert done.incomplete_shots == dict.fromkeys(ORDER, lost)
    assert_same(shots_of(ended), {index: ({}, data(index)) for index in ORDER})
    assert ended.verify().findings == []


def _chunks(dataset: h5py.Dataset) -> list[int]:
    count = dataset.id.get_num_chunks()
    return [dataset.id.get_chunk_info(i).byte_offset for i in range(count)]


def test_shots_of_a_schema_that_cannot_be_read_are_lost(ended: HDF5StorageManager) -> None:
    def forget(file: h5py.File) -> None:
        for name in ("schemas", "copies/schemas"):
            texts = file[name][:]
            texts[2] = b"{"
            file[name][...] = texts

    _change(shots_file(ended), forget)
    done = ended.recover(PATH)
    assert done.lost_shots >= 1
    assert done.number_of_shots == 4 - done.lost_shots
    assert ended.verify().findings == []
    found = shots_of(ended)
    assert_same(found, {index: (parameters(index), data(index)) for index in found})
    with ended.session() as session:
        assert session.sequences.get_stats(PATH).number_completed_shots == len(found)


def _change(file: Path, change: object) -> None:
    with h5py.File(file, "r+", libver=("v110", "v110"), locking=False) as hdf5:
        assert callable(change)
        change(hdf5)


@pytest.mark.exhaustive
def test_wherever_a_bit_is_flipped_the_rest_is_saved(ended: HDF5StorageManager) -> None:
    whole, text = shots_file(ended).read_bytes(), document(ended).read_bytes()
    for position in range(11, len(whole), len(whole) // 40):
        flip(shots_file(ended), position)
        done = recovered_if_possible(ended)
        if done is not None:
            assert ended.verify(PATH).findings == []
            for index, (found_parameters, found_data) in shots_of(ended).items():
                for name, value in found_parameters.items():
                    assert value == parameters(index)[name]
                for label, item in found_data.items():
                    assert_same(item, data(index)[label])
                lost = done.incomplete_shots.get(index, ())
                assert {*found_parameters, *found_data, *lost} == {*parameters(index), *data(index)}
        shots_file(ended).write_bytes(whole)
        document(ended).write_bytes(text)
        assert ended.verify(PATH).findings == []


def test_a_superblock_is_made_anew(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    for position in (0, 8, 30, 44):
        flip(shots_file(ended), position)
        assert ended.recover(PATH).incomplete_shots == {}
        assert_same(all_of(ended), before)


def test_the_beginning_of_a_file_that_was_cut_off(ended: HDF5StorageManager) -> None:
    whole = shots_file(ended).read_bytes()
    end = whole.index((FRAME + np.uint16(1)).tobytes()) + 500
    shots_file(ended).write_bytes(whole[:end])
    done = recovered_if_possible(ended)
    if done is not None:
        assert (done.number_of_shots or 0) + done.lost_shots == 4
        assert ended.verify().findings == []


@pytest.mark.parametrize("damage", ["missing", "empty", "zeros", "text"])
def test_where_nothing_can_be_read_nothing_is_changed(
    ended: HDF5StorageManager, damage: str
) -> None:
    if damage == "missing":
        shots_file(ended).unlink()
    else:
        content = {"empty": b"", "zeros": bytes(100_000), "text": b"no HDF5" * 100}[damage]
        shots_file(ended).write_bytes(content)
    before = files(ended)
    with pytest.raises(DamagedStorageError, match="Nothing was changed"):
        ended.recover(PATH)
    assert_nothing_changed(ended, before)
    assert ended.trash.entries() == []


def test_a_table_said_to_be_endless(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    _change(shots_file(ended), lambda file: file["shots"].resize((2**60,)))
    done = ended.recover(PATH)
    assert done.number_of_shots == 4
    assert_same(all_of(ended), before)


# The configuration


@pytest.mark.parametrize("place", ["configuration", "copies/configuration"])
def test_what_is_kept_twice_is_read_where_it_is_whole(
    ended: HDF5StorageManager, place: str
) -> None:
    before = all_of(ended)
    _flip_configuration(ended, place)
    assert_same(all_of(ended), before)
    assert {finding.file for finding in ended.verify().findings} == {shots_file(ended)}
    done = ended.recover(PATH)
    assert (done.number_of_shots, done.lost_shots, done.lost_configuration) == (4, 0, ())
    assert_same(all_of(ended), before)
    assert ended.verify().findings == []


def test_two_copies_that_differ_are_damage(ended: HDF5StorageManager) -> None:
    def change(file: h5py.File) -> None:
        file["copies/configuration/global_parameters"][...] = b'[["offset", "3 MHz"]]'
        text = file["schemas"][0]
        file["schemas"][0] = text.replace(b'"unit": "MHz"', b'"unit": "GHz"')

    _change(shots_file(ended), change)
    problems = " ".join(finding.problem for finding in ended.verify().findings)
    assert "configuration/global_parameters and its copy are not the same" in problems
    assert "schema 0 and its copy are not the same" in problems


def test_a_configuration_that_is_lost_comes_from_the_document(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    for place in ("configuration", "copies/configuration"):
        _flip_configuration(ended, place)
    done = ended.recover(PATH)
    assert set(done.lost_configuration) == {"global parameters", "device configuration camera"}
    after = all_of(ended)
    assert before.pop("parameters") == PARAMETERS
    assert before.pop("devices") == DEVICES
    assert after.pop("parameters") == "lost"
    assert after.pop("devices") == {"camera": UnknownDeviceConfiguration(LOST, None)}
    assert_same(after, before)
    assert ended.verify().findings == []


def _flip_configuration(storage: HDF5StorageManager, place: str) -> None:
    for name in ("iteration", "global_parameters", "device_configurations/camera"):
        with h5py.File(shots_file(storage)) as file:
            [chunk] = _chunks(file[f"{place}/{name}"])
        flip(shots_file(storage), chunk)


def test_devices_of_which_not_even_the_names_are_left(ended: HDF5StorageManager) -> None:
    for place in ("configuration", "copies/configuration"):
        with h5py.File(shots_file(ended)) as file:
            header = h5py.h5o.get_info(file[f"{place}/device_configurations"].id).addr
        for byte in (40, 41):  # of one alone, it is found which it was
            flip(shots_file(ended), header + byte)
    assert ended.recover(PATH).lost_configuration == ("device configurations",)
    assert all_of(ended)["devices"] == {LOST: UnknownDeviceConfiguration(LOST, None)}


# The document


@pytest.mark.parametrize("is_missing", [False, True])
def test_a_document_is_made_anew(ended: HDF5StorageManager, is_missing: bool) -> None:
    before = all_of(ended)
    if is_missing:
        document(ended).unlink()
    else:
        document(ended).write_text("{")
    done = ended.recover(PATH)
    assert "made anew" in done.repairs[0]
    assert ended.verify().findings == []
    after = all_of(ended)
    for name in ("iteration", "time lanes", "parameters", "devices", "shots"):
        assert_same(after[name], before[name])
    with ended.session() as session:
        stats = session.sequences.get_stats(PATH)
    assert stats.state is State.INTERRUPTED
    assert stats.start_time == START
    assert (stats.number_completed_shots, stats.expected_number_shots) == (4, 5)


def test_a_sequence_with_all_its_shots_has_finished(running: HDF5StorageManager) -> None:
    record(running, 2)
    document(running).unlink()
    running.recover(PATH)
    with running.session() as session:
        assert session.sequences.get_state(PATH) is State.FINISHED


def test_a_recipe_of_any_class_is_passed_on_as_it_is(storage: HDF5StorageManager) -> None:
    """Nobody who recovers it needs to know the class, nor how many shots it makes."""
    schedule = UnknownIterationConfiguration("Schedule", {"times": [1.5]}, number_of_shots=2)
    with storage.session() as session:
        session.sequences.create(PATH, schedule, TIME_LANES)
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        session.sequences.set_running(PATH, START)
        for index in range(2):
            record_shot(session, PATH, index)
        session.sequences.set_finished(PATH, STOP)
    document(storage).unlink()
    storage.recover(PATH)
    with HDF5StorageManager(storage.root).session() as session:
        stats = session.sequences.get_stats(PATH)
        assert (stats.state, stats.expected_number_shots) == (State.FINISHED, 2)
        assert session.sequences.get_iteration_configuration(PATH) == schedule


def test_a_document_and_a_file_that_are_both_damaged(ended: HDF5StorageManager) -> None:
    flip_in(shots_file(ended), (FRAME + np.uint16(4)).tobytes())
    document(ended).write_text("{")
    done = ended.recover(PATH)
    assert done.incomplete_shots == {4: ("frame",)}
    assert len(done.repairs) == 2
    assert ended.verify().findings == []


def test_a_document_that_counts_other_shots(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    text = document(ended).read_text()
    document(ended).write_text(text.replace('"number_of_shots": 4', '"number_of_shots": 6'))
    done = ended.recover(PATH)
    assert done.lost_shots == 2
    assert "counts 4 shots now, and not 6" in done.repairs[0]
    assert_same(all_of(ended), before)
    assert ended.verify().findings == []


def test_a_draft_that_has_shots_all_the_same(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=5)
    old = document(storage).read_bytes()
    with storage.session() as session:
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        session.sequences.set_running(PATH, START)
    record(storage, 0)
    document(storage).write_bytes(old)
    storage.recover(PATH)
    with storage.session() as session:
        assert session.sequences.get_state(PATH) is State.INTERRUPTED
        assert len(session.sequences.get_shots(PATH)) == 1


# What is refused


def test_a_running_sequence_has_to_be_ended_first(running: HDF5StorageManager) -> None:
    flip_in(shots_file(running), (FRAME + np.uint16(4)).tobytes())
    before = files(running)
    with pytest.raises(SequenceRunningError):
        running.recover(PATH)
    assert_nothing_changed(running, before)
    with running.session() as session:
        session.sequences.set_interrupted(PATH, "now")
    assert running.recover(PATH).number_of_shots == 4


def test_a_running_sequence_that_cannot_be_ended_is_interrupted(
    running: HDF5StorageManager,
) -> None:
    flip(shots_file(running), 30)
    done = running.recover(PATH)
    assert any("is interrupted now" in repair for repair in done.repairs)
    with running.session() as session:
        assert session.sequences.get_state(PATH) is State.INTERRUPTED
    assert running.verify().findings == []


def test_a_resumed_sequence_that_cannot_be_ended_keeps_its_interruptions(
    ended: HDF5StorageManager,
) -> None:
    with ended.session() as session:
        session.sequences.resume(PATH)
        [before] = session.sequences.get_interruptions(PATH)
    flip(shots_file(ended), 30)
    ended.recover(PATH)
    with ended.session() as session:
        assert session.sequences.get_interruptions(PATH) == (before,)
        stop_time = session.sequences.get_stats(PATH).stop_time
        assert stop_time is not None
        assert stop_time >= before.resume_time
        session.sequences.resume(PATH)
    record(ended, 2)
    with ended.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(PATH)] == [*ORDER, 2]


def test_shots_of_another_sequence_are_not_taken(ended: HDF5StorageManager) -> None:
    other = path(r"\other")
    with ended.session() as session:
        launch(session, other)
    shutil.copy(ended.root / "sequences" / "other" / "shots.h5", shots_file(ended))
    with pytest.raises(DamagedStorageError, match="another sequence"):
        ended.recover(PATH)


def test_what_is_no_sequence(ended: HDF5StorageManager) -> None:
    with pytest.raises(PathNotFoundError):
        ended.recover(r"\nothing")
    with pytest.raises(PathIsNotSequenceError):
        ended.recover(r"\2026")
    shutil.copy(shots_file(ended), ended.root / "sequences" / "2026")
    with pytest.raises(PathHasChildrenError):
        ended.recover(r"\2026")


def test_a_document_that_only_a_person_can_mend(ended: HDF5StorageManager) -> None:
    text = document(ended).read_text().replace('"exception_type"', '"kind"')
    document(ended).write_text(text)
    with pytest.raises(DamagedStorageError, match="text editor"):
        ended.recover(PATH)


def test_an_archive_is_not_changed(
    ended: HDF5StorageManager, serializer: DefaultSerializer
) -> None:
    with pytest.raises(StorageError, match="read_only"):
        HDF5StorageManager(ended.root, read_only=True, serializer=serializer).recover(PATH)


def test_a_failure_in_the_midst_leaves_everything(ended: HDF5StorageManager) -> None:
    flip_in(shots_file(ended), (FRAME + np.uint16(4)).tobytes())
    before = files(ended)

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ended.recover(PATH, progress=stop)
    assert_nothing_changed(ended, before)
    assert list((ended.root / ".shotstore" / "tx").iterdir()) == []
    assert ended.recover(PATH).number_of_shots == 4
