"""Many records of a round as one: whatever a power loss has taken back of what they did, carrying
that one out comes out as doing them one after the other."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shotstore.hdf5 import disk, overlay
from shotstore.hdf5.files import Files
from shotstore.hdf5.log.carrying_out import carry_out
from shotstore.hdf5.log.fitting import why_no_fit
from shotstore.hdf5.log.folding import fold
from shotstore.hdf5.log.record import (
    TRANSACTIONS,
    Document,
    LogRecord,
    Rename,
    digest,
    dump,
    load,
)
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.overlay import PAGE, OverlayFile, PatchedFileObject

SHOTS = "sequences/run/shots.h5"
SECTOR = 512
LONGEST = 8 * PAGE


class Run:
    """A file that commits change, and what of it a power loss has left."""

    def __init__(self, root: Path, length: int) -> None:
        self._root = root
        self._path = root / SHOTS
        self._path.parent.mkdir(parents=True)
        self._path.write_bytes(b"0" * length)
        self._synced = self._path.read_bytes()
        self._unsynced: list[disk.Operation] = []
        self._overlay = OverlayFile(disk.File(self._path, "r+"), length)
        shots = SimpleNamespace(number_of_rows=lambda: 0, flush=lambda: None, close=lambda: None)
        self._writer = ShotsWriter(self._overlay, shots, None, replaces=False)  # type: ignore[arg-type]
        self._exact = bytearray(self._synced)
        self.records: list[LogRecord] = []

    def commit(self, data: st.DataObject, number: int) -> None:
        """Change the file as HDF5 would, which leaves no holes, and carry that out."""
        for turn in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(self._exact)))
            self._overlay.seek(place)
            if data.draw(st.booleans()):
                length = data.draw(st.integers(1, LONGEST - min(place, LONGEST - 1)))
                piece = (b"%d.%d " % (number, turn) * length)[:length]
                self._exact[place : place + length] = piece
                self._overlay.write(memoryview(piece))
            elif place:
                del self._exact[place:]
                self._overlay.truncate()
        self._writer.flush()
        patch = self._writer.patch(SHOTS)
        if patch is not None:
            self.records.append(LogRecord(f"{number:032x}", patches=[patch]))
            carry_out(self._root, self.records[-1], "first", files={SHOTS: self._overlay.file})
            self._overlay.settle()
        self._overlay.check()
        assert self._path.read_bytes() == self._exact

    def observe(self, operation: disk.Operation) -> None:
        """Take note of a change of the disk."""
        if operation.kind == "sync":
            self._synced, self._unsynced = self._path.read_bytes(), []
        else:
            self._unsynced.append(operation)

    def close(self) -> None:
        """Close the file."""
        self._writer.close(discard=False)

    def lose_power(self, data: st.DataObject) -> bytes:
        """Leave what was synced, with any of what was done since, or a part of that; return what
        should be there."""
        file = bytearray(self._synced)
        for change in self._unsynced:
            kept = data.draw(st.sampled_from(["all", "none", "torn"]))
            if kept == "none":
                continue
            stop = change.offset + len(change.data)
            file.extend(bytes(max(0, stop - len(file))))
            if change.kind == "truncate":
                del file[change.offset :]
            for start in range(change.offset, stop, SECTOR):
                if kept == "all" or data.draw(st.booleans()):
                    piece = change.data[start - change.offset :][:SECTOR]
                    file[start : start + len(piece)] = piece
        self._path.write_bytes(file)
        return bytes(self._exact)


def _run(root: Path, data: st.DataObject) -> Run:
    run = Run(root, data.draw(st.integers(1, LONGEST // 2)))
    disk.observe = run.observe
    try:
        for number in range(1, data.draw(st.integers(1, 6)) + 1):
            run.commit(data, number)
    finally:
        disk.observe = None
        run.close()
    return run


@pytest.fixture(scope="module", autouse=True)
def _short_tails() -> Iterator[None]:
    """Tails that are synced in the file, and not taken into the log, are not so large here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "_LARGEST_TAIL_IN_LOG", PAGE)
        yield


@settings(max_examples=300)
@given(st.data())
def test_folded_patches_do_what_they_do_one_after_the_other(data: st.DataObject) -> None:
    with TemporaryDirectory() as directory:
        root = Path(directory)
        run = _run(root, data)
        exact = run.lose_power(data)
        folded = fold(load(dump(record)) for record in run.records)
        assert load(dump(folded)) == folded
        assert why_no_fit(root, folded) is None
        if run.records:
            assert _laid_over(root, folded) == exact
        for how in ("again", "again", "anew"):
            carry_out(root, folded, how)
            assert (root / SHOTS).read_bytes() == exact


