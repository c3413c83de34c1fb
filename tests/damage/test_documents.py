"""Documents that were edited, cut, emptied, swapped, or made to harm their reader."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shotstore import (
    DamagedStorageError,
    PureSequencePath,
    State,
    UnreadableConfigurationError,
)
from shotstore.hdf5 import HDF5StorageManager
from tests.damage import specimen
from tests.damage.specimen import FOLDER, NEIGHBOUR, PATH, REFUSED

ROOT = PureSequencePath.root()

_BROKEN: dict[str, bytes] = {
    "empty": b"",
    "cut": b'{"format": "shotstore sequence", "vers',
    "zeros": b"\0" * 500,
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a huge number": b'{"format": "shotstore sequence", "version": 1' + b"0" * 10_000 + b"}",
    "another document": b'{"format": "shotstore folder", "version": 1}',
    "a list": b"[]",
    "no UTF-8": b'{"format": "\xff\xfe"}',
    "half a surrogate pair": b'{"format": "shotstore sequence", "version": 1, "x": "\\ud800"}',
}
_WRONG: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "../../..",
    "9999-12-31T23:59:59-23:00",
    "0001-01-01T00:00:00+23:00",
    [],
    [[[]]],
    {},
    {"type": "steps", "content": {"steps": [{"type": "__import__('os')"}]}},
    {"type": "unknown", "content": {"array": "AAAA"}},
]
_KEYS = (
    "id",
    "created",
    "state",
    "start_time",
    "stop_time",
    "expected_number_of_shots",
    "number_of_shots",
    "iteration",
    "time_lanes",
    "exception",
)
_OPTIONAL_KEYS = ("tags", "note", "interruptions", "number_of_retakes", "measured", "recorder")
"""A document may lack these."""


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("documents") / "store"
    specimen.create_store(store)
    return store


@pytest.fixture
def storage(whole_store: Path, tmp_path: Path) -> HDF5StorageManager:
    shutil.copytree(whole_store, tmp_path / "store")
    return specimen.open_store(tmp_path / "store")


def read(
    storage: HDF5StorageManager, path: PureSequencePath = PATH, shots: int = 2
) -> dict[str, object]:
    with storage.session() as session:
        return specimen.outcomes(session, specimen.reads(path, shots))


def check_listings(storage: HDF5StorageManager) -> None:
    """The tree is listed, and the neighbour is read, whatever has become of the other sequence."""
    with storage.session() as session:
        assert session.paths.get_all_paths() == {FOLDER, PATH, NEIGHBOUR}
        assert session.paths.get_children(FOLDER) == {PATH, NEIGHBOUR}
        assert session.sequences.get_contained_sequences(ROOT) == {PATH, NEIGHBOUR}
        for state in State:
            found = session.sequences.get_sequences_in_state(state)
            assert (NEIGHBOUR in found) == (state is State.RUNNING)
        stats = session.sequences.get_stats(NEIGHBOUR)
    assert stats.number_completed_shots == 6
    assert REFUSED not in read(storage, NEIGHBOUR).values()


@pytest.mark.parametrize("name", _BROKEN)
def test_a_broken_document_is_named_and_harms_no_other_sequence(
    name: str, storage: HDF5StorageManager
) -> None:
    specimen.document(storage.root).write_bytes(_BROKEN[name])
    assert set(read(storage).values()) == {REFUSED}
    check_listings(storage)


@pytest.mark.parametrize("key", [*_KEYS, *_OPTIONAL_KEYS])
def test_wrong_types_in_a_document_are_refused_or_read(
    key: str, storage: HDF5StorageManager
) -> None:
    path = specimen.document(storage.root)
    keys = json.loads(path.read_bytes())
    whole = read(storage)
    for value in _WRONG:
        path.write_text(json.dumps({**keys, key: value}))
        found = read(storage)
        check_listings(storage)
        # What is in the other file does not change.
        for name in found:
            if name.endswith((" 0", " 1")):
                assert found[name] in (whole[name], REFUSED)
    keys.pop(key, None)
    path.write_text(json.dumps(keys))
    without = {REFUSED} if key in _KEYS else set(whole.values())
    assert set(read(storage).values()) == without


def test_a_document_edited_by_hand_is_read(storage: HDF5StorageManager) -> None:
    path = specimen.document(storage.root)
    whole = read(storage)
    keys = json.loads(path.read_bytes()) | {"comment": "the good one"}
    path.write_text(json.dumps(dict(reversed(keys.items()))))
    assert read(storage) == whole


def test_a_damaged_sequence_can_be_moved_away_and_deleted(storage: HDF5StorageManager) -> None:
    specimen.document(storage.root).write_bytes(b"{")
    other = PureSequencePath(r"\old")
    with storage.session() as session:
        session.paths.move(PATH, other)
    with storage.session() as session:
        session.paths.delete_path(other, delete_sequences=True)
    (entry,) = storage.trash.entries()
    storage.trash.restore(entry, PATH)
    check_listings(storage)


def test_the_shots_of_another_sequence_are_not_taken_for_its_own(
    storage: HDF5StorageManager,
) -> None:
    shutil.copy(
        specimen.shots_file(storage.root, NEIGHBOUR), specimen.shots_file(storage.root, PATH)
    )
    found = read(storage)
    assert found["shots"] == found["data 1"] == found["globals"] == REFUSED
    assert found["iteration"] != REFUSED
    shutil.copy(
        specimen.document(storage.root, PATH),
        specimen.document(storage.root, PATH).with_name("x"),
    )
    check_listings(storage)


def test_a_recorder_does_not_append_to_the_shots_of_another_sequence(
    storage: HDF5StorageManager,
) -> None:
    path = specimen.shots_file(storage.root, NEIGHBOUR)
    shutil.copy(specimen.shots_file(storage.root), path)
    before = path.read_bytes()
    for write in (False, True):
        with (
            pytest.raises(DamagedStorageError, match=r"shots\.h5"),
            storage.session(write=write) as session,
        ):
            specimen.record(session, NEIGHBOUR, 50)
    assert path.read_bytes() == before


@pytest.mark.parametrize("length", [0, 1, 40, 48, 5_000, 100_000])
def test_a_cut_file_of_shots_is_named(length: int, storage: HDF5StorageManager) -> None:
    path = specimen.shots_file(storage.root)
    path.write_bytes(path.read_bytes()[:length])
    found = read(storage)
    assert found["shots"] == found["data 1"] == REFUSED
    assert found["state"] != REFUSED
    check_listings(storage)


@pytest.mark.parametrize("name", ["global_parameters.json", "device_configurations/camera.json"])
@pytest.mark.parametrize(
    "content",
    [*_BROKEN.values(), *(json.dumps({"type": wrong}).encode() for wrong in _WRONG)],
)
def test_a_broken_document_outside_the_tree_is_named(
    name: str, content: bytes, storage: HDF5StorageManager
) -> None:
    (storage.root / name).write_bytes(content)
    with pytest.raises(DamagedStorageError, match=r"\.json"), storage.session() as session:
        _ = session.get_global_parameters(), dict(session.default_device_configurations)
    check_listings(storage)


@pytest.mark.parametrize("parameters", [None, 1, [[]], [["a"]], {"a": "1"}])
def test_global_parameters_of_another_kind_are_not_called_damaged(
    parameters: object, storage: HDF5StorageManager
) -> None:
    keys = {"format": "shotstore global parameters", "version": 1, "parameters": parameters}
    (storage.root / "global_parameters.json").write_text(json.dumps(keys))
    refused = pytest.raises(UnreadableConfigurationError, match="The global parameters")
    with refused, storage.session() as session:
        session.get_global_parameters()


@pytest.mark.parametrize("content", _BROKEN.values())
def test_a_store_with_a_broken_marker_is_not_opened(
    content: bytes, storage: HDF5StorageManager
) -> None:
    (storage.root / "shotstore.json").write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(DamagedStorageError, match=r"shotstore\.json"):
            specimen.open_store(storage.root, read_only=read_only)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 8, b"\xff" * 9, b"\0" * 100])
@pytest.mark.parametrize(
    "name", ["commits", "write.lock", "writer.json", "gate.lock", "apply.lock"]
)
def test_counters_and_locks_may_hold_anything(
    name: str, content: bytes, storage: HDF5StorageManager
) -> None:
    (storage.root / ".shotstore" / name).write_bytes(content)
    for index in (60, 61):
        with specimen.open_store(storage.root).session() as session:
            specimen.record(session, NEIGHBOUR, index)
    with storage.session() as session:
        assert len(session.sequences.get_shots(NEIGHBOUR)) == 8


def _without(root: Path) -> None:
    shutil.rmtree(root)


def _emptied(root: Path) -> None:
    for file in root.rglob("*.*"):
        file.write_bytes(b"")


def _edited(**changes: object) -> Callable[[Path], None]:
    def change(entry: Path) -> None:
        path = entry / "entry.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: _without(entry / "content"),
        _without,
        _emptied,
        _edited(path="\\..\\..\\outside"),
        _edited(path="/outside"),
        _edited(path=["x"]),
        _edited(path="\\"),
        _edited(deleted="yesterday"),
        _edited(deleted="9999-12-31T23:59:59-23:00"),
        _edited(reason="x"),
        _edited(version=99),
        _edited(format="shotstore store"),
    ],
)
def test_a_damaged_entry_of_the_trash_harms_nothing(
    change: Callable[[Path], None], storage: HDF5StorageManager, tmp_path: Path
) -> None:
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    (entry,) = storage.trash.entries()
    change(storage.root / ".shotstore/trash" / entry.id)
    outside = sorted(os.listdir(tmp_path))  # noqa: PTH208
    again = specimen.open_store(storage.root)
    with suppress(RuntimeError):
        again.trash.restore(entry.id)
    with again.session() as session:
        assert NEIGHBOUR in session.paths.get_all_paths()
    again.trash.empty()
    assert sorted(os.listdir(tmp_path)) == outside  # noqa: PTH208
