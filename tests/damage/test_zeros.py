"""Zeros that a disk or a copier left where data was are lost data, and zeros that were recorded are
zeros."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import DamagedStorageError, PureSequencePath
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import finish, launch, record
from tests.damage.specimen import open_store
from tests.format_reader import read_shots

PATH = PureSequencePath(r"\rabi")
COMPRESSIONS = [None, "gzip", "lzf"]
Data = Callable[[int], dict[str, Any]]


def store_of(root: Path, data: Data, shots: int, **options: Any) -> HDF5StorageManager:
    """A store with a sequence that has ended."""
    storage = open_store(root, **options)
    with storage.session() as session:
        launch(session, PATH, shots)
    for first in range(0, shots, 10):  # as commits come while it runs: tables are written early
        with storage.session() as session:
            for index in range(first, first + 10):
                record(session, PATH, index, {"p": 0, "q": 0.0, "on": False}, data(index))
    with storage.session() as session:
        finish(session, PATH)
    return storage


def shots_file(storage: HDF5StorageManager) -> Path:
    return storage.root.joinpath("sequences", *PATH.parts, "shots.h5")


def zeros(index: int) -> dict[str, Any]:
    return {
        "frame": np.full((100, 100), index % 3, "<u2"),
        "dark": np.zeros((100, 100), "<u2"),
        "float frame": np.full((100, 100), index % 3, "<f4"),
        "dark float frame": np.zeros((40, 50)),
        "bits": np.zeros(10, bool),
        "trace": np.zeros(49),
        "tags": np.zeros(index % 9 + 1, "<u4"),
        "float tags": np.zeros(index % 7 + 1),
        "minus": np.full(3000, -0.0),
        "n": 0,
        "x": 0.0,
        "comment": "",
    }


def stored(file: Path) -> list[tuple[str, int, bytes]]:
    """Each chunk in a file: the name of its dataset, its filter mask and its bytes."""
    chunks: list[tuple[str, int, bytes]] = []

    def add(name: str, found: object) -> None:
        if isinstance(found, h5py.Dataset):
            for number in range(found.id.get_num_chunks()):
                offset = found.id.get_chunk_info(number).chunk_offset
                chunks.append((name, *found.id.read_direct_chunk(offset)))

    with h5py.File(file) as hdf5:
        hdf5.visititems(add)
    return chunks


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_zeros_come_back_and_no_chunk_of_them_has_a_checksum(
    compression: str | None, tmp_path: Path
) -> None:
    shots = 140
    storage = store_of(tmp_path / "store", zeros, shots, compression=compression)
    assert storage.verify().findings == []
    plain = read_shots(shots_file(storage))
    with storage.session() as session:
        for index in range(0, shots, 10):
            np.testing.assert_equal(session.sequences.get_all_shot_data(PATH, index), zeros(index))
            np.testing.assert_equal(plain[index]["data"], zeros(index))
            found = session.sequences.get_shot_parameters(PATH, index)
            assert found == {"p": 0, "q": 0.0, "on": False}
    for name, mask, content in stored(shots_file(storage)):
        assert mask or content.strip(b"\0"), name
        assert name not in ("data/dark", "data/bits", "data/tags", "data/comment")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_zeros_that_a_session_has_recorded_are_read_in_it(
    compression: str | None, tmp_path: Path
) -> None:
    storage = open_store(tmp_path / "store", compression=compression)
    with storage.session() as session:
        launch(session, PATH, 30)
        for index in range(30):
            record(session, PATH, index, {}, zeros(index))
            np.testing.assert_equal(session.sequences.get_all_shot_data(PATH, index), zeros(index))


def test_zeros_do_not_hide_what_follows_them(tmp_path: Path) -> None:
    """In one chunk, after it was written, and in another session."""
    values = [0, 0, 5, 0, 7, 0]
    storage = open_store(tmp_path / "store")
    with storage.session() as session:
        launch(session, PATH, len(values))
    for index, value in enumerate(values):
        with storage.session() as session:
            data = {"trace": np.full(5, value, "<i2"), "one": np.full(1200, value, "<f8")}
            record(session, PATH, index, {}, data)
    with storage.session() as session:
        for index, value in enumerate(values):
            found = session.sequences.get_all_shot_data(PATH, index)
            np.testing.assert_equal(found["trace"], np.full(5, value, "<i2"))
            np.testing.assert_equal(found["one"], np.full(1200, value, "<f8"))


def frames(dtype: str) -> Data:
    return lambda index: {
        "frame": np.full((128, 128), index + 1, dtype),
        "trace": np.full(49, index + 0.5),
    }


@pytest.mark.parametrize("dtype", ["<u2", "<f4"])
@pytest.mark.parametrize("at_a_chunk", [False, True])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_was_cut_off_and_filled_up_with_zeros_is_lost(
    dtype: str, at_a_chunk: bool, compression: str | None, tmp_path: Path
) -> None:
    data, shots = frames(dtype), 30
    storage = store_of(tmp_path / "store", data, shots, compression=compression)
    file = shots_file(storage)
    length = file.stat().st_size
    with h5py.File(file) as hdf5:
        chunks = hdf5["data/frame"].id
        place = max(
            chunks.get_chunk_info(n).byte_offset for n in range(chunks.get_num_chunks() * 2 // 3)
        )
    os.truncate(file, place if at_a_chunk else place + 100)
    os.truncate(file, length)
    with storage.session() as session:
        whole = _read(session, data, shots)
    assert sum("frame" in labels for labels in whole) < shots
    with storage.session() as session, pytest.raises(DamagedStorageError, match=r"shots\.h5"):
        storage.scan(PATH).select("frame").collect()
    findings = storage.verify().findings
    assert findings
    assert all(finding.severity == "damage" for finding in findings)
    done = storage.recover(PATH)
    assert done.lost_shots + len(done.incomplete_shots) > 0
    with storage.session() as session:
        assert _read(session, data, shots) == whole
    assert storage.verify().findings == []


def _read(session: Any, data: Data, shots: int) -> list[set[str]]:
    """The labels that can be read of each shot, which are what was recorded."""
    found: list[set[str]] = [set() for _ in range(shots)]
    for shot in session.sequences.get_shots(PATH):
        for label, value in data(shot.index).items():
            try:
                read = session.sequences.get_shot_data_by_labels(PATH, shot.index, [label])
            except (DamagedStorageError, LookupError, RuntimeError):
                continue
            np.testing.assert_equal(read[label], value)
            found[shot.index].add(label)
    return found


@pytest.mark.parametrize("name", ["shots", "parameters", "scalars", "data/trace", "data/frame"])
def test_a_chunk_that_the_disk_has_lost_is_named(name: str, tmp_path: Path) -> None:
    def data(index: int) -> dict[str, Any]:
        return {**frames("<f8")(index), "n": index, "x": 0.5}

    storage = store_of(tmp_path / "store", data, 30)
    with h5py.File(shots_file(storage)) as hdf5:
        chunk = hdf5[name].id.get_chunk_info(0)
    content = bytearray(shots_file(storage).read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    shots_file(storage).write_bytes(content)
    problems = [finding.problem for finding in storage.verify().findings]
    assert any(name in problem and "zeros" in problem for problem in problems), problems
    with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
        _read_all(storage)


def _read_all(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        for shot in session.sequences.get_shots(PATH):
            session.sequences.get_shot_parameters(PATH, shot.index)
            session.sequences.get_all_shot_data(PATH, shot.index)
