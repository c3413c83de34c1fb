"""Random sessions of several processes and threads, whose log is checked afterwards.

Every write is a read-modify-write of a unique value, so each value names the session that wrote it
and the one before it. The writing sessions are serializable if "was before" has no cycle, where a
session was before those that read what it wrote, and before those that replaced what it read
(Adya, Liskov, O'Neil: Generalized Isolation Level Definitions, ICDE 2000).
"""

import random
import threading
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from attrs import define, field

from shotstore import (
    ExperimentSession,
    ParameterNamespace,
    PureSequencePath,
    StepsConfiguration,
    TimeLanes,
    TransactionConflictError,
    UnknownDeviceConfiguration,
    VariableDeclaration,
)
from shotstore.hdf5 import HDF5StorageManager
from tests.processes.children import PATIENCE, Child

WRITING_PROCESSES, THREADS, SESSIONS = 2, 3, 25
READING_PROCESSES = 2
KEYS = ("globals", "device a", "device b", r"\x", r"\folder\y")


@define
class Log:
    """What a session has read and written, by key."""

    name: str
    reads: dict[str, str] = field(factory=dict)
    writes: dict[str, str] = field(factory=dict)


def get(session: ExperimentSession, key: str) -> str:
    """The value that stands in one of five places of different kinds."""
    if key == "globals":
        return next(iter(session.get_global_parameters().names()))
    if key.startswith("device"):
        device = session.default_device_configurations[key]
        assert isinstance(device, UnknownDeviceConfiguration)
        return device.tag
    iteration = session.sequences.get_iteration_configuration(PureSequencePath(key))
    assert isinstance(iteration, StepsConfiguration)
    (step,) = iteration.steps
    assert isinstance(step, VariableDeclaration)
    return step.variable


def put(session: ExperimentSession, key: str, value: str) -> None:
    if key == "globals":
        session.set_global_parameters(ParameterNamespace.from_mapping({value: "1"}))
    elif key.startswith("device"):
        session.default_device_configurations[key] = UnknownDeviceConfiguration(value, {})
    else:
        session.sequences.set_iteration_configuration(PureSequencePath(key), recipe(value))


def recipe(value: str) -> StepsConfiguration:
    return StepsConfiguration([VariableDeclaration(value, "1")])


def work(parent: Connection, root: Path, name: str) -> None:
    """Random sessions in several threads, some writing from their start and some late."""
    storage = HDF5StorageManager(root, lock_timeout=PATIENCE)
    logs: list[Log] = []
    conflicts: list[str] = []

    def sessions(thread: int) -> None:
        choice = random.Random(f"{name} {thread}")
        for number in range(SESSIONS):
            log = Log(f"s_{name}_{thread}_{number}")
            try:
                with storage.session(write=choice.random() < 0.3) as session:
                    for key in choice.sample(KEYS, choice.randint(1, 4)):
                        log.reads[key] = get(session, key)
                    for key in choice.sample(
                        sorted(log.reads), choice.randint(1, min(2, len(log.reads)))
                    ):
                        put(session, key, log.name)
                        log.writes[key] = log.name
            except TransactionConflictError:
                conflicts.append(log.name)
            else:
                logs.append(log)

    threads = [threading.Thread(target=sessions, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parent.send((logs, conflicts))


def look(parent: Connection, root: Path) -> None:
    """Sessions that read everything twice, until told to stop."""
    storage = HDF5StorageManager(root, lock_timeout=PATIENCE)
    count = 0
    while not parent.poll():
        with storage.session() as session:
            first = {key: get(session, key) for key in KEYS}
            again = {key: get(session, key) for key in reversed(KEYS)}
        if first != again:
            parent.send((first, again))
        count += 1
    parent.send(count)


def test_writing_sessions_are_serializable_and_reading_ones_repeatable(tmp_path: Path) -> None:
    root = tmp_path / "store"
    with HDF5StorageManager(root).session() as session:
        for key in KEYS:
            if key.startswith("\\"):
                session.sequences.create(PureSequencePath(key), recipe("s"), TimeLanes.empty())
            else:
                put(session, key, "s")
    readers = [Child(look, root) for _ in range(READING_PROCESSES)]
    writers = [Child(work, root, str(number)) for number in range(WRITING_PROCESSES)]
    answers = [writer.hear() for writer in writers]
    for writer in writers:
        writer.finish()
    for reader in readers:
        reader.tell("stop")
        count = reader.hear()
        assert isinstance(count, int), f"read differently the second time: {count}"
        assert count > 0
        reader.finish()

    logs = [log for logs, _ in answers for log in logs]
    conflicts = [name for _, names in answers for name in names]
    assert len(logs) + len(conflicts) == WRITING_PROCESSES * THREADS * SESSIONS
    assert logs
    assert conflicts
    with HDF5StorageManager(root).session() as session:
        final = {key: get(session, key) for key in KEYS}
    for key in KEYS:
        assert_one_chain(key, logs, final[key])
    TopologicalSorter(dict(predecessors(logs))).prepare()  # raises where there is a cycle


def assert_one_chain(key: str, logs: list[Log], last: str) -> None:
    """No update was lost: each value was replaced once at most, and the last one is there."""
    replaced = [log.reads[key] for log in logs if key in log.writes]
    assert len(set(replaced)) == len(replaced)
    written = {log.name for log in logs if key in log.writes} | {"s"}
    assert written - set(replaced) == {last}


def predecessors(logs: list[Log]) -> Iterator[tuple[str, set[str]]]:
    """Which sessions must have been before each."""
    readers: dict[tuple[str, str], set[str]] = {}
    for log in logs:
        for key, value in log.reads.items():
            readers.setdefault((key, value), set()).add(log.name)
    for log in logs:
        before = set(log.reads.values())
        for key in log.writes:
            before |= readers[key, log.reads[key]]
        yield log.name, before - {log.name}


def test_the_check_finds_a_write_skew() -> None:
    logs = [
        Log("a", {"x": "s", "y": "s"}, {"x": "a"}),
        Log("b", {"x": "s", "y": "s"}, {"y": "b"}),
    ]
    with pytest.raises(CycleError):
        TopologicalSorter(dict(predecessors(logs))).prepare()
