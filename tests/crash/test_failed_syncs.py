"""Syncs that fail: after one of them the system may have dropped what it could not write, so all of
it is written anew before another is tried."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from shotstore import CommitUncertainError, ParameterNamespace, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.disk import Operation
from shotstore.hdf5.log.log_file import START
from tests.crash.explore import work_on
from tests.crash.logical import contents
from tests.crash.scenarios import DRAFT, RUNNING, annotate, populate, shoot
from tests.crash.test_faults import failing
from tests.crash.transactions import checkpoint, in_a_session

pytestmark = pytest.mark.usefixtures("no_pauses")

HELD = ".shotstore/held"


class FailingSync:
    """Fails some syncs of one file, and keeps what happens to it."""

    def __init__(self, path: Path, times: int, *, kind: str = "sync") -> None:
        self._path = str(path)
        self._kind = kind
        self.left = times
        self.seen: list[Operation] = []

    def __call__(self, operation: Operation) -> None:
        if operation.path != self._path:
            return
        self.seen.append(operation)
        if operation.kind == self._kind and self.left:
            self.left -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

    def written_between_syncs(self) -> list[dict[int, bytes]]:
        """What was written before the first sync, then before the second, and so on."""
        found: list[dict[int, bytes]] = [{}]
        for operation in self.seen:
            if operation.kind == "sync":
                found.append({})
            elif operation.kind == "write":
                found[-1][operation.offset] = operation.data
        return found


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[HDF5StorageManager]:
    with closing(HDF5StorageManager(tmp_path / "store")) as storage:
        populate(storage)
        storage.close()
        yield storage


@pytest.fixture
def log(storage: HDF5StorageManager) -> Path:
    return storage.root / ".shotstore" / "log"


@pytest.fixture
def shots(storage: HDF5StorageManager) -> Path:
    return storage.root / "sequences" / "2026" / "running" / "shots.h5"


record_one = in_a_session(shoot(RUNNING, 3))


@contextmanager
def compared_anew(storage: HDF5StorageManager, number: int) -> Iterator[None]:
    """So many shots are there afterwards, for this storage, for another, and in memory."""
    yield
    with (
        closing(HDF5StorageManager(storage.root, read_only=True)) as reader,
        closing(HDF5StorageManager(storage.root)) as other,
    ):
        for one in (reader, storage, other):
            with one.session() as session:
                assert len(session.sequences.get_shots(RUNNING)) == number
        assert other.verify().findings == []


def test_a_record_of_which_the_sync_fails_once_is_written_again(
    storage: HDF5StorageManager, log: Path
) -> None:
    with compared_anew(storage, 4), failing(failure := FailingSync(log, 1)):
        record_one(storage)
    first, again, *_ = failure.written_between_syncs()
    assert first == again
    assert [*first] == [START]
    work_on(storage)


def test_a_record_of_which_the_sync_fails_twice_is_uncertain(
    storage: HDF5StorageManager, log: Path
) -> None:
    with (
        compared_anew(storage, 4),
        failing(FailingSync(log, 2)),
        pytest.raises(CommitUncertainError, match="output error"),
    ):
        record_one(storage)
    work_on(storage)


def test_a_record_of_which_the_sync_failed_twice_may_be_gone_after_a_power_loss(
    storage: HDF5StorageManager, log: Path
) -> None:
    before = contents(storage)
    content = log.read_bytes()
    with failing(FailingSync(log, 2)), pytest.raises(CommitUncertainError):
        record_one(storage)
    log.write_bytes(content)
    with closing(HDF5StorageManager(storage.root)) as found:
        assert contents(found) == before
        work_on(found)


def test_pages_of_which_the_sync_fails_once_are_written_anew_from_the_log(
    storage: HDF5StorageManager, shots: Path
) -> None:
    at_first = shots.read_bytes()
    record_one(storage)
    in_a_session(shoot(RUNNING, 4))(storage)
    with compared_anew(storage, 5), failing(failure := FailingSync(shots, 1)):
        checkpoint(storage)
    before, anew, *_ = failure.written_between_syncs()
    assert before == {}
    content = bytearray(at_first)
    for at, page in anew.items():
        content[at : at + len(page)] = page
    assert content == shots.read_bytes() != at_first
    assert not any(storage.root.joinpath(HELD).glob("*"))
    work_on(storage)


def test_pages_of_which_the_sync_fails_twice_are_kept_back_alone(
    storage: HDF5StorageManager, shots: Path
) -> None:
    record_one(storage)
    in_a_session(annotate(DRAFT, "new"))(storage)
    with compared_anew(storage, 4):
        with failing(FailingSync(shots, 2)):
            checkpoint(storage)
        assert any(storage.root.joinpath(HELD).glob("*"))
        in_a_session(annotate(DRAFT, "newer"))(storage)
        with closing(HDF5StorageManager(storage.root, read_only=True)) as reader:
            assert contents(reader) == contents(storage)
    in_a_session(shoot(RUNNING, 4))(storage)  # carries it out before
    assert not any(storage.root.joinpath(HELD).glob("*"))
    work_on(storage)


def test_a_document_of_which_the_sync_fails_once_is_written_anew(
    storage: HDF5StorageManager,
) -> None:
    document = storage.root / "sequences" / "drafts" / "a" / "sequence.json"
    in_a_session(annotate(DRAFT, "new"))(storage)
    inode = document.stat().st_ino
    renamed: list[str] = []
    failure = FailingSync(document, 1)

    def observe(operation: Operation) -> None:
        if operation.destination == str(document):
            renamed.append(operation.path)
        failure(operation)

    with failing(observe):
        checkpoint(storage)
    assert failure.left == 0
    assert len(renamed) == 1
    assert document.stat().st_ino != inode
    assert not any(storage.root.joinpath(HELD).glob("*"))
    with storage.session() as session:
        assert session.sequences.get_tags(DRAFT) == {"new"}
    work_on(storage)


@pytest.mark.parametrize("times", [1, 2])
def test_a_directory_of_which_the_sync_fails_loses_nothing(
    storage: HDF5StorageManager, times: int
) -> None:
    document = storage.root / "sequences" / "drafts" / "a" / "sequence.json"
    in_a_session(annotate(DRAFT, "new"))(storage)
    failure = FailingSync(document.parent, times, kind="sync names")
    with failing(failure):
        checkpoint(storage)
    assert failure.left == 0
    assert any(storage.root.joinpath(HELD).glob("*")) == (times == 2)
    with closing(HDF5StorageManager(storage.root)) as other:
        for one in (storage, other):
            with one.session() as session:
                assert session.sequences.get_tags(DRAFT) == {"new"}
    work_on(storage)


@pytest.mark.parametrize("times", [1, 2])
def test_the_root_of_which_the_sync_fails_loses_nothing(
    storage: HDF5StorageManager, times: int
) -> None:
    parameters = ParameterNamespace.empty()
    with storage.session() as session:
        assert session.get_global_parameters() != parameters
        session.set_global_parameters(parameters)
    renamed: list[str] = []
    failure = FailingSync(storage.root, times, kind="sync names")

    def observe(operation: Operation) -> None:
        if operation.kind == "rename":
            renamed.append(Path(operation.destination).name)
        failure(operation)

    with failing(observe):
        checkpoint(storage)
    assert failure.left == 0
    assert "global_parameters.json" in renamed
    assert any(storage.root.joinpath(HELD).glob("*")) == (times == 2)
    with closing(HDF5StorageManager(storage.root)) as other:
        for one in (storage, other):
            with one.session() as session:
                assert session.get_global_parameters() == parameters
    work_on(storage)


def test_a_header_of_which_the_sync_fails_once_is_written_again(
    storage: HDF5StorageManager, log: Path
) -> None:
    record_one(storage)
    with compared_anew(storage, 4), failing(failure := FailingSync(log, 1)):
        checkpoint(storage)
    first, again, *_ = failure.written_between_syncs()
    assert first == again
    assert all(at < START for at in first)
    in_a_session(shoot(RUNNING, 4))(storage)
    work_on(storage)


def test_after_a_header_of_which_the_sync_fails_twice_all_is_carried_out_before_another_commit(
    storage: HDF5StorageManager, log: Path
) -> None:
    record_one(storage)
    with (
        compared_anew(storage, 4),
        failing(FailingSync(log, 2)),
        pytest.raises((OSError, StorageError), match="output error"),
    ):
        checkpoint(storage)
    with compared_anew(storage, 5):
        in_a_session(shoot(RUNNING, 4))(storage)
    work_on(storage)
