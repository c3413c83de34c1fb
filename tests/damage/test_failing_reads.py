"""Disks that fail to read, and files that the system does not let one read: each is told by its
name, and everything else goes on."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from shotstore import DamagedStorageError, PureSequencePath, copy
from shotstore.hdf5 import Finding, HDF5StorageManager, Report, on_disk
from shotstore.testing.experiments import create, finish, launch, path, record
from tests.permissions import mode, ordinary_user

FRAME = np.arange(64 * 64, dtype="<u2").reshape(64, 64)
RABI = path(r"\2026\rabi")
RAMSEY = path(r"\2026\ramsey")
LOST = path(r"\lost+found")


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with two sequences of two shots."""
    with storage.session() as session:
        for at in (RABI, RAMSEY):
            launch(session, at)
            for index in range(2):
                record(session, at, index=index, data={"frame": FRAME + index})
            finish(session, at)
    return storage


@contextmanager
def unreadable(*files: Path) -> Iterator[None]:
    """Reading these ends in EIO."""
    names = {str(file) for file in files}

    def fail(path: str) -> None:
        if path in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    on_disk.observe_reading = fail
    try:
        yield
    finally:
        on_disk.observe_reading = None


def directory(storage: HDF5StorageManager, at: PureSequencePath) -> Path:
    return storage.root.joinpath("sequences", *at.parts)


def the_damage(report: Report) -> Finding:
    (found,) = (finding for finding in report.findings if finding.severity == "damage")
    return found


def reopened(storage: HDF5StorageManager) -> HDF5StorageManager:
    return HDF5StorageManager(storage.root, serializer=storage.serializer)


@pytest.mark.parametrize("name", ["sequence.json", "shots.h5"])
def test_a_file_of_a_sequence_that_the_disk_cannot_read(
    recorded: HDF5StorageManager, tmp_path: Path, name: str
) -> None:
    file = directory(recorded, RABI) / name
    before = file.read_bytes()
    with unreadable(file):
        storage = reopened(recorded)
        report = storage.verify()
        finding = the_damage(report)
        assert (finding.file, finding.path) == (file, RABI)
        assert "Input/output error" in finding.problem
        assert report.sequences == 2  # the other one was read too
        with pytest.raises(DamagedStorageError, match=name):
            storage.scan(RABI).collect()
        with pytest.raises(DamagedStorageError, match=name):
            storage.scan("\\").collect()
        with pytest.raises(DamagedStorageError, match=name):
            storage.export("\\", tmp_path / "all.csv", columns=["counts"])
        assert len(storage.scan(RAMSEY).collect()) == 2
        found = storage.find(label="frame")
        assert [summary.path for summary in found] == [RAMSEY]
        assert storage.export(found, tmp_path / "found.csv", columns=["sequence"]).exists()
        with pytest.raises(DamagedStorageError, match=name):
            storage.recover(RABI)
    assert not (tmp_path / "all.csv").exists()
    assert file.read_bytes() == before
    assert reopened(recorded).verify().findings == []


def test_frames_that_the_disk_cannot_read(recorded: HDF5StorageManager) -> None:
    storage = reopened(recorded)
    file = directory(storage, RABI) / "shots.h5"
    with storage.session() as session:
        assert len(session.sequences.get_shots(RABI)) == 2
        with unreadable(file), pytest.raises(DamagedStorageError, match=r"rabi.*Input/output"):
            session.sequences.get_all_shot_data(RABI, 0)


@pytest.mark.parametrize(
    "name", ["shotstore.json", "global_parameters.json", "device_configurations"]
)
def test_a_part_of_the_store_that_the_disk_cannot_read(
    recorded: HDF5StorageManager, name: str
) -> None:
    with recorded.session() as session:
        session.set_global_parameters(session.get_global_parameters())
    storage = reopened(recorded)
    with unreadable(recorded.root / name):
        report = storage.verify()
    assert the_damage(report).file == recorded.root / name
    assert report.sequences == 2


@pytest.mark.parametrize("name", [".", "entry.json", "content/sequence.json", "content/shots.h5"])
def test_an_entry_of_the_trash_that_cannot_be_read(recorded: HDF5StorageManager, name: str) -> None:
    with recorded.session() as session:
        session.paths.delete_path(RABI, delete_sequences=True)
    (entry,) = recorded.trash.entries()
    file = recorded.trash.directory / entry.id / name
    with ordinary_user(recorded.root), mode(file, 0):
        report = reopened(recorded).verify()
    assert report.is_damaged
    assert {finding.file.is_relative_to(file.parent) for finding in report.findings} == {True}
    assert report.sequences >= 1


# Directories


@contextmanager
def lost_and_found(storage: HDF5StorageManager) -> Iterator[HDF5StorageManager]:
    """A directory in the tree that nobody may look into."""
    lost = storage.root / "sequences" / "lost+found"
    lost.mkdir()
    with ordinary_user(storage.root), mode(lost, 0):
        yield reopened(storage)


def test_a_directory_that_cannot_be_read_breaks_no_listing(recorded: HDF5StorageManager) -> None:
    with lost_and_found(recorded) as storage:
        assert [summary.path for summary in storage.find()] == [RABI, RAMSEY]
        assert len(storage.scan("\\").collect()) == 4
        with storage.session() as session:
            assert session.paths.get_children(PureSequencePath.root()) == {path(r"\2026"), LOST}
            assert session.paths.get_all_paths() == {path(r"\2026"), RABI, RAMSEY, LOST}
            root = PureSequencePath.root()
            assert session.sequences.get_contained_sequences(root) == {RABI, RAMSEY}
            with pytest.raises(DamagedStorageError, match=r"lost\+found cannot be read"):
                session.paths.get_children(LOST)
        assert storage.get_sizes()[RABI] > 0
        finding = the_damage(storage.verify())
        assert finding.file == storage.root / "sequences" / "lost+found"
        with storage.session() as session:
            create(session, path(r"\new"))
        with storage.session(write=True) as session:
            session.paths.move(RABI, path(r"\moved"))


def test_what_cannot_be_read_is_not_overwritten_moved_or_deleted(
    recorded: HDF5StorageManager,
) -> None:
    with lost_and_found(recorded) as storage:
        for change in (
            lambda session: session.paths.delete_path(LOST, delete_sequences=True),
            lambda session: session.paths.move(LOST, path(r"\found")),
            lambda session: create(session, LOST),
            lambda session: create(session, LOST / "run"),
        ):
            with (
                pytest.raises(DamagedStorageError, match="cannot be read"),
                storage.session() as session,
            ):
                change(session)
            with storage.session() as session:
                assert LOST in session.paths.get_all_paths()


def test_a_copy_says_what_it_could_not_look_into(
    recorded: HDF5StorageManager, tmp_path: Path
) -> None:
    lost = recorded.root / "sequences" / "lost+found"
    lost.mkdir()
    destination = HDF5StorageManager(tmp_path / "copy", serializer=recorded.serializer)
    with unreadable(lost), pytest.raises(copy.IncompleteCopyError) as raised:
        copy.copy_path(PureSequencePath.root(), recorded, destination)
    assert set(raised.value.copied.failed) == {LOST}
    assert len(raised.value.copied.sequences) == 2
