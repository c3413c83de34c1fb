"""Opening a store: what becomes one, what is one, and what is left alone."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shotstore import DamagedStorageError, State, StorageError, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import DEVICES, PATH, bring_to, create, path, record
from shotstore.testing.lab import serializer


def names(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def open_store(root: Path | str) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer())


@pytest.mark.parametrize("where", ["missing", "missing/and/deep", "empty"])
def test_a_missing_or_empty_directory_becomes_a_store(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    storage = open_store(tmp_path / where)
    assert storage.root == tmp_path / where
    assert names(storage.root) == {
        ".shotstore",
        "device_configurations",
        "sequences",
        "shotstore.json",
    }
    marker = json.loads((storage.root / "shotstore.json").read_bytes())
    assert list(marker) == ["format", "version", "id", "created", "checksum"]
    assert (marker["format"], marker["version"]) == ("shotstore store", 1)
    with storage.session() as session:
        create(session)


def test_a_store_is_opened_again_as_it_is(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        expected = content(session)
    marker = (storage.root / "shotstore.json").read_bytes()
    for again in (open_store(storage.root), open_store(str(storage.root))):
        with again.session() as session:
            assert content(session) == expected
    assert (storage.root / "shotstore.json").read_bytes() == marker


def test_two_stores_are_not_the_same(tmp_path: Path) -> None:
    ids = {
        json.loads((open_store(tmp_path / name).root / "shotstore.json").read_bytes())["id"]
        for name in ("one", "other")
    }
    assert len(ids) == 2


def test_a_store_has_one_spelling(
    storage: HDF5StorageManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(storage.root, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for spelling in ("store", "./store/", "store/../store", "link", str(tmp_path / "link")):
        again = open_store(spelling)
        assert again.root == storage.root
        # One thread cannot write twice in a store, whatever it calls it.
        with storage.session(write=True), pytest.raises(StorageError, match="this thread"):
            again.session(write=True).__enter__()


def test_a_store_moves_as_a_whole(storage: HDF5StorageManager, tmp_path: Path) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        expected = content(session)
    moved = tmp_path / "moved"
    storage.root.rename(moved)
    with open_store(moved).session() as session:
        assert content(session) == expected
        record(session, index=1)


def test_a_pickled_storage_is_opened_with_all_its_arguments(tmp_path: Path) -> None:
    storage = HDF5StorageManager(
        tmp_path / "store", serializer=serializer(), compression="gzip", lock_timeout=0
    )
    again: StorageManager = pickle.loads(pickle.dumps(storage))
    assert repr(again) == repr(storage)
    with again.session() as session:
        bring_to(session, State.FINISHED)
    with storage.session() as session:
        assert session.sequences.get_device_configurations(PATH)


@pytest.mark.parametrize(
    "name", ["é %41 #", "line\nbreak", "-", "[x]*?'\"", "\udcff", "x" * 255], ids=ascii
)
def test_a_store_may_lie_in_a_directory_of_any_name(tmp_path: Path, name: str) -> None:
    storage = open_store(tmp_path / name)
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        session.default_device_configurations["a"] = DEVICES["camera"]
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    (entry,) = storage.trash.entries()
    storage.trash.restore(entry)
    with reopened(storage).session() as session:
        expected = content(session)[str(PATH)]
    with HDF5StorageManager(
        storage.root / "sequences", serializer=serializer(), read_only=True
    ).session() as session:
        assert content(session)[str(PATH)] == expected


FOREIGN = ["thesis.tex", ".git/config", "sequences/2026/notes.txt", "shotstore.txt"]


@pytest.mark.parametrize("theirs", FOREIGN)
def test_a_directory_of_something_else_is_left_alone(tmp_path: Path, theirs: str) -> None:
    root = tmp_path / "home"
    (root / theirs).parent.mkdir(parents=True)
    (root / theirs).write_text("somebody's")
    before = sorted(root.rglob("*"))
    with pytest.raises(StorageError, match=r"is not a store.*not empty"):
        open_store(root)
    assert sorted(root.rglob("*")) == before


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("somebody's")
    for root in ("file", "file/inside"):
        with pytest.raises(NotADirectoryError):
            open_store(tmp_path / root)
    assert (tmp_path / "file").read_text() == "somebody's"


def test_sequences_that_were_copied_somewhere_are_no_store(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    copy = tmp_path / "copy"
    shutil.copytree(storage.root / "sequences" / "2026", copy)
    with pytest.raises(StorageError, match="read_only=True"):
        open_store(copy)
    assert names(copy) == {"folder.json", "rabi"}


def test_a_store_of_a_later_version_is_not_touched(storage: HDF5StorageManager) -> None:
    marker = storage.root / "shotstore.json"
    keys = json.loads(marker.read_bytes())
    keys["version"] = 2
    marker.write_text(json.dumps(keys))
    before = {file: file.read_bytes() for file in storage.root.rglob("*") if file.is_file()}
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"version 2.*newer shotstore"):
            HDF5StorageManager(storage.root, read_only=read_only)
    after = {file: file.read_bytes() for file in storage.root.rglob("*") if file.is_file()}
    assert after == before


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[:30],
    "no JSON": lambda content: content + b"}",
    "zeros": lambda content: bytes(len(content)),
    "of something else": lambda _: b'{"format": "thesis", "version": 1}',
    "of no version": lambda content: content.replace(b'"version"', b'"Version"'),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_marker_is_named(storage: HDF5StorageManager, kind: str) -> None:
    marker = storage.root / "shotstore.json"
    broken = DAMAGES[kind](marker.read_bytes())
    marker.write_bytes(broken)
    for read_only in (False, True):
        with pytest.raises(DamagedStorageError, match=r"shotstore\.json.*backup"):
            HDF5StorageManager(storage.root, read_only=read_only)
    assert marker.read_bytes() == broken


def test_a_copy_without_hidden_files_and_empty_directories_is_opened(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        expected = content(session)
    copy = tmp_path / "copy"
    shutil.copytree(storage.root, copy, ignore=shutil.ignore_patterns(".*"))
    for folder, _, _ in os.walk(copy, topdown=False):
        if not names(Path(folder)):
            Path(folder).rmdir()
    assert names(copy) == {"sequences", "shotstore.json"}
    again = open_store(copy)
    with again.session() as session:
        assert content(session) == expected
        record(session, index=1)
        create(session, path(r"\new"))
    with open_store(copy).session() as session:
        assert len(session.sequences.get_shots(PATH)) == 2


def test_an_empty_store_without_empty_directories_is_opened(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(storage.root / "shotstore.json", copy)
    with open_store(copy).session() as session:
        assert session.paths.get_all_paths() == set()
        create(session)


def test_files_of_others_are_kept(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    theirs = [
        storage.root / "run.png",
        storage.root / "sequences" / "notes.txt",
        storage.root / "sequences" / "2026" / ".DS_Store",
        storage.root / "sequences" / "2026" / "rabi" / "fit.ipynb",
        storage.root / "device_configurations" / "README.md",
    ]
    for file in theirs:
        file.write_text("somebody's")
    again = open_store(storage.root)
    with again.session() as session:
        assert session.paths.get_all_paths() == {path(r"\2026"), PATH}
        assert dict(session.default_device_configurations) == {}
        session.sequences.reset_to_draft(PATH)
    assert all(file.read_text() == "somebody's" for file in theirs)
    with again.session() as session:
        session.paths.move(PATH, path(r"\moved"))
    assert (storage.root / "sequences" / "moved" / "fit.ipynb").read_text() == "somebody's"


def test_what_a_killed_process_has_left_goes_with_the_next_writer(
    storage: HDF5StorageManager,
) -> None:
    left = storage.root / ".shotstore" / "tx" / "0123456789abcdef"
    (left / "1").mkdir(parents=True)
    (left / "2").write_bytes(b"half a document")
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
    with storage.session() as session:
        create(session)
    assert names(storage.root / ".shotstore" / "tx") == set()


def test_a_damaged_log_stops_everything(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    storage.close()
    log = storage.root / ".shotstore" / "log"
    log.write_bytes(b"not what was written")
    again = open_store(storage.root)
    for write in (False, True):
        with (
            pytest.raises(DamagedStorageError, match=r"log is damaged.*backup"),
            again.session(write=write) as session,
        ):
            session.paths.get_all_paths()
    assert log.read_bytes() == b"not what was written"
    log.unlink()
    with again.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT
        session.sequences.set_note(PATH, "it goes on")
    again.close()
    assert log.exists()


def test_many_threads_open_a_new_store_at_once(tmp_path: Path) -> None:
    def open_and_write(number: int) -> None:
        with open_store(tmp_path / "store").session() as session:
            create(session, path(rf"\{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_and_write, range(8)))
    with open_store(tmp_path / "store").session() as session:
        assert session.paths.get_all_paths() == {path(rf"\{number}") for number in range(8)}


def test_a_negative_timeout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lock_timeout"):
        HDF5StorageManager(tmp_path / "store", lock_timeout=-1)
    assert not (tmp_path / "store").exists()
