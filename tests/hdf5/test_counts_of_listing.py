"""How often the disk is asked for what a listing, and a look at one sequence, have to know."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shotstore import PureSequencePath, State
from shotstore.hdf5 import HDF5StorageManager, documents, known_documents
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.testing.experiments import TIME_LANES, recipe

ROOT = PureSequencePath.root()
COUNT = 20
FOLDERS = 3
ONE = PureSequencePath(r"\2026\11\s8")


class Calls:
    """Files that were opened and looked at, and documents that were parsed, by name."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.looked_at: Counter[str] = Counter()
        self.parsed = 0

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]


@pytest.fixture
def store(tmp_path: Path) -> HDF5StorageManager:
    """A store of some sequences in two folders, that were not changed just now."""
    storage = HDF5StorageManager(tmp_path / "store")
    with storage.session() as session:
        for number in range(COUNT):
            path = PureSequencePath(rf"\2026\{11 + number % 2}\s{number}")
            session.sequences.create(path, recipe(3), TIME_LANES)
    return storage


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What is asked of the disk while the test runs."""
    calls = Calls()

    def counting(function: Callable[..., Any], counter: Callable[[], Counter[str]]) -> Any:
        def counted(path: Any, *given: Any, **named: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                counter()[Path(path).name] += 1
            return function(path, *given, **named)

        return counted

    def load(*given: Any) -> Any:
        calls.parsed += 1
        return original(*given)

    original = documents.load
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", counting(os.open, lambda: calls.opened))
        patch.setattr(os, "lstat", counting(os.lstat, lambda: calls.looked_at))
        patch.setattr(documents, "load", load)
        # Whatever the time is that the file system notes.
        patch.setattr(known_documents, "TICK", -(10**18))
        patch.setattr(known_documents, "_COARSEST_TICK", -(10**18))
        yield calls


def summaries(storage: HDF5StorageManager) -> dict[str, State]:
    with storage.session() as session:
        found = session.sequences.get_summaries(ROOT)
    return {str(each.path): each.state for each in found}


def document_of(storage: HDF5StorageManager, path: PureSequencePath) -> Path:
    return storage.root.joinpath("sequences", *path.parts, SEQUENCE_DOCUMENT)


def test_the_first_listing_opens_and_parses_each_document_once(
    store: HDF5StorageManager, calls: Calls
) -> None:
    assert len(summaries(store)) == COUNT
    assert calls.opened[SEQUENCE_DOCUMENT] == COUNT + FOLDERS
    assert calls.looked_at[SEQUENCE_DOCUMENT] == FOLDERS + 1  # the root of the tree among them
    assert calls.parsed == COUNT


def test_the_next_listing_looks_at_each_document_and_opens_none_of_a_sequence(
    store: HDF5StorageManager, calls: Calls
) -> None:
    summaries(store)
    calls.clear()
    assert len(summaries(store)) == COUNT
    assert calls.opened[SEQUENCE_DOCUMENT] == FOLDERS
    assert calls.looked_at[SEQUENCE_DOCUMENT] == COUNT + FOLDERS + 1
    assert calls.looked_at.total() <= COUNT + 4 * FOLDERS
    assert calls.parsed == 0


def test_what_was_changed_meanwhile_is_read_again_and_nothing_else(
    store: HDF5StorageManager, calls: Calls
) -> None:
    summaries(store)
    with HDF5StorageManager(store.root).session() as session:
        session.sequences.set_note(ONE, "by another program")
    calls.clear()
    with store.session() as session:
        noted = [each.path for each in session.sequences.get_summaries(ROOT) if each.note]
    assert noted == [ONE]
    assert calls.parsed == 1
    assert calls.opened[SEQUENCE_DOCUMENT] == 1 + FOLDERS


def test_a_listing_tells_the_paths_that_its_session_has_given(store: HDF5StorageManager) -> None:
    folder = r"\2026\11"
    before = summaries(store)
    with suppress(LookupError), store.session() as session:
        session.paths.move(folder, PureSequencePath(r"\moved"))
        session.sequences.create(PureSequencePath(r"\moved\new"), recipe(3), TIME_LANES)
        session.sequences.set_note(PureSequencePath(rf"\moved\{ONE.name}"), "changed")
        found = {str(each.path): each.note for each in session.sequences.get_summaries(ROOT)}
        raise LookupError
    assert found.keys() == {each.replace(folder, r"\moved") for each in before} | {r"\moved\new"}
    assert found[rf"\moved\{ONE.name}"] == "changed"
    assert summaries(store) == before


def test_a_listing_counts_no_locks_for_each_sequence(
    store: HDF5StorageManager, calls: Calls
) -> None:
    summaries(store)
    calls.clear()
    summaries(store)
    # Twice the tree is looked at, or a few times more if it takes longer than a commit may wait.
    assert calls.opened["apply.lock"] == calls.opened["gate.lock"] <= COUNT / 2


def test_the_state_of_one_sequence_takes_one_look_at_each_path_above_it(
    store: HDF5StorageManager, calls: Calls
) -> None:
    with store.session() as session:
        assert session.sequences.get_state(ONE) is State.DRAFT
    assert calls.opened == {
        "commits": 1,
        SEQUENCE_DOCUMENT: 1,
    }
    assert calls.looked_at == {
        "2026": 1,
        "11": 1,
        ONE.name: 1,
        SEQUENCE_DOCUMENT: 3,
    }
    assert calls.parsed == 1


# What a document is known by


def test_a_document_that_was_edited_in_place_is_read_again(store: HDF5StorageManager) -> None:
    def note() -> str:
        with store.session() as session:
            session.sequences.get_summaries(ROOT)
            return session.sequences.get_note(ONE)

    with store.session() as session:
        session.sequences.set_note(ONE, "good")
    assert note() == "good"
    file = document_of(store, ONE)
    times = file.stat()
    file.write_text(file.read_text().replace('"note": "good"', '"note": "poor"'))
    # As `rsync --inplace --times` leaves it: of the same length, and with the same time.
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert note() == "poor"


def test_a_document_that_was_changed_just_before_it_was_read_is_read_again(
    store: HDF5StorageManager, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second change within the same tick of the file system would leave the same time.
    for tick in ("TICK", "_COARSEST_TICK"):
        monkeypatch.setattr(known_documents, tick, 10**18)
    summaries(store)
    summaries(store)
    assert calls.opened[SEQUENCE_DOCUMENT] == 2 * (COUNT + FOLDERS)
    assert calls.parsed == COUNT  # what was made of the same content is known all the same


def test_a_commit_in_between_makes_coarse_times_count(
    store: HDF5StorageManager, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_documents, "_COARSEST_TICK", 10**18)
    summaries(store)
    with store.session() as session:
        session.paths.create_path(PureSequencePath(r"\other"))
    calls.clear()
    summaries(store)
    assert calls.opened[SEQUENCE_DOCUMENT] == COUNT + FOLDERS + 1


def test_documents_are_forgotten_rather_than_filling_the_memory(
    store: HDF5StorageManager, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    length = document_of(store, ONE).stat().st_size
    monkeypatch.setattr(known_documents, "_MOST_BYTES", 3 * length)
    for _ in range(2):
        assert len(summaries(store)) == COUNT
    assert calls.opened[SEQUENCE_DOCUMENT] > COUNT + 4
    assert store._store.known._bytes <= 3 * length
