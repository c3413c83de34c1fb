"""Logs that are damaged, or were made to harm: their checksums are right."""

import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shotstore import DamagedStorageError, StorageError
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.log.log_file import START, LogFile
from shotstore.hdf5.log.record import Document, FilePatch, LogRecord, Rename, digest, dump
from shotstore.hdf5.overlay import PAGE
from shotstore.testing.content import content
from tests.checkpoints import without_pauses
from tests.damage import specimen
from tests.damage.specimen import NEIGHBOUR, PATH

TRANSACTION = "0123456789abcdef" * 2
SLOT = f".shotstore/tx/{TRANSACTION}-1"
SHOTS = "sequences/2026/ramsey/shots.h5"
DOCUMENT = "sequences/2026/ramsey/sequence.json"


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("logs") / "store"
    specimen.create_store(store).close()
    return store


@pytest.fixture
def store(whole_store: Path, tmp_path: Path) -> Path:
    """A store that nobody uses, with a link in it that leads out of it."""
    shutil.copytree(whole_store, tmp_path / "store")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shots.h5").write_bytes(b"canary" * 1000)
    (tmp_path / "store/sequences/link").symlink_to(outside)
    return tmp_path / "store"


def _patch(path: str = SHOTS, **changes: Any) -> FilePatch:
    arguments: dict[str, Any] = {
        "path": path,
        "committed": 100,
        "needed": 100,
        "length": 5000,
        "shots": 6,
        "offsets": [0],
        "pages": [b"x" * 4096],
    }
    return FilePatch(**{**arguments, **changes})


def _document(path: str = DOCUMENT, staged: str = SLOT) -> Document:
    return Document(path, b"{}", staged, [digest(None)])


def _record(**changes: Any) -> LogRecord:
    return LogRecord(**{"transaction": TRANSACTION, **changes})


def leave(store: Path, *contents: bytes) -> None:
    """Leave a log with records that say this."""
    with closing(LogFile(store / ".shotstore" / "log")) as log:
        log.create(1)
        log.read_header()
        end = START
        for number, said in enumerate(contents, 1):
            end = log.append(number, said, end)


_OUTSIDE = [
    "../outside/shots.h5",
    "sequences/../../outside/shots.h5",
    "sequences/link/shots.h5",
    "sequences/2026/../link/shots.h5",
    "sequences//outside/shots.h5",
    "sequences/./2026/shots.h5",
    "{tmp_path}/outside/shots.h5",
    "sequences/\0/shots.h5",
    "",
    ".",
    "sequences",
    "shotstore.json",
    ".shotstore/write.lock",
    ".shotstore/commits",
    ".shotstore/log",
    ".shotstore/held/x",
    "shots.h5",
    "sequences/shots.h5/",
]


@pytest.mark.parametrize("path", _OUTSIDE)
@pytest.mark.parametrize(
    "make",
    [
        lambda path: _record(patches=[_patch(path)]),
        lambda path: _record(patches=[_patch()], replacements=[Rename(SLOT, path)]),
        lambda path: _record(patches=[_patch()], replacements=[Rename(path, SHOTS)]),
        lambda path: _record(patches=[_patch()], departures=[Rename(path, SLOT)]),
        lambda path: _record(patches=[_patch()], departures=[Rename(SHOTS, path)]),
        lambda path: _record(patches=[_patch()], arrivals=[Rename(SLOT, path)]),
        lambda path: _record(patches=[_patch()], arrivals=[Rename(SLOT, path, is_new=True)]),
        lambda path: _record(patches=[_patch()], arrivals=[Rename(path, f"{SHOTS}2")]),
        lambda path: _record(patches=[_patch()], documents=[_document(path)]),
        lambda path: _record(patches=[_patch()], documents=[_document(staged=path)]),
    ],
)
def test_a_log_that_leads_out_of_the_store_is_refused_before_anything_is_done(
    path: str, make: Callable[[str], LogRecord], store: Path, tmp_path: Path
) -> None:
    made = make(path.replace("{tmp_path}", str(tmp_path)))
    # Where others, before it, do no harm.
    leave(store, dump(_record(documents=[_document("global_parameters.json")])), dump(made))
    check_refused(store)


