"""Stores in which somebody has put what no program of ours would: each is told by its name, and
nobody waits for ever, fills the memory or goes round in circles."""

import os
from pathlib import Path

import pytest

from shotstore import DamagedStorageError, State, StorageError
from shotstore.hdf5 import HDF5StorageManager, on_disk
from shotstore.testing.experiments import PATH, bring_to, create, path

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
DEEP = "x" * 200
FOLDER = path(r"\2026")


@pytest.fixture
def filled(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a sequence that has finished, and a draft."""
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        create(session, path(r"\draft"))
    return storage


@needs_pipes
@pytest.mark.parametrize("name", ["writer.json", "commits", "write.lock", "apply.lock", "log"])
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(
    filled: HDF5StorageManager, name: str
) -> None:
    place = filled.root / ".shotstore" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    for read_only in (False, True):
        with pytest.raises(StorageError, match=f"{name} is a pipe"):
            HDF5StorageManager(filled.root, read_only=read_only)


@needs_pipes
@pytest.mark.parametrize("name", ["writer.json", "commits"])
def test_a_pipe_that_comes_while_the_store_is_open_stops_nobody(
    filled: HDF5StorageManager, name: str
) -> None:
    place = filled.root / ".shotstore" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    assert filled.get_information().is_writing is False
    with filled.session() as session:
        assert session.sequences.get_state(PATH) is State.FINISHED
        assert session.sequences.is_sequence(path(r"\draft"))


def make_sparse(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(on_disk.LONGEST_DOCUMENT * 8)


@pytest.mark.parametrize("content", ["sequence.json", "folder.json"])
def test_a_document_of_gigabytes_is_not_read(filled: HDF5StorageManager, content: str) -> None:
    directory = filled.root / "sequences" / "2026"
    file = directory / content if content == "folder.json" else directory / "rabi" / content
    make_sparse(file)
    storage = HDF5StorageManager(filled.root, serializer=filled.serializer)
    found = [finding for finding in storage.verify().findings if finding.severity == "damage"]
    assert [finding.file for finding in found] == [file]
    assert "more than any document" in found[0].problem
    with storage.session() as session:
        assert session.sequences.get_state(path(r"\draft")) is State.DRAFT
        with pytest.raises(DamagedStorageError, match="more than any document"):
            session.paths.get_path_creation_date(PATH if file.parent.name == "rabi" else FOLDER)


@pytest.mark.parametrize("name", ["shotstore.json", ".shotstore/commits"])
def test_a_file_of_the_store_that_has_gigabytes_is_told(
    filled: HDF5StorageManager, name: str
) -> None:
    make_sparse(filled.root / name)
    with (
        pytest.raises(DamagedStorageError, match=f"{name} cannot be read: it has"),
        HDF5StorageManager(filled.root).session() as session,
    ):
        session.sequences.get_state(PATH)


def test_a_recipe_of_gigabytes_is_refused_before_anything_is_written(
    filled: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shotstore.hdf5.documents._MOST_BYTES", 100_000)
    with pytest.raises(ValueError, match="as JSON, and may have"), filled.session() as session:
        session.sequences.set_note(path(r"\draft"), "x" * 60_000 + "y" * 60_000)
    with filled.session() as session:
        assert session.sequences.get_note(path(r"\draft")) == ""


def test_directories_beyond_the_longest_path_are_told(filled: HDF5StorageManager) -> None:
    before = Path.cwd()
    os.chdir(filled.root / "sequences")
    try:
        for _ in range(25):
            Path(DEEP).mkdir()
            os.chdir(DEEP)
    finally:
        os.chdir(before)
    with filled.session() as session:
        paths = session.paths.get_all_paths()
        assert {PATH, path(r"\draft"), path(f"\\{DEEP}")} <= paths
        assert session.sequences.get_sequences_in_state(State.DRAFT) == {path(r"\draft")}
    assert [summary.path for summary in filled.find()] == [PATH, path(r"\draft")]
    [unseen] = filled.get_unseen()
    assert "File name too long" in unseen.why
    [finding] = filled.verify().findings
    assert "File name too long" in finding.problem
    with filled.session() as session:
        create(session, path(r"\new"))
