"""Tags and notes are kept in ``sequence.json``, and survive all that is done to the files."""

import json
from pathlib import Path
from typing import Any

import pytest

from shotstore import DamagedStorageError, State, StorageError, TransactionConflictError
from shotstore.copy import CopyProgress, copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, bring_to, launch, path, record

TAGS = {"good", "µ-metal"}
NOTE = "The beam was blocked\nuntil shot 7."


@pytest.fixture
def finished(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a sequence that has finished, with tags and a note."""
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    with storage.session() as session:
        session.sequences.set_tags(PATH, TAGS)
        session.sequences.set_note(PATH, NOTE)
    return storage


def file_of(storage: HDF5StorageManager, name: str = "sequence.json") -> Path:
    return storage.root.joinpath("sequences", *PATH.parts, name)


def edit(storage: HDF5StorageManager, **keys: Any) -> None:
    """Change keys of the document by hand."""
    content = json.loads(file_of(storage).read_bytes())
    file_of(storage).write_text(json.dumps(content | keys))


def annotations(storage: HDF5StorageManager, at: str = str(PATH)) -> tuple[set[str], str]:
    with storage.session() as session:
        sequence = session.get_sequence(at)
        return sequence.get_tags(), sequence.get_note()


def test_they_are_found_with_grep(finished: HDF5StorageManager) -> None:
    lines = file_of(finished).read_text(encoding="utf-8").splitlines()
    assert '    "µ-metal"' in lines
    assert '  "note": "The beam was blocked\\nuntil shot 7.",' in lines


def test_shots_are_not_touched(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    before = file_of(storage, "shots.h5").stat()
    with storage.session() as session:
        session.sequences.set_tags(PATH, TAGS)
    after = file_of(storage, "shots.h5").stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (
        before.st_mtime_ns,
        before.st_size,
        before.st_ino,
    )


def test_a_document_without_them_is_read(finished: HDF5StorageManager) -> None:
    content = json.loads(file_of(finished).read_bytes())
    del content["tags"], content["note"]
    file_of(finished).write_text(json.dumps(content))
    assert annotations(finished) == (set(), "")
    with finished.session() as session:
        session.get_sequence(PATH).add_tag("a")
    assert annotations(finished) == ({"a"}, "")


@pytest.mark.parametrize("keys", [{"tags": "good"}, {"tags": [1]}, {"tags": {}}, {"note": ["a"]}])
def test_a_document_with_others_than_texts_is_damaged(
    finished: HDF5StorageManager, keys: dict[str, Any]
) -> None:
    edit(finished, **keys)
    with pytest.raises(DamagedStorageError, match=r"sequence\.json is damaged"):
        annotations(finished)


def test_a_store_is_whole_when_a_finished_sequence_was_tagged(
    finished: HDF5StorageManager,
) -> None:
    assert finished.verify().findings == []


def test_a_restored_sequence_has_them(finished: HDF5StorageManager) -> None:
    with finished.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    (entry,) = finished.trash.entries()
    finished.trash.restore(entry)
    assert annotations(finished) == (TAGS, NOTE)


def test_a_reset_keeps_those_of_that_moment_in_the_trash(finished: HDF5StorageManager) -> None:
    with finished.session() as session:
        session.sequences.reset_to_draft(PATH)
        session.sequences.set_tags(PATH, {"second try"})
    assert annotations(finished) == ({"second try"}, NOTE)
    (entry,) = finished.trash.entries()
    finished.trash.restore(entry)
    assert annotations(finished) == (TAGS, NOTE)


def test_a_recovered_sequence_has_those_of_a_readable_document(
    finished: HDF5StorageManager,
) -> None:
    edit(finished, number_of_shots=5)
    assert finished.recover(PATH).repairs
    assert annotations(finished) == (TAGS, NOTE)


def test_a_recovered_sequence_without_a_document_says_that_they_are_lost(
    finished: HDF5StorageManager,
) -> None:
    file_of(finished).unlink()
    recovered = finished.recover(PATH)
    assert "without tags and note" in recovered.repairs[0]
    assert annotations(finished) == (set(), "")


def test_an_archive_shows_them_and_refuses_others(finished: HDF5StorageManager) -> None:
    archive = HDF5StorageManager(file_of(finished).parent, read_only=True)
    name = rf"\{PATH.name}"
    assert annotations(archive, name) == (TAGS, NOTE)
    with pytest.raises(StorageError, match="read_only"), archive.session() as session:
        session.get_sequence(name).add_tag("a")


def test_a_copy_has_those_of_the_moment_when_it_began(
    finished: HDF5StorageManager, tmp_path: Path
) -> None:
    there = HDF5StorageManager(tmp_path / "there")
    tagged: list[int] = []

    def tag(progress: CopyProgress) -> None:
        if progress.size and not tagged:
            tagged.append(progress.size)
            with finished.session() as session:
                session.get_sequence(PATH).add_tag("meanwhile")

    copy_path(PATH, finished, there, progress=tag)
    assert tagged
    assert annotations(there) == (TAGS, NOTE)
    assert annotations(finished) == (TAGS | {"meanwhile"}, NOTE)
    assert there.verify().findings == []


def test_whoever_has_read_the_document_meets_the_change_when_it_writes(
    finished: HDF5StorageManager,
) -> None:
    with finished.session() as session:
        assert session.sequences.get_tags(PATH) == TAGS
        with finished.session() as other:
            other.get_sequence(PATH).add_tag("a")
        with pytest.raises(TransactionConflictError):
            session.get_sequence(PATH).add_tag("b")
    assert annotations(finished)[0] == TAGS | {"a"}


def test_a_reader_goes_on_reading_shots_of_a_sequence_that_is_tagged(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=0)
    with storage.session() as reader:
        assert reader.sequences.get_contained_sequences(PATH.root()) == {PATH}
        assert reader.sequences.get_sequences_in_state(State.RUNNING) == {PATH}
        with storage.session() as session:
            session.get_sequence(PATH).add_tag("a")
            record(session, index=1)
        # Its document was read before, and its shots were not.
        assert reader.sequences.get_shot_data_by_labels(PATH, 0, ["counts"]) == {"counts": 0}
        assert reader.sequences.get_tags(PATH) == set()


def test_a_sequence_is_tagged_while_its_recorder_has_its_session_open(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        launch(session)
    with storage.session() as recorder:
        with storage.session() as session:
            session.get_sequence(PATH).add_tag("a")
        record(recorder, index=0)
    with storage.session() as session:
        assert len(session.get_sequence(PATH)) == 1
        assert session.sequences.get_tags(PATH) == {"a"}
    assert storage.verify().findings == []


def test_a_copied_sequence_is_tagged_in_the_session_that_copies_it(
    finished: HDF5StorageManager, tmp_path: Path
) -> None:
    there = HDF5StorageManager(tmp_path / "there")
    with finished.session() as source, there.session() as session:
        session.copy_files(PATH, source)
        session.paths.move(PATH, path(r"\copy"))
        session.get_sequence(r"\copy").add_tag("copy")
    assert annotations(there, r"\copy") == (TAGS | {"copy"}, NOTE)
    assert there.verify().findings == []
