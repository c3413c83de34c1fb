"""Records of the log: what is written is read, and done again from any point it comes out the
same."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from shotstore.hdf5 import disk
from shotstore.hdf5.files import Files, join
from shotstore.hdf5.held_back import HeldBack
from shotstore.hdf5.log.admission import check_record
from shotstore.hdf5.log.carrying_out import carry_out
from shotstore.hdf5.log.record import (
    TRANSACTIONS,
    Document,
    FilePatch,
    LogRecord,
    Rename,
    digest,
    dump,
    load,
)
from shotstore.hdf5.overlay import PatchedFileObject

TRANSACTION = "0" * 32
SLOT = f"{TRANSACTIONS}/{TRANSACTION}-"

_paths = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
_numbers = st.integers(0, 2**60)
_renames = st.lists(st.builds(Rename, _paths, _paths, st.booleans()), max_size=3)
_documents = st.builds(
    Document, _paths, st.binary(max_size=50), _paths, st.lists(st.binary().map(digest), max_size=3)
)


@st.composite
def _patches(draw: st.DrawFn) -> FilePatch:
    pages = draw(st.lists(st.binary(max_size=50), max_size=3))
    offsets = draw(st.lists(_numbers, min_size=len(pages), max_size=len(pages)))
    committed, needed, length, shots = (draw(_numbers) for _ in range(4))
    return FilePatch(draw(_paths), committed, needed, length, shots, offsets, pages)


_records = st.builds(
    LogRecord,
    transaction=st.just(TRANSACTION),
    patches=st.lists(_patches(), max_size=3),
    replacements=_renames,
    departures=_renames,
    arrivals=_renames,
    documents=st.lists(_documents, max_size=3),
)


@given(_records)
def test_a_record_is_read_as_it_was_written(written: LogRecord) -> None:
    assert load(dump(written)) == written


@given(_records, st.data())
def test_a_record_that_was_cut_or_continued_is_refused(
    written: LogRecord, data: st.DataObject
) -> None:
    content = dump(written)
    place = data.draw(st.integers(0, len(content) - 1))
    for broken in (content[:place], content + b"\0", bytes(len(content))):
        with pytest.raises(ValueError, match="not as shotstore writes it"):
            load(broken)


# A transaction of every kind, on a small tree of plain files.


def _make(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


BEFORE = {
    "sequences/a/sequence.json": b'"document of a"',
    "sequences/a/shots.h5": b"shots of a" * 1000,
    "sequences/b/sequence.json": b'"document of b"',
    "sequences/b/inside/sequence.json": b'"document of b/inside"',
    "sequences/c/sequence.json": b'"document of c"',
    "sequences/c/shots.h5": b"shots of c",
    "sequences/gone/sequence.json": b'"document of gone"',
    "global_parameters.json": b'{"old": "parameters"}',
    "device_configurations/camera.json": b'"camera"',
}
STAGED = {
    f"{SLOT}1": b'"document of a that has changed"',
    f"{SLOT}2": b'{"changed": "parameters"}',
    f"{SLOT}10": b'"a folder"',
    f"{SLOT}11": b'"an entry of the trash"',
    f"{SLOT}12": b"a copy of the shots of c, with more",
    f"{TRANSACTIONS}/{TRANSACTION}-departing": b"",
}


def _document(path: str, slot: str, before: str | None = None) -> Document:
    replaced = digest(None if before is None else BEFORE[before])
    return Document(path, STAGED[f"{SLOT}{slot}"], f"{SLOT}{slot}", [replaced])


# a and b are swapped, b\inside goes into a folder that is created, gone to the trash, and the
# camera away.
RECORD = LogRecord(
    transaction=TRANSACTION,
    patches=[
        FilePatch(
            "sequences/a/shots.h5",
            committed=10_000,
            needed=10_000,
            length=13_000,
            shots=3,
            offsets=[0, 4096, 12_288],
            pages=[b"SHOTS", b"x" * 4096, b"a tail in the log"],
        ),
    ],
    replacements=[Rename(f"{SLOT}12", "sequences/c/shots.h5")],
    departures=[
        Rename("sequences/b/inside", f"{SLOT}5"),
        Rename("device_configurations/camera.json", f"{SLOT}9"),
        Rename("sequences/a", f"{SLOT}6"),
        Rename("sequences/b", f"{SLOT}7"),
        Rename("sequences/gone", f"{SLOT}8"),
    ],
    arrivals=[
        Rename(f"{SLOT}6", "sequences/b"),
        Rename(f"{SLOT}7", "sequences/a"),
        Rename(f"{SLOT}3", "sequences/new", is_new=True),
        Rename(f"{SLOT}4", ".shotstore/trash/entry", is_new=True),
        Rename(f"{SLOT}5", "sequences/new/inside"),
        Rename(f"{SLOT}8", ".shotstore/trash/entry/content"),
    ],
    documents=[
        _document("sequences/b/sequence.json", "1", "sequences/a/sequence.json"),
        _document("global_parameters.json", "2", "global_parameters.json"),
        _document("sequences/new/folder.json", "10"),
        _document(".shotstore/trash/entry/entry.json", "11"),
    ],
)
_SHOTS = bytearray(b"shots of a" * 1000 + bytes(3_000))
_SHOTS[:5] = b"SHOTS"
_SHOTS[4096:8192] = b"x" * 4096
_SHOTS[12_288:12_305] = b"a tail in the log"
AFTER = {
    "sequences/a/sequence.json": BEFORE["sequences/b/sequence.json"],
    "sequences/b/sequence.json": STAGED[f"{SLOT}1"],
    "sequences/b/shots.h5": bytes(_SHOTS),
    "sequences/c/sequence.json": BEFORE["sequences/c/sequence.json"],
    "sequences/c/shots.h5": STAGED[f"{SLOT}12"],
    "sequences/new/folder.json": STAGED[f"{SLOT}10"],
    "sequences/new/inside/sequence.json": BEFORE["sequences/b/inside/sequence.json"],
    "global_parameters.json": STAGED[f"{SLOT}2"],
    ".shotstore/trash/entry/entry.json": STAGED[f"{SLOT}11"],
    ".shotstore/trash/entry/content/sequence.json": BEFORE["sequences/gone/sequence.json"],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _make(tmp_path / "root", BEFORE | STAGED)
    for directory in (".shotstore/trash", f"{SLOT}3", f"{SLOT}4"):
        (tmp_path / "root" / directory).mkdir()
    # As the writer has left it: what lies past the committed end is in the record too.
    with (tmp_path / "root/sequences/a/shots.h5").open("r+b") as file:
        file.seek(12_288)
        file.write(b"a tail in the log")
    return tmp_path / "root"


def found(root: Path) -> dict[str, bytes]:
    """All files but those that are staged or kept back."""
    names = (Path(folder, name) for folder, _, files in os.walk(root) for name in files)
    contents = {name.relative_to(root).as_posix(): name.read_bytes() for name in names}
    own = (TRANSACTIONS, ".shotstore/held")
    return {name: content for name, content in contents.items() if not name.startswith(own)}


def as_laid_over(root: Path) -> dict[str, bytes]:
    """The same, of the files as they are once the record is carried out."""
    files = Files(root)
    files.lay(RECORD)
    contents = {}

    def visit(directory: str) -> None:
        for name in files.list_files(directory):
            contents[join(directory, name)] = files.read(join(directory, name)) or b""
        for name in files.list_directories(directory):
            if join(directory, name) not in (TRANSACTIONS, ".shotstore/held"):
                visit(join(directory, name))

    visit("")
    shots = root / (files.locate("sequences/b/shots.h5") or "")
    if patch := files.patch(shots):
        pieces = list(zip(patch.offsets, patch.pages, strict=True))
        file = PatchedFileObject(disk.File(shots, "r"), patch.length, pieces)
        content = bytearray(file.end)
        file.read_at([memoryview(content)], 0)
        file.close()
        contents["sequences/b/shots.h5"] = bytes(content)
    return contents


Step = Callable[[Path], object]


def steps() -> list[Step]:
    """What the record says, one change of the disk at a time, in its order."""

    def overwrite(path: str, offset: int, page: bytes) -> Step:
        def step(root: Path) -> None:
            with (root / path).open("r+b") as file:
                file.seek(offset)
                file.write(page)

        return step

    def rename(names: Rename) -> Step:
        return lambda root: (root / names.source).replace(root / names.destination)

    def write(document: Document) -> Step:
        return lambda root: (root / document.staged).replace(root / document.path)

    (patch,) = RECORD.patches
    return [
        *(
            overwrite(patch.path, offset, page[:half])
            for offset, page in zip(patch.offsets, patch.pages, strict=True)
            for half in (len(page) // 2, len(page))
        ),
        lambda root: os.truncate(root / patch.path, patch.length),
        *map(rename, RECORD.replacements),
        *map(rename, RECORD.departures),
        lambda root: (root / RECORD.mark).replace(root / RECORD.departed),
        *map(rename, RECORD.arrivals),
        *map(write, RECORD.documents),
    ]


def test_a_transaction_does_what_its_record_says(root: Path) -> None:
    check_record(root, RECORD)
    carry_out(root, RECORD, "first")
    assert found(root) == AFTER


@pytest.mark.parametrize("how", ["again", "anew"])
@pytest.mark.parametrize("done", range(len(steps()) + 1))
def test_a_transaction_is_finished_from_any_point(root: Path, done: int, how: str) -> None:
    for step in steps()[:done]:
        step(root)
    carry_out(root, RECORD, how)  # type: ignore[arg-type]
    assert found(root) == AFTER
    # And once more: that it is done is noted last.
    carry_out(root, RECORD, how)  # type: ignore[arg-type]
    assert found(root) == AFTER


@pytest.mark.parametrize("done", range(len(steps()) + 1))
def test_from_any_point_it_is_read_as_it_was_committed(root: Path, done: int) -> None:
    for step in steps()[:done]:
        step(root)
    before = found(root)
    assert as_laid_over(root) == AFTER
    assert found(root) == before


def test_what_was_done_is_not_written_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = evolve(RECORD, departures=[], arrivals=[], replacements=[])
    record = evolve(record, documents=[_document("global_parameters.json", "2")])
    carry_out(root, record, "first")
    changes: list[disk.Operation] = []
    monkeypatch.setattr(disk, "observe", changes.append)
    carry_out(root, record)
    assert changes == []
    # Where the disk has failed to keep it, it is.
    carry_out(root, record, "anew")
    assert [each.offset for each in changes if each.path.endswith("shots.h5")] == [0, 4096, 12_288]
    assert changes[-1].destination == str(root / "global_parameters.json")


def test_the_first_time_a_tail_is_not_written_twice(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[disk.Operation] = []
    monkeypatch.setattr(disk, "observe", changes.append)
    carry_out(root, evolve(RECORD, departures=[], arrivals=[], documents=[]), "first")
    assert [each.offset for each in changes if each.kind == "write"] == [0, 4096]
    assert (root / "sequences/a/shots.h5").read_bytes() == _SHOTS


@settings(max_examples=30)
@given(st.data())
def test_directories_swap_in_any_way(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("root")
    names = [f"sequences/{name}" for name in "abcde"]
    _make(root, {f"{name}/file": name.encode() for name in names})
    _make(root, {RECORD.mark: b""})
    moved = data.draw(st.permutations(names))
    slots = [f"{SLOT}{number}" for number in range(len(names))]
    departures = [Rename(name, slot) for name, slot in zip(names, slots, strict=True)]
    arrivals = [Rename(slot, name) for slot, name in zip(slots, moved, strict=True)]
    swap = LogRecord(TRANSACTION, departures=departures, arrivals=arrivals)
    check_record(root, swap)
    done = data.draw(st.integers(0, len(names)))
    for rename in departures[:done]:
        (root / rename.source).rename(root / rename.destination)
    carry_out(root, swap)
    expected = {f"{new}/file": old.encode() for old, new in zip(names, moved, strict=True)}
    assert found(root) == expected
    shutil.rmtree(root)


# What cannot be done keeps back what depends on it, and nothing else.

GROUPS = [
    ["sequences/a", "sequences/b", "sequences/new"],
    ["sequences/c"],
    ["sequences/gone", ".shotstore/trash"],
    ["global_parameters.json"],
    ["device_configurations/camera.json"],
]
PLACES = sorted({path for path in RECORD.paths if not path.startswith(TRANSACTIONS)})


def _of_groups(groups: list[list[str]], files: dict[str, bytes]) -> dict[str, bytes]:
    starts = tuple(start for group in groups for start in group)
    return {name: content for name, content in files.items() if name.startswith(starts)}


@pytest.mark.parametrize("how", ["first", "again"])
@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_fails_keeps_back_its_group_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch, place: str, how: str
) -> None:
    bad = str(root / place)

    def fail(operation: disk.Operation) -> None:
        if bad in (operation.path, operation.destination):
            raise OSError(errno.EIO, "the disk fails", bad)

    held = HeldBack(root)

    def keep_back(rest: LogRecord, error: Exception) -> None:
        assert getattr(error, "filename", None) == bad
        held.keep(evolve(rest, transaction=uuid4().hex))

    with monkeypatch.context() as patch:
        patch.setattr(disk, "observe", fail)
        carry_out(root, RECORD, how, keep_back=keep_back)  # type: ignore[arg-type]
    others = [group for group in GROUPS if not place.startswith(tuple(group))]
    assert len(others) == len(GROUPS) - 1
    assert _of_groups(others, found(root)) == _of_groups(others, AFTER)
    (kept,) = held.records()
    check_record(root, kept)
    carry_out(root, kept)
    assert found(root) == AFTER


def test_without_a_place_to_keep_it_back_the_first_error_is_raised(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(operation: disk.Operation) -> None:
        raise OSError(errno.EIO, "the disk fails", operation.path)

    monkeypatch.setattr(disk, "observe", fail)
    with pytest.raises(OSError, match="the disk fails"):
        carry_out(root, RECORD)
