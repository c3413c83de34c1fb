"""What a session has read stays the same to its end, whatever others commit."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from shotstore import (
    ExperimentSession,
    PureSequencePath,
    ShotId,
    State,
    StorageManager,
    TransactionConflictError,
)
from shotstore.model import ParameterNamespace
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    START,
    bring_to,
    create,
    finish,
    launch,
    path,
    recipe,
    record,
    relaunch,
)
from shotstore.testing.failing_sessions import retried

ROOT = PureSequencePath.root()
OTHER = path(r"\other")


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


@pytest.mark.parametrize("kind", CHANGES)
def test_a_sequence_that_was_looked_at_stays_the_same(storage: StorageManager, kind: str) -> None:
    """Whatever was looked at first: in each of several sessions it is something else."""
    bring_to(storage, State.FINISHED)
    reads = _everything_of(PATH)
    with storage.session() as before:
        expected = [read(before) for read in reads]
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(storage.session()) for _ in reads[:-1]]
        for reader, read in zip(readers, reads, strict=False):
            read(reader)
        with storage.session() as writer:
            CHANGES[kind](writer)
        for first, reader in enumerate(readers):
            assert [read(reader) for read in reads] == expected, first
        create(storage, path(r"\one\more"))
        for first, reader in enumerate(readers):
            assert [read(reader) for read in reads] == expected, first


@pytest.mark.parametrize("first", range(3))
def test_a_running_sequence_that_was_looked_at_stays_the_same(
    storage: StorageManager, first: int
) -> None:
    launch(storage)
    record(storage, index=5)
    reads = _everything_of(PATH)[:3]
    with storage.session() as before:
        expected = [read(before) for read in reads]
    with storage.session() as reader:
        reads[first](reader)
        record(storage, index=0)
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
    launch(storage)
    record(storage, index=0, data={"frame": frames[0]})
    with storage.session() as reader:
        assert len(reader.sequences.get_shots(PATH)) == 1
        for index in range(1, 5):
            record(storage, index=index, data={"frame": frames[index]})
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
    create(storage)
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
        create(storage)
        with storage.session() as new:
            assert new.sequences.is_sequence(PATH)


@pytest.mark.parametrize(
    "read",
    [
        lambda session: session.paths.get_children(path(r"\2026")),
        lambda session: session.paths.get_all_paths(),
        lambda session: session.sequences.get_contained_sequences(ROOT),
        lambda session: session.paths.get_path_creation_date(path(r"\2026")),
    ],
    ids=["children", "paths", "sequences", "date"],
)
def test_what_was_only_listed_is_read_as_it_was_or_refused(
    storage: StorageManager, read: Callable[[ExperimentSession], object]
) -> None:
    """A storage may have no answer any more; then it says so, and gives no wrong one."""
    with storage.session() as session:
        create(session)
        expected = read(session)
    with storage.session() as reader:
        assert reader.paths.get_children(ROOT) == {path(r"\2026")}
        with storage.session() as writer:
            writer.paths.delete_path(path(r"\2026"), delete_sequences=True)
        with contextlib.suppress(TransactionConflictError):
            assert read(reader) == expected


def test_a_sequence_that_was_only_found_is_read_as_it_was_or_refused(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        create(session)
        expected = session.sequences.get_stats(PATH)
    with storage.session() as reader:
        assert reader.sequences.is_sequence(PATH)
        with storage.session() as writer:
            writer.paths.delete_path(PATH, delete_sequences=True)
        with contextlib.suppress(TransactionConflictError):
            assert reader.sequences.get_stats(PATH) == expected


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
                source, destination = sides[0] / name, sides[1] / name
                retried(storage, lambda s: s.paths.move(source, destination))  # noqa: B023 - at once
                if stop.is_set():
                    return
            sides.reverse()

    with ThreadPoolExecutor() as threads:
        mover = threads.submit(move_to_and_fro)
        try:
            for _ in range(40):
                found = retried(storage, lambda session: session.paths.get_all_paths())
                assert sorted(p.parts[1] for p in found if len(p.parts) == 2) == sorted(names)
                assert len(found) == 2 + 3 * len(names)
        finally:
            stop.set()
        mover.result()


def test_readers_in_many_threads_see_whole_commits(storage: StorageManager) -> None:
    """Each commit records one shot in each of two sequences."""
    launch(storage)
    launch(storage, OTHER)
    stop = threading.Event()

    def record_both(session: ExperimentSession, index: int) -> None:
        for sequence in (PATH, OTHER):
            record(session, sequence, index, {}, {"x": np.arange(index * 1000)})

    def look(session: ExperimentSession) -> None:
        for sequence in (PATH, OTHER):
            shots = session.sequences.get_shots(sequence)
            stats = session.sequences.get_stats(sequence)
            assert len(shots) == stats.number_completed_shots
            for shot in shots:
                data = session.sequences.get_all_shot_data(sequence, shot.index)
                np.testing.assert_array_equal(data["x"], np.arange(shot.index * 1000))

    def read() -> int:
        reads = 0
        while not stop.is_set():
            retried(storage, look)
            reads += 1
        return reads

    with ThreadPoolExecutor() as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for index in range(10):
                retried(storage, lambda session: record_both(session, index))  # noqa: B023 - at once
        finally:
            stop.set()
        assert all(reader.result() for reader in readers)
