"""The file that is recorded into stays open between sessions: when it is closed after all."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shotstore import State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, bring_to, launch, path, record
from tests.checkpoints import close_dropped_storages
from tests.open_files import count_data_files

ROOT = Path(__file__).parents[2]

PRELUDE = """
import atexit, os, sys
def at_exit():
    {at_exit}
atexit.register(at_exit)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import launch, record
storage = HDF5StorageManager(sys.argv[1], serializer=serializer())
def shoot(index):
    with storage.session() as session:
        record(session, index=index)
with storage.session() as session:
    launch(session)
shoot(0)
shoot(1)
"""


def run(code: str, store: Path, at_exit: str = "pass") -> None:
    """Run a program; it must end as programs end, and say nothing."""
    program = PRELUDE.format(at_exit=at_exit) + code
    # Python from 3.12 on warns of forks beside threads, which is what is tried here.
    options = "-W", "ignore::DeprecationWarning"
    done = subprocess.run(
        [sys.executable, *options, "-c", program, str(store)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def recorded(store: Path) -> list[int]:
    with HDF5StorageManager(store).session() as session:
        return [shot.index for shot in session.sequences.get_shots(PATH)]


@pytest.fixture
def open_files() -> Callable[[], int]:
    close_dropped_storages()
    before = count_data_files()
    return lambda: count_data_files() - before


def test_a_program_that_records_ends_as_others_do(tmp_path: Path) -> None:
    run("", tmp_path / "store")
    assert recorded(tmp_path / "store") == [0, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_recorder_ends_as_others_do(tmp_path: Path) -> None:
    code = """
pid = os.fork()
if pid == 0:
    shoot(2)
    shoot(3)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
shoot(4)
"""
    run(code, tmp_path / "store")
    assert recorded(tmp_path / "store") == [0, 1, 2, 3, 4]


def test_the_last_shot_may_be_recorded_while_python_exits(tmp_path: Path) -> None:
    run("", tmp_path / "store", at_exit="shoot(2)")
    assert recorded(tmp_path / "store") == [0, 1, 2]


def test_a_program_may_end_while_a_dropped_storage_is_closed(tmp_path: Path) -> None:
    """The thread that closes it is inside HDF5 then, with h5py's lock."""
    code = """
import gc
import threading
import time
import h5py
from shotstore.hdf5.open_shots import ShotsWriter
close, is_closing = ShotsWriter.close, threading.Event()
def close_slowly(self, *, discard):
    with h5py._objects.phil:
        is_closing.set()
        time.sleep(0.5)
        close(self, discard=discard)
ShotsWriter.close = close_slowly
of_the_program = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
del storage, session
while not is_closing.wait(0.01):
    gc.collect()
"""
    run(code, tmp_path / "store")
    assert recorded(tmp_path / "store") == [0, 1]


@pytest.mark.parametrize("leaves", ["deleted", "moved"])
def test_a_sequence_that_ends_and_leaves_in_one_session_is_closed(
    storage: HDF5StorageManager, open_files: Callable[[], int], leaves: str
) -> None:
    with storage.session() as session:
        launch(session)
    with storage.session() as session:
        record(session)
    assert open_files() == 1
    with storage.session() as session:
        session.sequences.set_interrupted(PATH, "now")
        if leaves == "deleted":
            session.paths.delete_path(PATH, delete_sequences=True)
        else:
            session.paths.move(PATH, path(r"\elsewhere"))
    assert open_files() == 0


def test_no_more_than_a_few_files_stay_open(
    storage: HDF5StorageManager, open_files: Callable[[], int]
) -> None:
    paths = [path(rf"\{number}") for number in range(10)]
    with storage.session() as session:
        for sequence in paths:
            bring_to(session, State.RUNNING, sequence)
    for index in (1, 2):
        for sequence in paths:
            with storage.session() as session:
                record(session, sequence, index)
    assert open_files() == 4
    storage.close()
    assert open_files() == 0
    with storage.session() as session:
        record(session, paths[0], 3)
        assert len(session.sequences.get_shots(paths[0])) == 4


@pytest.mark.skipif(os.name == "nt", reason="nothing is left open there")
def test_a_file_stays_open_while_others_store_results(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_writer = ShotsWriter.open

    def note(file: Path, stage: Callable[[], Path]) -> ShotsWriter:
        opened.append(file.name)
        return open_writer(file, stage)

    monkeypatch.setattr(ShotsWriter, "open", note)
    other = HDF5StorageManager(storage.root, serializer=serializer())
    launch(storage)
    for index in range(4):
        record(storage, index=index)
        with other.session() as session:
            session.sequences.set_results(PATH, index, {"fraction": index / 4})
    # Again after the first result: it is another file, and for that the log begins anew.
    assert opened.count("shots.h5") == 2
    record(other, index=4)  # now it is another than the one that is open
    record(storage, index=5)
    record(other, index=6)
    assert opened.count("shots.h5") == 5
    with storage.session() as session:
        assert [shot.index for shot in session.get_sequence(PATH)] == list(range(7))
        assert len(session.sequences.get_results(PATH)) == 4
    assert not storage.verify().findings


@pytest.mark.skipif(os.name == "nt", reason="nothing is left open there")
def test_a_file_is_opened_anew_where_nobody_knows_what_others_have_done(
    storage: HDF5StorageManager,
) -> None:
    other = HDF5StorageManager(storage.root, serializer=serializer())
    launch(storage)
    record(storage, index=0)
    record(other, index=1)
    other.close()  # which begins the log anew
    record(storage, index=2)
    assert recorded(storage.root) == [0, 1, 2]
    assert not storage.verify().findings
