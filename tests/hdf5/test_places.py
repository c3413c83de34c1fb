"""Where the files of paths lie, how large they are, and who is writing."""

import os

import pytest

from shotstore import InvalidPathFormatError, PathNotFoundError, State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, bring_to, path

ROOT = path("\\")
ODD = path(r"\2026\a*b")


@pytest.fixture
def filled(storage: HDF5StorageManager) -> HDF5StorageManager:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        bring_to(session, State.FINISHED, ODD)
    return storage


def test_the_directory_of_a_path_is_named(filled: HDF5StorageManager) -> None:
    sequences = filled.root / "sequences"
    assert filled.get_directory(ROOT) == sequences
    assert filled.get_directory(r"\2026") == sequences / "2026"
    assert filled.get_directory(ODD) == sequences / "2026" / "a%2Ab"
    with pytest.raises(PathNotFoundError):
        filled.get_directory(r"\2027")
    with pytest.raises(InvalidPathFormatError):
        filled.get_directory("2026\\")


def test_sizes_are_those_of_all_files(filled: HDF5StorageManager) -> None:
    directory = filled.get_directory(PATH)
    (directory / "notes").mkdir()
    (directory / "notes" / "scan.txt").write_bytes(bytes(1000))
    (filled.get_directory(r"\2026") / ".hidden").mkdir()
    (filled.get_directory(r"\2026") / ".hidden" / "file").write_bytes(bytes(10))
    sizes = filled.get_sizes()
    assert set(sizes) == {ROOT, path(r"\2026"), PATH, ODD}
    assert sizes[PATH] == 1000 + sum(
        (directory / name).stat().st_size for name in ("sequence.json", "shots.h5")
    )
    folder = (filled.root / "sequences" / "2026" / "folder.json").stat().st_size
    assert sizes[ROOT] == sizes[path(r"\2026")] == sizes[PATH] + sizes[ODD] + 10 + folder
    assert filled.get_sizes(PATH) == {PATH: sizes[PATH]}


def test_a_sequence_alone_has_a_place_too(filled: HDF5StorageManager) -> None:
    directory = filled.get_directory(PATH)
    alone = HDF5StorageManager(directory, read_only=True)
    assert alone.get_directory(r"\rabi") == directory
    assert alone.get_sizes() == dict.fromkeys((ROOT, path(r"\rabi")), filled.get_sizes()[PATH])
    with pytest.raises(PathNotFoundError):
        alone.get_directory(r"\2026")
    assert alone.get_information().id is None


def test_a_store_tells_who_is_writing(filled: HDF5StorageManager) -> None:
    before = filled.get_information()
    assert (before.is_writing, before.writer) == (False, None)
    assert before.created is not None
    with filled.session() as session:
        session.paths.create_path(path(r"\folder"))
        during = filled.get_information()
        assert during.is_writing
        assert during.writer is not None
        assert during.writer.process == os.getpid()
    assert filled.get_information().commits == before.commits + 1