@pytest.mark.parametrize(
    "made",
    [
        _record(patches=[_patch("sequences/2026/rabi/sequence.json")]),
        _record(patches=[_patch(committed=-1)]),
        _record(patches=[_patch(needed=-1)]),
        _record(patches=[_patch(shots=-1)]),
        _record(patches=[_patch(length=2**63)]),
        _record(patches=[_patch(length=2**70)]),
        _record(patches=[_patch(offsets=[-4096])]),
        _record(patches=[_patch(offsets=[1])]),
        _record(patches=[_patch(offsets=[4096])]),
        _record(patches=[_patch(offsets=[2**70])]),
        _record(patches=[_patch(length=10)]),
        _record(patches=[_patch(length=-1)]),
        _record(patches=[_patch(offsets=[0, 4096], length=50_000)]),
        _record(patches=[_patch(offsets=[])]),
        LogRecord(transaction="../../../outside"),
        LogRecord(transaction=""),
        LogRecord(transaction="/"),
    ],
)
def test_a_log_with_absurd_numbers_or_names_is_refused_before_anything_is_done(
    made: LogRecord, store: Path
) -> None:
    leave(store, dump(made))
    check_refused(store)


def test_moves_that_do_not_stand_alone_are_refused(store: Path) -> None:
    moves = _record(departures=[Rename("sequences/2026/rabi", SLOT)])
    plain = _record(documents=[_document("global_parameters.json")])
    leave(store, dump(plain), dump(moves))
    check_refused(store)


@pytest.mark.parametrize(
    "made",
    [
        _patch("sequences/missing/shots.h5"),
        _patch("sequences/2026/gone/shots.h5"),
        _patch(committed=2**40, needed=2**41, length=2**41),
        _patch(needed=2**40, length=2**40),
    ],
)
def test_what_does_not_fit_the_files_is_kept_back_by_itself(made: FilePatch, store: Path) -> None:
    before = specimen.shots_file(store, NEIGHBOUR).read_bytes()
    sizes = {file: file.stat().st_size for file in store.rglob("shots.h5")}
    leave(store, dump(_record(patches=[made])))
    storage = specimen.open_store(store)
    (finding,) = [each for each in storage.verify().findings if each.severity == "damage"]
    assert "carried out" in finding.problem
    assert str(store / made.path) in finding.problem + str(finding.file)
    with storage.session() as session:
        assert len(session.sequences.get_shots(PATH)) == 6
        session.sequences.set_tags(PATH, ["seen"])
    assert specimen.shots_file(store, NEIGHBOUR).read_bytes() == before
    assert {file: file.stat().st_size for file in store.rglob("shots.h5")} == sizes


@pytest.mark.parametrize("length", [4096, 5000, 2**40])
def test_pages_of_another_file_do_not_go_over_shots(length: int, store: Path) -> None:
    before = specimen.shots_file(store, NEIGHBOUR).read_bytes()
    leave(store, dump(_record(patches=[_patch(length=length)])))
    for read_only in (True, False):
        storage = specimen.open_store(store, read_only=read_only)
        with storage.session() as session:
            assert len(session.sequences.get_shots(NEIGHBOUR)) == 6
    assert specimen.shots_file(store, NEIGHBOUR).read_bytes() == before


_KEYS: dict[str, Any] = {
    "transaction": TRANSACTION,
    "patches": [],
    "replacements": [],
    "departures": [],
    "arrivals": [],
    "documents": [],
}


