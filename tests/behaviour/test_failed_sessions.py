"""A session that fails leaves everything as it was, byte for byte."""

import os
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ParameterNamespace
from tests.builders import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    CameraConfiguration,
    bring_to,
    content,
    create,
    finish,
    launch,
    path,
    recipe,
    record,
    relaunch,
    serializer,
)
from tests.model.exactness import exactly_equal

FOLDER = path(r"\folder\inside")
OF_NO_CONTENT = {"commits", "writer.json", "write.lock", "gate.lock", "apply.lock"}


def sequence_in(state: State) -> PureSequencePath:
    return path(rf"\2026\{state.value}")


def files(root: Path) -> dict[str, bytes | None]:
    """All files of a store with their content, and all directories, but for locks and counters."""
    return {
        str(found.relative_to(root)): None if found.is_dir() else found.read_bytes()
        for found in root.rglob("*")
        if found.name not in OF_NO_CONTENT
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a sequence in each state, a folder, devices, parameters, and some trash."""
    storage = HDF5StorageManager(tmp_path_factory.mktemp("store"), serializer=serializer())
    with storage.session() as session:
        for state in State:
            bring_to(session, state, sequence_in(state))
        bring_to(session, State.FINISHED)
        session.paths.create_path(FOLDER)
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    return storage.root


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> HDF5StorageManager:
    """A storage of its own for each test."""
    shutil.copytree(template, tmp_path / "store")
    return HDF5StorageManager(tmp_path / "store", serializer=serializer())


Operation = Callable[[ExperimentSession], object]


def _record_all_kinds(session: ExperimentSession) -> None:
    running = sequence_in(State.RUNNING)
    record(session, running, 1, {"other": 1.5}, {"frame": np.ones((400, 400)), "text": "x" * 9999})
    record(session, running, 2, {"index": True}, {"tags": np.arange(3), "counts": 1.5})
    record(session, running, 3, {}, {"tags": np.arange(4)})


def _swap(session: ExperimentSession) -> None:
    one, two = sequence_in(State.DRAFT), sequence_in(State.CRASHED)
    session.paths.move(one, path(r"\spare"))
    session.paths.move(two, one)
    session.paths.move(path(r"\spare"), two)


def _rerun(session: ExperimentSession) -> None:
    ended = sequence_in(State.INTERRUPTED)
    session.sequences.reset_to_draft(ended)
    relaunch(session, ended)
    record(session, ended)


def _remove_devices(session: ExperimentSession) -> None:
    session.default_device_configurations.clear()


OPERATIONS: dict[str, Operation] = {
    "creating a folder": lambda s: s.paths.create_path(path(r"\new\folder")),
    "creating a sequence": lambda s: create(s, path(r"\new\sequence")),
    "turning a folder into a sequence": lambda s: create(s, FOLDER),
    "launching and recording": lambda s: (launch(s, path(r"\new")), record(s, path(r"\new"))),
    "moving a folder": lambda s: s.paths.move(path(r"\folder"), path(r"\a\b")),
    "moving a sequence": lambda s: s.paths.move(sequence_in(State.FINISHED), path(r"\x")),
    "swapping two sequences": _swap,
    "deleting a sequence": lambda s: s.paths.delete_path(sequence_in(State.FINISHED), True),
    "deleting a folder": lambda s: s.paths.delete_path(path(r"\folder"), True),
    "dating": lambda s: [s.paths.update_creation_date(p, START) for p in s.paths.get_all_paths()],
    "editing the iteration": lambda s: s.sequences.set_iteration_configuration(
        sequence_in(State.DRAFT), recipe(3)
    ),
    "launching": lambda s: relaunch(s, sequence_in(State.DRAFT)),
    "running": lambda s: s.sequences.set_running(sequence_in(State.PREPARING), "now"),
    "crashing": lambda s: s.sequences.set_crashed(sequence_in(State.PREPARING), ERROR, "now"),
    "finishing": lambda s: finish(s, sequence_in(State.RUNNING)),
    "interrupting": lambda s: s.sequences.set_interrupted(sequence_in(State.RUNNING), "now"),
    "resetting": lambda s: s.sequences.reset_to_draft(sequence_in(State.CRASHED)),
    "running again": _rerun,
    "recording": _record_all_kinds,
    "setting parameters": lambda s: s.set_global_parameters(ParameterNamespace.empty()),
    "setting a device": lambda s: s.default_device_configurations.update(
        camera=CameraConfiguration(3.0), new=CameraConfiguration(4.0)
    ),
    "removing devices": _remove_devices,
}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_operation_that_is_not_committed_changes_no_byte(
    filled: HDF5StorageManager, kind: str
) -> None:
    before = files(filled.root)
    with filled.session() as session:
        expected = content(session)

    def fail() -> None:
        with filled.session() as session:
            OPERATIONS[kind](session)
            assert content(session) != expected
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser"):
        fail()
    assert files(filled.root) == before
    with filled.session() as session:
        assert content(session) == expected
        OPERATIONS[kind](session)  # and it can be done after all
        changed = content(session)
    with filled.session() as session:
        assert exactly_equal(content(session), changed)


def test_many_operations_together_change_no_byte_if_not_committed(
    filled: HDF5StorageManager,
) -> None:
    together = [
        "turning a folder into a sequence",
        "swapping two sequences",
        "launching and recording",
        "dating",
        "recording",
        "finishing",
        "running again",
        "deleting a sequence",
        "setting a device",
        "setting parameters",
    ]
    before = files(filled.root)

    def fail() -> None:
        with filled.session() as session:
            for kind in together:
                OPERATIONS[kind](session)
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser"):
        fail()
    assert files(filled.root) == before


REFUSED: dict[str, Operation] = {
    "a folder inside a sequence": lambda s: s.paths.create_path(sequence_in(State.DRAFT) / "x"),
    "a name too long": lambda s: s.paths.create_path(path(r"\good") / ("x" * 300)),
    "a sequence over a folder": lambda s: create(s, path(r"\2026")),
    "a sequence twice": lambda s: create(s, sequence_in(State.DRAFT)),
    "a deletion of sequences": lambda s: s.paths.delete_path(path(r"\2026")),
    "a deletion of a run": lambda s: s.paths.delete_path(path(r"\2026"), True),
    "a move of a run": lambda s: s.paths.move(path(r"\2026"), path(r"\x\y")),
    "a move into a sequence": lambda s: s.paths.move(FOLDER, sequence_in(State.DRAFT) / "a" / "b"),
    "a move onto a path": lambda s: s.paths.move(FOLDER, path(r"\2026")),
    "a move to a name too long": lambda s: s.paths.move(FOLDER, path(r"\a") / ("x" * 300)),
    "an edit of a run": lambda s: s.sequences.set_time_lanes(sequence_in(State.RUNNING), None),
    "a launch of a run": lambda s: s.sequences.set_preparing(
        sequence_in(State.RUNNING), {}, PARAMETERS
    ),
    "a launch with no device": lambda s: s.sequences.set_preparing(
        sequence_in(State.DRAFT), {"camera": None}, PARAMETERS
    ),
    "a reset of a run": lambda s: s.sequences.reset_to_draft(sequence_in(State.RUNNING)),
    "a shot of a draft": lambda s: record(s, sequence_in(State.DRAFT)),
    "a shot twice": lambda s: record(s, sequence_in(State.RUNNING)),
    "a shot beyond the last": lambda s: record(s, sequence_in(State.RUNNING), 10),
    "a shot with objects": lambda s: record(
        s, sequence_in(State.RUNNING), 1, {}, {"a": np.ones(9), "b": np.array([None])}
    ),
    "a shot with a label too long": lambda s: record(
        s, sequence_in(State.RUNNING), 1, {}, {"a": np.ones(9), "x" * 10**6: 1}
    ),
    "a date without zone": lambda s: s.paths.update_creation_date(
        FOLDER, START.replace(tzinfo=None)
    ),
    "parameters that are none": lambda s: s.set_global_parameters(None),
    "a device without name": lambda s: s.default_device_configurations.update({"": DEVICES}),
    "a device that is not there": lambda s: s.default_device_configurations.pop("x"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_call_changes_no_byte(filled: HDF5StorageManager, kind: str) -> None:
    before = files(filled.root)
    with filled.session() as session:
        expected = content(session)
    with filled.session() as session:
        with pytest.raises((RuntimeError, ValueError, TypeError, KeyError)):
            REFUSED[kind](session)
        assert content(session) == expected
    assert files(filled.root) == before


def test_a_session_that_only_reads_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    commits = (filled.root / ".shotstore" / "commits").read_bytes()
    with filled.session() as session:
        content(session)
    with filled.session(write=True) as session:
        content(session)
    assert files(filled.root) == before
    assert (filled.root / ".shotstore" / "commits").read_bytes() == commits


def test_a_session_that_undoes_what_it_did_leaves_the_same_paths(
    filled: HDF5StorageManager,
) -> None:
    before = files(filled.root)
    with filled.session() as session:
        create(session, path(r"\new\sequence"))
        session.paths.delete_path(path(r"\new"), delete_sequences=True)
        session.paths.move(FOLDER, path(r"\x"))
        session.paths.move(path(r"\x"), FOLDER)
    assert files(filled.root) == before


def test_a_session_in_conflict_changes_no_byte(filled: HDF5StorageManager) -> None:
    running = sequence_in(State.RUNNING)
    with filled.session() as late:
        assert len(late.sequences.get_shots(running)) == 1
        with filled.session() as other:
            record(other, running, 1)
        before = files(filled.root)
        for operation in (OPERATIONS["creating a folder"], OPERATIONS["setting parameters"]):
            with pytest.raises(TransactionConflictError):
                operation(late)
    assert files(filled.root) == before


@contextmanager
def no_file_longer_than(length: int) -> Iterator[None]:
    """Let the system refuse to write further, as it does when the disk or the quota is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _record_beyond_the_limit(storage: StorageManager, frames: int) -> None:
    running = sequence_in(State.RUNNING)
    with storage.session() as session:
        for index in range(1, frames + 1):
            record(session, running, index, {}, {"frame": np.ones((500, 500)) * index})


@pytest.mark.parametrize("frames", [1, 3])
def test_a_full_disk_changes_no_byte(filled: HDF5StorageManager, frames: int) -> None:
    # The first frame does not fit, or the third one.
    before = files(filled.root)
    with (
        no_file_longer_than(2_000_000 * (frames - 1) + 500_000),
        pytest.raises(OSError, match="File too large"),
    ):
        _record_beyond_the_limit(filled, frames)
    assert files(filled.root) == before
    _record_beyond_the_limit(filled, frames)
    with filled.session() as session:
        found = session.sequences.get_all_shot_data(sequence_in(State.RUNNING), frames)
        np.testing.assert_array_equal(found["frame"], np.ones((500, 500)) * frames)


def test_a_disk_too_full_for_a_document_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    big = ParameterNamespace.from_mapping({f"p{number}": "1" for number in range(10_000)})

    def write() -> None:
        with filled.session() as session:
            record(session, sequence_in(State.RUNNING), 1)
            session.paths.move(FOLDER, path(r"\x"))
            session.set_global_parameters(big)

    with no_file_longer_than(100_000), pytest.raises(OSError, match="File too large"):
        write()
    assert files(filled.root) == before
    write()


def test_failed_sessions_leave_no_file_open(filled: HDF5StorageManager) -> None:
    def fail(operation: Operation) -> None:
        with filled.session() as session:
            content(session)
            operation(session)
            raise RuntimeError("the laser is off")

    def open_files() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208

    before = open_files()
    for operation in OPERATIONS.values():
        with pytest.raises(RuntimeError, match="the laser"):
            fail(operation)
    assert open_files() == before
    with filled.session() as session:
        OPERATIONS["recording"](session)
    assert open_files() == before


def test_an_interrupt_comes_through_and_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    running = sequence_in(State.RUNNING)
    recording = threading.Event()

    def interrupt() -> None:
        recording.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def record_for_ever() -> None:
        with filled.session() as session:
            session.sequences.set_finished(running, "now")
            create(session, path(r"\new"), shots=None)
            relaunch(session, path(r"\new"))
            index = 0
            while True:
                shot = ShotId(path(r"\new"), index)
                session.sequences.create_shot(shot, {}, {"x": np.ones(1000)}, START, START)
                recording.set()
                index += 1

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        record_for_ever()
    thread.join()
    assert files(filled.root) == before
    _record_beyond_the_limit(filled, 1)
