"""``results.h5``: made when the first result is stored, of the layout of ``shots.h5``, which stays
as it is, and carried wherever its sequence goes."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from shotstore import DamagedStorageError, State
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.shots.rows import Rows
from shotstore.memory import InMemoryStorageManager
from shotstore.model import DefaultSerializer
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, bring_to, finish, launch, record

IMAGE = np.arange(64 * 64, dtype="<f4").reshape(64, 64)


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    return HDF5StorageManager(tmp_path / "store", serializer=serializer())


@pytest.fixture
def ended(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a finished sequence of four shots, recorded in reverse, and their results."""
    launch(storage)
    for index in reversed(range(4)):
        record(storage, index=index, data={"counts": 10 * index, "note": f"shot {index}"})
    finish(storage)
    fit(storage)
    return storage


def fit(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        for index in range(4):
            results: dict[str, Any] = {
                "fraction": index / 4,
                "od": IMAGE + index,
                "model": "bi",
            }
            session.sequences.set_results(PATH, index, results, by="a fit")
    with storage.session() as session:
        session.sequences.set_results(PATH, 2, {"fraction": 0.9})
        session.sequences.set_shot_tags(PATH, 1, ["bad", "out of lock"])
        session.sequences.set_shot_note(PATH, 1, "laser")


def file(storage: HDF5StorageManager, name: str = "results.h5") -> Path:
    return storage.root.joinpath("sequences", *PATH.parts, name)


def flip_in(path: Path, piece: bytes) -> None:
    changed = bytearray(path.read_bytes())
    changed[changed.index(piece)] ^= 1
    path.write_bytes(changed)


def all_of(storage: HDF5StorageManager) -> object:
    with storage.session() as session:
        return content(session)[str(PATH)]


def test_there_is_no_file_before_the_first_result(storage: HDF5StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    with storage.session() as session:
        session.sequences.get_results(PATH)
    assert not file(storage).exists()


def test_the_shots_file_does_not_change(storage: HDF5StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    storage.close()
    before = file(storage, "shots.h5").read_bytes()
    with storage.session() as session:
        session.sequences.set_results(PATH, 0, {"od": IMAGE})
    storage.close()
    assert file(storage).exists()
    assert file(storage, "shots.h5").read_bytes() == before


def test_plain_h5py_has_the_newest_results_in_two_lines(ended: HDF5StorageManager) -> None:
    ended.close()
    with h5py.File(file(ended)) as f:
        rows = zip(f["shots"]["shot_index"], f["data/fraction"], strict=False)
        fractions = {index: value for index, value in rows if value == value}
        assert fractions == {0: 0.0, 1: 0.25, 2: 0.9, 3: 0.75}
        assert f["about/row"][:5].tolist() == [3, 2, 1, 0, 1]
        assert f["data/od"].shape == (4, 64, 64)
        np.testing.assert_array_equal(f["data/od"][3], IMAGE + 3)
        assert f["data/model"][0] == b"bi"
        assert f["about/by"][0] == b"a fit"
        assert f.attrs["format"] == b"shotstore results"


def test_a_recorder_keeps_its_file_open(storage: HDF5StorageManager) -> None:
    launch(storage)
    other = HDF5StorageManager(storage.root, serializer=serializer())
    for index in range(3):
        record(storage, index=index)
        with other.session() as session:
            session.sequences.set_results(PATH, index, {"twice": 20 * index}, by="other")
    finish(storage)
    with other.session() as session:
        assert session.sequences.get_results(PATH) == {i: {"twice": 20 * i} for i in range(3)}
        assert len(session.get_sequence(PATH)) == 3


def test_a_copy_without_its_store_has_the_results(
    ended: HDF5StorageManager, tmp_path: Path
) -> None:
    ended.close()
    shutil.copytree(ended.root / "sequences", tmp_path / "copy")
    archive = HDF5StorageManager(tmp_path / "copy", read_only=True, serializer=serializer())
    assert exactly_equal(all_of(archive), all_of(ended))
    with pytest.raises(Exception, match="read_only"), archive.session() as session:
        session.sequences.set_results(PATH, 0, {"a": 1})


def test_copies_to_other_storages_and_back_have_all_of_it(
    ended: HDF5StorageManager, tmp_path: Path
) -> None:
    memory = InMemoryStorageManager(serializer=serializer())
    back, files = (
        HDF5StorageManager(tmp_path / name, serializer=serializer()) for name in ("back", "files")
    )
    copy_path(PATH, ended, memory, progress=False)
    copy_path(PATH, memory, back, progress=False)
    copy_path(PATH, ended, files, progress=False)
    for copy in (back, files):
        assert exactly_equal(all_of(copy), all_of(ended))
        assert not copy.verify().findings
    with ended.session() as one, files.session() as other:
        times = [
            [each.time for each in session.sequences.get_results(PATH, history=True)]
            for session in (one, other)
        ]
        assert times[0] == times[1]


def test_results_go_to_the_trash_with_the_shots_and_come_back(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    with ended.session() as session:
        session.sequences.reset_to_draft(PATH)
    assert not file(ended).exists()
    with ended.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    entry = next(entry for entry in ended.trash.entries() if entry.reason == "reset")
    ended.trash.restore(entry.id)
    assert exactly_equal(all_of(ended), before)
    assert not ended.verify().findings


def test_a_viewer_that_writes_keeps_nobody_from_storing(ended: HDF5StorageManager) -> None:
    ended.close()
    with h5py.File(file(ended), "r+"):
        with ended.session() as session:
            session.sequences.set_results(PATH, 0, {"fraction": 0.1})
        with ended.session() as session:
            assert session.sequences.get_results(PATH, 0)["fraction"] == 0.1


def test_verify_reads_the_results(ended: HDF5StorageManager) -> None:
    ended.close()
    assert not ended.verify().findings
    flip_in(file(ended), (IMAGE + 1).tobytes())
    [finding] = ended.verify().findings
    assert finding.file == file(ended)
    assert "od" in finding.problem
    assert "recover" in finding.remedy


def test_damaged_results_leave_the_shots_readable(ended: HDF5StorageManager) -> None:
    ended.close()
    file(ended).write_bytes(b"no HDF5 file")
    with ended.session() as session:
        assert session.sequences.get_all_shot_data(PATH, 1)["counts"] == 10
        with pytest.raises(DamagedStorageError, match=r"results\.h5"):
            session.sequences.get_results(PATH)


def test_results_of_another_sequence_are_refused(ended: HDF5StorageManager) -> None:
    ended.close()
    document = file(ended, "sequence.json")
    found = document.read_text()
    with ended.session() as session:
        sequence_id = session.transaction.read(
            lambda: (
                session.transaction.tree.document(session.transaction.tree.get_sequence(PATH)).id
            )
        )
    ended.close()
    document.write_text(found.replace(sequence_id, "0" * len(sequence_id)))
    shots = file(ended, "shots.h5")
    shots.write_bytes(shots.read_bytes())
    with ended.session() as session, pytest.raises(DamagedStorageError, match="another sequence"):
        session.sequences.get_results(PATH)


def test_results_that_can_be_read_are_saved(ended: HDF5StorageManager) -> None:
    before = all_of(ended)
    ended.close()
    flip_in(file(ended), (IMAGE + 1).tobytes())
    recovered = ended.recover(PATH)
    assert recovered.repairs == ("results.h5 was written anew, with 7 of 7 rows.",)
    assert not ended.verify().is_damaged
    after = all_of(ended)
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    del before["results"][1]["od"]
    assert exactly_equal(after["results"], before["results"])
    assert exactly_equal(after["tags and notes of shots"], before["tags and notes of shots"])


def test_results_follow_their_shots_where_others_are_lost(ended: HDF5StorageManager) -> None:
    with ended.session() as session:
        before = session.sequences.get_results(PATH)
    ended.close()
    with h5py.File(file(ended, "shots.h5")) as f:
        data = f["data/note"]
        place = data.id.get_chunk_info(0).byte_offset
    flip = bytearray(file(ended, "shots.h5").read_bytes())
    flip[place] ^= 1
    file(ended, "shots.h5").write_bytes(flip)
    recovered = ended.recover(PATH)
    assert any("shots.h5" in repair for repair in recovered.repairs)
    with ended.session() as session:
        assert exactly_equal(session.sequences.get_results(PATH), before)
    assert not ended.verify().is_damaged


def test_results_of_which_nothing_can_be_read_go_to_the_trash(ended: HDF5StorageManager) -> None:
    ended.close()
    file(ended).write_bytes(b"no HDF5 file")
    recovered = ended.recover(PATH)
    assert "nothing could be read" in recovered.repairs[0]
    assert not file(ended).exists()
    with ended.session() as session:
        assert session.sequences.get_results(PATH) == {}
        assert len(session.get_sequence(PATH)) == 4


def test_many_results_take_few_writes(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 2000
    with storage.session() as session:
        launch(session, shots=count)
        for index in range(count):
            record(session, index=index)
    columns = {"shot_index": np.arange(count), "a": np.random.rand(count), "b": ["x"] * count}
    writes: list[int] = []
    write = Rows.write

    def count_writes(rows: Rows, start: int, values: npt.NDArray[Any]) -> None:
        writes.append(start)
        write(rows, start, values)

    with monkeypatch.context() as patch, storage.session() as session:
        patch.setattr(Rows, "write", count_writes)
        session.sequences.set_many_results(PATH, columns)
    assert len(writes) < 12
    with storage.session() as session:
        assert len(session.sequences.get_results(PATH)) == count


def test_other_programs_serializers_are_not_asked(ended: HDF5StorageManager) -> None:
    plain = HDF5StorageManager(ended.root, serializer=DefaultSerializer())
    with plain.session() as session:
        session.sequences.set_results(PATH, 0, {"fraction": 0.3})
        assert session.sequences.get_results(PATH, 0)["fraction"] == 0.3


_ANALYSIS = """
import sys
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH
storage = HDF5StorageManager(sys.argv[1], serializer=serializer())
for index in range(12):
    with storage.session() as session:
        session.sequences.set_results(PATH, index, {sys.argv[2]: index}, by=sys.argv[2])
"""


def test_several_processes_store_at_once_while_shots_are_recorded(
    storage: HDF5StorageManager,
) -> None:
    launch(storage, shots=100)
    for index in range(12):
        record(storage, index=index)
    analyses = [
        subprocess.Popen([sys.executable, "-c", _ANALYSIS, str(storage.root), name])
        for name in ("first", "second", "third")
    ]
    index = 12
    while any(analysis.poll() is None for analysis in analyses) and index < 100:
        record(storage, index=index)
        index += 1
    assert [analysis.wait(60) for analysis in analyses] == [0, 0, 0]
    with storage.session() as session:
        assert len(session.get_sequence(PATH)) == index
        assert session.sequences.get_results(PATH) == {
            shot: {"first": shot, "second": shot, "third": shot} for shot in range(12)
        }
    assert not storage.verify().findings