def _said(header: object, rest: bytes = b"") -> bytes:
    """What a record says with any header."""
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0" * 1000,
        b"\xff" * 1000,
        _said(b"[" * 100_000),
        _said(b"{"),
        _said(b"\xff\xfe"),
        _said([]),
        _said({}),
        _said(_KEYS, b"more"),
        _said({**_KEYS, "patches": {"x": 1}}),
        _said({**_KEYS, "patches": [[]]}),
        _said({**_KEYS, "patches": [{"path": SHOTS, "pages": ["x"]}]}),
        _said({**_KEYS, "patches": [{"path": SHOTS, "pages": [2**70]}]}),
        _said({**_KEYS, "patches": [{"path": SHOTS, "pages": [-1]}]}),
        _said({**_KEYS, "documents": [{"path": DOCUMENT, "content": 10}]}, b"x" * 9),
        _said({**_KEYS, "documents": [{"path": DOCUMENT, "content": -10}]}),
        _said({**_KEYS, "arrivals": [1]}),
        _said({**_KEYS, "arrivals": [{"source": [], "destination": {}}]}),
        _said({**_KEYS, "transaction": None}),
    ],
)
def test_a_record_that_is_garbage_is_named(said: bytes, store: Path) -> None:
    leave(store, said)
    check_refused(store)


@pytest.mark.parametrize(
    "content",
    [b"", b"SHOTSLOG", b"not what was written", bytes(START), bytes(300_000), b"\xff" * 300_000],
)
def test_a_log_that_is_garbage_is_named(content: bytes, store: Path) -> None:
    (store / ".shotstore/log").write_bytes(content)
    check_refused(store)


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize(
    "kind",
    ["link", "broken link", "directory"] + (["pipe"] if hasattr(os, "mkfifo") else []),
)
def test_what_is_not_a_file_in_the_place_of_the_log_is_named(
    kind: str, store: Path, tmp_path: Path, is_open: bool
) -> None:
    storage = specimen.open_store(store) if is_open else None
    path = store / ".shotstore/log"
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / ("outside/shots.h5" if kind == "link" else "nowhere"))
    with pytest.raises(StorageError, match=r"\.shotstore/log"):
        use(storage or specimen.open_store(store))
    if storage is None:
        with pytest.raises(StorageError, match=r"\.shotstore/log"):
            use(specimen.open_store(store, read_only=True), write=False)
    assert (tmp_path / "outside/shots.h5").read_bytes() == b"canary" * 1000


def use(storage: HDF5StorageManager, *, write: bool = True) -> None:
    with storage.session(write=write) as session:
        session.sequences.get_shots(NEIGHBOUR)


def contents(directory: Path) -> dict[str, bytes | str | None]:
    """Every file below a directory, but for locks; the aim of a link."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = os.readlink(path)  # noqa: PTH115
        elif not name.endswith((".lock", ".line", "writer.json", "/commits")):
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def check_refused(store: Path) -> None:
    """Nothing is read, and nothing changed; the log is named, and what to do."""
    before = contents(store.parent)
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        for read_only in (True, False):
            storage = specimen.open_store(store, read_only=read_only)
            with pytest.raises(DamagedStorageError, match=r"\.shotstore/log is damaged") as told:
                use(storage, write=not read_only)
            assert "Restore the store from a backup" in str(told.value)
            assert "move it out of the store" in str(told.value)
            storage.close()
    finally:
        disk.observe = None
    own = ("writer.json", "commits")
    # Storages that other tests have dropped may be at work elsewhere.
    here = [each for each in changes if each.path.startswith(str(store.parent))]
    assert [each for each in here if not each.path.endswith(own)] == []
    assert contents(store.parent) == before


def test_a_damaged_log_is_a_finding_and_all_else_is_checked(store: Path) -> None:
    (store / ".shotstore/log").write_bytes(b"not what was written")
    for read_only in (True, False):
        report = specimen.open_store(store, read_only=read_only).verify()
        (finding,) = [each for each in report.findings if each.severity == "damage"]
        assert finding.file == store / ".shotstore/log"
        assert report.shots == 12


def test_a_finding_of_a_damaged_log_says_all_of_it_whatever_the_name_of_the_store(
    store: Path,
) -> None:
    store = store.rename(store.with_name("Dr. Smith"))
    leave(store, b"not a record")
    for read_only in (True, False):
        storage = specimen.open_store(store, read_only=read_only)
        (finding,) = [each for each in storage.verify().findings if each.severity == "damage"]
        assert "not as shotstore writes it" in finding.problem
        assert not storage.get_information().is_carried_out


def test_a_store_goes_on_without_a_damaged_log(store: Path) -> None:
    log = store / ".shotstore/log"
    log.write_bytes(b"not what was written")
    log.rename(store.parent / "log")  # as the error says
    storage = specimen.open_store(store)
    with storage.session() as session:
        specimen.record(session, NEIGHBOUR, 50)
    assert storage.verify().findings == []


# A run of commits that a power loss has taken back, or has not, and a log with one flipped bit


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Two stores, ``done`` and ``lost``, with the same log of four commits, of which the files of
    the second have nothing; what is in the store after each of them."""
    root = tmp_path_factory.mktemp("left")
    with without_pauses():
        return _leave_two(root)


