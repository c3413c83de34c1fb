"""The journal: what is written is read, and done again from any point it comes out the same."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shotstore.hdf5.file_patches import FilePatch
from shotstore.hdf5.journal import Journal, Rename

from shotstore import DamagedStorageError
from shotstore.hdf5 import journal

TRANSACTION = "0" * 32
STAGING = f".shotstore/tx/{TRANSACTION}"
NOWHERE = Path("journal")

_paths = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
_renames = st.lists(st.builds(Rename, _paths, _paths), max_size=3)


@st.composite
def _patches(draw: st.DrawFn) -> FilePatch:
    pages = draw(st.lists(st.binary(max_size=50), max_size=3))
    offsets = draw(st.lists(st.integers(0, 2**60), min_size=len(pages), max_size=len(pages)))
    return FilePatch(
        draw(_paths), draw(st.integers(0, 2**60)), draw(st.integers(0, 2**60)), offsets, pages
    )


_journals = st.builds(
    Journal,
    transaction=st.just(TRANSACTION),
    patches=st.lists(_patches(), max_size=3),
    replacements=_renames,
    departures=_renames,
    arrivals=_renames,
)


@given(_journals)
def test_a_journal_is_read_as_it_was_written(written: Journal) -> None:
    assert journal.load(journal.dump(written), NOWHERE) == written


@given(_journals, st.data())
def test_no_damage_goes_unnoticed(written: Journal, data: st.DataObject) -> None:
    content = journal.dump(written)
    place = data.draw(st.integers(0, len(content) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    for broken in (
        content[:place],
        content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :],
        content + b"\0",
        bytes(len(content)),
    ):
        with pytest.raises(DamagedStorageError, match=r"journal.*backup"):
            journal.load(broken, NOWHERE)


# A transaction of every kind, on a small tree of plain files.


def _make(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


BEFORE = {
    "sequences/a/sequence.json": b"document of a",
    "sequences/a/shots.h5": b"shots of a" * 1000,
    "sequences/b/sequence.json": b"document of b",
    "sequences/b/inside/sequence.json": b"document of b/inside",
    "sequences/gone/sequence.json": b"document of gone",
    "global_parameters.json": b"old parameters",
    "device_configurations/camera.json": b"camera",
}
STAGED = {
    f"{STAGING}/1": b"new document of a",
    f"{STAGING}/2": b"new parameters",
    f"{STAGING}/3/folder.json": b"a new folder",
    f"{STAGING}/4/entry.json": b"an entry of the trash",
}
# a and b are swapped, b\inside goes into a new folder, gone to the trash, the camera away.
JOURNAL = Journal(
    transaction=TRANSACTION,
    patches=[
        FilePatch("sequences/a/shots.h5", 10_000, 9_000, [0, 4096], [b"SHOTS", b"x" * 4096]),
    ],
    replacements=[
        Rename(f"{STAGING}/1", "sequences/a/sequence.json"),
        Rename(f"{STAGING}/2", "global_parameters.json"),
    ],
    departures=[
        Rename("sequences/b/inside", f"{STAGING}/5"),
        Rename("sequences/a", f"{STAGING}/6"),
        Rename("sequences/b", f"{STAGING}/7"),
        Rename("sequences/gone", f"{STAGING}/8"),
        Rename("device_configurations/camera.json", f"{STAGING}/9"),
    ],
    arrivals=[
        Rename(f"{STAGING}/6", "sequences/b"),
        Rename(f"{STAGING}/7", "sequences/a"),
        Rename(f"{STAGING}/3", "sequences/new"),
        Rename(f"{STAGING}/5", "sequences/new/inside"),
        Rename(f"{STAGING}/4", ".shotstore/trash/entry"),
        Rename(f"{STAGING}/8", ".shotstore/trash/entry/content"),
    ],
)
_SHOTS = bytearray(b"shots of a" * 1000)
_SHOTS[:5] = b"SHOTS"
_SHOTS[4096:8192] = b"x" * 4096
AFTER = {
    "sequences/a/sequence.json": b"document of b",
    "sequences/b/sequence.json": b"new document of a",
    "sequences/b/shots.h5": bytes(_SHOTS[:9_000]),
    "sequences/new/folder.json": b"a new folder",
    "sequences/new/inside/sequence.json": b"document of b/inside",
    "global_parameters.json": b"new parameters",
    ".shotstore/trash/entry/entry.json": b"an entry of the trash",
    ".shotstore/trash/entry/content/sequence.json": b"document of gone",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _make(tmp_path / "root", BEFORE | STAGED)
    (tmp_path / "root" / ".shotstore" / "trash").mkdir()
    return tmp_path / "root"


def found(root: Path) -> dict[str, bytes]:
    """All files but those of the transaction's own directory."""
    names = (Path(folder, name) for folder, _, files in os.walk(root) for name in files)
    return {
        name.relative_to(root).as_posix(): name.read_bytes()
        for name in names
        if STAGING not in name.as_posix()
    }


