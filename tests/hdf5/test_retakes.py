"""Shots that were taken again, in files: nothing is overwritten, and what counts is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import Attempt, DamagedStorageError, ShotId
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data
from shotstore.testing.content import reopened
from shotstore.testing.experiments import PATH, SECOND, START, indices, launch, path, recipe
from shotstore.testing.failing_sessions import discarded
from tests.test_readme import ROOT, blocks_of

FRAME = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
TAKEN = [0, 1, 2, 1, 3, 1]
"""The indices of shots, in the order of recording."""
LAST = [0, 2, 4, 5]
"""The rows that count."""


def shots_file(storage: HDF5StorageManager) -> Path:
    return storage.root.joinpath("sequences", *PATH.parts, "shots.h5")


def document(storage: HDF5StorageManager) -> Path:
    return shots_file(storage).with_name("sequence.json")


def take(storage: HDF5StorageManager, index: int, row: int) -> None:
    with storage.session() as session:
        time = START + row * SECOND
        data: dict[str, Data] = {"frame": FRAME + row, "row": row}
        session.sequences.create_shot(
            ShotId(PATH, index), {"row": row}, data, time, time, replace=True
        )


@pytest.fixture
def running(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a running sequence in which two attempts at the shot 1 have failed."""
    launch(storage)
    for row, index in enumerate(TAKEN):
        take(storage, index, row)
    return storage


@pytest.fixture
def ended(running: HDF5StorageManager) -> HDF5StorageManager:
    """The same, interrupted."""
    with running.session() as session:
        session.sequences.set_interrupted(PATH, "now")
    return running


def rows_of(storage: HDF5StorageManager) -> list[int]:
    """Which rows count, as shotstore reads them."""
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        found = [shot.get_data_by_label("row") for shot in sequence]
        columns = session.sequences.get_columns(PATH, labels=["row"]).data["row"]
        rows: list[int] = columns.values.tolist()
        assert sorted(map(str, found)) == sorted(map(str, rows))
    return rows


def attempts(storage: HDF5StorageManager, index: int = 1) -> list[Attempt]:
    with storage.session() as session:
        return session.get_sequence(PATH).get_shot(index).attempts


def test_each_attempt_has_a_row_in_the_order_of_recording(running: HDF5StorageManager) -> None:
    with h5py.File(shots_file(running)) as file:
        assert file["shots"]["shot_index"].tolist() == TAKEN
        assert file["retakes"][:].tolist() == [3, 5]
        assert file["retakes"].dtype == np.uint64
        assert file["parameters"]["row"].tolist() == [*range(6)]
        assert np.array_equal(file["data/frame"][:], [FRAME + row for row in range(6)])


def test_nothing_that_was_committed_is_overwritten(running: HDF5StorageManager) -> None:
    def rows() -> list[bytes]:
        with h5py.File(shots_file(running)) as file:
            count = len(TAKEN)
            return [file[name][:count].tobytes() for name in ("shots", "parameters", "data/frame")]

    before = rows()
    take(running, 0, 6)
    assert rows() == before


def test_a_file_in_which_no_shot_was_taken_again_says_nothing_of_it(
    storage: HDF5StorageManager,
) -> None:
    launch(storage)
    for index in range(3):
        take(storage, index, index)
    with storage.session() as session:
        session.sequences.set_finished(PATH, "now")
    with h5py.File(shots_file(storage)) as file:
        assert "retakes" not in file
    assert "number_of_retakes" not in json.loads(document(storage).read_text())


def test_the_document_says_how_many_rows_there_are(ended: HDF5StorageManager) -> None:
    content = json.loads(document(ended).read_text())
    assert (content["number_of_shots"], content["number_of_retakes"]) == (4, 2)
    with ended.session() as session:
        session.sequences.resume(PATH)
    content = json.loads(document(ended).read_text())
    assert content["number_of_shots"] is None
    assert "number_of_retakes" not in content
    take(ended, 3, 6)
    with ended.session() as session:
        session.sequences.set_finished(PATH, "now")
    content = json.loads(document(ended).read_text())
    assert (content["number_of_shots"], content["number_of_retakes"]) == (4, 3)
    with ended.session() as session:
        session.sequences.reset_to_draft(PATH)
    assert "number_of_retakes" not in json.loads(document(ended).read_text())


def test_plain_h5py_takes_the_last_ones_in_two_lines(running: HDF5StorageManager) -> None:
    [page] = [
        block.text
        for block in blocks_of(ROOT / "docs" / "file-format.md")
        if block.language == "python" and "last = " in block.text
    ]
    lines = [line.strip() for line in page.splitlines()]
    two = [line for line in lines if line.startswith(("last = ", "rows = "))]
    assert len(two) == 2
    with h5py.File(shots_file(running)) as file:
        names: dict[str, Any] = {"file": file}
        exec("\n".join(two), names)
        rows = names["rows"]
        assert file["shots"]["shot_index"][rows].tolist() == [0, 2, 3, 1]
        assert file["parameters"]["row"][rows].tolist() == LAST
        assert file["data/frame"][rows][-1, 0, 0] == 5


