"""Sessions that write, beside each other."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from shotstore import (
    AsyncExperimentSession,
    ExperimentSession,
    PathIsSequenceError,
    PureSequencePath,
    State,
    StorageLockTimeoutError,
    StorageManager,
)
from shotstore.model import ParameterNamespace
from shotstore.testing.content import reopened
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    START,
    bring_to,
    create,
    launch,
    path,
    recipe,
    record,
)
from shotstore.testing.failing_sessions import conflicting, discarded, retried

ROOT = PureSequencePath.root()
OTHER = path(r"\other")
RUNNING = path(r"\running")
LATE = path(r"\late")

Read = Callable[[ExperimentSession], object]
Change = Callable[[ExperimentSession], object]

# What one session reads, and what another one does that changes it.
CONFLICTS: dict[str, tuple[Read, Change]] = {
    "a state": (
        lambda session: session.sequences.get_state(OTHER),
        lambda session: session.sequences.set_preparing(OTHER, {}, PARAMETERS),
    ),
    "absence": (
        lambda session: session.paths.does_path_exists(path(r"\third")),
        lambda session: create(session, path(r"\third")),
    ),
    "a listing": (
        lambda session: session.paths.get_children(ROOT),
        lambda session: session.paths.create_path(path(r"\third")),
    ),
    "all paths": (
        lambda session: session.paths.get_all_paths(),
        lambda session: session.paths.move(OTHER, path(r"\third")),
    ),
    "all states": (
        lambda session: session.sequences.get_sequences_in_state(State.DRAFT),
        lambda session: session.sequences.reset_to_draft(PATH),
    ),
    "a recipe": (
        lambda session: session.sequences.get_iteration_configuration(OTHER),
        lambda session: session.sequences.set_iteration_configuration(OTHER, recipe(3)),
    ),
    "a date": (
        lambda session: session.paths.get_path_creation_date(PATH),
        lambda session: session.paths.update_creation_date(PATH, START),
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
        lambda session: session.sequences.get_shots(RUNNING),
        lambda session: record(session, RUNNING, 1),
    ),
    "the number of shots": (
        lambda session: session.sequences.get_stats(RUNNING),
        lambda session: record(session, RUNNING, 1),
    ),
    "the data of a shot": (
        lambda session: session.sequences.get_all_shot_data(PATH, 0),
        lambda session: session.sequences.reset_to_draft(PATH),
    ),
    "a deleted path": (
        lambda session: session.sequences.is_sequence(PATH),
        lambda session: session.paths.delete_path(PATH, delete_sequences=True),
    ),
}


@pytest.mark.parametrize("kind", CONFLICTS)
def test_of_two_sessions_that_read_what_the_other_one_writes_one_is_refused(
    storage: StorageManager, kind: str
) -> None:
    """In whichever order they had run, one of them would have read something else."""
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        create(session, OTHER)
        bring_to(session, State.RUNNING, RUNNING)
        session.set_global_parameters(PARAMETERS)
    read, change = CONFLICTS[kind]
    with conflicting(storage) as late:
        read(late)
        with storage.session() as other:
            assert not other.paths.does_path_exists(LATE)
            change(other)
        late.paths.create_path(LATE)
    with storage.session() as session:
        assert not session.paths.does_path_exists(LATE)
        session.paths.create_path(LATE)


def test_of_two_sessions_that_change_what_they_read_one_is_refused(storage: StorageManager) -> None:
    def add(session: ExperimentSession, name: str) -> None:
        known = session.get_global_parameters().items()
        session.set_global_parameters(ParameterNamespace([*known, (name, "1")]))

    with conflicting(storage) as late:
        assert late.get_global_parameters() == ParameterNamespace.empty()
        with storage.session() as other:
            add(other, "a")
        add(late, "b")
    retried(storage, lambda session: add(session, "b"))
    with storage.session() as session:
        assert session.get_global_parameters().names() == {"a", "b"}


def test_a_session_that_only_reads_has_its_place_in_the_order_too(storage: StorageManager) -> None:
    """It saw the second batch and no receipt of the first: after that, none may be written."""
    with storage.session() as session:
        session.set_global_parameters(ParameterNamespace.from_mapping({"batch": "1"}))
    with conflicting(storage) as late:
        batch = late.get_global_parameters()
        with storage.session(write=True) as other:
            other.set_global_parameters(ParameterNamespace.from_mapping({"batch": "2"}))
        with storage.session() as reader:
            assert reader.get_global_parameters() != batch
            assert reader.paths.get_all_paths() == set()
        late.paths.create_path(path(r"\receipt"))
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()


def test_a_session_that_read_what_was_changed_may_end_by_reading(storage: StorageManager) -> None:
    with storage.session() as reader:
        assert reader.paths.get_all_paths() == set()
        create(storage)
        assert reader.paths.get_all_paths() == set()


def test_writing_first_is_no_conflict(storage: StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    late = storage.session()
    with late:
        record(storage, index=1)
        record(late, index=2)
        assert len(late.sequences.get_shots(PATH)) == 3
    with storage.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(PATH)] == [0, 1, 2]


def test_a_second_writer_in_the_same_thread_fails_at_once(storage: StorageManager) -> None:
    with storage.session() as first:
        create(first)
        for second in (storage, reopened(storage)):
            with (
                pytest.raises(StorageLockTimeoutError),
                second.session(write=True),
            ):
                pass
            with second.session() as late:
                assert not late.paths.does_path_exists(PATH)
                with pytest.raises(StorageLockTimeoutError):
                    create(late, OTHER)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\2026"), PATH}
        create(session, OTHER)


def test_a_session_that_is_awaited_and_one_that_is_not_do_not_wait_for_each_other(
    storage: StorageManager,
) -> None:
    """In one thread, neither could end: the event loop waits for the one that is not awaited."""

    async def plain_inside(session: AsyncExperimentSession) -> None:
        await session.paths.create_path(OTHER)
        with pytest.raises(StorageLockTimeoutError, match="already"), storage.session(write=True):
            pass

    async def awaited_inside(session: ExperimentSession) -> None:
        session.paths.create_path(LATE)
        async with storage.async_session() as second:
            with pytest.raises(StorageLockTimeoutError, match="already"):
                await second.paths.create_path(RUNNING)

    async def run() -> None:
        async with storage.async_session() as session:
            await plain_inside(session)
        with storage.session() as plain:
            await awaited_inside(plain)

    anyio.run(run)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {OTHER, LATE}


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


def test_a_writer_that_begins_late_waits_too(storage: StorageManager) -> None:
    entered = threading.Event()

    def second() -> None:
        with storage.session() as session:
            entered.set()
            create(session, OTHER)

    with ThreadPoolExecutor() as threads:
        with storage.session(write=True) as session:
            waiting = threads.submit(second)
            entered.wait()
            create(session)
        waiting.result()
    with storage.session() as session:
        assert session.paths.get_children(ROOT) == {path(r"\2026"), OTHER}


def test_no_update_of_many_threads_is_lost(storage: StorageManager) -> None:
    launch(storage, shots=None)

    def work(number: int) -> None:
        for turn in range(5):
            index = 5 * number + turn
            retried(storage, lambda session: record(session, index=index))  # noqa: B023 - at once
            with storage.session(write=True) as session:
                known = session.get_global_parameters().items()
                new = (f"p{number}_{turn}", "1")
                session.set_global_parameters(ParameterNamespace([*known, new]))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with storage.session() as session:
        assert sorted(shot.index for shot in session.sequences.get_shots(PATH)) == list(range(20))
        assert len(session.get_global_parameters().names()) == 20


def test_what_is_received_is_there_whole_or_not_at_all(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(OTHER)
    with storage.receiving() as receive:
        with discarded(functools.partial(receive, PATH)) as session:
            launch(session)
        with storage.session() as session:
            assert session.paths.get_all_paths() == {OTHER}
        for place in (PATH, OTHER):
            with receive(place) as session:
                bring_to(session, State.FINISHED, place)
                session.paths.update_creation_date(place, START)
            with storage.session() as session:
                assert session.sequences.get_state(place) is State.FINISHED
                assert len(session.sequences.get_shots(place)) == 1
                assert session.paths.get_path_creation_date(place) == START
        with pytest.raises(PathIsSequenceError), receive(PATH) as session:
            create(session)
