"""A session from its beginning to its end: everything, or nothing."""

import gc
import pickle
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shotstore import (
    ExperimentSession,
    ExperimentSessionNotActiveError,
    PathNotFoundError,
    PureSequencePath,
    Sequence,
    State,
    StorageManager,
)
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from shotstore.testing.failing_sessions import discarded
from shotstore.testing.methods import METHODS

ROOT = PureSequencePath.root()
OTHER = path(r"\other")


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
    bring_to(storage, State.RUNNING)
    before = content(storage)
    with discarded(storage) as session:
        record(session, index=1)
        finish(session)
        session.paths.move(PATH, OTHER)
        create(session)
        session.set_global_parameters(PARAMETERS)
    for after in (storage, reopened(storage)):
        assert content(after) == before


@pytest.mark.parametrize("leave", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_leaving_by_no_ordinary_exception_discards_everything(
    storage: StorageManager, leave: type[BaseException]
) -> None:
    with discarded(storage, leave) as session:
        create(session)
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


MAKE_OBJECTS = {"get_sequence", "Sequence.get_shot"}
"""They read nothing."""


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
        devices = session.default_device_configurations
        uses: list[Callable[[], object]] = [
            *_parts(session),
            *(METHODS[name].on(session) for name in METHODS.keys() - MAKE_OBJECTS),
            lambda: list(devices),
            lambda: len(devices),
            lambda: devices.update(DEVICES),
        ]
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


def test_sessions_leave_the_random_numbers_of_a_program_as_they_are(
    storage: StorageManager,
) -> None:
    """It may have set a seed, to measure in an order that can be told again."""
    before = random.getstate()
    launch(storage)
    for index in (0, 1):
        record(storage, index=index)
    finish(storage)
    content(storage)
    assert random.getstate() == before


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


@pytest.mark.parametrize("value", [None, 0, 1, "yes", [], ...], ids=str)
def test_only_true_and_false_open_a_session_for_writing(
    storage: StorageManager, value: Any
) -> None:
    for open_session in (storage.session, storage, storage.async_session):
        with pytest.raises(TypeError, match="write must be True or False"):
            open_session(write=value)
    with storage.session(write=True) as session:
        launch(session)


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