def laid(root: Path, record: LogRecord) -> Files:
    """The files as they are once the record is carried out."""
    files = Files(root)
    files.lay(record)
    return files


def _laid_over(root: Path, record: LogRecord) -> bytes:
    """What a storage that may not write reads."""
    patch = laid(root, record).patch(root / SHOTS)
    assert patch is not None
    pieces = list(zip(patch.offsets, patch.pages, strict=True))
    opened = PatchedFileObject(disk.File(root / SHOTS, "r"), patch.length, pieces)
    try:
        content = bytearray(opened.end)
        opened.read_at([memoryview(content)], 0)
        return bytes(content)
    finally:
        opened.close()


@given(st.data(), st.integers(0, 5))
def test_folding_the_first_ones_before_the_others_changes_nothing(
    data: st.DataObject, first: int
) -> None:
    with TemporaryDirectory() as directory:
        records = _run(Path(directory), data).records
    if records:
        assert fold([fold(records[: first + 1]), *records[first + 1 :]]) == fold(records)


DOCUMENT = "global_parameters.json"


def _documents(count: int) -> list[LogRecord]:
    """Records that replace a document again and again."""
    contents = [json.dumps({"number": number}).encode() for number in range(count + 1)]
    return [
        LogRecord(
            f"{number:032x}",
            documents=[
                Document(DOCUMENT, after, f"{TRANSACTIONS}/{number:032x}-1", [digest(before)])
            ],
        )
        for number, (before, after) in enumerate(itertools.pairwise(contents))
    ]


@pytest.mark.parametrize(
    "found", [b'{"number": 0}', b'{"number": 2}', b'{"number": 4}', b"", b'{"numb', bytes(20), None]
)
@pytest.mark.parametrize("staged", ["all", "the last", "none", "torn"])
def test_the_last_of_many_documents_is_the_one(
    tmp_path: Path, found: bytes | None, staged: str
) -> None:
    records = _documents(4)
    if found is not None:
        (tmp_path / DOCUMENT).write_bytes(found)
    (tmp_path / TRANSACTIONS).mkdir(parents=True)
    for record in records[-1:] if staged == "the last" else records:
        (document,) = record.documents
        if staged != "none":
            content = b"" if staged == "torn" else document.content
            (tmp_path / document.staged).write_bytes(content)
    folded = fold(records)
    assert laid(tmp_path, folded).read(DOCUMENT) == b'{"number": 4}'
    carry_out(tmp_path, folded)
    assert (tmp_path / DOCUMENT).read_bytes() == b'{"number": 4}'


@pytest.mark.parametrize("how", ["again", "anew"])
def test_a_document_that_came_after_all_of_them_is_left_alone(tmp_path: Path, how: str) -> None:
    (tmp_path / TRANSACTIONS).mkdir(parents=True)
    (tmp_path / DOCUMENT).write_bytes(b'{"number": 5}')
    folded = fold(_documents(4))
    assert laid(tmp_path, folded).read(DOCUMENT) == b'{"number": 5}'
    carry_out(tmp_path, folded, how)  # type: ignore[arg-type]
    assert (tmp_path / DOCUMENT).read_bytes() == b'{"number": 5}'


def test_directories_are_made_in_their_order_with_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / TRANSACTIONS).mkdir(parents=True)
    (tmp_path / "sequences").mkdir()
    names = ["a", "a/b", "a/b/c", "d"]
    records = []
    for number, name in enumerate(names):
        slot = f"{TRANSACTIONS}/{number:032x}"
        content = f'{{"name": "{name}"}}'.encode()
        records.append(
            LogRecord(
                f"{number:032x}",
                arrivals=[Rename(f"{slot}-1", f"sequences/{name}", is_new=True)],
                documents=[Document(f"sequences/{name}/folder.json", content, f"{slot}-2", [""])],
            )
        )
    (tmp_path / f"{TRANSACTIONS}/{1:032x}-1").mkdir()  # of the others the power loss left nothing
    folded = fold(records)
    assert laid(tmp_path, folded).list_directories("sequences/a") == ["b"]
    for _ in range(2):
        carry_out(tmp_path, folded)
        for name in names:
            assert json.loads((tmp_path / f"sequences/{name}/folder.json").read_bytes()) == {
                "name": name
            }
    assert not list((tmp_path / TRANSACTIONS).iterdir())
