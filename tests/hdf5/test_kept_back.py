"""A place that may not be changed keeps back what was committed there, and nothing else."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore import (
    CommitUncertainError,
    DamagedStorageError,
    ParameterNamespace,
    State,
    StorageError,
)
from shotstore.hdf5 import HDF5StorageManager, disk, on_disk
from shotstore.hdf5.overlay import committed_end
from tests.crash.explore import work_on
from tests.crash.failing_place import FailingPlace
from tests.crash.logical import contents
from tests.crash.scenarios import (
    CRASHED,
    DRAFT,
    DRAFTS,
    EMPTY,
    FINISHED,
    RUNNING,
    START,
    populate,
    shoot,
)
from tests.processes.children import Child

NOBODY = 65534


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    (tmp_path / "disk").mkdir()
    storage = HDF5StorageManager(tmp_path / "disk" / "store")
    populate(storage)
    return storage


Change = Callable[[HDF5StorageManager], object]


def in_session(step: Callable[[Any], object]) -> Change:
    def act(storage: HDF5StorageManager) -> None:
        with storage.session() as session:
            step(session)

    return act


CHANGES: dict[str, tuple[str, Change]] = {
    "tag": ("sequences/2026/finished", in_session(lambda s: s.sequences.set_tags(FINISHED, ["x"]))),
    "interrupt": (
        "sequences/2026/running",
        in_session(lambda s: s.sequences.set_interrupted(RUNNING, START)),
    ),
    "delete": (
        "sequences/2026",
        in_session(lambda s: s.paths.delete_path(FINISHED, delete_sequences=True)),
    ),
    "move": ("sequences/2026", in_session(lambda s: s.paths.move(FINISHED, DRAFTS / "b"))),
    "move into": (
        "sequences/drafts",
        in_session(lambda s: s.paths.move(FINISHED, DRAFTS / "b")),
    ),
    "reset": (
        "sequences/2026/finished",
        in_session(lambda s: s.sequences.reset_to_draft(FINISHED)),
    ),
    "globals": ("", in_session(lambda s: s.set_global_parameters(ParameterNamespace.empty()))),
    "devices": (
        "device_configurations",
        in_session(lambda s: s.default_device_configurations.pop("laser")),
    ),
}
"""What is changed, and where that needs to be allowed."""

SHOT = in_session(shoot(RUNNING, 3))


@pytest.mark.parametrize("kind", CHANGES)
def test_what_may_not_be_changed_is_refused_before_anything_is(
    kind: str, storage: HDF5StorageManager
) -> None:
    where, act = CHANGES[kind]
    as_somebody(refused_without_permission, storage.root, where, kind)
    with storage.session() as session:
        assert len(session.sequences.get_shots(RUNNING)) == 3 + (kind != "interrupt")
    act(storage)  # once it is allowed
    assert storage.verify().findings == []


def refused_without_permission(parent: Connection, root: Path, where: str, kind: str) -> None:
    os.setuid(NOBODY)
    storage = HDF5StorageManager(root)
    before = contents(storage)
    directory = root / where
    directory.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="may not be written to") as refused:
            CHANGES[kind][1](storage)
        assert str(directory) in str(refused.value)
        assert contents(storage) == before
        assert contents(HDF5StorageManager(root)) == before
        if kind != "interrupt":
            SHOT(storage)
        assert storage.verify().findings == []
    finally:
        directory.chmod(0o755)
    parent.send("done")


def as_somebody(function: Callable[..., object], root: Path, *arguments: object) -> None:
    """Call a function in a process of a user who may do what its files allow, and no more."""
    if not hasattr(os, "setuid") or os.geteuid() != 0:
        pytest.skip("only root may become another user")
    for folder in (root.parent, root, *root.rglob("*")):
        os.chown(folder, NOBODY, NOBODY)
    for above in root.parents:
        if above.stat().st_uid == 0 and above != Path("/") and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    with Child(function, root, *arguments) as child:
        assert child.hear() == "done"
        child.finish()


# What was allowed before the commit, and is not after it.


AFTERWARDS: dict[str, tuple[str, Change]] = {
    "a shot": ("sequences/2026/running/shots.h5", SHOT),
    "an end": (
        "sequences/2026/running",
        in_session(lambda s: (shoot(RUNNING, 3)(s), s.sequences.set_finished(RUNNING, START))),
    ),
    "tags": ("sequences/2026/finished", CHANGES["tag"][1]),
    "a move away": ("sequences/2026/finished", CHANGES["move"][1]),
    "a move into": ("sequences/drafts", CHANGES["move"][1]),
    "a deletion": ("sequences/2026/finished", CHANGES["delete"][1]),
    "a reset": ("sequences/2026/finished", CHANGES["reset"][1]),
    "the trash": (".shotstore/trash", CHANGES["delete"][1]),
    "globals": ("global_parameters.json", CHANGES["globals"][1]),
}


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("kind", AFTERWARDS)
def test_what_cannot_be_carried_out_keeps_back_that_alone(
    kind: str, error: int, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    where, act = AFTERWARDS[kind]
    shutil.copytree(storage.root, tmp_path / "example")
    act(example := HDF5StorageManager(tmp_path / "example"))
    done = contents_but_trash(example)
    place = storage.root / where
    failing = FailingPlace(place, error)
    with failing.at_work():
        with pytest.raises(CommitUncertainError, match="committed: do not store it again") as said:
            act(storage)
        assert str(place) in str(said.value)
        assert os.strerror(error) in str(said.value)
        for one in (
            storage,
            HDF5StorageManager(storage.root),
            HDF5StorageManager(storage.root, read_only=True),
        ):
            assert contents_but_trash(one) == done
        # Others go on, also after the store was opened anew.
        other = HDF5StorageManager(storage.root)
        work_on(other)
        with other.session() as session:
            session.sequences.set_tags(CRASHED, ["seen"])
        # What is kept back cannot be changed, and says why.
        for again in (storage, other):
            with pytest.raises(StorageError, match="carried out") as refused:
                AFTERWARDS_AGAIN[kind](again)
            assert str(place) in str(refused.value)
            assert os.strerror(error) in str(refused.value)
        findings = [f for f in other.verify().findings if str(place) in str(f.file)]
        assert len(findings) == 1
        assert findings[0].severity == "damage"
        assert os.strerror(error) in findings[0].problem
    # Once it can be carried out, it is.
    anew = HDF5StorageManager(storage.root)
    assert anew.verify().findings == []
    assert not list((storage.root / ".shotstore" / "tx").iterdir())
    found = contents_but_trash(anew)
    assert found["paths"].pop("\\next")
    assert {path for path in done["paths"] if found["paths"][path] != done["paths"][path]} == {
        str(CRASHED)
    }
    AFTERWARDS_AGAIN[kind](storage)
    assert storage.verify().findings == []


AFTERWARDS_AGAIN: dict[str, Change] = {
    "a shot": in_session(shoot(RUNNING, 4)),
    "an end": in_session(lambda s: s.sequences.set_tags(RUNNING, ["again"])),
    "tags": in_session(lambda s: s.sequences.set_tags(FINISHED, ["again"])),
    "a move away": in_session(lambda s: s.sequences.set_tags(DRAFTS / "b", ["again"])),
    "a move into": in_session(lambda s: s.sequences.set_tags(DRAFTS / "b", ["again"])),
    "a deletion": in_session(lambda s: s.paths.create_path(FINISHED)),
    "a reset": in_session(lambda s: s.sequences.set_tags(FINISHED, ["again"])),
    "the trash": lambda storage: storage.trash.restore(storage.trash.entries()[-1]),
    "globals": in_session(lambda s: s.set_global_parameters(ParameterNamespace.empty())),
}


def contents_but_trash(storage: HDF5StorageManager) -> dict[str, Any]:
    """Everything; of the trash, what is in it but not when it came there."""
    found = contents(storage)
    return {**found, "trash": [(path, reason) for path, reason, _ in found["trash"]]}


def test_a_place_that_is_allowed_again_is_recorded_into_by_the_same_program(
    storage: HDF5StorageManager,
) -> None:
    failing = FailingPlace(storage.root / "sequences/2026/running/shots.h5", errno.EIO)
    with failing.at_work(), pytest.raises(CommitUncertainError):
        SHOT(storage)
    in_session(shoot(RUNNING, 4))(storage)
    with storage.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(RUNNING)] == [0, 1, 2, 3, 4]
        assert session.sequences.get_state(RUNNING) is State.RUNNING


def test_what_fails_later_keeps_back_itself_alone(storage: HDF5StorageManager) -> None:
    failing = FailingPlace(storage.root / "sequences/2026/running", errno.EIO)
    with failing.at_work(), pytest.raises(CommitUncertainError):
        SHOT(storage)
    held = storage.root / ".shotstore/held"
    assert len(list(held.iterdir())) == 1
    # What does not fit any more is not tried again, and stays in the round.
    (storage.root / "sequences/2026/running").rename(storage.root / "running")
    later = FailingPlace(storage.root / "sequences/2026/finished", errno.EIO)
    with later.at_work(), pytest.raises(CommitUncertainError) as said:
        in_session(lambda s: s.sequences.set_tags(FINISHED, ["x"]))(storage)
    assert "finished" in str(said.value)
    assert "running" not in str(said.value)
    assert len(list(held.iterdir())) == 2


def test_places_that_fail_at_different_steps_are_kept_back_each_by_itself(
    storage: HDF5StorageManager,
) -> None:
    # The one fails before it is written, the other after it has left its old path.
    shots = FailingPlace(storage.root / "sequences/2026/running/shots.h5", errno.EIO)
    drafts = storage.root / "sequences/drafts"

    def change(operation: disk.Operation) -> None:
        shots.change(operation)
        if operation.kind == "sync names" and operation.path == str(drafts):
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

    moved = EMPTY / "b"
    disk.observe = change
    try:
        with pytest.raises(CommitUncertainError) as said:
            in_session(lambda s: (shoot(RUNNING, 3)(s), s.paths.move(DRAFT, moved)))(storage)
    finally:
        disk.observe = None
    assert str(drafts) in str(said.value)
    assert "shots.h5" in str(said.value)
    for one in (storage, HDF5StorageManager(storage.root)):
        with one.session() as session:
            assert len(session.sequences.get_shots(RUNNING)) == 4
            assert session.sequences.is_sequence(moved)
            assert not session.paths.does_path_exists(DRAFT)
    assert storage.verify().findings == []


def _is_gone(sequence: Path, _: Path) -> None:
    shutil.rmtree(sequence)


def _is_an_older_one(sequence: Path, older: Path) -> None:
    shutil.copy(older, sequence / "shots.h5")


def _was_cut_off(sequence: Path, _: Path) -> None:
    with closing(disk.File(sequence / "shots.h5", "r+")) as file:
        file.truncate(committed_end(file))


@pytest.mark.parametrize("change", [_is_gone, _is_an_older_one, _was_cut_off])
def test_what_is_kept_back_for_a_file_that_was_changed_by_hand_keeps_back_that_alone(
    change: Callable[[Path, Path], None], storage: HDF5StorageManager, tmp_path: Path
) -> None:
    sequence = storage.root / "sequences/2026/running"
    older = shutil.copy(sequence / "shots.h5", tmp_path)
    frame = np.arange(10_000.0)
    in_session(shoot(RUNNING, 3, frame=frame))(storage)
    failing = FailingPlace(sequence / "shots.h5", errno.EIO)
    with failing.at_work(), pytest.raises(CommitUncertainError):
        in_session(shoot(RUNNING, 4, frame=frame))(storage)
    storage.close()
    change(sequence, Path(older))
    (held,) = (storage.root / ".shotstore/held").iterdir()
    for read_only in (True, False):
        one = HDF5StorageManager(storage.root, read_only=read_only)
        with one.session() as session:
            assert len(session.sequences.get_shots(FINISHED)) == 3
        (finding,) = [f for f in one.verify().findings if "carried out" in f.problem]
        assert finding.severity == "damage"
        assert finding.file == held
        assert str(held) in finding.remedy
    work_on(one)
    interrupt_or_create = in_session(
        lambda session: (
            session.sequences.set_interrupted(RUNNING, START)
            if session.paths.does_path_exists(RUNNING)
            else session.paths.create_path(RUNNING)
        )
    )
    with pytest.raises(StorageError, match="carried out") as refused:
        interrupt_or_create(one)
    assert str(held) in str(refused.value)
    # To go on with what is there, as the message says.
    held.unlink()
    interrupt_or_create(one)
    in_session(lambda session: session.sequences.set_tags(CRASHED, ["seen"]))(one)
    assert one.verify().findings == []


def test_what_is_kept_back_and_cannot_be_read_is_found(storage: HDF5StorageManager) -> None:
    failing = FailingPlace(storage.root / AFTERWARDS["a shot"][0], errno.EIO)
    with failing.at_work(), pytest.raises(CommitUncertainError):
        SHOT(storage)
    (held,) = (storage.root / ".shotstore/held").iterdir()
    held.write_bytes(held.read_bytes()[:-1])
    for read_only in (True, False):
        one = HDF5StorageManager(storage.root, read_only=read_only)
        (finding,) = [f for f in one.verify().findings if f.severity == "damage"]
        assert finding.file == held
        with pytest.raises(DamagedStorageError, match=r"held/.*move it out of the store"):
            contents(one)


def test_what_was_committed_stays_so_if_what_is_kept_back_cannot_be_read_at_once(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observe(path: str) -> None:
        if "/held/" in path:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    failing = FailingPlace(storage.root / "sequences/drafts", errno.EIO)
    with failing.at_work(), monkeypatch.context() as patch:
        patch.setattr(on_disk, "observe_reading", observe)
        with pytest.raises(CommitUncertainError, match="do not store it again"):
            CHANGES["move into"][1](storage)
    for one in (storage, HDF5StorageManager(storage.root)):
        with one.session() as session:
            assert len(session.sequences.get_shots(DRAFTS / "b")) == 3
            assert not session.paths.does_path_exists(FINISHED)
    assert storage.verify().findings == []
