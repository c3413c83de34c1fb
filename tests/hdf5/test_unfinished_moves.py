"""A commit that moves something, and what keeps it from being brought to its end."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.log.log_file import START
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import PATH, finish, launch, path, record
from shotstore.testing.lab import serializer
from tests.commit_moment import CommitMoment

OTHER = path(r"\2026\other")


@pytest.fixture
def swap(storage: HDF5StorageManager) -> Callable[[], None]:
    """Record into a sequence, end it, and let it change places with one that has fewer shots."""
    with storage.session() as session:
        launch(session, OTHER, shots=None)
        record(session, OTHER, index=0, data={"n": 1})
        finish(session, OTHER)
        launch(session, shots=None)
        for index in range(5):
            record(session, index=index, data={"n": 1})
    storage.close()

    def swap() -> None:
        with storage.session() as session:
            record(session, index=5, data={"n": 1})
            finish(session)
            between = path(r"\between")
            session.paths.move(PATH, between)
            session.paths.move(OTHER, PATH)
            session.paths.move(between, OTHER)

    return swap


def _content(storage: HDF5StorageManager) -> dict[str, Any]:
    with storage.session() as session:
        assert len(session.sequences.get_shots(OTHER)) == 6
        assert len(session.sequences.get_shots(PATH)) == 1
        return content(session)


def _damage(storage: HDF5StorageManager) -> list[str]:
    found = storage.verify().findings
    return [finding.problem for finding in found if finding.severity == "damage"]


@pytest.mark.parametrize("is_first_sync", [True, False])
def test_a_checkpoint_that_fails_after_it_does_not_undo_it(
    storage: HDF5StorageManager,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    is_first_sync: bool,
) -> None:
    log = str(storage.root / ".shotstore" / "log")
    moment = CommitMoment()

    def observe(operation: disk.Operation) -> None:
        if moment.note(operation):
            is_header = operation.path == log and operation.offset < START
            is_of_checkpoint = operation.kind == "sync" and operation.path.endswith(".json")
            if is_of_checkpoint if is_first_sync else is_header:
                raise OSError(errno.EIO, "the disk fails", operation.path)

    monkeypatch.setattr(disk, "observe", observe)
    swap()
    monkeypatch.undo()
    expected = _content(storage)
    with storage.session() as session:
        session.paths.create_path(path(r"\later"))
    again = reopened(storage)
    with again.session() as session:
        session.paths.delete_path(path(r"\later"))
    np.testing.assert_equal(_content(again), expected)
    assert not _damage(again)


def test_a_kill_at_any_moment_after_it_leaves_shots_where_they_belong(
    storage: HDF5StorageManager,
    swap: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = CommitMoment()
    lefts: list[Path] = []

    def observe(operation: disk.Operation) -> None:
        if moment.note(operation):
            lefts.append(tmp_path / f"left {len(lefts)}")
            shutil.copytree(storage.root, lefts[-1])

    monkeypatch.setattr(disk, "observe", observe)
    swap()
    monkeypatch.undo()
    expected = _content(storage)
    assert len(lefts) > 10
    for left in lefts:
        opened = HDF5StorageManager(left, serializer=serializer())
        np.testing.assert_equal(_content(opened), expected)
        assert not _damage(opened)
        opened.close()
