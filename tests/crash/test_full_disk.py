"""Disks that are really full, and files that may really not grow."""

import errno
import subprocess
from contextlib import nullcontext, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from shotstore import CommitUncertainError, PureSequencePath, Sequence, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.disk import Operation
from shotstore.testing.exactness import exactly_equal
from tests.commit_moment import CommitMoment
from tests.crash.logical import contents
from tests.crash.scenarios import FINISHED, RUNNING, START, populate, shoot
from tests.crash.test_faults import failing
from tests.processes.children import Child

FRAME = np.arange(40_000, dtype=np.uint16)


def test_a_full_disk_refuses_shots_and_keeps_those_it_has(small_disk: Path) -> None:
    storage = HDF5StorageManager(small_disk / "store")
    populate(storage)
    recorded = record_until_refused(storage, errno.ENOSPC)
    assert recorded > 3
    assert_whole(storage, recorded)

    with storage.session() as session:
        session.paths.delete_path(FINISHED, delete_sequences=True)
    storage.trash.empty()
    (small_disk / "ballast").write_bytes(bytes(100))
    (small_disk / "ballast").unlink()
    assert_whole(storage, recorded)


def test_a_full_disk_takes_shots_again_once_there_is_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(900_000))
    storage = HDF5StorageManager(small_disk / "store")
    populate(storage)
    recorded = record_until_refused(storage, errno.ENOSPC)
    ballast.unlink()
    with storage.session() as session:
        shoot(RUNNING, recorded, frame=FRAME)(session)
    assert_whole(storage, recorded + 1)
    storage.close()  # or the disk could not be unmounted


def test_a_file_that_may_not_grow_refuses_shots_and_keeps_those_it_has(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no limits of this kind")
    del resource
    storage = HDF5StorageManager(tmp_path / "store")
    populate(storage)
    child = Child(record_with_a_limit, tmp_path / "store")
    recorded = child.hear()
    child.finish()
    assert recorded > 3
    assert_whole(storage, recorded)
    with storage.session() as session:
        shoot(RUNNING, recorded, frame=FRAME)(session)
    assert_whole(storage, recorded + 1)


def record_with_a_limit(parent: Connection, root: Path) -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    parent.send(record_until_refused(HDF5StorageManager(root), errno.EFBIG))


def record_until_refused(storage: HDF5StorageManager, error: int) -> int:
    """Record after the three shots that are there; the number of the first that is refused, three
    times, so that what a refused one leaves is not in the way either."""
    index = 3
    is_refused = False
    while not is_refused:
        try:
            with storage.session() as session:
                shoot(RUNNING, index, frame=FRAME)(session)
            index += 1
        except OSError:
            is_refused = True
    for _ in range(2):
        with pytest.raises(OSError, match=rf"Errno {error}\b"), storage.session() as session:
            shoot(RUNNING, index, frame=FRAME)(session)
    return index


def assert_whole(storage: HDF5StorageManager, count: int) -> None:
    for one in (storage, HDF5StorageManager(storage.root)):
        with one.session() as session:
            shots = Sequence(RUNNING, session).get_shots()
            assert [shot.index for shot in shots] == list(range(count))
            for shot in shots[3:]:
                assert exactly_equal(shot.get_data_by_label("frame"), FRAME)


def test_a_disk_that_becomes_read_only_is_read_by_a_storage_that_was_open(
    small_disk: Path,
) -> None:
    storage = HDF5StorageManager(small_disk / "store")
    populate(storage)
    expected = contents(storage)
    storage.close()
    remount(small_disk, "ro")
    try:
        assert contents(storage) == expected
        with (
            pytest.raises((OSError, StorageError), match="Read-only file system"),
            storage.session() as session,
        ):
            session.sequences.set_tags(RUNNING, ["new"])
        assert contents(storage) == expected
        assert storage.verify().findings == []
    finally:
        remount(small_disk, "rw")
    with storage.session() as session:
        session.sequences.set_tags(RUNNING, ["new"])


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_disk_that_is_full_from_the_commit_on_takes_a_move(
    small_disk: Path, is_killed: bool
) -> None:
    storage = HDF5StorageManager(small_disk / "store")
    populate(storage)
    commit = CommitMoment()

    def fill(operation: Operation) -> None:
        was_committed = commit.has_come
        if not commit.note(operation):
            return
        if is_killed:
            raise OSError(errno.EIO, "killed")
        if not was_committed:
            with suppress(OSError), (small_disk / "ballast").open("wb") as ballast:
                while True:
                    ballast.write(bytes(4096))
                    ballast.flush()

    moved = PureSequencePath(r"\2026\new\moved")
    with (
        failing(fill),
        pytest.raises(CommitUncertainError) if is_killed else nullcontext(),
        storage.session() as session,
    ):
        shoot(RUNNING, 3)(session)
        session.sequences.set_finished(RUNNING, START)
        session.paths.move(RUNNING, moved)
    assert commit.has_come
    for one in (
        HDF5StorageManager(storage.root, read_only=True),
        storage,
        HDF5StorageManager(storage.root),
    ):
        with one.session() as session:
            assert len(Sequence(moved, session)) == 4
            assert not session.paths.does_path_exists(RUNNING)
    assert storage.verify().findings == []
