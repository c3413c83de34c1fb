"""Threads of a program that begin and end to use a storage at any time, and forks of it."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from shotstore import CommitUncertainError, StorageLockTimeoutError
from shotstore.hdf5 import HDF5StorageManager, lock_files, membership, waiting_line
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.dropped import call_when_dropped
from shotstore.hdf5.lock_files import Lock
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.log.counter import Counter
from shotstore.hdf5.log.log_file import LogFile
from shotstore.hdf5.rounds import Rounds
from shotstore.testing.experiments import PATH, launch, record
from shotstore.testing.lab import serializer
from tests.checkpoints import close_dropped_storages, without_pauses
from tests.open_files import descriptors, needs_descriptors
from tests.processes.children import run_interpreter

PATIENCE = 60


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    """A storage with a running sequence."""
    storage = open_store(tmp_path / "store")
    with without_pauses(), storage.session() as session:
        launch(session, shots=None)
    storage.close()
    return storage


def open_store(root: Path, **arguments: Any) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer(), **arguments)


def shoot(storage: HDF5StorageManager, index: int) -> None:
    with storage.session() as session:
        record(session, PATH, index)


def recorded(storage: HDF5StorageManager) -> list[int]:
    with storage.session() as session:
        return [shot.index for shot in session.sequences.get_shots(PATH)]


def records(root: Path) -> int:
    """How many records the log holds."""
    with closing(LogFile(root / ".shotstore" / "log")) as log:
        log.read_header("r")
        return len(log.entries())


def is_in_use(root: Path) -> bool:
    return Locks(root / ".shotstore", 0).is_anybody_there()


def on_another_thread(function: Callable[[], object]) -> None:
    """Call it, and wait for its end."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def once(function: Callable[[], object]) -> Callable[[], None]:
    """A function that calls another one when it is first called."""
    left = [function]

    def call() -> None:
        if left:
            left.pop()()

    return call


# To use it again while another thread ends to use it


