"""Syncs that fail: after one of them the system may have dropped what it could not write, so all of
it is written anew before another is tried."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from shotstore import CommitUncertainError, ParameterNamespace, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.disk import Operation
from shotstore.hdf5.log.log_file import START
from tests.crash.explore import work_on
from tests.crash.logical import contents
from tests.crash.scenarios import (
    DRAFT,
    DRAFTS,
    EMPTY,
    FINISHED,
    RUNNING,
    all_of,
    annotate,
    create,
    launch,
    populate,
    shoot,
)
from tests.crash.scenarios import START as START_TIME
from tests.crash.test_faults import failing
from tests.crash.transactions import checkpoint, in_a_session

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


def test_what_a_checkpoint_keeps_back_is_refused_to_the_commit_that_made_it(
    storage: HDF5StorageManager, shots: Path
) -> None:
    record_one(storage)
    new = EMPTY / "new"
    with (
        compared_anew(storage, 4),
        failing(FailingSync(shots, 2)),
        pytest.raises(StorageError, match=r"shots\.h5.*cannot be changed"),
    ):
        in_a_session(all_of(shoot(RUNNING, 4), create(new), launch(new)))(storage)
    with storage.session() as session:
        assert not session.paths.does_path_exists(new)
    with compared_anew(storage, 5):
        in_a_session(shoot(RUNNING, 4))(storage)
    work_on(storage)


def test_what_is_kept_back_is_written_anew_by_who_changes_it_and_by_nobody_else(
    storage: HDF5StorageManager, shots: Path
) -> None:
    record_one(storage)
    with failing(FailingSync(shots, 2)):
        checkpoint(storage)
    with failing(elsewhere := FailingSync(shots, 0)):
        in_a_session(annotate(DRAFT, "new"))(storage)
    assert elsewhere.seen == []
    # The pages that the system has in memory are those that it could not bring to the disk.
    with failing(seen := FailingSync(shots, 0)), storage.session() as session:
        session.sequences.set_interrupted(RUNNING, START_TIME)
    assert [operation.kind for operation in seen.seen][:2] == ["write", "sync"]
    assert not any(storage.root.joinpath(HELD).glob("*"))


def test_what_is_kept_back_and_cannot_be_synced_again_stays(
    storage: HDF5StorageManager, shots: Path
) -> None:
    record_one(storage)
    with compared_anew(storage, 4):
        with failing(FailingSync(shots, 2)):
            checkpoint(storage)
        (held,) = storage.root.joinpath(HELD).glob("*")
        with failing(FailingSync(shots, 1)), pytest.raises(StorageError, match="output error"):
            in_a_session(shoot(RUNNING, 4))(storage)
        assert [*storage.root.joinpath(HELD).glob("*")] == [held]
    work_on(storage)


def test_a_log_that_cannot_be_finished_is_left_by_who_tries_what_is_kept_back(
    storage: HDF5StorageManager, shots: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_one(storage)
    with failing(FailingSync(shots, 2)):
        checkpoint(storage)
    in_a_session(annotate(DRAFT, "new"))(storage)
    content = log.read_bytes()

    def fail(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Commits, "finish", fail)
        problems = [finding.problem for finding in storage.verify().findings]
    assert len(problems) == 2
    assert any("No space left" in problem for problem in problems)
    assert log.read_bytes() == content
    assert storage.verify().findings == []


def test_a_directory_of_which_the_sync_fails_after_a_move_spoils_no_shots(
    storage: HDF5StorageManager,
) -> None:
    # What was committed as pages of one sequence is for a path at which another one lies by now.
    aside = DRAFTS / "aside"
    place = str(storage.root / "sequences" / "2026")
    has_left = False

    def observe(operation: Operation) -> None:
        nonlocal has_left
        has_left = has_left or operation.destination.endswith("-departed")
        if has_left and operation.kind == "sync names" and operation.path == place:
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

    with failing(observe), suppress(CommitUncertainError), storage.session() as session:
        shoot(RUNNING, 3)(session)
        session.sequences.set_finished(RUNNING, START_TIME)
        session.paths.move(RUNNING, aside)
        session.paths.move(FINISHED, RUNNING)
        session.paths.move(aside, FINISHED)
    assert has_left
    for one in (storage, HDF5StorageManager(storage.root)):
        with one.session() as session:
            assert len(session.sequences.get_shots(FINISHED)) == 4
            assert len(session.sequences.get_shots(RUNNING)) == 3
    assert storage.verify().findings == []
