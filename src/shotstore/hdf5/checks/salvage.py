"""What can still be read of a damaged ``shots.h5`` or ``results.h5``, one value after the other."""

import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
from attrs import field, frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, on_disk, superblock
from shotstore.hdf5.checks import metadata
from shotstore.hdf5.checks.findings import reason
from shotstore.hdf5.checks.inspection import Inspection
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots.launch import read_expected_number
from shotstore.hdf5.shots.own_objects import read_text_attribute
from shotstore.hdf5.shots.payloads import Payloads
from shotstore.hdf5.shots.rows import Rows
from shotstore.hdf5.shots.schemas import Schema
from shotstore.hdf5.shots.stored_values import Slot, load_data, load_parameter
from shotstore.model import Data
from shotstore.model.parameters import PlainParameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUPERBLOCK = struct.Struct("<8sBBBBQQQQ")
_UNDEFINED = 2**64 - 1
_LONGEST = 2**60  # bytes: HDF5 cannot handle what does not fit 63 bits
_SECTOR = 512  # bytes: what a failing disk loses
_NOISE = random.Random(1).randbytes(4093)


@frozen
class SalvagedShot:
    """A shot with what could be read of it."""

    index: int
    times: tuple[int, int]
    parameters: dict[str, PlainParameter] = field(factory=dict)
    data: dict[str, Data] = field(factory=dict)
    about: dict[str, Data] = field(factory=dict)
    """Instead of parameters, where it was stored of a shot later: what it is about."""
    lost: tuple[str, ...] = ()
    """Parameters and data that could not be read, by name."""


class Salvage:
    """A damaged file, opened as far as it goes. Everything here runs on a worker thread."""

    def __init__(self, path: Path, *, holds_results: bool = False) -> None:
        """Open the file; ``holds_results`` says which of the two it is.

        Raises:
            DamagedStorageError: not even its table of shots can be found.
        """
        self._holds_results = holds_results
        self.inspection = inspection = Inspection(holds_results=holds_results)
        """What can be read of the file as a whole."""
        self._file_object, self._file = _open(path)
        try:
            inspection.view(self._file, self._file_object.end)
            inspection.begin()
            try:
                shots = inspection.shots()
            except Exception as error:
                why = f"its table of shots cannot be read ({reason(error)})"
                raise nothing_left_error(path, why) from error
            # What a damaged file says may be any number.
            self.number_of_rows = min(len(shots), shots.most_rows)
            """How many rows there are, whole or not; a shot that was taken again has several."""
            self._rows, self._readable = shots.read_leniently(self.number_of_rows)
        except BaseException:
            self.close()
            raise
        self._schemas: dict[int, Schema | None] = {}
        self._row = 0

    @property
    def progress(self) -> float:
        """Which part of the shots was read, from 0 to 1."""
        return self._row / max(1, self.number_of_rows)

    @property
    def launched_at(self) -> str | None:
        """The path at launch, if it can be read."""
        try:
            return read_text_attribute(self._file, "path")
        except Exception:
            return None

    @property
    def expected_number_of_shots(self) -> int | None:
        """How many shots there were to be, if it can be read."""
        try:
            return read_expected_number(self._file)
        except Exception:
            return None

    def times(self) -> tuple[datetime, datetime] | None:
        """When the first shot began and the last one ended, as far as that can be read."""
        rows = self._rows[self._readable]
        if not len(rows):
            return None
        try:
            first, last = int(rows["start_time"].min()), int(rows["end_time"].max())
            return _EPOCH + timedelta(microseconds=first), _EPOCH + timedelta(microseconds=last)
        except OverflowError:
            return None

    def shots(self) -> Iterator[SalvagedShot | None]:
        """What is in every row, in the order of recording; None for one that is lost."""
        seen: set[int] = set()
        retakes = self.inspection.retakes
        for row in range(self.number_of_rows):
            self._row = row
            shot = None
            if self._readable[row] and (
                int(self._rows[row]["shot_index"]) not in seen or retakes is None or row in retakes
            ):
                shot = self._shot(row)
            if shot is not None and not self._holds_results:
                seen.add(shot.index)
            yield shot

    @property
    def indices(self) -> set[int]:
        """Those of the shots, as far as their rows can be read."""
        return set(self._rows["shot_index"][self._readable].tolist())

    def close(self) -> None:
        """Close the file."""
        self.inspection.close()
        self._file.close()
        self._file_object.close()

    def _shot(self, row: int) -> SalvagedShot | None:
        record = self._rows[row]
        schema = self._schema(int(record["schema"]))
        if schema is None:
            return None
        parameters: dict[str, PlainParameter] = {}
        about: dict[str, Data] = {}
        data: dict[str, Data] = {}
        lost: list[str] = []
        payloads = Payloads(np.array([row]), self._dataset, self._index)
        for slot in schema.parameters:
            try:
                payload = payloads.of_one(slot)
                if self._holds_results:
                    about[slot.name] = load_data(slot, payload)
                else:
                    parameters[slot.name] = load_parameter(slot, payload), slot.unit
            except Exception:
                lost.append(slot.name)
        for slot in schema.data:
            try:
                data[slot.name] = load_data(slot, payloads.of_one(slot))
            except Exception:
                lost.append(slot.name)
        times = int(record["start_time"]), int(record["end_time"])
        return SalvagedShot(int(record["shot_index"]), times, parameters, data, about, tuple(lost))

    def _schema(self, number: int) -> Schema | None:
        if number not in self._schemas:
            try:
                self._schemas[number] = self.inspection.schema(number)
            except Exception:
                self._schemas[number] = None
        return self._schemas[number]

    def _dataset(self, slot: Slot) -> Rows:
        assert slot.dataset is not None
        return self._index(slot.dataset)

    def _index(self, name: str) -> Rows:
        return self.inspection.dataset(name).rows