def test_a_thread_that_closes_a_storage_leaves_the_lock_to_one_that_uses_it_again(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Rounds.checkpoint
    use_again = once(lambda: on_another_thread(lambda: recorded(storage)))

    def reading_meanwhile(rounds: Rounds, **arguments: Any) -> None:
        use_again()
        checkpoint(rounds, **arguments)

    shoot(storage, 0)
    monkeypatch.setattr(Rounds, "checkpoint", reading_meanwhile)
    storage.close()
    assert storage._store.membership.is_joined
    assert is_in_use(storage.root)
    storage.close()
    assert not is_in_use(storage.root)


def test_who_uses_a_storage_again_just_when_its_lock_is_released_has_one_of_its_own(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    join = Locks.join
    use_again = once(lambda: on_another_thread(lambda: recorded(storage)))

    def joined(locks: Locks, alone: Callable[[], object]) -> Callable[[], None]:
        release = join(locks, alone)

        def release_and_use() -> None:
            release()
            use_again()

        return release_and_use

    monkeypatch.setattr(Locks, "join", joined)
    recorded(storage)
    storage.close()
    assert is_in_use(storage.root)
    storage.close()
    assert not is_in_use(storage.root)


@needs_descriptors
def test_threads_that_use_a_closed_storage_at_the_same_time_leave_no_file_open(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_dropped_storages()
    storage.close()
    before = descriptors()
    join, barrier = Locks.join, threading.Barrier(2)

    def joined(locks: Locks, alone: Callable[[], object]) -> Callable[[], None]:
        barrier.wait(PATIENCE)
        return join(locks, alone)

    monkeypatch.setattr(Locks, "join", joined)
    threads = [threading.Thread(target=recorded, args=[storage]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert is_in_use(storage.root)
    storage.close()
    assert not is_in_use(storage.root)
    assert descriptors() == before


def test_a_storage_is_closed_while_another_thread_takes_a_lock_for_the_first_time(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks, release = Locks(storage.root / ".shotstore", 0), Lock.release

    def take(lock: Lock) -> None:
        release(lock)
        with locks.exclusive():
            pass

    with locks.shared():
        pass
    with monkeypatch.context() as patch:
        patch.setattr(Lock, "release", take)
        locks.close()
    locks.close()


# To end to use it while another thread is writing


def test_a_storage_that_is_closed_in_a_session_of_another_thread_is_in_use_until_its_end(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MOMENT", 0)
    shoot(storage, 0)
    with storage.session(write=True) as session:
        record(session, PATH, 1)
        on_another_thread(storage.close)
        assert is_in_use(storage.root)
        newcomer = open_store(storage.root)
        assert recorded(newcomer) == [0]
        newcomer.close()
    assert not is_in_use(storage.root)
    assert records(storage.root) == 0
    assert recorded(storage) == [0, 1]


def test_a_storage_that_is_closed_just_before_a_session_writes_is_used_again(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire, append, seen = Locks.acquire_write, Rounds.append, []
    close = once(lambda: on_another_thread(storage.close))

    def acquire_late(locks: Locks, *arguments: Any) -> Callable[[], None]:
        close()
        return acquire(locks, *arguments)

    def note(rounds: Rounds, *arguments: Any) -> int:
        seen.append(is_in_use(storage.root))
        return append(rounds, *arguments)

    recorded(storage)
    monkeypatch.setattr(Locks, "acquire_write", acquire_late)
    monkeypatch.setattr(Rounds, "append", note)
    shoot(storage, 0)
    assert seen == [True]


def test_no_thread_writes_while_another_one_closes_the_log(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, close = Commits.finish, Commits.close
    is_in, was_in = threading.Event(), []
    threads: list[threading.Thread] = []

    def note(commits: Commits) -> None:
        finish(commits)
        is_in.set()

    def start_to_write() -> None:
        threads.append(threading.Thread(target=shoot, args=[storage, 0]))
        threads[0].start()
        was_in.append(is_in.wait(0.2))  # it gets in later, or it would write to a closed file

    write_meanwhile = once(start_to_write)

    def closing_late(commits: Commits) -> None:
        write_meanwhile()
        close(commits)

    recorded(storage)
    monkeypatch.setattr(Commits, "close", closing_late)
    monkeypatch.setattr(Commits, "finish", note)
    storage.close()
    threads[0].join(PATIENCE)
    assert was_in == [False]
    assert recorded(storage) == [0]


def test_a_storage_that_is_closed_waits_a_moment_for_who_writes(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_line, looks = waiting_line.WaitingLine.wait, []
    shoot(storage, 0)
    other = open_store(storage.root)
    release = other._store.acquire_write(None)

    def wait(line: waiting_line.WaitingLine) -> None:
        looks.append(line)
        if len(looks) == 3:
            release()
        stand_in_line(line)

    monkeypatch.setattr(waiting_line.WaitingLine, "wait", wait)
    storage.close()
    if len(looks) < 3:
        release()
    assert records(storage.root) == 0


# Pauses


@pytest.mark.parametrize("has_pauses", [True])
def test_a_storage_that_was_closed_and_is_used_again_has_pauses(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_closed, is_done = threading.Event(), threading.Event()
    checkpoint = Rounds.checkpoint

    def sleep_until_closed(seconds: float) -> None:
        assert is_closed.wait(PATIENCE)
        sleep(seconds)

    def note(rounds: Rounds, **arguments: Any) -> None:
        checkpoint(rounds, **arguments)
        is_done.set()

    monkeypatch.setattr(membership, "_PAUSE", 0.01)
    monkeypatch.setattr(membership, "sleep", sleep_until_closed)
    before = threading.enumerate()
    used = open_store(storage.root)
    shoot(used, 0)
    used.close()
    is_closed.set()
    for thread in threading.enumerate():
        if thread not in before and thread.name == "shotstore" and type(thread) is threading.Thread:
            thread.join(PATIENCE)
    monkeypatch.setattr(Rounds, "checkpoint", note)
    shoot(used, 1)
    assert is_done.wait(PATIENCE)


# What fails


@pytest.mark.parametrize("is_written", [False, True])
def test_whatever_fails_in_a_commit_nothing_is_lost(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch, *, is_written: bool
) -> None:
    append = LogFile.append

    def fail(log: LogFile, *arguments: Any) -> int:
        if is_written:
            append(log, *arguments)
        raise ValueError("I/O operation on closed file")

    with monkeypatch.context() as patch:
        patch.setattr(LogFile, "append", fail)
        with pytest.raises(CommitUncertainError if is_written else ValueError):
            shoot(storage, 0)
    assert recorded(storage) == ([0] if is_written else [])
    shoot(storage, 1)
    assert recorded(storage) == [*range(not is_written, 2)]


def test_who_opens_a_store_alone_does_not_write_through_the_file_of_who_may_write(
    storage: HDF5StorageManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers: list[Counter] = []
    write = Counter.write

    def note(counter: Counter, *arguments: Any) -> None:
        writers.append(counter)
        write(counter, *arguments)

    shoot(storage, 0)
    shutil.copytree(storage.root, tmp_path / "copy")
    rounds = Rounds(tmp_path / "copy", tmp_path / "copy" / ".shotstore")
    monkeypatch.setattr(Counter, "write", note)
    rounds.distrust()
    assert len(writers) == 1
    assert writers != [rounds.counter]
    assert rounds.counter.read().is_unfinished


def test_a_counter_with_more_behind_it_keeps_no_reader_waiting(
    storage: HDF5StorageManager,
) -> None:
    shoot(storage, 0)
    counter = storage.root / ".shotstore" / "commits"
    with counter.open("ab") as file:
        file.write(b"\0")
    found: list[list[int]] = []
    on_another_thread(lambda: found.append(recorded(storage)))
    assert found == [[0]]
    shoot(storage, 1)
    assert recorded(storage) == [0, 1]


def fail() -> None:
    raise RuntimeError


class Owner:
    """Something that can be dropped."""


def test_what_fails_when_something_is_dropped_keeps_nothing_else_open(
    storage: HDF5StorageManager,
) -> None:
    owner = Owner()
    call_when_dropped(owner, fail)
    del owner
    close_dropped_storages()
    used = open_store(storage.root)
    shoot(used, 0)
    del used
    close_dropped_storages()
    assert records(storage.root) == 0


def fail_at_the_end(root: Path) -> None:
    owner = Owner()
    threading.owner = owner  # type: ignore[attr-defined] # referred to until the end
    call_when_dropped(owner, fail)
    with without_pauses():
        shoot(open_store(root), 0)
    assert records(root) == 1


def test_what_fails_at_the_end_of_a_program_keeps_nothing_else_open(
    storage: HDF5StorageManager,
) -> None:
    run_interpreter(fail_at_the_end, storage.root)
    assert records(storage.root) == 0


# Forks

FORKED = """
import os, sys
from tests.checkpoints import without_pauses
from tests.hdf5.test_membership import open_store, records, shoot
storage = open_store(sys.argv[1])
child = os.fork()
if child == 0:
    with without_pauses():
        shoot(storage, 0)
    assert records(storage.root) == 1
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_at_the_end_of_a_forked_child_there_is_a_checkpoint(storage: HDF5StorageManager) -> None:
    subprocess.run(
        [sys.executable, "-c", FORKED, storage.root], check=True, timeout=PATIENCE, env=os.environ
    )
    assert records(storage.root) == 0
    assert recorded(storage) == [0]


# Who is in the way


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system does not tell who locks")
@pytest.mark.parametrize("name", ["opening.lock", "open.lock"])
def test_who_keeps_others_from_opening_a_store_is_named(
    storage: HDF5StorageManager, name: str
) -> None:
    release = lock_files.lock_alone(storage.root / ".shotstore" / name)
    try:
        with pytest.raises(
            StorageLockTimeoutError, match=rf"{name} is held by process {os.getpid()} \("
        ):
            open_store(storage.root, lock_timeout=0)
    finally:
        release()
    assert recorded(open_store(storage.root)) == []
