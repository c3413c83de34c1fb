"""The JSON documents of a store: what people read in them, and what is made of broken ones."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore import DamagedStorageError, PureSequencePath, State, StorageError
from shotstore.hdf5 import HDF5StorageManager, documents
from shotstore.hdf5.documents import SequenceDocument
from shotstore.records.content import RESUMABLE, InterruptionRecord
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    SECOND,
    START,
    TIME_LANES,
    bring_to,
    create,
    path,
    recipe,
)
from shotstore.testing.strategies import characters

NOWHERE = Path("sequence.json")
SEQUENCE = "sequences/2026/rabi/sequence.json"

_texts = st.text(characters, max_size=8)
_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        _texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)
    ),
    max_leaves=6,
)
_times = st.datetimes(timezones=st.just(UTC))
_counts = st.one_of(st.none(), st.integers(0, 2**63 - 1))
_interruptions = st.builds(
    InterruptionRecord,
    state=st.sampled_from(RESUMABLE),
    stop_time=_times,
    exception=_json,
    resume_time=_times,
)
_sequence_documents = st.builds(
    SequenceDocument,
    id=_texts,
    created=_times,
    state=st.sampled_from(State),
    iteration=_json,
    time_lanes=_json,
    expected_number_of_shots=_counts,
    start_time=st.one_of(st.none(), _times),
    stop_time=st.one_of(st.none(), _times),
    number_of_shots=_counts,
    exception=_json,
    interruptions=st.lists(_interruptions, max_size=2).map(tuple),
    tags=st.frozensets(_texts),
    note=_texts,
    others=st.dictionaries(_texts.map("later {}".format), _json, max_size=2),
)


@given(_sequence_documents)
def test_a_document_is_read_as_it_was_written(document: SequenceDocument) -> None:
    content = documents.dump_sequence(document)
    assert documents.load_sequence(content, NOWHERE) == document
    assert documents.is_untouched(content)


@given(_sequence_documents, st.data())
def test_no_edit_goes_unnoticed(document: SequenceDocument, data: st.DataObject) -> None:
    content = documents.dump_sequence(document)
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    for edited in (
        content[:place] + bytes([byte]) + content[place + 1 :],
        content[:place] + content[place + 1 :],
        content + bytes([byte]),
    ):
        assert not documents.is_untouched(edited)


@given(_sequence_documents, st.data())
def test_a_broken_document_is_read_or_told_as_damaged(
    document: SequenceDocument, data: st.DataObject
) -> None:
    content = documents.dump_sequence(document)
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 20)))
    broken = content[:start] + data.draw(st.binary(max_size=8)) + content[stop:]
    with contextlib.suppress(StorageError):
        documents.load_sequence(broken, NOWHERE)


def document_of(storage: HDF5StorageManager, name: str = SEQUENCE) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((storage.root / name).read_bytes())
    return content


def edit(
    storage: HDF5StorageManager, change: Callable[[dict[str, Any]], object], name: str = SEQUENCE
) -> None:
    """Change a document by hand."""
    content = document_of(storage, name)
    change(content)
    (storage.root / name).write_text(json.dumps(content))


def test_a_sequence_document_says_all_but_the_shots(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.CRASHED)
        session.paths.update_creation_date(PATH, START)
    content = document_of(storage)
    assert list(content) == [
        "format",
        "version",
        "id",
        "created",
        "state",
        "start_time",
        "stop_time",
        "expected_number_of_shots",
        "number_of_shots",
        "tags",
        "note",
        "iteration",
        "time_lanes",
        "exception",
        "interruptions",
        "measured",
        "checksum",
    ]
    assert content["format"] == "shotstore sequence"
    assert content["version"] == 1
    assert content["created"] == "2026-11-22T12:00:00.250000Z"
    assert content["state"] == "crashed"
    assert content["start_time"] == "2026-11-22T12:00:00.250000Z"
    assert content["stop_time"] == "2026-11-22T12:01:40.250000Z"
    assert content["expected_number_of_shots"] == 10
    assert content["number_of_shots"] == 1
    assert content["iteration"]["type"] == "steps"
    assert content["time_lanes"]["step_names"] == ["pulse"]
    assert content["exception"] == ERROR.to_json()


def test_the_number_of_shots_is_told_once_the_sequence_has_ended(
    storage: HDF5StorageManager,
) -> None:
    for state, count in ((State.DRAFT, None), (State.RUNNING, None), (State.FINISHED, 1)):
        with storage.session() as session:
            bring_to(session, state, path(rf"\{state.value}"))
        content = document_of(storage, f"sequences/{state.value}/sequence.json")
        assert content["number_of_shots"] == count


def test_every_document_is_indented_utf8_with_a_checksum(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        session.set_global_parameters(PARAMETERS.replace("offset", "2 µHz"))
        session.default_device_configurations.update(DEVICES)
        bring_to(session, State.FINISHED, path(r"\deleted"))
    with storage.session() as session:
        session.paths.delete_path(path(r"\deleted"), delete_sequences=True)
    found = sorted(storage.root.rglob("*.json"))
    formats = set()
    for file in found:
        if file.name == "writer.json":
            continue
        content = file.read_bytes()
        keys = json.loads(content)
        assert content.decode().startswith('{\n  "format": "shotstore ')
        assert content.endswith(b'"\n}\n')
        assert list(keys)[:2] == ["format", "version"]
        assert list(keys)[-1] == "checksum"
        body = content[: content.rindex(b'\n  "checksum": ')]
        assert keys["checksum"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
        formats.add(keys["format"].removeprefix("shotstore "))
    assert formats == {
        "store",
        "folder",
        "sequence",
        "global parameters",
        "device configuration",
        "trash entry",
    }
    assert "µHz" in (storage.root / "global_parameters.json").read_text("utf-8")


def test_a_document_edited_by_hand_is_read(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)

    def change(content: dict[str, Any]) -> None:
        content["state"] = "interrupted"
        content["stop_time"] = "2026-11-22T14:00:00+01:00"
        del content["checksum"]

    edit(storage, change)
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
        assert stats.state is State.INTERRUPTED
        assert stats.stop_time == datetime(2026, 11, 22, 13, tzinfo=UTC)
        assert stats.number_completed_shots == 1


def test_what_a_later_version_has_added_is_kept(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    edit(storage, lambda content: content.update(rating=["good", {"nested": 1.0}]))
    with storage.session() as session:
        session.sequences.set_iteration_configuration(PATH, recipe(3))
        session.sequences.set_preparing(PATH, {}, PARAMETERS)
    content = document_of(storage)
    assert content["rating"] == ["good", {"nested": 1.0}]
    assert content["state"] == "preparing"
    assert list(content)[-1] == "checksum"


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no format": lambda content: content.pop("format"),
    "another format": lambda content: content.update(format="shotstore folder"),
    "no version": lambda content: content.pop("version"),
    "a version that is none": lambda content: content.update(version="1"),
    "version 0": lambda content: content.update(version=0),
    "no state": lambda content: content.pop("state"),
    "an unknown state": lambda content: content.update(state="paused"),
    "a list as state": lambda content: content.update(state=[]),
    "no date": lambda content: content.update(created=None),
    "a date without zone": lambda content: content.update(created="2026-01-01T00:00:00"),
    "a number as date": lambda content: content.update(created=7),
    "no recipe": lambda content: content.pop("iteration"),
    "a text as count": lambda content: content.update(expected_number_of_shots="3"),
    "a negative count": lambda content: content.update(expected_number_of_shots=-1),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_document_is_named_with_a_remedy(storage: HDF5StorageManager, kind: str) -> None:
    with storage.session() as session:
        create(session)
        create(session, path(r"\2026\other"))
    edit(storage, DAMAGES[kind])
    with storage.session() as session:
        with pytest.raises(DamagedStorageError, match=r"rabi/sequence\.json.*backup"):
            session.sequences.get_state(PATH)
        # The others are not affected.
        assert session.sequences.get_state(path(r"\2026\other")) is State.DRAFT
        assert len(session.paths.get_all_paths()) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_document_that_is_no_json_is_damaged(storage: HDF5StorageManager, content: bytes) -> None:
    with storage.session() as session:
        create(session)
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    for name in (
        SEQUENCE,
        "sequences/2026/folder.json",
        "global_parameters.json",
        "device_configurations/camera.json",
    ):
        (storage.root / name).write_bytes(content)
    with storage.session() as session:
        with pytest.raises(DamagedStorageError, match=r"sequence\.json"):
            session.sequences.get_time_lanes(PATH)
        with pytest.raises(DamagedStorageError, match=r"folder\.json"):
            session.paths.get_path_creation_date(path(r"\2026"))
        with pytest.raises(DamagedStorageError, match=r"global_parameters\.json"):
            session.get_global_parameters()
        with pytest.raises(DamagedStorageError, match=r"camera\.json"):
            session.default_device_configurations["camera"]


def test_a_document_of_a_later_format_is_not_misread(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    edit(storage, lambda content: content.update(version=2))
    before = (storage.root / SEQUENCE).read_bytes()
    with storage.session() as session:
        with pytest.raises(StorageError, match="newer shotstore"):
            session.sequences.get_state(PATH)
        with pytest.raises(StorageError, match="newer shotstore"):
            session.sequences.set_time_lanes(PATH, TIME_LANES)
    assert (storage.root / SEQUENCE).read_bytes() == before


def test_a_directory_without_document_is_a_folder_of_the_time_it_was_changed(
    storage: HDF5StorageManager,
) -> None:
    before = datetime.now(UTC) - SECOND
    (storage.root / "sequences" / "made by hand" / "inside").mkdir(parents=True)
    made, inside = path(r"\made by hand"), path(r"\made by hand\inside")
    with storage.session() as session:
        assert session.paths.get_all_paths() == {made, inside}
        assert before <= session.paths.get_path_creation_date(inside)
        session.paths.update_creation_date(made, START)
        create(session, inside)
    with storage.session() as session:
        assert session.paths.get_path_creation_date(made) == START
        assert session.sequences.get_contained_sequences(PureSequencePath.root()) == {inside}
