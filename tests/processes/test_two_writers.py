"""Several writers on one store: none of their updates is lost, and who waits is told for whom."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import SupportsIndex, TypeAlias

import pytest

from shotstore import (
    ExperimentSession,
    PureSequencePath,
    State,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.hdf5 import HDF5StorageManager, disk, on_disk
from shotstore.model import ParameterNamespace
from tests.processes import shots
from tests.processes.children import PATIENCE, Child
from tests.processes.shots import FOLDER, RUN

UPDATES = 25

Step: TypeAlias = Callable[[ExperimentSession], object]

needs_stop = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
tells_names = Path("/proc/locks").exists()
needs_names = pytest.mark.skipif(not tells_names, reason="the system does not say who holds a lock")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a running sequence that has one shot."""
    storage = HDF5StorageManager(tmp_path / "store")
    shots.launched(storage)
    shots.recorded(storage, 0)
    return tmp_path / "store"


def get_count(session: ExperimentSession) -> int:
    count = session.get_global_parameters().evaluate().get("count", 0)
    assert isinstance(count, int)
    return count


def set_count(session: ExperimentSession, count: int) -> None:
    session.set_global_parameters(ParameterNamespace.from_mapping({"count": str(count)}))


def repeat(
    storage: HDF5StorageManager, write: bool, step: Callable[[ExperimentSession], None]
) -> None:
    """Do a step in a session, again and again until nobody else comes between."""
    while True:
        with contextlib.suppress(TransactionConflictError), storage.session(write=write) as session:
            step(session)
            break


def start_together(parent: Connection) -> None:
    parent.send("ready")
    parent.recv()


@contextlib.contextmanager
def together(*children: Child) -> Iterator[None]:
    """Let all go on at once, and wait for their end after the block."""
    for child in children:
        assert child.hear() == "ready"
    for child in children:
        child.tell("go")
    yield
    for child in children:
        child.finish()


# Nothing is lost


def count_up(parent: Connection, store: Path, write: bool) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    start_together(parent)
    for _ in range(UPDATES):
        repeat(storage, write, lambda session: set_count(session, get_count(session) + 1))


@pytest.mark.parametrize("modes", [(False, False), (True, True), (False, True)])
def test_no_update_of_a_parameter_is_lost(store: Path, modes: tuple[bool, bool]) -> None:
    with (
        Child(count_up, store, modes[0]) as one,
        Child(count_up, store, modes[1]) as two,
        together(one, two),
    ):
        pass
    with HDF5StorageManager(store).session() as session:
        assert get_count(session) == 2 * UPDATES


def add_shots(parent: Connection, store: Path) -> None:
    """Record the next shot, whichever that is."""
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    start_together(parent)
    for _ in range(UPDATES):
        repeat(storage, False, lambda session: shots.record(session, len(shots.indices(session))))


def test_no_shot_is_lost_where_two_record_into_one_sequence(store: Path) -> None:
    with (
        Child(add_shots, store) as one,
        Child(add_shots, store) as two,
        together(one, two),
    ):
        pass
    assert shots.read_all(HDF5StorageManager(store)) == list(range(1 + 2 * UPDATES))


def create_missing(parent: Connection, store: Path) -> None:
    """Create the sequences that are not there yet."""
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    created: list[int] = []
    start_together(parent)
    for number in range(UPDATES):
        path = PureSequencePath.root() / "folder" / f"sequence {number}"
        is_new = False

        def create(session: ExperimentSession, path: PureSequencePath = path) -> None:
            nonlocal is_new
            is_new = not session.paths.does_path_exists(path)
            if is_new:
                shots.create(session, path)

        repeat(storage, False, create)
        created += [number] * is_new
    parent.send(created)


def test_what_two_create_at_once_is_created_by_one_of_them(store: Path) -> None:
    with (
        Child(create_missing, store) as one,
        Child(create_missing, store) as two,
        together(one, two),
    ):
        created = one.hear() + two.hear()
    assert sorted(created) == list(range(UPDATES))
    with HDF5StorageManager(store).session() as session:
        assert (
            len(session.sequences.get_contained_sequences(PureSequencePath(r"\folder"))) == UPDATES
        )


def open_store(parent: Connection, store: Path, number: int) -> None:
    start_together(parent)
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    path = PureSequencePath.root() / f"sequence {number}"
    shots.launched(storage, path)
    shots.recorded(storage, 0, path)