def _leave_two(root: Path) -> tuple[Path, list[Any]]:
    storage = specimen.create_store(root / "store")
    storage.close()
    shutil.copytree(root / "store", root / "lost")
    steps: list[Callable[[Any], object]] = [
        lambda session: specimen.record(session, NEIGHBOUR, 6),
        lambda session: session.sequences.set_note(PATH, "seen"),
        lambda session: specimen.record(session, NEIGHBOUR, 7),
        lambda session: session.sequences.set_tags(PATH, ["good"]),
    ]
    expected = [_content(storage)]
    for step in steps:
        with storage.session() as session:
            step(session)
        expected.append(_content(storage))
    shutil.copytree(root / "store", root / "done")
    for name in ("log", "commits"):
        shutil.copy(root / "done/.shotstore" / name, root / "lost/.shotstore" / name)
    return root, expected


def _content(storage: HDF5StorageManager) -> Any:
    with storage.session() as session:
        return specimen.canonical(content(session))


def _places(log: Path) -> list[int]:
    """Bytes of the log to flip a bit of: all that is not what a record says, and some of that."""
    with closing(LogFile(log)) as opened:
        opened.read_header("r")
        entries = opened.entries()
        slot = opened.header.generation % 2 * PAGE
    assert len(entries) == 4
    chance = random.Random(1)
    heads = [offset for entry in entries for offset in range(entry.start, entry.start + 64, 3)]
    said = [chance.randrange(entry.start + 64, entry.end) for entry in entries for _ in range(8)]
    return [*range(slot, slot + 72, 4), *heads, *said]


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("files", ["done", "lost"])
def test_a_flipped_bit_of_a_log_is_never_read_as_what_was_not_committed(
    left: tuple[Path, list[Any]], tmp_path: Path, files: str, read_only: bool
) -> None:
    root, expected = left
    places = _places(root / "done/.shotstore/log")
    outcomes: list[object] = []
    for place in places:
        store = tmp_path / str(place)
        shutil.copytree(root / files, store)
        log = store / ".shotstore/log"
        flipped = bytearray(log.read_bytes())
        flipped[place] ^= 1 << place % 8
        log.write_bytes(flipped)
        storage = specimen.open_store(store, read_only=read_only)
        try:
            # A last record that is not whole was not committed, for all that can be known.
            outcomes.append(expected.index(_content(storage)))
        except DamagedStorageError as error:
            told = str(error)
            outcomes.append("refused" if str(log) in told and "backup" in told else told)
        storage.close()
        shutil.rmtree(store)
    assert {*outcomes} == ({"refused", 4, 3} if files == "lost" else {"refused", 4})
    assert outcomes.count("refused") > len(places) // 2
