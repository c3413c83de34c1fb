"""`storage.verify`: finds every damage, says what to do, and raises no false alarm."""

import shutil
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore import CommitUncertainError, PathNotFoundError, State, UnreadableConfigurationError
from shotstore.hdf5 import Finding, HDF5StorageManager, Report, disk
from shotstore.hdf5.disk import Operation
from shotstore.model import (
    Data,
    DefaultSerializer,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
)
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    TIME_LANES,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from tests.commit_moment import CommitMoment
from tests.processes.children import Child, listening

OTHER = path(r"\2026\ramsey")
FRAME = np.arange(64 * 64, dtype="<u2").reshape(64, 64)


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with two sequences that have finished, of four shots each."""
    with storage.session() as session:
        for sequence in (PATH, OTHER):
            launch(session, sequence)
    for sequence in (PATH, OTHER):
        for index in range(4):
            with storage.session() as session:
                data: dict[str, Data] = {
                    "frame": FRAME + index,
                    "text": f"shot {index}",
                    "tags": np.arange(index + 1),
                }
                record(session, sequence, index, data=data)
        with storage.session() as session:
            finish(session, sequence)
    return storage


def directory(storage: HDF5StorageManager, sequence: object = PATH) -> Path:
    return storage.root.joinpath("sequences", *path(str(sequence)).parts)


def shots_file(storage: HDF5StorageManager) -> Path:
    return directory(storage) / "shots.h5"


def document(storage: HDF5StorageManager) -> Path:
    return directory(storage) / "sequence.json"


def flip(file: Path, position: int) -> None:
    """Flip a bit of a file."""
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)


def place_of_frame(file: Path, index: int) -> int:
    """Where a frame lies in the file."""
    return file.read_bytes().index((FRAME + np.uint16(index)).tobytes())


def only(report: Report) -> Finding:
    [finding] = report.findings
    assert finding.remedy.endswith(".")
    assert finding.problem.endswith(".")
    return finding


def damage(report: Report) -> Finding:
    finding = only(report)
    assert finding.severity == "damage"
    assert report.is_damaged
    return finding


def note(report: Report) -> Finding:
    finding = only(report)
    assert finding.severity == "note"
    assert not report.is_damaged
    return finding


# No false alarms


def test_a_store_of_sequences_in_every_state_is_sound(
    storage: HDF5StorageManager, serializer: DefaultSerializer
) -> None:
    with storage.session() as session:
        for state in State:
            bring_to(session, state, path(f"\\{state.value}"))
        session.paths.create_path(path(r"\a\b"))
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    with storage.session() as session:
        session.paths.delete_path(path(r"\finished"), delete_sequences=True)
        session.sequences.reset_to_draft(path(r"\crashed"))
    assert storage.verify().findings == []
    for place in (storage.root, storage.root / "sequences", storage.root / "sequences/interrupted"):
        archive = HDF5StorageManager(place, read_only=True, serializer=serializer)
        assert archive.verify().findings == []


def test_the_report_counts_what_was_read(recorded: HDF5StorageManager) -> None:
    report = recorded.verify()
    assert (report.root, report.sequences, report.shots) == (recorded.root, 2, 8)
    assert report.size == sum(file.stat().st_size for file in recorded.root.rglob("shots.h5"))
    assert recorded.verify(PATH).sequences == 1
    assert recorded.verify(r"\2026").sequences == 2
    with pytest.raises(PathNotFoundError):
        recorded.verify(r"\2027")


def test_progress_goes_up_to_the_end(recorded: HDF5StorageManager) -> None:
    steps: list[tuple[int, int]] = []
    size = recorded.verify(progress=lambda done, total: steps.append((done, total))).size
    assert steps[-1] == (size, size)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_files_of_other_people_are_no_finding(recorded: HDF5StorageManager) -> None:
    (recorded.root / "notes.txt").write_text("tidy up")
    (directory(recorded) / "analysis").mkdir()
    (directory(recorded) / "analysis" / "fit.json").write_text("{}")
    (directory(recorded) / "figure.png").write_bytes(b"")
    (recorded.root / "sequences" / ".DS_Store").write_bytes(b"")
    (recorded.root / "sequences" / "a:b").mkdir()
    (recorded.root / "device_configurations" / "readme.txt").write_text("see the wiki")
    assert recorded.verify().findings == []


def test_a_session_that_is_writing_is_no_finding(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session)
    with storage.session() as session:
        record(session, index=1, data={"frame": FRAME})
        create(session, OTHER)
        assert storage.verify().findings == []


def test_verifying_beside_a_recorder_finds_nothing(storage: HDF5StorageManager) -> None:
    with Child(_record_and_move, storage) as recorder:
        recorder.hear()
        shots = 0
        for _ in range(10):
            report = storage.verify()
            assert report.findings == []
            shots = max(shots, report.shots)
        recorder.tell()
        recorder.finish()
    assert shots > 0


_MOST_RUNS = 60


def _record_and_move(parent: Connection, storage: HDF5StorageManager) -> None:
    number = 0
    while listening(parent):
        if number == _MOST_RUNS:  # what is to be read would grow faster than it is read
            parent.poll(None)
            return
        sequence = path(f"\\runs\\{number}")
        with storage.session() as session:
            launch(session, sequence)
        for index in range(5):
            with storage.session() as session:
                record(session, sequence, index, data={"frame": FRAME, "n": index})
            if number == index == 0:
                parent.send("recording")
        with storage.session() as session:
            finish(session, sequence)
            session.paths.move(sequence, path(f"\\done\\{number}"))
        if number % 3 == 0:
            with storage.session() as session:
                session.paths.delete_path(path(f"\\done\\{number}"), delete_sequences=True)
        number += 1


def test_a_copy_that_was_made_beside_a_recorder_is_whole_or_recognised(
    storage: HDF5StorageManager, serializer: DefaultSerializer, tmp_path: Path
) -> None:
    with Child(_record, storage) as recorder:
        recorder.hear()
        copies = [_copy_file_by_file(storage.root, tmp_path / str(n)) for n in range(8)]
        recorder.tell()
        recorder.finish()
    for copy in copies:
        archive = HDF5StorageManager(copy / "sequences", read_only=True, serializer=serializer)
        report = archive.verify()
        assert all("copy it again" in f.remedy for f in report.findings if f.severity == "damage")
        if not report.is_damaged:
            with archive.session() as session:
                for shot in session.sequences.get_shots(PATH):
                    session.sequences.get_all_shot_data(PATH, shot.index)


def _copy_file_by_file(source: Path, destination: Path) -> Path:
    """What rsync does, in pieces, while files grow."""
    for file in (f for f in source.rglob("*") if f.name in ("sequence.json", "shots.h5")):
        copy = destination / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as reader, copy.open("wb") as writer:
            while piece := reader.read(8192):
                writer.write(piece)
    return destination


def _record(parent: Connection, storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    index = 0
    while listening(parent):
        with storage.session() as session:
            record(session, index=index, data={"frame": FRAME, "n": index})
        if index == 3:
            parent.send("recording")
        index += 1


# shots.h5


def test_a_flipped_bit_names_the_shot_and_stops_nothing(recorded: HDF5StorageManager) -> None:
    flip(shots_file(recorded), place_of_frame(shots_file(recorded), 2) + 77)
    report = recorded.verify()
    finding = damage(report)
    assert finding.path == PATH
    assert finding.file == shots_file(recorded)
    assert "data/frame" in finding.problem
    assert "with the shots 2 (" in finding.problem
    assert "shotstore recover 2026/rabi" in finding.remedy
    assert (report.sequences, report.shots) == (2, 8)


def test_whatever_bit_a_reader_stumbles_over_is_found(recorded: HDF5StorageManager) -> None:
    whole = shots_file(recorded).read_bytes()
    for position in range(5, len(whole), len(whole) // 30):
        flip(shots_file(recorded), position)
        if _cannot_be_read(recorded):
            assert recorded.verify(PATH).is_damaged, f"at {position}"
        shots_file(recorded).write_bytes(whole)
    assert recorded.verify().findings == []


def _cannot_be_read(storage: HDF5StorageManager) -> bool:
    try:
        with storage.session() as session:
            session.sequences.get_global_parameters(PATH)
            session.sequences.get_device_configurations(PATH)
            for shot in session.sequences.get_shots(PATH):
                session.sequences.get_shot_parameters(PATH, shot.index)
                session.sequences.get_all_shot_data(PATH, shot.index)
    except RuntimeError:
        return True
    return False


def test_a_file_that_was_cut_off_is_explained(recorded: HDF5StorageManager) -> None:
    content = shots_file(recorded).read_bytes()
    shots_file(recorded).write_bytes(content[: len(content) // 2])
    finding = damage(recorded.verify())
    assert "cut off, or copied while it was being written" in finding.problem
    assert "copy it again" in finding.remedy


@pytest.mark.parametrize("content", [b"", b"no HDF5", bytes(5000)], ids=["empty", "text", "zeros"])
def test_a_file_that_is_no_shots_file(recorded: HDF5StorageManager, content: bytes) -> None:
    shots_file(recorded).write_bytes(content)
    report = recorded.verify()
    assert damage(report).file == shots_file(recorded)
    assert report.shots == 4


def test_a_missing_file(recorded: HDF5StorageManager) -> None:
    shots_file(recorded).unlink()
    assert "missing" in damage(recorded.verify()).problem


def test_what_is_behind_the_end_is_of_a_killed_program_or_of_a_bad_copy(
    recorded: HDF5StorageManager,
) -> None:
    before = shots_file(recorded).read_bytes()
    with shots_file(recorded).open("ab") as file:
        file.write(bytes(5000))
    finding = damage(recorded.verify())
    assert "5000 bytes behind its end" in finding.problem
    assert "killed" in finding.problem
    assert "rsync --append" in finding.problem
    assert "copy it again, without --append" in finding.remedy
    done = recorded.recover(PATH)
    assert (done.number_of_shots, done.lost_shots, done.incomplete_shots) == (4, 0, {})
    assert recorded.verify().findings == []
    (entry,) = recorded.trash.entries()
    kept = recorded.trash.directory / entry.id / "content" / "shots.h5"
    assert kept.read_bytes() == before + bytes(5000)


def test_an_old_beginning_with_a_new_end_is_told(
    storage: HDF5StorageManager, serializer: DefaultSerializer, tmp_path: Path
) -> None:
    with storage.session() as session:
        launch(session)

    def take(indices: range) -> None:
        for index in indices:
            with storage.session() as session:
                record(session, index=index, data={"frame": FRAME + index})

    take(range(2))
    storage.close()
    copy = shutil.copytree(storage.root, tmp_path / "copy")
    take(range(2, 6))
    storage.close()
    # What `rsync --append` does: it leaves alone what is there, and adds what is missing behind.
    there = copy / shots_file(storage).relative_to(storage.root)
    old = there.read_bytes()
    there.write_bytes(old + shots_file(storage).read_bytes()[len(old) :])
    archive = HDF5StorageManager(copy, read_only=True, serializer=serializer)
    finding = damage(archive.verify())
    assert finding.file == there
    assert "the newer shots are missing" in finding.problem


def test_shots_that_are_a_link(recorded: HDF5StorageManager, tmp_path: Path) -> None:
    moved = shots_file(recorded).rename(tmp_path / "elsewhere.h5")
    shots_file(recorded).symlink_to(moved)
    finding = damage(recorded.verify())
    assert "is a link" in finding.problem
    assert str(moved) in finding.remedy


@pytest.mark.parametrize("name", ["shots (1).h5", "shots - Copy.h5", "sequence (conflict).json"])
def test_a_copy_that_a_sync_program_has_made(recorded: HDF5StorageManager, name: str) -> None:
    file = document(recorded) if name.endswith("json") else shots_file(recorded)
    shutil.copy(file, directory(recorded) / name)
    finding = note(recorded.verify())
    assert finding.file == directory(recorded) / name
    assert "nobody reads it" in finding.problem


def test_two_sequences_with_one_id(recorded: HDF5StorageManager) -> None:
    shutil.copytree(directory(recorded), directory(recorded).parent / "rabi copy")
    assert r"\2026\rabi and \2026\rabi copy have one id" in note(recorded.verify()).problem


def test_names_that_differ_in_case(recorded: HDF5StorageManager) -> None:
    directory(recorded, OTHER).rename(directory(recorded).parent / "Rabi")
    assert "Rabi and rabi differ in upper and lower case only" in note(recorded.verify()).problem


def test_shots_of_another_sequence(recorded: HDF5StorageManager) -> None:
    shutil.copy(directory(recorded, OTHER) / "shots.h5", shots_file(recorded))
    assert "belongs to another sequence" in damage(recorded.verify()).problem


def change_with_h5py(file: Path, change: Callable[[h5py.File], object]) -> None:
    with h5py.File(file, "r+", libver=("v110", "v110"), locking=False) as hdf5:
        change(hdf5)


def _lengthen_the_table_of_shots(hdf5: h5py.File) -> None:
    hdf5["shots"].resize((2**60,))


def _lengthen_a_dataset(hdf5: h5py.File) -> None:
    hdf5["data/frame"].resize(10, axis=0)


def _shorten_a_dataset(hdf5: h5py.File) -> None:
    hdf5["data/frame"].resize(2, axis=0)


def _repeat_an_index(hdf5: h5py.File) -> None:
    shots = hdf5["shots"][:]
    shots["shot_index"][3] = 0
    hdf5["shots"][...] = shots


def _name_a_schema_that_is_not_there(hdf5: h5py.File) -> None:
    shots = hdf5["shots"][:]
    shots["schema"][3] = 17
    hdf5["shots"][...] = shots


def _lead_out_of_a_ragged_dataset(hdf5: h5py.File) -> None:
    [name] = [name for name in hdf5["data"] if name.endswith("#rows")]
    hdf5["data"][name][3] = (2, 2**63)


def _remove_a_dataset(hdf5: h5py.File) -> None:
    del hdf5["data/text"]


def _link_to_another_file(hdf5: h5py.File) -> None:
    del hdf5["data/text"]
    hdf5["data/text"] = h5py.ExternalLink("/etc/passwd", "/")


def _remove_part_of_the_configuration(hdf5: h5py.File) -> None:
    del hdf5["configuration/global_parameters"]


def _store_without_checksums(hdf5: h5py.File) -> None:
    texts = hdf5["data/text"][:]
    del hdf5["data/text"]
    hdf5.create_dataset("data/text", data=texts, chunks=(1,))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_lengthen_the_table_of_shots, "shots"),
        (_lengthen_a_dataset, "10 rows for 4 shots"),
        (_shorten_a_dataset, "lacks the shots 2, 3"),
        (_repeat_an_index, "the shots 0 stand in it twice"),
        (_name_a_schema_that_is_not_there, "schema 17"),
        (_lead_out_of_a_ragged_dataset, "leads outside of its dataset for the shots 3"),
        (_remove_a_dataset, "'text' is not there"),
        (_link_to_another_file, "link"),
        (_remove_part_of_the_configuration, "global_parameters"),
        (_store_without_checksums, "no checksums"),
    ],
)
def test_a_file_that_was_changed_by_another_program(
    recorded: HDF5StorageManager, change: Callable[[h5py.File], object], problem: str
) -> None:
    change_with_h5py(shots_file(recorded), change)
    report = recorded.verify()
    assert report.is_damaged
    assert any(problem in finding.problem for finding in report.findings), report.findings
    assert {finding.path for finding in report.findings} == {PATH}
    assert report.sequences == 2


# Documents


def test_an_edited_document_is_a_note(recorded: HDF5StorageManager) -> None:
    text = document(recorded).read_text().replace('"finished"', '"interrupted"')
    document(recorded).write_text(text)
    assert "edited outside of shotstore" in note(recorded.verify()).problem


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 100_000, '{"format": "shotstore sequence", "version": 99}', "{}"],
    ids=["empty", "cut", "deep", "of a later version", "of another format"],
)
def test_a_document_that_cannot_be_read(recorded: HDF5StorageManager, content: str) -> None:
    document(recorded).write_text(content)
    report = recorded.verify()
    assert damage(report).file == document(recorded)
    assert report.shots == 8


def test_the_error_of_an_earlier_crash_is_read_too(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.CRASHED)
        session.sequences.resume(PATH)
    assert storage.verify().findings == []
    text = document(storage).read_text().replace('"exception_type"', '"exception_kind"')
    document(storage).write_text(text)
    [found] = [f for f in storage.verify().findings if f.severity == "damage"]
    assert "interruptions is not what was stored" in found.problem


def test_what_a_serializer_has_written_is_not_judged(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        other = UnknownDeviceConfiguration("CameraConfiguration", {"gain": 3})
        session.default_device_configurations["camera"] = other
        schedule = UnknownIterationConfiguration("Schedule", {"times": [1.5]})
        session.sequences.create(r"\2026\old", schedule, TIME_LANES)
        session.sequences.set_preparing(r"\2026\old", {"camera": other}, PARAMETERS)
        with pytest.raises(UnreadableConfigurationError):
            session.sequences.get_device_configurations(r"\2026\old")
    assert [f for f in recorded.verify().findings if f.severity == "damage"] == []


@pytest.mark.parametrize(
    "name",
    ["global_parameters.json", "device_configurations/camera.json", "sequences/2026/folder.json"],
)
def test_other_documents_are_read_too(recorded: HDF5StorageManager, name: str) -> None:
    with recorded.session() as session:
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    (recorded.root / name).write_text("{")
    assert damage(recorded.verify()).file == recorded.root / name


def test_a_document_and_shots_of_different_moments(recorded: HDF5StorageManager) -> None:
    text = document(recorded).read_text()
    document(recorded).write_text(text.replace('"number_of_shots": 4', '"number_of_shots": 6'))
    problems = [f.problem for f in recorded.verify().findings if f.severity == "damage"]
    assert len(problems) == 1
    assert "counts 6 shots, and shots.h5 holds 4" in problems[0]
    assert "copied at different moments" in problems[0]


def test_a_draft_with_shots(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        create(session, path(r"\2026\draft"))
    directory(recorded, r"\2026\draft").joinpath("sequence.json").replace(document(recorded))
    assert "draft" in damage(recorded.verify()).problem


# The tree


def test_shots_without_a_document(recorded: HDF5StorageManager) -> None:
    document(recorded).unlink()
    finding = damage(recorded.verify())
    assert "no sequence.json" in finding.problem
    assert "shotstore recover 2026/rabi" in finding.remedy


def test_a_sequence_inside_of_another(recorded: HDF5StorageManager) -> None:
    directory(recorded, OTHER).rename(directory(recorded) / "ramsey")
    finding = damage(recorded.verify())
    assert finding.file == directory(recorded) / "ramsey"


def test_a_sequence_under_a_name_that_is_none(recorded: HDF5StorageManager) -> None:
    directory(recorded, OTHER).rename(directory(recorded).parent / "ramsey: old")
    finding = damage(recorded.verify())
    assert "nobody sees" in finding.problem
    assert finding.remedy == "Rename the directory to 'ramsey%3A old'."


# .shotstore


def test_what_a_killed_program_prepared_is_a_note(recorded: HDF5StorageManager) -> None:
    left = recorded.root / ".shotstore" / "tx" / ("0" * 32)
    left.mkdir()
    (left / "1").write_bytes(bytes(100))
    assert "100 bytes" in note(recorded.verify()).problem


def _leave_a_commit(storage: HDF5StorageManager) -> None:
    """Record a shot, and fail right after the commit, wherever that was to be noted down."""
    moment = CommitMoment()

    def fail(operation: Operation) -> None:
        if moment.note(operation):
            raise OSError(5, "Input/output error")

    with storage.session() as session:
        launch(session, path(r"\2026\running"))
    disk.observe = fail
    try:
        with pytest.raises(CommitUncertainError):
            _record_one(storage)
    finally:
        disk.observe = None


def _record_one(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        record(session, path(r"\2026\running"), data={"frame": FRAME})


def test_a_commit_that_was_not_finished_is_a_note(
    recorded: HDF5StorageManager, serializer: DefaultSerializer, tmp_path: Path
) -> None:
    _leave_a_commit(recorded)
    copy = shutil.copytree(recorded.root, tmp_path / "copy")
    archive = HDF5StorageManager(copy, read_only=True, serializer=serializer)
    assert "not carried out to their end" in note(archive.verify()).problem
    assert archive.verify().sequences == 2
    report = recorded.verify()  # which finishes it, as every session does
    assert report.findings == []
    assert report.shots == 9


def test_a_log_that_does_not_fit_is_explained(recorded: HDF5StorageManager) -> None:
    _leave_a_commit(recorded)
    file = directory(recorded, r"\2026\running") / "shots.h5"
    file.write_bytes(file.read_bytes()[:100])
    finding = damage(recorded.verify())
    assert finding.file.parent == recorded.root / ".shotstore" / "held"
    assert str(file) in finding.problem
    assert "Put the files back as they were" in finding.remedy
    assert f"remove {finding.file}" in finding.remedy
    assert recorded.verify().shots == 8


@pytest.mark.parametrize("content", [b"nonsense", b"", bytes(300_000)])
def test_a_log_that_is_none(recorded: HDF5StorageManager, content: bytes) -> None:
    recorded.close()
    (recorded.root / ".shotstore" / "log").write_bytes(content)
    report = recorded.verify()
    finding = damage(report)
    assert finding.file == recorded.root / ".shotstore" / "log"
    assert "Copy the store again" in finding.remedy
    assert "move .shotstore/log out of the store" in finding.remedy
    assert report.shots == 8


def test_the_trash_is_read_too(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    [entry] = recorded.trash.entries()
    place = recorded.root / ".shotstore" / "trash" / entry.id
    file = place / "content" / "shots.h5"
    assert recorded.verify().shots == 8
    flip(file, place_of_frame(file, 1))
    finding = damage(recorded.verify())
    assert finding.file == file
    assert "trash" in finding.remedy
    (place / "entry.json").unlink()
    assert "cannot be restored" in note(recorded.verify()).problem
