"""``shots.h5``: the launch configuration and all shots of one sequence.

This module knows HDF5 and the layout of the file (docs/file-format.md), and nothing of locks,
transactions or where the file lies. Row k of every dataset is the k-th shot recorded.
"""

import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote

import h5py
import numpy as np
import numpy.typing as npt
from attrs import frozen

from shotstore.errors import DamagedStorageError, IncompatibleUnitsError, StorageError
from shotstore.hdf5.names import hdf5_name
from shotstore.hdf5.overlay import HDF5FileObject, OverlayFile
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.columns import ColumnReader, UsedSlots, data_type
from shotstore.hdf5.shots.copies import copy_of, read_either
from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.known_rows import KnownRows
from shotstore.hdf5.shots.payloads import Payloads
from shotstore.hdf5.shots.rows import (
    read_attribute,
    write_attribute,
    write_texts,
)
from shotstore.hdf5.shots.schemas import Schema, Schemas
from shotstore.hdf5.shots.stored_values import (
    SPAN,
    Slot,
    encode_array,
    load_data,
    load_number,
    store_data,
    store_number,
    text_size,
)
from shotstore.hdf5.shots.viewers import describe_file
from shotstore.model import JSON, Data, DataType, ParameterType
from shotstore.model.parameters import Number
from shotstore.model.structures import Structure
from shotstore.records.columns import ShotColumns
from shotstore.version import NEWER_VERSION, __version__

VERSION = 1
"""Of a shot."""

_FORMAT = "shotstore shots"
_EXPECTED_NUMBER = "expected_number_of_shots"
_DEVICES = "configuration/device_configurations"

_SHOT = np.dtype(
    [("shot_index", "<u8"), ("start_time", "<i8"), ("end_time", "<i8"), ("schema", "<u4")]
)

NumberType: TypeAlias = Literal["bool", "int", "float"]
_NUMBER_TYPES: dict[str, NumberType] = {
    "bool": "bool",
    "int": "int",
    "big int": "int",
    "float": "float",
}


@frozen
class Launch:
    """What a sequence was launched with, as JSON."""

    iteration: JSON
    time_lanes: JSON
    global_parameters: JSON
    device_configurations: Mapping[str, tuple[str, JSON]]
    """Tag and content by name."""
    expected_number_of_shots: int | None
    """As the iteration told it; for who makes the document anew, and does not know the class."""


def read_expected_number(file: h5py.File) -> int | None:
    """Return how many shots a sequence was to have when it was launched, if that was known.

    Raises:
        ValueError: shotstore has not written it so.
    """
    if _EXPECTED_NUMBER not in file.attrs:
        return None
    return own_objects.read_integer_attribute(file, _EXPECTED_NUMBER)