def test_a_store_may_be_created_by_several_at_once(tmp_path: Path) -> None:
    for attempt in range(5):
        store = tmp_path / f"store {attempt}"
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(Child(open_store, store, n)) for n in range(3)]
            with together(*children):
                pass
        storage = HDF5StorageManager(store)
        for number in range(3):
            path = PureSequencePath.root() / f"sequence {number}"
            assert shots.read_all(storage, path) == [0]


# Whoever writes on the ground of what is not so any more is told


READ_AND_CHANGED: dict[str, tuple[Step, Step]] = {
    "global parameters": (get_count, lambda session: set_count(session, 5)),
    "absence of a path": (
        lambda session: session.paths.does_path_exists(FOLDER / "new"),
        lambda session: session.paths.create_path(FOLDER / "new"),
    ),
    "children": (
        lambda session: session.paths.get_children(FOLDER),
        lambda session: session.paths.create_path(FOLDER / "new"),
    ),
    "all paths": (
        lambda session: session.paths.get_all_paths(),
        lambda session: session.paths.create_path(RUN.root() / "new"),
    ),
    "state": (
        lambda session: session.sequences.get_state(RUN),
        lambda session: session.sequences.set_finished(RUN, "now"),
    ),
    "sequences in a state": (
        lambda session: session.sequences.get_sequences_in_state(State.DRAFT),
        lambda session: session.sequences.set_finished(RUN, "now"),
    ),
    "number of shots": (
        lambda session: session.sequences.get_stats(RUN),
        lambda session: shots.record(session, 1),
    ),
    "shots": (shots.indices, lambda session: shots.record(session, 1)),
    "data of a shot": (
        lambda session: shots.check(session, 0),
        lambda session: session.paths.move(RUN, FOLDER / "moved"),
    ),
}


def finish(session: ExperimentSession) -> None:
    session.sequences.set_finished(RUN, "now")


@pytest.mark.parametrize("what", READ_AND_CHANGED)
def test_a_late_writer_whose_reads_went_stale_is_refused(store: Path, what: str) -> None:
    storage = HDF5StorageManager(store)
    read, change = READ_AND_CHANGED[what]
    if what == "data of a shot":
        with storage.session() as session:
            finish(session)
    with storage.session() as session:
        read(session)
        with storage.session() as other:
            change(other)
        with pytest.raises(TransactionConflictError, match="run the block again"):
            session.paths.create_path(RUN.root() / "mine")
    with storage.session() as session:
        assert not session.paths.does_path_exists(RUN.root() / "mine")


def test_a_late_writer_whose_reads_still_hold_goes_on(store: Path) -> None:
    storage = HDF5StorageManager(store)
    with storage.session() as session:
        assert not session.default_device_configurations
        assert session.paths.get_children(FOLDER) == {RUN}
        assert shots.check_all(session) == [0]
        with storage.session() as other:
            set_count(other, 5)
            shots.launch(other, RUN.root() / "folder" / "elsewhere")
        shots.record(session, 1)
    with storage.session() as session:
        assert get_count(session) == 5
        assert shots.check_all(session) == [0, 1]


# Who waits too long is told for whom


def hold(parent: Connection, store: Path) -> None:
    with HDF5StorageManager(store).session(write=True):
        parent.send("holds")
        parent.recv()


def test_who_waits_too_long_for_a_writer_is_told_its_process(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=0.05)
    with Child(hold, store) as holder:
        assert holder.hear() == "holds"
        message = f"held by process {holder.pid} .* try again"
        with storage.session() as session:
            assert shots.check_all(session) == [0]
            with pytest.raises(StorageLockTimeoutError, match=message):
                shots.record(session, 1)
            assert shots.check_all(session) == [0]
        with (
            pytest.raises(StorageLockTimeoutError, match=message),
            storage.session(write=True),
        ):
            pass
        holder.tell("leave")
        holder.finish()
    shots.recorded(storage, 1)
    assert shots.read_all(storage) == [0, 1]


def wait_to_write(parent: Connection, store: Path) -> None:
    sleep = time.sleep

    def tell_and_sleep(seconds: float | SupportsIndex) -> None:
        parent.send("waits")
        time.sleep = sleep
        sleep(seconds)

    time.sleep = tell_and_sleep
    with HDF5StorageManager(store).session(write=True):
        parent.send("writes")
        parent.recv()