def test_a_copy_without_a_store_reads_the_last_ones(ended: HDF5StorageManager) -> None:
    archive = HDF5StorageManager(document(ended).parent, read_only=True)
    with archive.session() as session:
        sequence = session.get_sequence(rf"\{PATH.name}")
        assert sequence.get_shot(1).get_data_by_label("row") == 5
        assert len(sequence.get_shot(1).attempts) == 2


def test_a_reader_beside_a_recorder_finds_what_is_new(running: HDF5StorageManager) -> None:
    """What is remembered of a file goes on with each commit."""
    for row in range(6, 12):
        take(running, row % 4, row)
        assert len(rows_of(running)) == 4
        assert max(rows_of(running)) == row
    assert [attempt.parameters["row"] for attempt in attempts(running, 3)] == [4, 7]


def test_attempts_are_no_damage(running: HDF5StorageManager) -> None:
    report = running.verify()
    assert report.findings == []
    assert report.shots == 4
    with running.session() as session:
        session.sequences.set_finished(PATH, "now")
    assert running.verify().findings == []


def change(file: Path, make: Callable[[h5py.File], object]) -> None:
    with h5py.File(file, "r+", libver=("v110", "v110"), locking=False) as hdf5:
        make(hdf5)


def _forget_the_retakes(file: h5py.File) -> None:
    del file["retakes"]


def test_an_index_that_is_there_twice_by_mistake_is_damage(ended: HDF5StorageManager) -> None:
    change(shots_file(ended), _forget_the_retakes)
    [found] = [f for f in ended.verify().findings if "twice" in f.problem]
    assert "the shots 1 stand in it twice" in found.problem
    # Anew: what was read of the rows before is not read again.
    with reopened(ended).session() as session, pytest.raises(DamagedStorageError, match="twice"):
        session.get_sequence(PATH).get_shot(1).get_data()


def test_a_retake_that_is_none_is_damage(ended: HDF5StorageManager) -> None:
    def name_another_row(file: h5py.File) -> None:
        file["retakes"].resize((3,))
        file["retakes"][2] = 4

    change(shots_file(ended), name_another_row)
    assert any("not taken again" in found.problem for found in ended.verify().findings)


def test_a_recovery_keeps_the_attempts(ended: HDF5StorageManager) -> None:
    file = shots_file(ended)
    content = bytearray(file.read_bytes())
    place = content.index((FRAME + 2).tobytes())
    content[place + 100] ^= 1  # in shot 2
    file.write_bytes(content)
    done = ended.recover(PATH)
    assert (done.number_of_shots, done.lost_shots) == (4, 0)
    assert done.incomplete_shots == {2: ("frame",)}
    assert ended.verify().findings == []
    assert rows_of(ended) == LAST
    assert [attempt.parameters["row"] for attempt in attempts(ended)] == [1, 3]


def test_a_document_that_is_made_anew_counts_shots_and_rows(ended: HDF5StorageManager) -> None:
    before = document(ended).read_text()
    document(ended).unlink()
    ended.recover(PATH)
    after = json.loads(document(ended).read_text())
    for key in ("number_of_shots", "number_of_retakes"):
        assert after[key] == json.loads(before)[key]
    assert ended.verify().findings == []
    assert rows_of(ended) == LAST


def test_a_sequence_has_finished_if_all_its_shots_are_there(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=3)
    for row, index in enumerate([0, 1, 0]):
        take(storage, index, row)
    document(storage).unlink()
    storage.recover(PATH)
    with storage.session() as session:
        assert session.sequences.get_state(PATH).value == "interrupted"
        assert indices(session) == [1, 0]


def test_a_discarded_attempt_leaves_nothing(running: HDF5StorageManager) -> None:
    before = shots_file(running).read_bytes()
    with discarded(running.session) as session:
        session.sequences.create_shot(ShotId(PATH, 0), {}, {}, START, START, replace=True)
    assert shots_file(running).read_bytes() == before
    take(running, 0, 6)
    assert rows_of(running) == [2, 4, 5, 6]


def test_a_duplicate_begins_without_attempts(ended: HDF5StorageManager) -> None:
    with ended.session() as session:
        duplicate = session.get_sequence(PATH).duplicate(path(r"\duplicate"))
        assert duplicate.get_iteration_configuration() == recipe()
        assert len(duplicate) == 0