class ShotsFile:
    """An open ``shots.h5``. Every error of HDF5 comes out as what it means for the caller."""

    def __init__(
        self,
        file_object: HDF5FileObject,
        file: h5py.File,
        remember: Callable[[str], KnownRows] | None = None,
    ) -> None:
        self._file_object = file_object
        self._file = file
        self._datasets = Datasets(file, file_object)
        self._schemas = Schemas(self._datasets)
        self._used = UsedSlots(self._datasets, self._schemas)
        self._known: KnownRows | None = None
        self._remember = remember
        self.sequence_id: str | None = None
        """Of the sequence that the file belongs to; None of one that is being made."""

    @classmethod
    def create(
        cls, file_object: HDF5FileObject, sequence_id: str, path: str, launch: Launch
    ) -> "ShotsFile":
        """Write a file without shots.

        It gets superblock version 2, which has no "open for writing" mark for a killed writer to
        leave behind, and objects of HDF5 1.10, whose metadata is checksummed.
        """
        with _writing(file_object):
            _open(file_object, "w", "v108").close()
        self = cls(file_object, _open(file_object, "r+"))
        try:
            with _writing(file_object):
                self._write_header(sequence_id, path, launch)
        except BaseException:
            self.close()
            raise
        return self

    @classmethod
    def open(
        cls,
        file_object: HDF5FileObject,
        *,
        write: bool = False,
        remember: Callable[[str], KnownRows] | None = None,
    ) -> "ShotsFile":
        """Open a file; ``remember`` gives what an earlier opening has read of that of a launch.

        Raises:
            DamagedStorageError: it is not what `create` and `append` write.
            StorageError: it is of a later version.
        """
        with _reading(file_object):
            file = _open(file_object, "r+" if write else "r")
        self = cls(file_object, file, remember)
        try:
            with _reading(self._file_object):
                if read_attribute(file, "format") != _FORMAT:
                    raise ValueError("its format attribute is missing")
                version = own_objects.read_integer_attribute(file, "version")
                self.sequence_id = read_attribute(file, "sequence")
            if version > VERSION:
                raise StorageError(
                    f"{file_object.file.path} has format version {version}, written by a newer "
                    f"shotstore; this one reads up to {VERSION}: {NEWER_VERSION}."
                )
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close HDF5's side of the file, without writing: a commit has flushed before."""
        self._datasets.close()
        _close(self._file_object, self._file)

    def flush(self) -> None:
        """Hand everything that HDF5 has cached to the file object."""
        with _writing(self._file_object):
            self._file.flush()

    @property
    def file(self) -> h5py.File:
        """HDF5's view of the file, to be looked at as it is. What the disk said is in `check`."""
        return self._file

    @property
    def length(self) -> int:
        """Bytes in the file, as HDF5 sees it."""
        return self._file_object.end

    def check(self) -> None:
        """Raise what the disk said, if it has failed."""
        self._file_object.check()

    # Reading

    def launch(self) -> Launch:
        """What the sequence was launched with."""
        with _reading(self._file_object):
            return Launch(
                iteration=self._read_json("configuration/iteration"),
                time_lanes=self._read_json("configuration/time_lanes"),
                global_parameters=self._read_json("configuration/global_parameters"),
                device_configurations={
                    unquote(name): self._read_device(f"{_DEVICES}/{name}")
                    for name in read_either(_DEVICES, self._names)
                },
                expected_number_of_shots=read_expected_number(self._file),
            )

    def number_of_shots(self) -> int:
        """How many shots were recorded."""
        with _reading(self._file_object):
            return len(self._datasets.rows("shots"))

    def indices(self) -> dict[int, int]:
        """The row of each shot by its index, in the order of the rows."""
        with _reading(self._file_object):
            return self._rows().by_index

    def times(self, row: int) -> tuple[int, int]:
        """Start and end of a shot, in microseconds since 1970 UTC."""
        with _reading(self._file_object):
            shot = self._datasets.rows("shots").read(row, 1)[0]
            return int(shot["start_time"]), int(shot["end_time"])

    def parameters(self, row: int) -> dict[str, Number]:
        """The parameters of a shot."""
        with _reading(self._file_object):
            payloads = self._payloads(row)
            return {
                slot.name: (load_number(slot, payloads.of_one(slot)), slot.unit)
                for slot in self._schema(row).parameters
            }

    def labels(self, row: int) -> list[str]:
        """The labels of the data of a shot."""
        with _reading(self._file_object):
            return [slot.name for slot in self._schema(row).data]

    def data(self, row: int, labels: Collection[str]) -> dict[str, Data]:
        """The data of a shot under these labels, all of which it has."""
        with _reading(self._file_object):
            payloads = self._payloads(row)
            return {
                slot.name: load_data(slot, payloads.of_one(slot))
                for slot in self._schema(row).data
                if slot.name in labels
            }

    def parameter_types(self, rows: int) -> list[tuple[str, NumberType, str | None]]:
        """Name, type and unit of every parameter that the first ``rows`` shots have."""
        with _reading(self._file_object):
            slots = self._used_slots(rows).parameters
            return [(slot.name, _NUMBER_TYPES[slot.type], slot.unit) for slot in slots]

    def data_types(self, rows: int) -> list[tuple[str, DataType]]:
        """Label and type of all data that the first ``rows`` shots have."""
        with _reading(self._file_object):
            return [(slot.name, data_type(slot)) for slot in self._used_slots(rows).data]

    def has_wide_integers(self, rows: int) -> bool:
        """Whether the first ``rows`` shots have a number beyond 64 bits."""
        with _reading(self._file_object):
            used = self._used_slots(rows)
            slots = [*used.parameters, *used.data]
            return any(slot.type == "big int" for slot in slots)

    def row_size(self, rows: int, labels: Collection[str]) -> int:
        """About how many bytes one of the first ``rows`` shots has under these labels."""
        with _reading(self._file_object):
            return self._used_slots(rows).row_size(labels)

    def columns(
        self,
        rows: npt.NDArray[np.int64],
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
    ) -> ShotColumns:
        """Parameters and labels of some shots, in the types of their schemas.

        Raises:
            IncompatibleUnitsError: a unit cannot be converted to that of the schema.
        """
        with _reading(self._file_object):
            reader = ColumnReader(self._datasets, self._schemas, rows)
            return reader.read(parameters, labels)

    def structures(
        self, rows: npt.NDArray[np.int64], labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        """What the data of some shots under these labels is made of."""
        with _reading(self._file_object):
            return ColumnReader(self._datasets, self._schemas, rows).structures(labels)

    # Writing

    def append(
        self,
        index: int,
        times: tuple[int, int],
        parameters: Mapping[str, Number],
        data: Mapping[str, Data],
        compression: str | int | None = None,
    ) -> None:
        """Record a shot as the next row.

        Args:
            index: Index of the shot, which no other shot has.
            times: Start and end in microseconds since 1970 UTC.
            parameters: Magnitude and unit by name.
            data: As `shotstore.model.check_data` returns it.
            compression: Filter for datasets of arrays that this shot is the first to need.
        """
        with _writing(self._file_object):
            self._append(index, times, parameters, data, compression)

    def _write_header(self, sequence_id: str, path: str, launch: Launch) -> None:
        file = self._file
        write_attribute(file, "format", _FORMAT)
        write_attribute(file, "version", VERSION)
        write_attribute(file, "sequence", sequence_id)
        write_attribute(file, "launch", uuid.uuid4().hex)
        write_attribute(file, "path", path)
        write_attribute(file, "creator", f"shotstore {__version__}")
        if launch.expected_number_of_shots is not None:
            write_attribute(file, _EXPECTED_NUMBER, launch.expected_number_of_shots)
        self._write_launch("configuration", launch)
        file.create_group("data")
        describe_file(file)
        self._datasets.create("shots", _SHOT)
        self._write_launch(copy_of("configuration"), launch)

    def _write_launch(self, group: str, launch: Launch) -> None:
        for name in ("iteration", "time_lanes", "global_parameters"):
            _write_document(self._file, f"{group}/{name}", getattr(launch, name))
        devices = self._file.create_group(f"{group}/device_configurations")
        for name, (tag, content) in launch.device_configurations.items():
            write_attribute(_write_document(devices, hdf5_name(name), content), "type", tag)

    def _append(
        self,
        index: int,
        times: tuple[int, int],
        parameters: Mapping[str, Number],
        data: Mapping[str, Data],
        compression: str | int | None,
    ) -> None:
        stored = {
            ("parameters", name): store_number(*number) for name, number in parameters.items()
        } | {("data", label): store_data(value) for label, value in data.items()}
        known = self._rows()
        number, schema = self._schemas.find(stored, compression)
        row = len(self._datasets.rows("shots"))
        payloads: dict[tuple[str, str], Any] = {}
        for section, slots in (("parameters", schema.parameters), ("data", schema.data)):
            for slot in slots:
                payload = stored[section, slot.name].payload
                if slot.dataset is None:
                    continue
                if slot.column is not None:
                    payloads[slot.dataset, slot.column] = payload
                elif slot.index is not None:
                    self._append_ragged(slot, row, payload)
                else:
                    self._write_value(slot, row, payload)
        for table in dict.fromkeys([table for table, _ in payloads]):
            self._write_table(table, row, payloads)
        shot = np.array([(index, *times, number)], _SHOT)
        self._datasets.rows("shots").write(row, shot)
        self._schemas.write_copies()
        known.add(row, shot)

    def _append_ragged(self, slot: Slot, row: int, array: npt.NDArray[Any]) -> None:
        flat = self._datasets.rows(slot.dataset)
        start = len(flat)
        if len(array):
            flat.write(start, encode_array(array))
        self._datasets.rows(slot.index).write(row, np.array([(start, len(array))], SPAN))

    def _write_value(self, slot: Slot, row: int, payload: Any) -> None:
        rows = self._datasets.rows(slot.dataset)
        if slot.type == "array":
            rows.write(row, encode_array(payload)[np.newaxis])
        else:
            rows.write(row, np.array([payload], rows.dtype))

    def _write_table(self, table: str, row: int, payloads: Mapping[tuple[str, str], Any]) -> None:
        rows = self._datasets.rows(table)
        names = rows.dtype.names or ()
        record = [
            payloads.get((table, name), missing)
            for name, missing in zip(names, rows.missing, strict=True)
        ]
        rows.write(row, np.array([tuple(record)], rows.dtype))

    def _schema(self, row: int) -> Schema:
        return self._schemas.load()[self._rows().schemas[row]]

    def _rows(self) -> KnownRows:
        shots = self._datasets.rows("shots")
        if self._known is None:
            known = KnownRows()
            if self._remember is not None and "launch" in self._file.attrs:
                known = self._remember(read_attribute(self._file, "launch"))
            self._known = known if known.fits(shots) else KnownRows()
        self._known.extend(shots)
        return self._known

    def _used_slots(self, rows: int) -> UsedSlots:
        self._used.look_at(self._rows().used_schemas(rows))
        return self._used

    # Datasets

    def _names(self, group: str) -> list[str]:
        return own_objects.names(self._file, group)

    def _read_json(self, name: str) -> JSON:
        return read_either(name, self._load_json)

    def _load_json(self, name: str) -> JSON:
        content: JSON = json.loads(bytes(self._datasets.rows(name).read(0, 1)[0]))
        return content

    def _read_device(self, name: str) -> tuple[str, JSON]:
        def read(name: str) -> tuple[str, JSON]:
            content = self._load_json(name)
            return read_attribute(self._file[name], "type"), content

        return read_either(name, read)

    def _payloads(self, row: int) -> Payloads:
        return Payloads(np.array([row]), self._schemas.rows, self._datasets.rows)


@contextmanager
def _reading(file_object: HDF5FileObject) -> Iterator[None]:
    """Say which file is damaged where HDF5 only says what it stumbled over."""
    try:
        yield
        file_object.check()
    except (StorageError, IncompatibleUnitsError):
        raise
    except Exception as error:
        file_object.check()  # what the disk said comes before what HDF5 made of it
        raise DamagedStorageError(
            f"{file_object.file.path} is damaged ({error}). Restore it from a backup."
        ) from error


@contextmanager
def _writing(file_object: HDF5FileObject) -> Iterator[None]:
    """Raise what the disk said, rather than what HDF5 made of it."""
    try:
        yield
    except Exception:
        file_object.check()
        raise
    file_object.check()


def _open(file_object: HDF5FileObject, mode: str, oldest: str = "v110") -> h5py.File:
    file = h5py.File(
        str(file_object.file.path),  # for messages: this driver opens nothing by name
        mode,
        driver="fileobj",
        fileobj=file_object,
        libver=(oldest, "v110"),
    )
    try:
        file_object.check()
    except Exception:
        _close(file_object, file)
        raise
    return file


def _close(file_object: HDF5FileObject, file: h5py.File) -> None:
    """Without writing. A file that stays open is closed by HDF5 at the end of the process, which
    then calls into a Python that is no more."""
    if isinstance(file_object, OverlayFile):
        file_object.kill()
    file.close()


def _write_document(parent: h5py.Group, name: str, content: JSON) -> h5py.Dataset:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return write_texts(parent, name, [text], text_size(len(text)))
