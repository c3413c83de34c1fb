"""Journals that are damaged, or were made to harm: their checksum is right."""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shotstore.hdf5.file_patches import FilePatch
from shotstore.hdf5.journal import Journal, Rename

from shotstore import DamagedStorageError
from shotstore.hdf5 import HDF5StorageManager, disk, journal
from tests.damage import specimen
from tests.damage.specimen import NEIGHBOUR

TRANSACTION = "0123456789abcdef" * 2
SLOT = f".shotstore/tx/{TRANSACTION}/1"
SHOTS = "sequences/2026/ramsey/shots.h5"


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("journals") / "store"
    specimen.create_store(store)
    return store


@pytest.fixture
def storage(whole_store: Path, tmp_path: Path) -> HDF5StorageManager:
    shutil.copytree(whole_store, tmp_path / "store")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shots.h5").write_bytes(b"canary" * 1000)
    (tmp_path / "store/sequences/link").symlink_to(outside)
    return specimen.open_store(tmp_path / "store")


def _patch(path: str = SHOTS, **changes: Any) -> FilePatch:
    arguments: dict[str, Any] = {
        "path": path,
        "committed": 100,
        "length": 5000,
        "offsets": [0],
        "pages": [b"x" * 4096],
    }
    return FilePatch(**{**arguments, **changes})


def _journal(**changes: Any) -> Journal:
    return Journal(**{"transaction": TRANSACTION, **changes})


def contents(directory: Path) -> dict[str, bytes | str | None]:
    """Every file below a directory, but for locks; the aim of a link."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = os.readlink(path)  # noqa: PTH115
        elif not name.endswith((".lock", ".line", "writer.json")):
            found[name] = path.read_bytes() if path.is_file() else None
    return found


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
    "shots.h5",
    "sequences/shots.h5/",
]


@pytest.mark.parametrize("path", _OUTSIDE)
@pytest.mark.parametrize(
    "make",
    [
        lambda path: _journal(patches=[_patch(path)]),
        lambda path: _journal(patches=[_patch()], replacements=[Rename(SLOT, path)]),
        lambda path: _journal(patches=[_patch()], replacements=[Rename(path, SHOTS)]),
        lambda path: _journal(patches=[_patch()], departures=[Rename(path, SLOT)]),
        lambda path: _journal(patches=[_patch()], departures=[Rename(SHOTS, path)]),
        lambda path: _journal(patches=[_patch()], arrivals=[Rename(SLOT, path)]),
        lambda path: _journal(patches=[_patch()], arrivals=[Rename(path, f"{SHOTS}2")]),
    ],
)
def test_a_journal_that_leads_out_of_the_store_is_refused_before_anything_is_done(
    path: str, make: Callable[[str], Journal], storage: HDF5StorageManager, tmp_path: Path
) -> None:
    made = make(path.replace("{tmp_path}", str(tmp_path)))
    (storage.root / ".shotstore/journal").write_bytes(journal.dump(made))
    check_refused(storage, tmp_path)


@pytest.mark.parametrize(
    "made",
    [
        _journal(patches=[_patch("sequences/missing/shots.h5")]),
        _journal(patches=[_patch("sequences/2026/rabi/sequence.json")]),
        _journal(patches=[_patch(), _patch("sequences/2026/gone/shots.h5")]),
        _journal(patches=[_patch(committed=2**40)]),
        _journal(patches=[_patch(offsets=[-4096])]),
        _journal(patches=[_patch(offsets=[2**70])]),
        _journal(patches=[_patch(length=10)]),
        _journal(patches=[_patch(length=-1)]),
        _journal(patches=[_patch(offsets=[0, 1])]),
        Journal(transaction="../../../outside"),
        Journal(transaction=""),
        Journal(transaction="/"),
    ],
)
def test_a_journal_that_cannot_be_carried_out_is_refused_before_anything_is_done(
    made: Journal, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    (storage.root / ".shotstore/journal").write_bytes(journal.dump(made))
    check_refused(storage, tmp_path)


def _sealed(header: object) -> bytes:
    """A journal with a right checksum and any header."""
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    body = b"shotstore journal 1\n" + struct.pack("<Q", len(text)) + text
    return body + hashlib.sha256(body).digest()


_KEYS: dict[str, Any] = {
    "transaction": TRANSACTION,
    "patches": [],
    "replacements": [],
    "departures": [],
    "arrivals": [],
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"shotstore journal 1\n",
        b"\0" * 1000,
        _sealed(b"[" * 100_000),
        _sealed(b"{"),
        _sealed([]),
        _sealed({}),
        _sealed({**_KEYS, "patches": {"x": 1}}),
        _sealed({**_KEYS, "patches": [[]]}),
        _sealed({**_KEYS, "patches": [{"path": SHOTS, "pages": ["x"]}]}),
        _sealed({**_KEYS, "patches": [{"path": SHOTS, "pages": [2**70]}]}),
        _sealed({**_KEYS, "arrivals": [1]}),
        _sealed({**_KEYS, "arrivals": [{"source": [], "destination": {}}]}),
        _sealed({**_KEYS, "transaction": None}),
    ],
)
def test_a_damaged_journal_is_named(
    content: bytes, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    (storage.root / ".shotstore/journal").write_bytes(content)
    check_refused(storage, tmp_path)


def test_every_flipped_byte_of_a_journal_is_noticed(storage: HDF5StorageManager) -> None:
    path = storage.root / ".shotstore/journal"
    content = journal.dump(_journal(patches=[_patch(pages=[b"x" * 10])]))
    for offset in range(len(content)):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << offset % 8
        with pytest.raises(DamagedStorageError, match="journal"):
            journal.load(bytes(flipped), path)


@pytest.mark.parametrize(
    "kind",
    ["link", "broken link", "directory"] + (["pipe"] if hasattr(os, "mkfifo") else []),
)
def test_what_is_no_file_in_the_place_of_the_journal_is_named(
    kind: str, storage: HDF5StorageManager, tmp_path: Path
) -> None:
    path = storage.root / ".shotstore/journal"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        aim = tmp_path / ("outside/shots.h5" if kind == "link" else "nowhere")
        path.symlink_to(aim)
    with pytest.raises(DamagedStorageError, match="journal"), storage.session() as session:
        session.paths.get_all_paths()
    assert (tmp_path / "outside/shots.h5").read_bytes() == b"canary" * 1000


def check_refused(storage: HDF5StorageManager, tmp_path: Path) -> None:
    before = contents(tmp_path)
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        for write in (False, True):
            with (
                pytest.raises(DamagedStorageError, match="journal"),
                storage.session(write=write) as session,
            ):
                session.sequences.get_shots(NEIGHBOUR)
    finally:
        disk.observe = None
    assert [change for change in changes if not change.path.endswith("writer.json")] == []
    assert contents(tmp_path) == before
