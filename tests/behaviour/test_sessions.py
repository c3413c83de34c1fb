"""Sessions: transactions beside other transactions."""

import gc
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from shotstore import (
    DamagedStorageError,
    DataId,
    ExperimentSession,
    ExperimentSessionNotActiveError,
    PathNotFoundError,
    PureSequencePath,
    Sequence,
    ShotId,
    State,
    StorageError,
    StorageLockTimeoutError,
    StorageManager,
    TransactionConflictError,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ParameterNamespace
from tests.builders import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    bring_to,
    content,
    create,
    finish,
    launch,
    path,
    recipe,
    record,
    relaunch,
    reopened,
)

ROOT = PureSequencePath.root()
OTHER = path(r"\other")


# From the beginning of a session to its end


def test_nothing_is_seen_outside_before_the_end(storage: StorageManager) -> None:
    with storage.session() as writer:
        launch(writer)
        record(writer)
        with storage.session() as reader:
            assert not reader.paths.does_path_exists(PATH)
            assert reader.paths.get_all_paths() == set()
    with storage.session() as reader:
        assert len(reader.sequences.get_shots(PATH)) == 1


def test_an_exception_discards_everything_and_goes_on(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        before = content(session)

    def fail() -> None:
        with storage.session() as session:
            record(session, index=1)
            finish(session)
            session.paths.move(PATH, OTHER)
            create(session)
            session.set_global_parameters(PARAMETERS)
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser is off"):
        fail()
    for after in (storage, reopened(storage)):
        with after.session() as session:
            assert content(session) == before


@pytest.mark.parametrize("leave", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_leaving_by_no_ordinary_exception_discards_everything(
    storage: StorageManager, leave: type[BaseException]
) -> None:
    def fail() -> None:
        with storage.session() as session:
            create(session)
            raise leave

    with pytest.raises(leave):
        fail()
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
        create(session)


def test_leaving_by_return_commits(storage: StorageManager) -> None:
    def run() -> str:
        with storage.session() as session:
            create(session)
            return "done"

    assert run() == "done"
    with storage.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT


def test_a_call_that_failed_leaves_the_session_usable(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(PathNotFoundError):
            session.sequences.set_running(PATH, "now")
        create(session)
        with pytest.raises(TypeError):
            session.set_global_parameters(None)  # type: ignore[arg-type]
    with storage.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT


def _uses(session: ExperimentSession) -> list[Callable[[], object]]:
    paths, sequences = session.paths, session.sequences
    devices = session.default_device_configurations
    shot = ShotId(PATH, 0)
    return [
        lambda: paths.does_path_exists(PATH),
        lambda: paths.create_path(OTHER),
        lambda: paths.delete_path(PATH, delete_sequences=True),
        lambda: paths.get_children(ROOT),
        lambda: paths.get_all_paths(),
        lambda: paths.get_path_creation_date(PATH),
        lambda: paths.update_creation_date(PATH, START),
        lambda: paths.move(PATH, OTHER),
        lambda: sequences.is_sequence(PATH),
        lambda: sequences.get_contained_sequences(ROOT),
        lambda: sequences.get_sequences_in_state(State.DRAFT),
        lambda: create(session, OTHER),
        lambda: sequences.get_iteration_configuration(PATH),
        lambda: sequences.set_iteration_configuration(PATH, recipe(3)),
        lambda: sequences.get_time_lanes(PATH),
        lambda: sequences.get_state(PATH),
        lambda: sequences.get_stats(PATH),
        lambda: sequences.set_preparing(PATH, DEVICES, PARAMETERS),
        lambda: sequences.set_running(PATH, "now"),
        lambda: sequences.set_finished(PATH, "now"),
        lambda: sequences.set_interrupted(PATH, "now"),
        lambda: sequences.set_crashed(PATH, ERROR, "now"),
        lambda: sequences.reset_to_draft(PATH),
        lambda: sequences.get_exception(PATH),
        lambda: sequences.get_global_parameters(PATH),
        lambda: sequences.get_device_configurations(PATH),
        lambda: sequences.create_shot(shot, {}, {}, START, START),
        lambda: sequences.get_shots(PATH),
        lambda: sequences.get_shot_parameters(PATH, 0),
        lambda: sequences.get_all_shot_data(PATH, 0),
        lambda: sequences.get_shot_data_by_label(DataId(shot, "x")),
        lambda: sequences.get_shot_data_by_labels(PATH, 0, ["x"]),
        lambda: sequences.get_shot_start_time(PATH, 0),
        lambda: sequences.get_shot_end_time(PATH, 0),
        lambda: sequences.get_parameter_schema(PATH),
        lambda: list(devices),
        lambda: len(devices),
        lambda: devices.get("x"),
        lambda: devices.update(DEVICES),
        lambda: "x" in devices,
    ]


def _parts(session: ExperimentSession) -> list[Callable[[], object]]:
    return [
        lambda: session.paths.get_all_paths(),
        lambda: session.sequences.get_state(PATH),
        lambda: len(session.default_device_configurations),
        lambda: session.get_global_parameters(),
        lambda: session.set_global_parameters(PARAMETERS),
        lambda: Sequence(PATH, session).get_state(),
    ]


def test_a_session_is_not_used_before_its_block(storage: StorageManager) -> None:
    for use in _parts(storage.session()):
        with pytest.raises(ExperimentSessionNotActiveError):
            use()


def test_a_session_and_what_it_gave_are_not_used_after_its_block(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        uses = [*_parts(session), *_uses(session)]
    for use in uses:
        with pytest.raises(ExperimentSessionNotActiveError):
            use()


def test_a_session_is_not_used_after_it_failed(storage: StorageManager) -> None:
    session = storage.session()
    with pytest.raises(ZeroDivisionError), session:
        _ = 1 / 0
    for use in _parts(session):
        with pytest.raises(ExperimentSessionNotActiveError):
            use()


@pytest.mark.parametrize("write", [False, True])
def test_a_session_is_entered_once(storage: StorageManager, write: bool) -> None:
    session = storage.session(write=write)
    with session:
        with pytest.raises(RuntimeError, match="once"):
            session.__enter__()
        create(session)
    with pytest.raises(RuntimeError, match="once"):
        session.__enter__()
    with storage.session() as after:
        assert after.sequences.get_state(PATH) is State.DRAFT


def test_a_session_that_is_dropped_inside_its_block_discards_everything(
    storage: StorageManager,
) -> None:
    session = storage.session()
    session.__enter__()
    create(session)
    del session
    gc.collect()
    with storage.session(write=True) as after:
        assert after.paths.get_all_paths() == set()


def test_a_storage_is_called_like_a_session_maker(storage: StorageManager) -> None:
    with storage() as session:
        create(session)
    with storage(write=True) as session:
        assert session.sequences.is_sequence(PATH)


def test_a_storage_is_pickled_and_a_session_is_not(storage: StorageManager) -> None:
    session = storage.session()
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(session)
    with session:
        create(session)
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(session)
    again = pickle.loads(pickle.dumps(storage))
    with again.session() as other:
        launch(other, OTHER)
    with storage.session() as other:
        assert other.sequences.get_device_configurations(OTHER) == DEVICES
        assert other.paths.does_path_exists(PATH)


# What was read stays the same


def _everything_of(path: PureSequencePath) -> list[Callable[[ExperimentSession], object]]:
    return [
        lambda session: session.sequences.get_stats(path),
        lambda session: session.sequences.get_state(path),
        lambda session: session.sequences.get_shots(path),
        lambda session: session.sequences.get_iteration_configuration(path),
        lambda session: session.sequences.get_global_parameters(path),
        lambda session: session.sequences.get_device_configurations(path),
        lambda session: session.sequences.get_shot_parameters(path, 0),
        lambda session: session.sequences.get_all_shot_data(path, 0),
        lambda session: session.sequences.get_parameter_schema(path),
        lambda session: session.paths.get_path_creation_date(path),
    ]


def _rerun(session: ExperimentSession) -> None:
    session.sequences.reset_to_draft(PATH)
    session.sequences.set_iteration_configuration(PATH, recipe(3))
    session.sequences.set_preparing(PATH, {}, ParameterNamespace.empty())
    session.sequences.set_running(PATH, "now")
    record(session, parameters={"other": 1}, data={"other": 2})


CHANGES: dict[str, Callable[[ExperimentSession], object]] = {
    "a reset": lambda session: session.sequences.reset_to_draft(PATH),
    "a reset and a new run": _rerun,
    "a move": lambda session: session.paths.move(PATH, OTHER),
    "a move of the folder above": lambda session: session.paths.move(path(r"\2026"), OTHER),
    "a deletion": lambda session: session.paths.delete_path(PATH, delete_sequences=True),
    "a date": lambda session: session.paths.update_creation_date(PATH, START),
}


@pytest.mark.parametrize("first", range(len(_everything_of(PATH)) - 1))
@pytest.mark.parametrize("kind", CHANGES)
def test_a_sequence_that_was_looked_at_stays_the_same(
    storage: StorageManager, kind: str, first: int
) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    reads = _everything_of(PATH)
    with storage.session() as before:
        expected = [read(before) for read in reads]
    with storage.session() as reader:
        reads[first](reader)
        with storage.session() as writer:
            CHANGES[kind](writer)
        assert [read(reader) for read in reads] == expected
        with storage.session() as writer:
            create(writer, path(r"\one\more"))
        assert [read(reader) for read in reads] == expected


@pytest.mark.parametrize("first", range(3))
def test_a_running_sequence_that_was_looked_at_stays_the_same(
    storage: StorageManager, first: int
) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=5)
    reads = _everything_of(PATH)[:3]
    with storage.session() as before:
        expected = [read(before) for read in reads]
    with storage.session() as reader:
        reads[first](reader)
        with storage.session() as writer:
            record(writer, index=0)
        with storage.session() as writer:
            record(writer, index=1)
            finish(writer)
        assert [read(reader) for read in reads] == expected
        with storage.session() as writer:
            writer.sequences.reset_to_draft(PATH)
            relaunch(writer)
            record(writer, index=7)
        assert [read(reader) for read in reads] == expected
        assert reader.sequences.get_shot_parameters(PATH, 5) == {"index": 5}
    with storage.session() as after:
        assert after.sequences.get_shots(PATH) == [ShotId(PATH, 7)]


def test_frames_are_read_while_others_are_recorded(storage: StorageManager) -> None:
    frames = [np.full((100, 100), index, np.uint16) for index in range(5)]
    with storage.session() as session:
        launch(session)
        record(session, index=0, data={"frame": frames[0]})
    with storage.session() as reader:
        assert len(reader.sequences.get_shots(PATH)) == 1
        for index in range(1, 5):
            with storage.session() as writer:
                record(writer, index=index, data={"frame": frames[index]})
            np.testing.assert_array_equal(
                reader.sequences.get_all_shot_data(PATH, 0)["frame"], frames[0]
            )
            assert len(reader.sequences.get_shots(PATH)) == 1
    with storage.session() as reader:
        for index in range(5):
            np.testing.assert_array_equal(
                reader.sequences.get_all_shot_data(PATH, index)["frame"], frames[index]
            )


def test_a_draft_that_was_looked_at_stays_a_draft(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
    with storage.session() as reader:
        assert reader.sequences.get_state(PATH) is State.DRAFT
        with storage.session() as writer:
            relaunch(writer)
            record(writer)
        assert reader.sequences.get_stats(PATH).state is State.DRAFT
        assert reader.sequences.get_shots(PATH) == []


def test_listings_absence_and_globals_stay_the_same(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        session.default_device_configurations.update(DEVICES)
    reads: list[Callable[[ExperimentSession], object]] = [
        lambda session: session.paths.get_all_paths(),
        lambda session: session.paths.get_children(ROOT),
        lambda session: session.paths.does_path_exists(OTHER),
        lambda session: session.sequences.get_contained_sequences(ROOT),
        lambda session: session.sequences.get_sequences_in_state(State.FINISHED),
        lambda session: session.sequences.get_sequences_in_state(State.DRAFT),
        lambda session: session.get_global_parameters(),
        lambda session: dict(session.default_device_configurations),
    ]
    with storage.session() as reader:
        expected = [read(reader) for read in reads]
        with storage.session() as writer:
            create(writer, OTHER)
            writer.sequences.reset_to_draft(PATH)
            writer.paths.delete_path(path(r"\2026"), delete_sequences=True)
            writer.set_global_parameters(PARAMETERS)
            writer.default_device_configurations.clear()
        assert [read(reader) for read in reads] == expected


def test_a_new_session_sees_what_is_new(storage: StorageManager) -> None:
    with storage.session() as old:
        assert old.paths.get_all_paths() == set()
        with storage.session() as writer:
            create(writer)
        with storage.session() as new:
            assert new.sequences.is_sequence(PATH)


def test_what_was_only_listed_and_is_gone_is_told_apart_from_damage(
    storage: StorageManager,
) -> None:
    """It was not read in time, so there is no answer: neither an empty folder nor a broken file."""
    reads: list[Callable[[ExperimentSession], object]] = [
        lambda session: session.paths.get_children(path(r"\2026")),
        lambda session: session.paths.get_all_paths(),
        lambda session: session.sequences.get_contained_sequences(ROOT),
        lambda session: session.paths.get_path_creation_date(path(r"\2026")),
    ]
    for read in reads:
        with storage.session() as session:
            create(session)
        with storage.session() as reader:
            assert reader.paths.get_children(ROOT) == {path(r"\2026")}
            with storage.session() as writer:
                writer.paths.delete_path(path(r"\2026"), delete_sequences=True)
            with pytest.raises(TransactionConflictError, match="run the block again"):
                read(reader)


def test_a_sequence_whose_document_was_not_read_in_time_is_told_apart_from_damage(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        create(session)
    with storage.session() as reader:
        assert reader.sequences.is_sequence(PATH)
        with storage.session() as writer:
            writer.paths.delete_path(PATH, delete_sequences=True)
        with pytest.raises(TransactionConflictError, match="run the block again"):
            reader.sequences.get_state(PATH)


def test_whole_listings_are_of_one_moment_while_others_move_and_delete(
    storage: StorageManager,
) -> None:
    """At every moment each name is in one of the two folders."""
    names = [str(number) for number in range(200)]
    with storage.session() as session:
        for name in names:
            session.paths.create_path(path(r"\left") / name / "a" / "b")
        session.paths.create_path(path(r"\right"))
    stop = threading.Event()

    def move_to_and_fro() -> None:
        sides = [path(r"\left"), path(r"\right")]
        while not stop.is_set():
            for name in names:
                with storage.session() as session:
                    session.paths.move(sides[0] / name, sides[1] / name)
                if stop.is_set():
                    return
            sides.reverse()

    with ThreadPoolExecutor() as threads:
        mover = threads.submit(move_to_and_fro)
        try:
            for _ in range(40):
                with storage.session() as session:
                    found = session.paths.get_all_paths()
                assert sorted(p.parts[1] for p in found if len(p.parts) == 2) == sorted(names)
                assert len(found) == 2 + 3 * len(names)
        finally:
            stop.set()
        mover.result()


# Two sessions that write


def test_a_session_that_read_what_was_changed_may_not_write(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        create(session, OTHER)
        session.set_global_parameters(PARAMETERS)
    third = path(r"\third")
    conflicts: dict[
        str, tuple[Callable[[ExperimentSession], object], Callable[[ExperimentSession], object]]
    ] = {
        "a state": (
            lambda session: session.sequences.get_state(OTHER),
            lambda session: session.sequences.set_preparing(OTHER, {}, PARAMETERS),
        ),
        "absence": (
            lambda session: session.paths.does_path_exists(third),
            lambda session: create(session, third),
        ),
        "a listing": (
            lambda session: session.paths.get_children(ROOT),
            lambda session: session.paths.create_path(path(r"\fourth")),
        ),
        "all states": (
            lambda session: session.sequences.get_sequences_in_state(State.DRAFT),
            lambda session: session.sequences.reset_to_draft(PATH),
        ),
        "globals": (
            lambda session: session.get_global_parameters(),
            lambda session: session.set_global_parameters(ParameterNamespace.empty()),
        ),
        "devices": (
            lambda session: len(session.default_device_configurations),
            lambda session: session.default_device_configurations.update(DEVICES),
        ),
        "shots": (
            lambda session: session.sequences.get_shots(OTHER),
            lambda session: (session.sequences.set_running(OTHER, "now"), record(session, OTHER)),
        ),
        "the number of shots": (
            lambda session: session.sequences.get_stats(OTHER),
            lambda session: record(session, OTHER, 1),
        ),
        "a shot": (
            lambda session: session.sequences.get_all_shot_data(OTHER, 0),
            lambda session: record(session, OTHER, 2),
        ),
        "a deleted path": (
            lambda session: session.sequences.is_sequence(PATH),
            lambda session: session.paths.delete_path(PATH, delete_sequences=True),
        ),
    }
    for kind, (read, change) in conflicts.items():
        with storage.session() as late:
            read(late)
            with storage.session() as other:
                change(other)
            for _ in range(2):
                with pytest.raises(TransactionConflictError):
                    late.paths.create_path(path(r"\late"))
            seen = read(late)
        with storage.session() as session:
            assert not session.paths.does_path_exists(path(r"\late")), kind
            assert seen is not None


def test_a_session_that_read_what_was_not_changed_may_write(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        create(session, OTHER)
    with storage.session() as late:
        assert late.sequences.get_state(OTHER) is State.DRAFT
        assert late.sequences.get_state(PATH) is State.RUNNING
        assert late.get_global_parameters() == ParameterNamespace.empty()
        with storage.session() as other:
            record(other, index=1)
            create(other, path(r"\2026\new"))
            other.default_device_configurations.update(DEVICES)
        late.sequences.set_preparing(OTHER, {}, PARAMETERS)
    with storage.session() as session:
        assert session.sequences.get_state(OTHER) is State.PREPARING
        assert len(session.sequences.get_shots(PATH)) == 2


def test_a_session_that_read_what_was_changed_may_end_by_reading(storage: StorageManager) -> None:
    with storage.session() as reader:
        assert reader.paths.get_all_paths() == set()
        with storage.session() as writer:
            create(writer)
        assert reader.paths.get_all_paths() == set()


def test_writing_first_is_no_conflict(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
    late = storage.session()
    with late:
        with storage.session() as other:
            record(other, index=1)
        record(late, index=2)
        assert len(late.sequences.get_shots(PATH)) == 3
    with storage.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(PATH)] == [0, 1, 2]


def test_a_second_writer_in_the_same_thread_fails_at_once(storage: StorageManager) -> None:
    with storage.session() as first:
        create(first)
        for second in (storage, reopened(storage)):
            with (
                pytest.raises(StorageLockTimeoutError, match="this thread"),
                second.session(write=True),
            ):
                pass
            with second.session() as late:
                assert not late.paths.does_path_exists(PATH)
                with pytest.raises(StorageLockTimeoutError, match="this thread"):
                    create(late, OTHER)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\2026"), PATH}
        create(session, OTHER)


def test_a_writer_waits_for_the_one_before_it(storage: StorageManager) -> None:
    entered = threading.Event()

    def second() -> bool:
        entered.set()
        with storage.session(write=True) as session:
            seen = session.paths.does_path_exists(PATH)
            create(session, OTHER)
            return seen

    with ThreadPoolExecutor() as threads:
        with storage.session(write=True) as session:
            waiting = threads.submit(second)
            entered.wait()
            create(session)
        assert waiting.result()


def test_a_writer_gives_up_after_the_timeout(storage: HDF5StorageManager) -> None:
    impatient = HDF5StorageManager(storage.root, lock_timeout=0)

    def write() -> None:
        with impatient.session() as session:
            create(session, OTHER)

    with ThreadPoolExecutor() as threads, storage.session() as session:
        create(session)
        with pytest.raises(StorageLockTimeoutError, match=f"process {os.getpid()} "):
            threads.submit(write).result()
    write()


def test_no_update_of_many_threads_is_lost(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)

    def work(number: int) -> None:
        for turn in range(5):
            with storage.session() as session:
                record(session, index=5 * number + turn)
            with storage.session(write=True) as session:
                known = session.get_global_parameters().items()
                new = (f"p{number}_{turn}", "1")
                session.set_global_parameters(ParameterNamespace([*known, new]))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with storage.session() as session:
        assert sorted(shot.index for shot in session.sequences.get_shots(PATH)) == list(range(20))
        assert len(session.get_global_parameters().names()) == 20


def test_readers_in_many_threads_see_whole_commits(storage: StorageManager) -> None:
    """Each commit records one shot in two sequences, and says so in the globals."""
    with storage.session() as session:
        launch(session)
        launch(session, OTHER)
    stop = threading.Event()

    def read() -> int:
        reads = 0
        while not stop.is_set():
            with storage.session() as session:
                for sequence in (PATH, OTHER):
                    shots = session.sequences.get_shots(sequence)
                    assert (
                        len(shots) == session.sequences.get_stats(sequence).number_completed_shots
                    )
                    for shot in shots:
                        data = session.sequences.get_all_shot_data(sequence, shot.index)
                        np.testing.assert_array_equal(data["x"], np.arange(shot.index * 1000))
                reads += 1
        return reads

    with ThreadPoolExecutor() as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for index in range(10):
                with storage.session() as session:
                    for sequence in (PATH, OTHER):
                        record(session, sequence, index, {}, {"x": np.arange(index * 1000)})
        finally:
            stop.set()
        assert all(reader.result() for reader in readers)


def test_a_session_may_be_used_in_the_thread_it_was_not_made_in(storage: StorageManager) -> None:
    session = storage.session()

    def work() -> None:
        with session:
            launch(session)
            record(session)

    with ThreadPoolExecutor() as threads:
        threads.submit(work).result()
    with storage.session() as after:
        assert len(after.sequences.get_shots(PATH)) == 1


def test_sessions_beyond_the_limit_of_open_files_are_no_problem(storage: StorageManager) -> None:
    paths = [path(rf"\{number}") for number in range(100)]
    with storage.session() as session:
        for sequence in paths:
            bring_to(session, State.FINISHED, sequence)
    with storage.session() as session:
        states = [session.sequences.get_state(sequence) for sequence in paths]
        assert set(states) == {State.FINISHED}
        for sequence in paths:
            assert session.sequences.get_all_shot_data(sequence, 0) == {"counts": 0}


def test_a_read_only_storage_does_not_write(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    archive: Any = HDF5StorageManager(storage.root, read_only=True)
    with archive.session() as session:
        with pytest.raises(StorageError, match="read_only=True"):
            create(session, OTHER)
        assert session.sequences.get_state(PATH) is State.DRAFT
    with pytest.raises(StorageError, match="read_only=True"), archive.session(write=True):
        pass


def test_what_the_files_of_a_sequence_still_say_is_read(storage: HDF5StorageManager) -> None:
    for state in (State.RUNNING, State.FINISHED):
        with storage.session() as session:
            bring_to(session, state, path(rf"\{state.value}"))
    for shots in storage.root.glob("sequences/*/shots.h5"):
        shots.write_bytes(b"not HDF5" * 1000)
    with storage.session() as session:
        for state in (State.RUNNING, State.FINISHED):
            sequence = path(rf"\{state.value}")
            assert session.sequences.get_state(sequence) is state
            assert session.sequences.get_iteration_configuration(sequence) == recipe()
            with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
                session.sequences.get_shots(sequence)
    for shots in storage.root.glob("sequences/*/shots.h5"):
        shots.unlink()
    with storage.session() as session:
        assert session.sequences.get_state(path(r"\running")) is State.RUNNING
        with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
            session.sequences.get_shot_parameters(path(r"\running"), 0)
