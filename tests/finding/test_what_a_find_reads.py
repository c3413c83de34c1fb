"""A store of files is searched by its documents; shots are opened where these do not tell."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from shotstore import DamagedStorageError, State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.disk import File
from shotstore.model import JSON, IterationConfiguration, StepsConfiguration
from shotstore.testing.experiments import PATH, TIME_LANES, bring_to, launch, path, recipe, record
from shotstore.testing.lab import serializer
from tests.finding.conftest import populate

ROOT = path("\\")


@pytest.fixture
def store(tmp_path: Path) -> HDF5StorageManager:
    """A store of files with some runs, of which one is running."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    populate(storage)
    return storage


def directories(opened: list[Path]) -> set[str]:
    return {path.parent.name for path in opened}


@pytest.mark.parametrize(
    "conditions",
    [
        {"state": "finished"},
        {"since": "2026-11-01", "until": "2026-11-30"},
        {"min_shots": 1},
        {"varied": "detuning"},
        {"tag": "good"},
        {"text": "laser"},
        {"where": {"mot.detuning": ("-5 MHz", "5 MHz")}, "until": "2026-11-22"},
        {"where": {"hold_time": ("20 ms", "20 ms")}, "pattern": "/2026/11/23"},
        {"where": "atom_number > 3", "pattern": "/2026/11"},
    ],
)
def test_what_the_documents_know_opens_no_shots_but_of_what_is_running(
    store: HDF5StorageManager, opened: list[Path], conditions: dict[str, Any]
) -> None:
    assert store.find(**conditions)
    assert directories(opened) <= {"not yet begun"}


def test_shots_of_what_is_outside_of_the_pattern_are_not_counted(
    store: HDF5StorageManager, opened: list[Path]
) -> None:
    assert len(store.find("/2026/11/*/*")) == 3
    assert opened == []


def test_labels_are_looked_for_in_what_meets_all_else(
    store: HDF5StorageManager, opened: list[Path]
) -> None:
    assert store.find("/2026/11", label="atom_number", tag="good", varied="hold_time")
    assert directories(opened) == {"hold"}


def test_values_are_looked_for_where_the_recipe_does_not_tell_them(
    store: HDF5StorageManager, opened: list[Path]
) -> None:
    found = store.find("/2026", where={"detuning": ("7 MHz", "9 MHz")}, min_shots=1)
    assert len(found) == 2
    # One of them has another recipe, and may have taken it from the global parameters.
    assert directories(opened) == {"relative to the offset", "not yet begun", "hold"}


def test_a_recipe_is_loaded_once_and_only_where_it_is_asked_for(
    store: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[object] = []
    known = serializer()
    load = known.load_iteration

    def load_and_tell(_: object, content: JSON) -> IterationConfiguration:
        loaded.append(content)
        return load(content)

    monkeypatch.setattr(type(known), "load_iteration", load_and_tell)
    store = HDF5StorageManager(store.root, serializer=known)
    assert len(store.find()) == 6
    assert loaded == []
    assert len(store.find(varied="*")) == 6
    assert len(loaded) == 6
    with store.session() as session:
        session.sequences.set_tags(path(r"\drafts\two"), {"a"})
    assert len(store.find(tag="a", varied="*")) == 1
    assert len(loaded) == 7
    # By another process, which the pickle stands for.
    with pickle.loads(pickle.dumps(store)).session() as session:
        session.sequences.set_iteration_configuration(path(r"\drafts\two"), StepsConfiguration([]))
    assert store.find(tag="a")[0].varied == {}


def document_of(store: HDF5StorageManager, name: str) -> Path:
    return store.root.joinpath("sequences", *path(name).parts, "sequence.json")


def test_a_damaged_sequence_is_left_out_of_a_listing(store: HDF5StorageManager) -> None:
    before = [summary.path for summary in store.find()]
    damaged = path(r"\2026\11\23\hold")
    document_of(store, str(damaged)).write_text("{")
    assert [summary.path for summary in store.find()] == [p for p in before if p != damaged]
    assert store.find(text="unstable") == []
    with store.session() as session:
        for call in (
            session.sequences.get_summaries,
            lambda path: session.sequences.get_sequences_with_text(path, "a"),
        ):
            with pytest.raises(DamagedStorageError, match="hold"):
                call(damaged)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_document_that_cannot_be_read_is_left_out(store: HDF5StorageManager) -> None:
    document_of(store, r"\2026\11\23\hold").chmod(0)
    assert len(store.find()) == 5


def test_a_sequence_with_damaged_shots_is_left_out_where_they_are_needed(
    store: HDF5StorageManager,
) -> None:
    document_of(store, r"\2026\11\23\hold").with_name("shots.h5").write_bytes(b"no shots")
    assert len(store.find(varied="hold_time")) == 1
    assert store.find(varied="hold_time", label="atom_number") == []
    document_of(store, r"\2026\12\01\not yet begun").with_name("shots.h5").unlink()
    assert store.find(state="running") == []


def test_shots_are_counted_of_a_document_that_does_not_say_their_number(
    store: HDF5StorageManager,
) -> None:
    file = document_of(store, r"\2026\11\23\hold")
    file.write_text(file.read_text().replace('"number_of_shots": 10', '"number_of_shots": null'))
    assert store.find("hold")[0].number_of_shots == 10


def test_an_archive_is_searched(store: HDF5StorageManager) -> None:
    archive = HDF5StorageManager(store.root / "sequences" / "2026", read_only=True)
    assert [str(found.path) for found in archive.find(tag="for the paper")] == [r"\11\22\detuning"]
    alone = HDF5StorageManager(document_of(store, r"\2026\11\23\hold").parent, read_only=True)
    assert [str(found.path) for found in alone.find(text="laser")] == [r"\hold"]


def test_the_files_of_very_many_running_sequences_are_not_all_open_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    count = 80
    with storage.session() as session:
        for number in range(count):
            launch(session, path(rf"\{number}"))
            record(session, path(rf"\{number}"))
    open_files: set[File] = set()
    most = 0
    begin, close = File.__init__, File.close

    def note(file: File, path: Path, mode: str) -> None:
        nonlocal most
        begin(file, path, mode)
        open_files.add(file)
        most = max(most, len(open_files))

    def forget(file: File) -> None:
        open_files.discard(file)
        close(file)

    with monkeypatch.context() as patch:
        patch.setattr(File, "__init__", note)
        patch.setattr(File, "close", forget)
        with storage.session() as session:
            found = session.sequences.get_summaries(ROOT)
            assert [summary.number_of_shots for summary in found] == [1] * count
            assert 64 <= most < 70
            # Each can be read nevertheless.
            for summary in found:
                assert len(session.sequences.get_shots(summary.path)) == 1


def test_a_search_finds_what_others_record_and_move_meanwhile(store: HDF5StorageManager) -> None:
    with store.session() as session:
        bring_to(session, State.FINISHED)
        session.sequences.create(path(r"\more"), recipe(), TIME_LANES)
    summaries = store.find(min_shots=1)
    assert PATH in {summary.path for summary in summaries}
    with store.session() as session:
        session.paths.move(PATH, path(r"\moved"))
    assert path(r"\moved") in {summary.path for summary in store.find(min_shots=1)}
