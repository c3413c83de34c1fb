"""How often a table is read for columns of many shots."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from shotstore import DamagedStorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots.rows import Rows
from shotstore.model import Parameter, quantity
from shotstore.testing.experiments import PATH, launch, record

NAMES = [f"p{i}" for i in range(40)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each table was read, by the name of its first column."""
    counter: Counter[str] = Counter()
    read = Rows.read

    def note(rows: Rows, start: int, count: int, values: int | None = None) -> npt.NDArray[Any]:
        counter[(rows.dtype.names or ("",))[0]] += 1
        return read(rows, start, count, values)

    monkeypatch.setattr(Rows, "read", note)
    return counter


def record_shots(storage: HDF5StorageManager, shots: list[dict[str, Parameter]]) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index, parameters in enumerate(shots):
            record(session, index=index, parameters=parameters, data={"n": index, "x": index / 2})


def test_a_table_is_read_once_for_all_of_its_columns(
    storage: HDF5StorageManager, reads: Counter[str]
) -> None:
    record_shots(storage, [{name: quantity(index, "MHz") for name in NAMES} for index in range(9)])
    reads.clear()
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, parameters=NAMES, labels=["n", "x"])
    assert all(column.values.tolist() == list(range(9)) for column in found.parameters.values())
    assert (reads["p0"], reads["n"]) == (1, 1)


def test_a_table_is_read_once_where_shots_differ(
    storage: HDF5StorageManager, reads: Counter[str]
) -> None:
    def parameters(index: int) -> dict[str, Parameter]:
        missing = f"p{1 + index % 5}"  # "p0" is never missing
        return {name: index for name in NAMES if name != missing}

    record_shots(storage, [parameters(index) for index in range(20)])
    reads.clear()
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, parameters=NAMES).parameters
    assert reads["p0"] == 1
    for index in range(20):
        there = [name for name in NAMES if found[name].is_present[index]]
        assert there == list(parameters(index))
        assert {int(found[name].values[index]) for name in there} == {index}


def test_a_table_of_many_chunks_is_read_past_hdf5(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_shots(storage, [dict.fromkeys(NAMES, index / 7) for index in range(1500)])
    with storage.session() as session:
        session.sequences.get_columns(PATH, parameters=["p0"])
        calls = counted(monkeypatch)
        found = session.sequences.get_columns(PATH, parameters=NAMES).parameters
    assert found["p39"].values.tolist() == [index / 7 for index in range(1500)]
    assert calls["HDF5"] == 0
    assert calls["ours"] <= 16  # 125 chunks, of which those of some shots lie side by side


def test_some_rows_of_many_are_read_past_hdf5(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_shots(storage, [dict.fromkeys(NAMES, index / 7) for index in range(1500)])
    rows = [*range(1499, 0, -100), 7, 1499, *range(0, 1500, 60), 13, 14, 15]
    with storage.session() as session:
        session.sequences.get_columns(PATH, parameters=["p0"])
        calls = counted(monkeypatch)
        found = session.sequences.get_columns(PATH, parameters=NAMES, rows=rows)
    assert found.shot_index.tolist() == rows
    assert found.parameters["p39"].values.tolist() == [row / 7 for row in rows]
    assert calls["HDF5"] == 0
    assert calls["ours"] <= 2 * len(rows)  # of the shots, and of their parameters


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a file object in Python is asked for bytes from here on, and by whom."""
    calls: Counter[str] = Counter()
    readinto, read_at = HDF5FileObject.readinto, HDF5FileObject.read_at

    def by_hdf5(file: HDF5FileObject, buffer: memoryview) -> int:
        calls["HDF5"] += 1
        return readinto(file, buffer)

    def by_us(file: HDF5FileObject, pieces: Sequence[memoryview], offset: int) -> None:
        calls["ours"] += 1
        read_at(file, pieces, offset)

    monkeypatch.setattr(HDF5FileObject, "readinto", by_hdf5)
    monkeypatch.setattr(HDF5FileObject, "read_at", by_us)
    return calls


def test_a_damaged_byte_in_a_table_is_noticed(storage: HDF5StorageManager) -> None:
    record_shots(storage, [dict.fromkeys(NAMES, index / 7) for index in range(1500)])
    [path] = storage.root.rglob("shots.h5")
    with h5py.File(path, locking=False) as file:
        offset = file["parameters"].id.get_chunk_info(70).byte_offset
    with path.open("r+b") as raw:
        raw.seek(offset + 1000)
        byte = raw.read(1)[0]
        raw.seek(offset + 1000)
        raw.write(bytes([byte ^ 1]))
    with storage.session() as session, pytest.raises(DamagedStorageError):
        session.sequences.get_columns(PATH, parameters=["p0"])


def test_which_schemas_the_shots_have_is_looked_up_once(
    storage: HDF5StorageManager, reads: Counter[str]
) -> None:
    record_shots(storage, [{"p0": 1.5}] * 9)
    reads.clear()
    with storage.session() as session:
        session.sequences.get_parameter_schema(PATH)
        session.sequences.get_data_schema(PATH)
        assert not session._reader_().get_sequence(PATH).has_wide_integers()
        assert reads["shot_index"] == 1
        session.sequences.get_columns(PATH, parameters=["p0"], labels=["n"])
    assert reads["shot_index"] == 2  # once more, for their times


def test_shots_that_a_session_adds_are_among_its_columns(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(3):
            record(session, index=index, parameters={f"p{index}": index})
            found = session.sequences.get_columns(
                PATH, parameters=list(session.sequences.get_parameter_schema(PATH))
            ).parameters
            assert list(found) == NAMES[: index + 1]
            assert found[f"p{index}"].values[-1] == index
            assert np.count_nonzero(found[f"p{index}"].is_present) == 1