def steps() -> list[Callable[[Path], object]]:
    """What the journal says, one change of the disk at a time, in its order."""

    def overwrite(path: str, offset: int, page: bytes) -> Callable[[Path], object]:
        def step(root: Path) -> None:
            with (root / path).open("r+b") as file:
                file.seek(offset)
                file.write(page)

        return step

    def rename(names: Rename) -> Callable[[Path], object]:
        return lambda root: (root / names.source).replace(root / names.destination)

    (patch,) = JOURNAL.patches
    return [
        *(
            overwrite(patch.path, offset, page[:half])
            for offset, page in zip(patch.offsets, patch.pages, strict=True)
            for half in (len(page) // 2, len(page))
        ),
        lambda root: os.truncate(root / patch.path, patch.length),
        *map(rename, JOURNAL.replacements),
        *map(rename, JOURNAL.departures),
        lambda root: (root / STAGING / "departed").touch(),
        *map(rename, JOURNAL.arrivals),
    ]


def test_a_transaction_does_what_its_journal_says(root: Path) -> None:
    journal.check(root, JOURNAL)
    assert journal.apply(root, JOURNAL)
    assert found(root) == AFTER


@pytest.mark.parametrize("done", range(len(steps()) + 1))
def test_a_transaction_is_finished_from_any_point(root: Path, done: int) -> None:
    for step in steps()[:done]:
        step(root)
    assert journal.apply(root, JOURNAL)
    assert found(root) == AFTER
    # And once more: the journal itself goes last.
    assert journal.apply(root, JOURNAL)
    assert found(root) == AFTER


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_directories_swap_in_any_way(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("root")
    names = [f"sequences/{name}" for name in "abcde"]
    _make(root, {f"{name}/file": name.encode() for name in names})
    (root / STAGING).mkdir(parents=True)
    moved = data.draw(st.permutations(names))
    slots = [f"{STAGING}/{number}" for number in range(len(names))]
    departures = [Rename(name, slot) for name, slot in zip(names, slots, strict=True)]
    arrivals = [Rename(slot, name) for slot, name in zip(slots, moved, strict=True)]
    swap = Journal(TRANSACTION, departures=departures, arrivals=arrivals)
    journal.check(root, swap)
    done = data.draw(st.integers(0, len(names)))
    for rename in departures[:done]:
        (root / rename.source).rename(root / rename.destination)
    journal.apply(root, swap)
    expected = {f"{new}/file": old.encode() for old, new in zip(names, moved, strict=True)}
    assert found(root) == expected
    shutil.rmtree(root)


def test_what_is_in_the_way_is_found_before_the_commit(root: Path) -> None:
    _make(root, {"sequences/new": b"somebody's"})
    with pytest.raises(FileExistsError, match="in the way"):
        journal.check(root, JOURNAL)


def test_a_file_that_somebody_has_cut_is_found_before_the_commit(root: Path) -> None:
    os.truncate(root / "sequences/a/shots.h5", 9_999)
    with pytest.raises(DamagedStorageError, match="Nothing of this session was stored"):
        journal.check(root, JOURNAL)


@pytest.mark.parametrize("missing", ["sequences/b/inside", f"{STAGING}/1", "sequences/a/shots.h5"])
def test_what_is_missing_is_found_before_the_commit(root: Path, missing: str) -> None:
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(FileNotFoundError):
        journal.check(root, JOURNAL)