def test_a_lock_that_is_removed_while_somebody_waits_lets_no_two_write(store: Path) -> None:
    with Child(hold, store) as holder:
        assert holder.hear() == "holds"
        with Child(wait_to_write, store) as waiter:
            assert waiter.hear() == "waits"
            (store / ".shotstore" / "write.lock").unlink()
            holder.tell("leave")
            holder.finish()
            assert waiter.hear() == "writes"
            impatient = HDF5StorageManager(store, lock_timeout=0)
            with pytest.raises(StorageLockTimeoutError), impatient.session(write=True):
                pass
            waiter.tell("leave")
            waiter.finish()


def test_a_second_writer_in_the_same_thread_fails_instead_of_waiting_for_itself(
    store: Path,
) -> None:
    storage = HDF5StorageManager(store, lock_timeout=1e9)
    same = HDF5StorageManager(store, lock_timeout=1e9)
    with storage.session(write=True) as session:
        for other in (storage, same):
            with other.session() as second:
                assert shots.check_all(second) == [0]
                with pytest.raises(StorageLockTimeoutError, match="in this thread"):
                    shots.record(second, 1)
            with (
                pytest.raises(StorageLockTimeoutError, match="in this thread"),
                other.session(write=True),
            ):
                pass
        shots.record(session, 1)
    assert shots.read_all(storage) == [0, 1]
    shots.recorded(same, 2)


def stop(parent: Connection) -> None:
    parent.send("stops")
    # To this thread: another one would stop all of them, but only when its turn comes.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def stop_while_reading(parent: Connection, store: Path) -> None:
    storage = HDF5StorageManager(store)
    read = on_disk.read_and_identify

    def stop_and_read(
        path: str, longest: int = on_disk.LONGEST_DOCUMENT
    ) -> tuple[bytes | None, on_disk.Identity | None]:
        if path.endswith("sequence.json"):
            on_disk.read_and_identify = read
            stop(parent)
        return read(path, longest)

    on_disk.read_and_identify = stop_and_read
    parent.send(shots.read_all(storage))


def stop_while_committing(parent: Connection, store: Path) -> None:
    def observe(operation: disk.Operation) -> None:
        if operation.path.endswith("commits"):
            disk.observe = None
            stop(parent)

    storage = HDF5StorageManager(store)
    disk.observe = observe
    shots.recorded(storage, 1)
    parent.send(shots.read_all(storage))


def stop_in_block(parent: Connection, store: Path) -> None:
    storage = HDF5StorageManager(store)
    with storage.session() as session:
        shots.record(session, 1)
        stop(parent)
    parent.send(shots.read_all(storage))


def how_to_go_on(stopped: Child) -> str:
    """What is said of a process that holds a lock and is stopped."""
    names = rf"process {stopped.pid} .*"
    return names + (f"`kill -CONT {stopped.pid}` lets it go on" if tells_names else "")


@needs_stop
@needs_names
def test_a_stopped_reader_is_named_to_the_writer_that_waits(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=0.2)
    with Child(stop_while_reading, store) as reader:
        assert reader.hear() == "stops"
        for _ in range(2):
            with pytest.raises(StorageLockTimeoutError, match=how_to_go_on(reader)):
                shots.recorded(storage, 1)
            assert shots.read_all(storage) == [0]
        reader.resume()
        assert reader.hear() == [0]
        reader.finish()
    shots.recorded(storage, 1)
    assert shots.read_all(storage) == [0, 1]


@needs_stop
@needs_names
def test_a_writer_stopped_in_its_commit_is_named_to_all_that_wait(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=0.2)
    with Child(stop_while_committing, store) as writer:
        assert writer.hear() == "stops"
        with pytest.raises(StorageLockTimeoutError, match=how_to_go_on(writer)):
            shots.read_all(storage)
        with pytest.raises(StorageLockTimeoutError, match=how_to_go_on(writer)):
            shots.recorded(storage, 2)
        writer.resume()
        assert writer.hear() == [0, 1]
        writer.finish()
    shots.recorded(storage, 2)
    assert shots.read_all(storage) == [0, 1, 2]


@needs_stop
def test_a_writer_stopped_in_its_block_is_in_no_readers_way(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=0.2)
    with Child(stop_in_block, store) as writer:
        assert writer.hear() == "stops"
        assert shots.read_all(storage) == [0]
        with pytest.raises(StorageLockTimeoutError, match=how_to_go_on(writer)):
            shots.recorded(storage, 2)
        writer.resume()
        assert writer.hear() == [0, 1]
        writer.finish()
    shots.recorded(storage, 2)
    assert shots.read_all(storage) == [0, 1, 2]
