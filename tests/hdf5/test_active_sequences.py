"""Whether something runs below a folder is known without a look at each sequence."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from shotstore import InvalidPathFormatError, PureSequencePath, SequenceRunningError, State
from shotstore.hdf5 import HDF5StorageManager, documents, on_disk
from shotstore.hdf5.active import ACTIVE
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.testing.experiments import START, bring_to, create, finish, launch, path

FOLDER = path(r"\2026")
ELSEWHERE = path(r"\2027")
RUNNING = path(r"\2026\11\running")
COUNT = 20


@pytest.fixture
def filled(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A store with a folder of drafts, of which it is known that none is active."""
    with storage.session() as session:
        for number in range(COUNT):
            create(session, FOLDER / "11" / f"s{number}")
    move(storage, FOLDER, ELSEWHERE)
    move(storage, ELSEWHERE, FOLDER)
    return storage


@pytest.fixture
def documents_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Tells how many documents of sequences were read since it was last asked."""
    read: list[str] = []
    monkeypatch.setattr(on_disk, "observe_opening", read.append)

    def number() -> int:
        found = sum(Path(file).name == SEQUENCE_DOCUMENT for file in read)
        read.clear()
        return found

    return number


def move(storage: HDF5StorageManager, source: PureSequencePath, place: PureSequencePath) -> None:
    with storage.session() as session:
        session.paths.move(source, place)


def delete(storage: HDF5StorageManager, path: PureSequencePath) -> None:
    with storage.session() as session:
        session.paths.delete_path(path, delete_sequences=True)


def test_a_folder_moves_without_a_look_at_the_sequences_in_it(
    filled: HDF5StorageManager, documents_read: Callable[[], int]
) -> None:
    for _ in range(2):
        move(filled, FOLDER, ELSEWHERE)
        move(HDF5StorageManager(filled.root), ELSEWHERE, FOLDER)
    delete(filled, FOLDER)
    assert documents_read() == 0


def test_of_many_sequences_those_that_run_are_looked_at(
    filled: HDF5StorageManager, documents_read: Callable[[], int]
) -> None:
    launch(filled, RUNNING)
    documents_read()
    with pytest.raises(SequenceRunningError, match="running"):
        move(filled, FOLDER, ELSEWHERE)
    with pytest.raises(SequenceRunningError, match="running"):
        delete(filled, FOLDER)
    assert documents_read() <= 2
    finish(filled, RUNNING)
    documents_read()
    move(filled, FOLDER, ELSEWHERE)
    assert documents_read() == 0


def test_a_session_that_undoes_a_move_writes_no_list(storage: HDF5StorageManager) -> None:
    create(storage, FOLDER / "s")
    with storage.session() as session:
        session.paths.move(FOLDER, ELSEWHERE)
        session.paths.move(ELSEWHERE, FOLDER)
    assert not (storage.root / ACTIVE).exists()
    move(storage, FOLDER, ELSEWHERE)
    assert (storage.root / ACTIVE).exists()


def test_a_path_that_becomes_too_long_by_a_move_is_found_far_below(
    storage: HDF5StorageManager,
) -> None:
    longest = on_disk.longest_path(storage.root)
    names = ["x" * 200] * ((longest - len(str(storage.root)) - 30) // 201)
    deep = PureSequencePath.from_parts(["a", *names])
    with storage.session() as session:
        session.paths.create_path(deep)
    move(storage, path(r"\a"), path(r"\b"))
    with pytest.raises(InvalidPathFormatError, match="bytes as a path of files"):
        move(storage, path(r"\b"), path("\\" + "b" * 250))
    with storage.session() as session:
        session.paths.move(path(r"\b"), path(r"\ab"))
        with pytest.raises(InvalidPathFormatError):
            session.paths.move(path(r"\ab"), path("\\" + "b" * 250))


@pytest.mark.parametrize("lose", [Path.unlink, lambda file: file.write_bytes(b"{}")])
def test_where_the_list_of_them_is_lost_or_edited_all_are_looked_at_once(
    filled: HDF5StorageManager,
    documents_read: Callable[[], int],
    lose: Callable[[Path], object],
) -> None:
    launch(filled, RUNNING)
    lose(filled.root / ACTIVE)
    documents_read()
    with pytest.raises(SequenceRunningError):
        move(HDF5StorageManager(filled.root), FOLDER, ELSEWHERE)  # which has read nothing yet
    assert documents_read() == COUNT + 1
    finish(filled, RUNNING)
    move(filled, FOLDER, ELSEWHERE)
    documents_read()
    move(filled, ELSEWHERE, FOLDER)
    assert documents_read() == 0


def test_one_that_is_listed_and_does_not_run_is_in_nobodys_way(
    filled: HDF5StorageManager,
) -> None:
    launch(filled, RUNNING)
    file = filled.root.joinpath("sequences", *RUNNING.parts, SEQUENCE_DOCUMENT)
    file.write_text(file.read_text().replace('"running"', '"interrupted"'))
    launch(filled, path(r"\elsewhere"))
    move(filled, FOLDER, ELSEWHERE)


@pytest.mark.parametrize("state", [State.PREPARING, State.RUNNING])
def test_one_that_was_moved_and_launched_in_one_session_is_known_to_the_next(
    filled: HDF5StorageManager, state: State
) -> None:
    place = FOLDER / "11" / "s1"
    with filled.session() as session:
        session.paths.move(place, RUNNING)
        session.sequences.set_preparing(RUNNING, {}, session.get_global_parameters())
        if state is State.RUNNING:
            session.sequences.set_running(RUNNING, START)
        with pytest.raises(SequenceRunningError):
            session.paths.move(FOLDER, ELSEWHERE)
    with pytest.raises(SequenceRunningError):
        move(HDF5StorageManager(filled.root), FOLDER, ELSEWHERE)


def test_a_session_that_fails_leaves_the_list_as_it_was(filled: HDF5StorageManager) -> None:
    before = (filled.root / ACTIVE).read_bytes()
    with suppress(SequenceRunningError), filled.session() as session:
        launch(session, RUNNING)
        session.paths.move(RUNNING, ELSEWHERE)
    assert (filled.root / ACTIVE).read_bytes() == before


def test_the_list_names_the_paths(filled: HDF5StorageManager) -> None:
    bring_to(filled, State.PREPARING)
    launch(filled, RUNNING)
    content = (filled.root / ACTIVE).read_bytes()
    found = documents.load("active sequences", content, ACTIVE)
    assert found == {"paths": [r"\2026\11\running", r"\2026\rabi"]}


def test_one_that_was_copied_by_hand_while_it_ran_moves_with_its_folder(
    filled: HDF5StorageManager,
) -> None:
    launch(filled, path(r"\elsewhere"))
    tree = filled.root / "sequences"
    shutil.copytree(tree / "elsewhere", tree.joinpath(*FOLDER.parts) / "copied")
    with pytest.raises(SequenceRunningError):
        move(filled, FOLDER / "copied", path(r"\by itself"))
    move(filled, FOLDER, ELSEWHERE)
    with filled.session() as session:
        assert session.sequences.get_state(ELSEWHERE / "copied") is State.RUNNING
