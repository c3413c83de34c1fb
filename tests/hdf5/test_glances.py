"""A draft that was read before is read again without a lock, and nothing is opened."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shotstore import ExperimentSession, State, TransactionConflictError
from shotstore.hdf5 import HDF5StorageManager, known_documents, transaction, worker
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Tree
from shotstore.testing.experiments import PATH, bring_to, create, launch, path, relaunch

FOLDER = path(r"\2026")


@pytest.fixture
def store(storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch) -> HDF5StorageManager:
    """A store with a draft that was read."""
    for tick in ("TICK", "_COARSEST_TICK"):  # whatever the time is that the file system notes
        monkeypatch.setattr(known_documents, tick, -(10**18))
    create(storage)
    with storage.session() as session:
        session.sequences.get_state(PATH)
    return storage


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is done on threads of workers."""
    jobs: list[object] = []

    def counted(job: Callable[[], Any]) -> Any:
        jobs.append(job)
        return run(job)

    run = worker.run
    monkeypatch.setattr(transaction, "run", counted)
    return jobs


def note(session: ExperimentSession) -> str:
    return session.sequences.get_note(PATH)


def annotate(store: HDF5StorageManager, text: str) -> None:
    """Write a note, in another program."""
    with HDF5StorageManager(store.root).session() as session:
        session.sequences.set_note(PATH, text)


def during_the_glance(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do this once, when the next document was read."""
    document = Tree.document

    def read(*given: Any) -> Any:
        found = document(*given)
        monkeypatch.setattr(Tree, "document", document)
        act()
        return found

    monkeypatch.setattr(Tree, "document", read)


def test_a_look_at_a_draft_opens_nothing_but_the_counter_of_commits(
    store: HDF5StorageManager, jobs: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_file = os.open

    def counted(file: Any, *given: Any, **named: Any) -> int:
        opened.append(Path(file).name)
        return open_file(file, *given, **named)

    monkeypatch.setattr(os, "open", counted)
    with store.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT
    assert set(opened) <= {"commits"}
    assert len(opened) <= 2
    assert jobs == []


@pytest.mark.parametrize("state", [each for each in State if each is not State.DRAFT])
def test_what_was_launched_is_read_in_the_usual_way(
    storage: HDF5StorageManager, jobs: list[object], state: State
) -> None:
    bring_to(storage, state)
    for _ in range(2):
        jobs.clear()
        with storage.session() as session:
            assert session.sequences.get_state(PATH) is state
        assert len(jobs) == 2


def test_what_others_have_changed_is_seen(store: HDF5StorageManager) -> None:
    for text in ("one", "two"):
        annotate(store, text)
        with store.session() as session:
            assert note(session) == text
    file = store.root.joinpath("sequences", *PATH.parts, "sequence.json")
    file.write_text(file.read_text().replace('"note": "two"', '"note": "by hand"'))
    with store.session() as session:
        assert note(session) == "by hand"
    with HDF5StorageManager(store.root).session() as session:
        session.paths.move(FOLDER, path(r"\elsewhere"))
    with store.session() as session:
        assert not session.paths.does_path_exists(PATH)


def test_what_is_committed_during_a_glance_is_not_mixed_with_what_was(
    store: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    during_the_glance(monkeypatch, lambda: annotate(store, "meanwhile"))
    with store.session() as session:
        assert note(session) == "meanwhile"


def test_nothing_is_glanced_at_while_a_commit_is_not_carried_out(
    store: HDF5StorageManager, jobs: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "settled", lambda _: None)
    with store.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT
    assert len(jobs) == 2


def test_an_interrupted_glance_is_forgotten(
    store: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        annotate(store, "meanwhile")
        raise KeyboardInterrupt

    during_the_glance(monkeypatch, interrupt)
    with store.session() as session:
        with pytest.raises(KeyboardInterrupt):
            note(session)
        assert note(session) == "meanwhile"
        assert session.sequences.get_state(PATH) is State.DRAFT


def test_what_was_glanced_at_stays_the_same(store: HDF5StorageManager) -> None:
    with store.session() as session:
        assert note(session) == ""
        annotate(store, "meanwhile")
        launch(store, path(r"\other"))
        assert note(session) == ""
        assert session.paths.does_path_exists(path(r"\other"))
        assert session.sequences.get_stats(PATH).state is State.DRAFT


def test_what_was_glanced_at_is_checked_before_something_is_written(
    store: HDF5StorageManager,
) -> None:
    def write_late() -> None:
        with store.session() as session:
            assert session.sequences.get_state(PATH) is State.DRAFT
            relaunch(store)
            session.sequences.set_note(path(r"\other"), "late")

    create(store, path(r"\other"))
    with store.session() as session:
        session.sequences.get_state(PATH)
    with pytest.raises(TransactionConflictError):
        write_late()


def test_a_storage_that_was_closed_is_joined_on_a_thread_of_a_worker(
    store: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    join = Locks.join

    def joined(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return join(*given)

    monkeypatch.setattr(Locks, "join", joined)
    store.close()
    with store.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT
    assert threads == ["shotstore"]
