"""Ctrl-C at every instruction and at random instants: the process goes on as if it were new."""

import contextlib
import dis
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, SupportsIndex

import pytest

from shotstore.hdf5 import HDF5StorageManager
from tests.processes import shots
from tests.processes.children import Child
from tests.processes.shots import RUN

# Where CPython looks whether a signal has come: at the start of a function, after a call, and
# where a loop goes back.
LOOKS_FOR_SIGNALS = {"RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD"}


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    storage = HDF5StorageManager(tmp_path / "store", lock_timeout=5)
    shots.launched(storage)
    shots.recorded(storage, 0)
    return storage


class Recorder:
    """Records and reads, and knows how many shots are safe."""

    def __init__(self, storage: HDF5StorageManager, *, write: bool) -> None:
        self.storage = storage
        self.write = write
        self.acknowledged = 1

    def record(self) -> None:
        with self.storage.session(write=self.write) as session:
            index = len(shots.indices(session))
            shots.record(session, index)
        self.acknowledged = index + 1

    def read(self) -> None:
        with self.storage.session() as session:
            index = len(shots.indices(session)) - 1
            assert session.sequences.get_all_shot_data(RUN, index)["number"] == index

    def check(self) -> None:
        """All locks are free, and what was acknowledged is there."""
        with self.storage.session(write=True) as session:
            found = shots.indices(session)
            assert len(found) in (self.acknowledged, self.acknowledged + 1)
            assert found == list(range(len(found)))
            shots.check(session, len(found) - 1)
        self.acknowledged = len(found)


class Interrupt:
    """Calls a function, and raises KeyboardInterrupt at the n-th place where a signal could."""

    def __init__(self, place: int) -> None:
        self._place = place
        self.places = 0

    def call(self, function: Callable[[], object]) -> None:
        # Python 3.12 traces instructions only if a frame has asked for that before.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._enter)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._step

    def _step(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode" and frame.f_lasti in places_in(frame.f_code):
            if self.places == self._place:
                sys.settrace(None)
                raise KeyboardInterrupt
            self.places += 1
        return self._step


def places_in(code: CodeType, _known: dict[CodeType, set[int]] = {}) -> set[int]:  # noqa: B006
    """Offsets of the instructions that follow one where Python looks for signals."""
    if code not in _known:
        pairs = itertools.pairwise(dis.get_instructions(code))
        _known[code] = {after.offset for one, after in pairs if one.opname in LOOKS_FOR_SIGNALS}
    return _known[code]


def interrupt_everywhere(
    _: Connection, storage: HDF5StorageManager, write: bool, what: str, step: int
) -> None:
    recorder = Recorder(storage, write=write)
    work = getattr(recorder, what)
    everything = Interrupt(-1)
    everything.call(work)
    assert everything.places > 50
    for place in range(0, everything.places, step):
        Interrupt(place).call(work)
        recorder.check()
    assert shots.read_all(storage) == list(range(recorder.acknowledged))


@pytest.mark.parametrize(
    ("what", "write", "step"), [("record", False, 2), ("record", True, 5), ("read", False, 2)]
)
def test_interrupted_at_every_instruction(
    storage: HDF5StorageManager, what: str, write: bool, step: int
) -> None:
    with Child(interrupt_everywhere, storage, write, what, step) as process:
        process.finish()


def interrupt_at_random(parent: Connection, storage: HDF5StorageManager, count: int) -> None:
    choice = random.Random(os.getpid())
    recorder = Recorder(storage, write=False)
    start = time.perf_counter()
    for _ in range(3):
        recorder.record()
        recorder.read()
    duration = (time.perf_counter() - start) / 3
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    interrupted = 0
    while interrupted < count:
        recorder.write = choice.random() < 0.5
        try:
            signal.setitimer(signal.ITIMER_REAL, choice.uniform(1e-6, duration))
            recorder.record()
            recorder.read()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
        recorder.check()
    parent.send(recorder.acknowledged)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_interrupted_hundreds_of_times(storage: HDF5StorageManager) -> None:
    with Child(interrupt_at_random, storage, 200) as process:
        number = process.hear()
        process.finish()
    assert shots.read_all(storage) == list(range(number))


def wait_for_lock(parent: Connection, storage: HDF5StorageManager) -> None:
    patient = HDF5StorageManager(storage.root, lock_timeout=1e9)
    sleep = time.sleep

    def sleep_and_tell(seconds: float | SupportsIndex) -> None:
        time.sleep = sleep
        parent.send("waits")
        sleep(seconds)

    time.sleep = sleep_and_tell
    try:
        shots.recorded(patient, 1)
    except KeyboardInterrupt:
        parent.send("interrupted")
    assert shots.read_all(patient) == [0]
    parent.recv()
    shots.recorded(patient, 1)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_an_interrupt_ends_the_waiting_for_a_lock(storage: HDF5StorageManager) -> None:
    with contextlib.ExitStack() as stack:
        with storage.session(write=True):
            process = stack.enter_context(Child(wait_for_lock, storage))
            assert process.hear() == "waits"
            os.kill(process.pid, signal.SIGINT)
            assert process.hear() == "interrupted"
        process.tell("go on")
        process.finish()
    assert shots.read_all(storage) == [0, 1]
