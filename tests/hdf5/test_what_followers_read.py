"""How much a follower reads of a run for each new shot: no more of a long one than of a short."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from shotstore import Shot
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, launch, record


@pytest.fixture
def read_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of shots files were read, each time."""
    found: list[int] = []
    read = disk.File.read_pieces

    def note(file: disk.File, buffers: Sequence[memoryview], offset: int) -> int:
        count = read(file, buffers, offset)
        if file.path.name == "shots.h5":
            found.append(count)
        return count

    monkeypatch.setattr(disk.File, "read_pieces", note)
    return found


def add(storage: HDF5StorageManager, shots: range) -> None:
    with storage.session() as session:
        for index in shots:
            record(session, index=index, parameters={"p": index / 2}, data={"n": index})


def use(shot: Shot) -> None:
    assert shot.get_parameters() == {"p": shot.index / 2}
    assert shot.get_data() == {"n": shot.index}
    assert shot.get_end_time() >= shot.get_start_time()


def test_a_follower_reads_as_much_for_a_late_shot_as_for_an_early_one(
    tmp_path: Path, read_bytes: list[int]
) -> None:
    recorder = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    display = HDF5StorageManager(tmp_path / "store")
    with recorder.session() as session:
        launch(session, shots=None)
    needed = {}
    shots = display.follow(PATH, poll=0)
    last = -1
    for until in (200, 5_000):
        add(recorder, range(last + 1, until))
        while last < until - 1:
            last = next(shots).index
        read_bytes.clear()
        for index in range(until, until + 10):
            add(recorder, range(index, index + 1))
            shot = next(shots)
            assert shot.index == index
            use(shot)
        last = until + 9
        needed[until] = sum(read_bytes)
    assert needed[5_000] <= 1.2 * needed[200]


def test_a_run_that_is_recorded_again_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    """Its file may get the very inode of the one before, which the trash gave back."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    display = HDF5StorageManager(tmp_path / "store")
    with storage.session() as session:
        launch(session, shots=None)
    for turn in range(5):
        order = [*range(turn, 5), *range(turn)]
        for index in order:
            with storage.session() as session:
                record(session, index=index, data={"n": 10 * turn + index})
        with display.session() as session:
            assert [shot.index for shot in session.sequences.get_shots(PATH)] == order
            for index in order:
                data = session.sequences.get_all_shot_data(PATH, index)
                assert data == {"n": 10 * turn + index}
        with storage.session() as session:
            session.sequences.set_finished(PATH, "now")
            session.sequences.reset_to_draft(PATH)
        storage.trash.empty()
        with storage.session() as session:
            session.sequences.set_preparing(PATH, {}, session.get_global_parameters())
            session.sequences.set_running(PATH, "now")