class _LenientFile(HDF5FileObject):
    """Reads on where the disk fails, and past the end of a file that was cut off: noise, of which
    no checksum is right, so that only the rest can be read. (That of zeros is zero.) Metadata in
    which one bit is wrong, it mends."""

    def __init__(self, file: disk.File, end: int, head: bytes) -> None:
        super().__init__(file, end)
        self._head = head
        self._wrong_bits: dict[int, int | None] = {}
        """The bit that is wrong in each block that was looked at, by its place."""

    def _fetch(self, view: memoryview, offset: int) -> int:
        self._read_all(view, offset)
        if metadata.is_block(bytes(view[:4])):
            if offset not in self._wrong_bits:
                block = bytearray(min(metadata.LONGEST, self.end - offset))
                self._read_all(memoryview(block), offset)
                self._wrong_bits[offset] = metadata.mend(bytes(block), len(view))
            bit = self._wrong_bits[offset]
            if bit is not None and bit < 8 * len(view):
                view[:] = metadata.flipped(bytes(view), bit)
        return len(view)

    def _read_all(self, view: memoryview, offset: int) -> None:
        try:
            self._read_piece(view, offset)
        except OSError:
            for start in range(0, len(view), _SECTOR):
                piece = view[start : start + _SECTOR]
                try:
                    self._read_piece(piece, offset + start)
                except OSError:
                    piece[:] = _noise(len(piece))
        if offset < len(self._head):
            count = min(len(view), len(self._head) - offset)
            view[:count] = self._head[offset : offset + count]

    def _read_piece(self, view: memoryview, offset: int) -> None:
        count = self.file.read_into(view, offset)
        view[count:] = _noise(len(view) - count)


def _noise(size: int) -> bytes:
    return (_NOISE * -(-size // len(_NOISE)))[:size]


def nothing_left_error(path: Path, why: str) -> DamagedStorageError:
    """Nothing of a file can be read."""
    return DamagedStorageError(
        f"Nothing of {path} can be read: {why}. Nothing was changed. Restore it from a backup; if "
        "there is none, these shots are lost: delete the sequence, or reset it to a draft to keep "
        "its recipe."
    )


def _open(path: Path) -> tuple[HDF5FileObject, h5py.File]:
    if not on_disk.is_regular_file(path):
        raise nothing_left_error(path, "it is missing")
    file = disk.File(path, "r")
    head, length = _head(file), file.length()
    said = superblock.end_of_file(head)
    attempts = [(_superblock(length), length)]  # of a superblock that is damaged itself
    if said is not None and said < _LONGEST:
        attempts.insert(0, (head, max(said, length)))
    why = ""
    for block, end in attempts:
        file_object = _LenientFile(file, end, block)
        try:
            return file_object, h5py.File(
                str(path), "r", driver="fileobj", fileobj=file_object, libver=("v110", "v110")
            )
        except Exception as error:
            why = why or f"HDF5 cannot open it ({reason(error)})"
    file.close()
    raise nothing_left_error(path, why)


def _head(file: disk.File) -> bytes:
    head = bytearray(superblock.SIZE)
    try:
        file.read_into(memoryview(head), 0)
    except OSError:
        head = bytearray(superblock.SIZE)
    return bytes(head)


def _superblock(end: int) -> bytes:
    """That of a file which `ShotsFile.create` has made: the root group follows it at once."""
    fields = (b"\x89HDF\r\n\x1a\n", 2, 8, 8, 0, 0, _UNDEFINED, end, superblock.SIZE)
    block = _SUPERBLOCK.pack(*fields)
    return block + struct.pack("<I", superblock.checksum(block))
