"""Links, pipes and directories in the places of a store's files. Nothing outside is touched."""

import os
import shutil
from pathlib import Path

import pytest

from shotstore import PathNotFoundError, PureSequencePath, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PARAMETERS
from tests.damage import specimen
from tests.damage.specimen import FOLDER, NEIGHBOUR, PATH

CANARY = b"canary"


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("links") / "store"
    specimen.create_store(store)
    return store


@pytest.fixture
def storage(whole_store: Path, tmp_path: Path) -> HDF5StorageManager:
    shutil.copytree(whole_store, tmp_path / "store")
    shutil.copytree(whole_store, tmp_path / "outside")
    (tmp_path / "outside/canary").write_bytes(CANARY)
    return specimen.open_store(tmp_path / "store")


def files(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def led_out(storage: HDF5StorageManager, name: str) -> None:
    """Put a link in the place of a file or directory, to the same one outside."""
    path = storage.root / name
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(storage.root.parent / "outside" / name)


def test_a_directory_link_is_no_path(storage: HDF5StorageManager, tmp_path: Path) -> None:
    led_out(storage, "sequences/2026/rabi")
    (storage.root / "sequences/away").symlink_to(tmp_path / "outside/sequences")
    before = files(tmp_path / "outside")
    with storage.session() as session:
        assert session.paths.get_all_paths() == {FOLDER, NEIGHBOUR}
        assert not session.paths.does_path_exists(PATH)
        assert not session.paths.does_path_exists(PureSequencePath(r"\away\2026\rabi"))
    with pytest.raises(RuntimeError), storage.session() as session:
        session.paths.create_path(PureSequencePath(r"\away\new"))
    assert files(tmp_path / "outside") == before


@pytest.mark.parametrize("name", [r"\away", r"\2026\rabi"])
def test_a_link_to_a_sequence_is_no_sequence(
    name: str, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    led_out(storage, "sequences/2026/rabi")
    (storage.root / "sequences/away").symlink_to(tmp_path / "outside/sequences/2026/rabi")
    before = files(tmp_path / "outside")
    with storage.session() as session:  # which has listed nothing
        assert not session.paths.does_path_exists(name)
    with pytest.raises(PathNotFoundError), storage.session() as session:
        session.sequences.set_note(name, "of another store")
    assert files(tmp_path / "outside") == before


@pytest.mark.parametrize("write", [False, True])
def test_a_link_in_the_place_of_the_shots_is_not_followed(
    write: bool, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    led_out(storage, "sequences/2026/ramsey/shots.h5")
    before = files(tmp_path / "outside")
    with (
        pytest.raises(StorageError, match=r"shots\.h5"),
        storage.session(write=write) as session,
    ):
        specimen.record(session, NEIGHBOUR, 50)
    with pytest.raises(StorageError, match=r"shots\.h5"), storage.session() as session:
        session.sequences.get_shots(NEIGHBOUR)
    assert files(tmp_path / "outside") == before


@pytest.mark.parametrize(
    "name",
    ["shotstore.json", "sequences", "device_configurations", ".shotstore", ".shotstore/tx"]
    + [f".shotstore/{name}" for name in ("trash", "commits", "write.lock", "gate.lock")]
    + [".shotstore/apply.lock", ".shotstore/writer.json", ".shotstore/write.line"],
)
def test_a_store_with_a_link_in_place_of_its_own_files_is_not_opened(
    name: str, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    led_out(storage, name)
    before = files(tmp_path / "outside")
    for read_only in (False, True):
        with pytest.raises(StorageError, match="is a link"):
            specimen.open_store(storage.root, read_only=read_only)
    assert files(tmp_path / "outside") == before


@pytest.mark.parametrize(
    "name",
    ["commits", "write.lock", "gate.lock", "apply.lock", "writer.json"],
)
def test_a_link_that_comes_later_is_not_followed(
    name: str, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    led_out(storage, f".shotstore/{name}")
    before = files(tmp_path / "outside")
    try:
        with storage.session(write=True) as session:
            specimen.record(session, NEIGHBOUR, 50)
    except (StorageError, OSError):
        pass
    assert files(tmp_path / "outside") == before


@pytest.mark.parametrize("name", ["global_parameters.json", "device_configurations/camera.json"])
def test_a_document_link_is_no_document(
    name: str, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    led_out(storage, name)
    before = files(tmp_path / "outside")
    with storage.session() as session:
        parameters = session.get_global_parameters()
        devices = set(session.default_device_configurations)
    assert devices == (set() if "camera" in name else {"camera"})
    assert bool(parameters.names()) == ("camera" in name)
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
    assert files(tmp_path / "outside") == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize(
    "name",
    [
        "global_parameters.json",
        "sequences/2026/folder.json",
        "sequences/2026/rabi/sequence.json",
        "sequences/2026/rabi/shots.h5",
        ".shotstore/commits",
    ],
)
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(
    name: str, storage: HDF5StorageManager
) -> None:
    path = storage.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with storage.session() as session:
        paths = session.paths.get_all_paths()
        assert NEIGHBOUR in paths
        session.get_global_parameters()
        for found in paths:
            session.paths.get_path_creation_date(found)
        assert len(session.sequences.get_shots(NEIGHBOUR)) == 6
        if "shots.h5" in name:
            with pytest.raises(StorageError, match=r"shots\.h5"):
                session.sequences.get_shots(PATH)


def test_a_link_in_the_trash_is_not_restored(storage: HDF5StorageManager, tmp_path: Path) -> None:
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    (entry,) = storage.trash.entries()
    content = storage.root / ".shotstore/trash" / entry.id / "content"
    shutil.rmtree(content)
    content.symlink_to(tmp_path / "outside/sequences/2026/rabi")
    before = files(tmp_path / "outside")
    with pytest.raises(StorageError, match="content"):
        storage.trash.restore(entry)
    storage.trash.empty()
    assert files(tmp_path / "outside") == before


def test_nothing_is_restored_to_a_place_outside(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    for bad in ("../../outside", "..", "/", ".shotstore"):
        with pytest.raises(StorageError, match="no entry"):
            storage.trash.restore(bad)
    assert (tmp_path / "outside/canary").read_bytes() == CANARY
