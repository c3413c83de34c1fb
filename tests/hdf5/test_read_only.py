"""Any folder of sequences can be read, wherever it was copied to, and nothing is written there."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore import PureSequencePath, Sequence, State, StorageError, StorageLockTimeoutError
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.model import ParameterNamespace
from shotstore.testing.content import content, paths_in
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from shotstore.testing.lab import serializer
from tests.commit_moment import CommitMoment

ROOT = PureSequencePath.root()


@pytest.fixture
def filled(storage: HDF5StorageManager) -> HDF5StorageManager:
    with storage.session() as session:
        for state in State:
            bring_to(session, state, path(rf"\2026\11\{state.value}"))
        bring_to(session, State.FINISHED)
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
        bring_to(session, State.FINISHED, path(r"\deleted"))
    with storage.session() as session:
        session.paths.delete_path(path(r"\deleted"), delete_sequences=True)
    storage.close()
    return storage


def read_only(root: Path) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer(), read_only=True)


def everything(root: Path) -> dict[str, tuple[object, ...]]:
    """All files with their content and times, and all directories with their times."""
    found: dict[str, tuple[object, ...]] = {}
    for file in (root, *root.rglob("*")):
        status = file.lstat()
        inside = file.read_bytes() if file.is_file() else None
        found[str(file)] = (status.st_ino, status.st_mode, status.st_mtime_ns, inside)
    return found


def contents_of(storage: HDF5StorageManager) -> dict[str, Any]:
    with storage.session() as session:
        return content(session)


def test_a_store_is_read_and_nothing_is_written(filled: HDF5StorageManager) -> None:
    expected = contents_of(filled)
    before = everything(filled.root)
    archive = read_only(filled.root)
    assert contents_of(archive) == expected
    assert len(archive.trash.entries()) == 1
    assert everything(filled.root) == before


def test_a_copied_store_is_read_and_nothing_is_written(
    filled: HDF5StorageManager, tmp_path: Path
) -> None:
    expected = contents_of(filled)
    copy = tmp_path / "copy"
    shutil.copytree(filled.root, copy)
    before = everything(copy)
    assert contents_of(read_only(copy)) == expected
    assert everything(copy) == before


def test_a_copy_without_hidden_files_is_read(filled: HDF5StorageManager, tmp_path: Path) -> None:
    expected = contents_of(filled)
    copy = tmp_path / "copy"
    shutil.copytree(filled.root, copy, ignore=shutil.ignore_patterns(".*"))
    before = everything(copy)
    archive = read_only(copy)
    assert contents_of(archive) == expected
    assert archive.trash.entries() == []
    assert everything(copy) == before


def test_a_copy_without_locks_is_read_with_locks_once_somebody_writes_there(
    filled: HDF5StorageManager, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(filled.root, copy, ignore=shutil.ignore_patterns(".*"))
    opened_before = HDF5StorageManager(copy, read_only=True, lock_timeout=0.2)
    with opened_before.session() as session:
        assert len(session.paths.get_all_paths()) > 5
    writer = HDF5StorageManager(copy)
    seen: list[str] = []

    def in_the_midst_of_a_commit(operation: disk.Operation) -> None:
        if operation.path.endswith("commits") and operation.kind == "write":
            disk.observe = None
            with (
                pytest.raises(StorageLockTimeoutError),
                ThreadPoolExecutor() as threads,
            ):
                threads.submit(read, opened_before).result()
            seen.append(operation.path)

    def read(storage: HDF5StorageManager) -> None:
        with storage.session() as session:
            session.paths.get_all_paths()

    disk.observe = in_the_midst_of_a_commit
    try:
        with writer.session() as session:
            session.paths.create_path(path(r"\new"))
    finally:
        disk.observe = None
    assert seen
    with opened_before.session() as session:
        assert session.paths.does_path_exists(path(r"\new"))


def test_a_copy_without_marker_is_a_folder_as_any_other(
    filled: HDF5StorageManager, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(filled.root, copy, ignore=shutil.ignore_patterns(".*", "shotstore.json"))
    with read_only(copy).session() as session:
        assert session.sequences.get_state(path(r"\sequences\2026\rabi")) is State.FINISHED


@pytest.mark.parametrize("part", ["sequences", "sequences/2026", "sequences/2026/11"])
def test_any_folder_is_a_tree_of_its_own(
    filled: HDF5StorageManager, tmp_path: Path, part: str
) -> None:
    expected = contents_of(filled)
    prefix = part.replace("sequences", "").replace("/", "\\")
    copy = tmp_path / "any name"
    shutil.copytree(filled.root / part, copy)
    before = everything(tmp_path)
    for root in (copy, filled.root / part):
        found = contents_of(read_only(root))
        assert {name: found[name] for name in paths_in(found)} == {
            name.removeprefix(prefix): expected[name]
            for name in paths_in(expected)
            if name.startswith(f"{prefix}\\")
        }
        # A folder of sequences has no parameters and devices for the next one.
        assert found["parameters"] == ParameterNamespace.empty()
        assert found["devices"] == {}
    assert everything(tmp_path) == before


@pytest.mark.parametrize("state", State)
def test_a_single_sequence_is_a_tree_of_one(
    filled: HDF5StorageManager, tmp_path: Path, state: State
) -> None:
    expected = contents_of(filled)[rf"\2026\11\{state.value}"]
    original = filled.root / "sequences" / "2026" / "11" / state.value
    copy = tmp_path / "renamed %2Fsequence"
    shutil.copytree(original, copy)
    before = everything(tmp_path)
    for root, name in ((original, rf"\{state.value}"), (copy, r"\renamed /sequence")):
        archive = read_only(root)
        found = contents_of(archive)
        assert paths_in(found) == {name}
        assert found[name] == expected
        with archive.session() as session:
            assert session.paths.get_children(ROOT) == {path(name)}
            assert session.sequences.is_sequence(path(name))
            assert session.sequences.get_contained_sequences(ROOT) == {path(name)}
            assert session.sequences.get_sequences_in_state(state) == {path(name)}
            assert not session.paths.does_path_exists(path(name) / "x")
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", [" leading space", "50%", "a:b", ".hidden", "e\u0301"])
def test_a_sequence_in_a_directory_of_no_path_name_is_read(
    filled: HDF5StorageManager, tmp_path: Path, name: str
) -> None:
    shutil.copytree(filled.root / "sequences" / "2026" / "rabi", tmp_path / name)
    with read_only(tmp_path / name).session() as session:
        (found,) = session.paths.get_all_paths()
        assert len(session.sequences.get_shots(found)) == 1


def test_a_sequence_becomes_part_of_another_store(
    filled: HDF5StorageManager, tmp_path: Path
) -> None:
    expected = contents_of(filled)[str(PATH)]
    other = HDF5StorageManager(tmp_path / "other", serializer=serializer())
    shutil.copytree(filled.root / "sequences" / "2026" / "rabi", other.root / "sequences" / "x")
    assert contents_of(other)[r"\x"] == expected
    with other.session() as session:
        session.paths.move(path(r"\x"), PATH)
        session.sequences.reset_to_draft(PATH)
    assert contents_of(other)[str(PATH)]["stats"].state is State.DRAFT


def test_an_empty_directory_is_an_empty_tree(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with read_only(empty).session() as session:
        assert session.paths.get_all_paths() == set()
        assert session.paths.get_children(ROOT) == set()
    assert list(empty.iterdir()) == []


def test_an_empty_store_without_its_empty_directories_is_an_empty_tree(tmp_path: Path) -> None:
    store = HDF5StorageManager(tmp_path / "store").root
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(store / "shotstore.json", copy)
    with read_only(copy).session() as session:
        assert session.paths.get_all_paths() == set()
        assert session.paths.get_children(ROOT) == set()
        assert not session.paths.does_path_exists(PATH)
        assert dict(session.default_device_configurations) == {}
        assert session.get_global_parameters() == ParameterNamespace.empty()
    assert [file.name for file in copy.iterdir()] == ["shotstore.json"]


@pytest.mark.parametrize("missing", ["nothing here", "a file", "nothing/at/all"])
def test_what_is_no_directory_cannot_be_read(tmp_path: Path, missing: str) -> None:
    (tmp_path / "a file").write_text("somebody's")
    with pytest.raises(NotADirectoryError, match=missing):
        read_only(tmp_path / missing)
    assert [file.name for file in tmp_path.iterdir()] == ["a file"]


def test_every_write_is_refused(filled: HDF5StorageManager) -> None:
    before = everything(filled.root)
    with read_only(filled.root).session() as session:
        running = path(r"\2026\11\running")
        for write in (
            lambda: create(session, path(r"\new")),
            lambda: session.paths.create_path(path(r"\new")),
            lambda: session.paths.move(PATH, path(r"\new")),
            lambda: session.paths.delete_path(PATH, delete_sequences=True),
            lambda: record(session, running, 5),
            lambda: finish(session, running),
            lambda: session.sequences.reset_to_draft(PATH),
            lambda: session.set_global_parameters(ParameterNamespace.empty()),
            lambda: session.default_device_configurations.clear(),
        ):
            with pytest.raises(StorageError, match="read_only=True"):
                write()
        assert len(session.sequences.get_shots(running)) == 1
    assert everything(filled.root) == before


def test_a_live_store_is_followed_without_writing(filled: HDF5StorageManager) -> None:
    running = path(r"\2026\11\running")
    archive = read_only(filled.root)
    for index in range(1, 4):
        with filled.session() as session:
            record(session, running, index)
        before = everything(filled.root)
        with archive.session() as session:
            assert len(session.sequences.get_shots(running)) == index + 1
        assert everything(filled.root) == before


def test_a_store_whose_files_may_not_be_written_is_read(filled: HDF5StorageManager) -> None:
    expected = contents_of(filled)
    for file in (filled.root, *filled.root.rglob("*")):
        file.chmod(0o555 if file.is_dir() else 0o444)
    before = everything(filled.root)
    try:
        assert contents_of(read_only(filled.root)) == expected
        assert everything(filled.root) == before
    finally:
        for folder, _, _ in os.walk(filled.root):
            Path(folder).chmod(0o755)


def test_a_store_copied_in_the_midst_of_a_commit_says_what_to_do(
    filled: HDF5StorageManager, tmp_path: Path
) -> None:
    copy = shutil.copytree(filled.root, tmp_path / "copy")
    (copy / ".shotstore" / "log").write_bytes(b"half of what was there")
    before = everything(copy)
    with (
        pytest.raises(StorageError, match="Open it once without read_only=True"),
        read_only(copy).session() as session,
    ):
        session.paths.get_all_paths()
    assert everything(copy) == before


def test_a_copy_that_was_made_in_the_midst_of_a_commit_is_read_as_it_was_committed(
    tmp_path: Path,
) -> None:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    with storage.session() as session:
        for sequence in (PATH, path(r"\other")):
            launch(session, sequence, shots=None)
            record(session, sequence, 0, data={"frame": np.full((9, 9), 0.0)})
    copies: list[Path] = []

    moment = CommitMoment()

    def copy(operation: disk.Operation) -> None:
        if moment.note(operation) and not operation.path.endswith("writer.json"):
            copies.append(tmp_path / str(len(copies)))
            shutil.copytree(storage.root, copies[-1])

    disk.observe = copy
    try:
        with storage.session() as session:
            record(session, PATH, 1, data={"frame": np.full((9, 9), 1.0)})
            session.sequences.set_finished(PATH, "now")
            create(session, path(r"\new\draft"))
            session.paths.move(PATH, path(r"\new\finished"))
    finally:
        disk.observe = None
    expected = contents_of(storage)
    assert len(copies) > 10
    for place in copies:
        before = everything(place)
        archive = read_only(place)
        assert exactly_equal(contents_of(archive), expected)
        with archive.session() as session:
            frames = Sequence(r"\new\finished", session).scan().collect()["frame"].to_numpy()
            np.testing.assert_array_equal(frames.mean(axis=(1, 2)), [0, 1])
        copied = HDF5StorageManager(tmp_path / "into", serializer=serializer())
        if place == copies[0]:
            copy_path(path(r"\new\finished"), archive, copied, progress=False)
            assert copied.verify().findings == []
        assert everything(place) == before
        opened = HDF5StorageManager(place, serializer=serializer())
        assert exactly_equal(contents_of(opened), expected)


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_copy_with_a_file_that_is_later_than_the_log_has_the_later_shots(
    tmp_path: Path, is_read_only: bool
) -> None:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    with storage.session() as session:
        launch(session, PATH, shots=None)
        record(session, PATH, 0, data={"x": 0.5})

    moment = CommitMoment()

    def copy(operation: disk.Operation) -> None:
        if moment.note(operation):
            disk.observe = None
            shutil.copytree(storage.root / ".shotstore", tmp_path / "copy" / ".shotstore")

    disk.observe = copy
    for index in range(1, 5):
        with storage.session() as session:
            record(session, PATH, index, data={"x": index + 0.5})
    shutil.copytree(storage.root, tmp_path / "copy", dirs_exist_ok=True, ignore=hidden)
    archive = HDF5StorageManager(tmp_path / "copy", read_only=is_read_only)
    with archive.session() as session:
        shots = Sequence(PATH, session).get_shots()
        found = [shot.get_data_by_label("x") for shot in shots]
    assert found == [0.5, 1.5, 2.5, 3.5, 4.5]


hidden = shutil.ignore_patterns(".*")


def test_links_do_not_lead_out_of_the_tree(filled: HDF5StorageManager, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    shutil.copytree(filled.root / "sequences" / "2026" / "rabi", secret)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "linked").symlink_to(secret, target_is_directory=True)
    (copy / "half").mkdir()
    (copy / "half" / "sequence.json").symlink_to(secret / "sequence.json")
    with read_only(copy).session() as session:
        assert session.paths.get_all_paths() == {path(r"\half")}
        assert not session.sequences.is_sequence(path(r"\half"))


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_copy_with_documents_that_are_later_than_the_log_keeps_them(
    filled: HDF5StorageManager, tmp_path: Path, is_read_only: bool
) -> None:
    running = path(rf"\2026\11\{State.RUNNING.value}")

    moment = CommitMoment()

    def copy(operation: disk.Operation) -> None:
        if moment.note(operation):
            disk.observe = None
            shutil.copytree(filled.root / ".shotstore", tmp_path / "copy" / ".shotstore")

    disk.observe = copy
    for number in ("1", "2"):
        with filled.session() as session:
            session.set_global_parameters(ParameterNamespace.from_mapping({"number": number}))
            session.sequences.set_note(running, number)
    with filled.session() as session:
        session.sequences.set_finished(running, "now")
    shutil.copytree(filled.root, tmp_path / "copy", dirs_exist_ok=True, ignore=hidden)
    copied = HDF5StorageManager(tmp_path / "copy", serializer=serializer(), read_only=is_read_only)
    assert exactly_equal(contents_of(copied), contents_of(filled))
