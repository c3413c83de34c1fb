"""``shots.h5``: the launch configuration and all shots of one sequence; and ``results.h5``, of the
same layout, without a launch: each of its rows is what was stored of one shot at once.

This module knows HDF5 and the layout of the file (docs/file-format.md), and nothing of locks,
transactions or where the file lies. Row k of every dataset is the k-th shot recorded.
"""

from collections.abc import Callable, Collection, Mapping

import h5py
import numpy as np
import numpy.typing as npt

from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.alike import AlikeValues, write_alike
from shotstore.hdf5.shots.columns import ColumnReader
from shotstore.hdf5.shots.copies import COPIES
from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.handles import close_handle, open_handle, reading, writing
from shotstore.hdf5.shots.header import check_version, read_header, write_header
from shotstore.hdf5.shots.known_frames import KnownFrames
from shotstore.hdf5.shots.known_rows import KnownRows
from shotstore.hdf5.shots.launch import Launch, read_launch, write_copy, write_launch
from shotstore.hdf5.shots.payloads import Payloads
from shotstore.hdf5.shots.row_values import write_values
from shotstore.hdf5.shots.schemas import ABOUT, Schema, Schemas
from shotstore.hdf5.shots.stored_values import (
    load_data,
    load_parameter,
    store_data,
    store_parameter,
)
from shotstore.hdf5.shots.used_slots import UsedSlots
from shotstore.hdf5.shots.viewers import describe_file
from shotstore.model import Data, DataSchema, DataType, ParameterSchema, ParameterType
from shotstore.model.parameters import PlainParameter
from shotstore.model.structures import Structure
from shotstore.records.columns import Places, ShotColumns

RETAKES = "retakes"
"""The dataset of the rows of shots that had been recorded before, if there are such."""
_TIMES = [("start_time", "<i8"), ("end_time", "<i8")]
_SHOT = np.dtype([("shot_index", "<u8"), *_TIMES, ("schema", "<u4")])


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
        self._used = UsedSlots(self._datasets, self._schemas, [])
        self._frames = KnownFrames()
        self._structures: tuple[object, dict[str, list[Structure]]] = (None, {})
        """What `structures` was asked for last, and has found."""
        self._known: KnownRows | None = None
        self._remember = remember
        self.sequence_id: str | None = None
        """The id of the sequence that the file belongs to; None while it is being made."""
        self.holds_results = False
        """Whether its rows are what was stored of shots later: several may be of one shot."""

    @classmethod
    def create(
        cls, file_object: HDF5FileObject, sequence_id: str, path: str, launch: Launch | None
    ) -> "ShotsFile":
        """Write a file without shots; without a launch, one for what is stored of shots later.

        It gets superblock version 2, which has no "open for writing" mark for a killed writer to
        leave behind, and objects of HDF5 1.10, whose metadata is checksummed.
        """
        with writing(file_object):
            open_handle(file_object, "w", "v108").close()
        self = cls(file_object, open_handle(file_object, "r+"))
        self._hold(results=launch is None)
        try:
            with writing(file_object):
                self._begin(sequence_id, path, launch)
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
        with reading(file_object):
            file = open_handle(file_object, "r+" if write else "r")
        self = cls(file_object, file, remember)
        try:
            with reading(self._file_object):
                header = read_header(file)
            check_version(header, file_object.file.path)
            self.sequence_id = header.sequence_id
            self._hold(results=header.is_of_results)
        except BaseException:
            self.close()
            raise
        return self

    def _hold(self, *, results: bool) -> None:
        # Who stores results stores some of them at a time: tables would be as many as these.
        self.holds_results, self._schemas.has_tables = results, not results

    def close(self) -> None:
        """Close HDF5's side of the file, without writing: a commit has flushed before."""
        self._frames.forget()
        self._datasets.close()
        close_handle(self._file_object, self._file)

    def flush(self) -> None:
        """Hand everything that is held back, or that HDF5 has cached, to the file object."""
        with writing(self._file_object):
            self._datasets.flush()
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
        with reading(self._file_object):
            return read_launch(self._file, self._datasets)

    def number_of_rows(self) -> int:
        """How many rows there are: one for each time that a shot was recorded."""
        with reading(self._file_object):
            return self._datasets.rows["shots"].length

    def number_of_shots(self, rows: int) -> int:
        """How many shots the first ``rows`` rows are of."""
        with reading(self._file_object):
            return rows - len(self._retakes(rows))

    def counting_rows(self, rows: int) -> list[int] | None:
        """Which of the first ``rows`` rows count, the last one of each shot; None if all do."""
        with reading(self._file_object):
            return self._rows().counting_rows(rows) if self._retakes(rows) else None

    def indices(self, first: int, stop: int) -> list[int]:
        """The index of the shot in each row from the ``first`` to that before ``stop``."""
        with reading(self._file_object):
            return self._rows().indices[first:stop]

    def rows_of(self, index: int, rows: int) -> list[int]:
        """In which of the first ``rows`` rows a shot is, the last of which counts."""
        with reading(self._file_object):
            return self._rows().rows_of(index, rows)

    def index(self, row: int) -> int:
        """The index of a shot."""
        with reading(self._file_object):
            return int(self._datasets.rows["shots"].read(row, 1)[0]["shot_index"])

    def times(self, row: int) -> tuple[int, int]:
        """Start and end of a shot, in microseconds since 1970 UTC."""
        with reading(self._file_object):
            shot = self._datasets.rows["shots"].read(row, 1)[0]
            return int(shot["start_time"]), int(shot["end_time"])

    def parameters(self, row: int) -> dict[str, PlainParameter]:
        """The parameters of a shot."""
        with reading(self._file_object):
            payloads = self._payloads(row)
            return {
                slot.name: (load_parameter(slot, payloads.of_one(slot)), slot.unit)
                for slot in self._schema(row).parameters
            }

    def about(self, row: int) -> dict[str, Data]:
        """What a row is about that was stored of a shot later."""
        with reading(self._file_object):
            payloads = self._payloads(row)
            slots = self._schema(row).parameters
            return {slot.name: load_data(slot, payloads.of_one(slot)) for slot in slots}

    def labels(self, row: int) -> list[str]:
        """The labels of the data of a shot."""
        with reading(self._file_object):
            return [slot.name for slot in self._schema(row).data]

    def data(self, row: int, labels: Collection[str]) -> dict[str, Data]:
        """The data of a shot under these labels, all of which it has."""
        with reading(self._file_object):
            payloads = self._payloads(row)
            slots = [slot for slot in self._schema(row).data if slot.name in labels]
            found = {slot.name: load_data(slot, payloads.of_one(slot)) for slot in slots}
            for slot in slots:
                if slot.type == "array":
                    self._frames.note(self._rows().schemas[row], slot, self._schemas.rows(slot))
            return found

    def known_data(self, index: int, limit: int, labels: Collection[str]) -> dict[str, Data] | None:
        """The data under these labels of a shot, as it is in the first ``limit`` rows, without
        HDF5; None if it cannot be read so."""
        if self._known is None:
            return None
        row = self._known.find(index, min(limit, len(self._known.schemas)))
        if row is None:
            return None
        return self._frames.read(self._known.schemas[row], row, labels)

    def schemas(self, rows: int) -> tuple[ParameterSchema, DataSchema]:
        """What the parameters and the data of the shots in the first ``rows`` rows are."""
        with reading(self._file_object):
            used = self._used_slots(rows)
            return used.parameter_schema, used.data_schema

    def kinds(self, rows: int) -> tuple[npt.NDArray[np.int64], list[Schema]]:
        """Of which kind each of the first ``rows`` shots is, and where those of each kind keep
        their values."""
        with reading(self._file_object):
            known = self._rows()
            return np.array(known.schemas[:rows], np.int64), self._schemas.load()

    def has_wide_integers(self, rows: int) -> bool:
        """Whether the shots in the first ``rows`` rows have a number beyond 64 bits."""
        with reading(self._file_object):
            return self._used_slots(rows).has_wide_integers

    def row_size(self, rows: int, labels: Collection[str]) -> int:
        """About how many bytes a shot in the first ``rows`` rows has under these labels."""
        with reading(self._file_object):
            return self._used_slots(rows).row_size(labels)

    def columns(
        self,
        rows: npt.NDArray[np.int64],
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        """Parameters and labels of some shots, in the types of their schemas, the arrays of one
        shape in their places.

        Raises:
            IncompatibleUnitsError: a unit cannot be converted to that of the schema.
        """
        with reading(self._file_object):
            reader = ColumnReader(self._datasets, self._schemas, rows)
            return reader.read(parameters, labels, places)

    def structures(
        self, rows: npt.NDArray[np.int64], labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        """What the data of some shots under these labels is made of. Rows stay as they are, so they
        are looked at once."""
        key = rows.tobytes(), frozenset(labels)
        if self._structures[0] != key:
            with reading(self._file_object):
                reader = ColumnReader(self._datasets, self._schemas, rows)
                self._structures = key, reader.structures(labels)
        return self._structures[1]

    # Writing

    def append(
        self,
        index: int,
        times: tuple[int, int],
        parameters: Mapping[str, PlainParameter],
        data: Mapping[str, Data],
        compression: str | int | None = None,
    ) -> None:
        """Record a shot as the next row.

        Args:
            index: Index of the shot; one that is there has been taken again.
            times: Start and end in microseconds since 1970 UTC.
            parameters: Magnitude and unit by name.
            data: As `shotstore.model.check_data` returns it.
            compression: Filter for datasets of arrays that this shot is the first to need.
        """
        with writing(self._file_object):
            stored = {
                ("parameters", name): store_parameter(*plain) for name, plain in parameters.items()
            } | {("data", label): store_data(value) for label, value in data.items()}
            known = self._rows()
            number, schema = self._schemas.find(stored, compression)
            shots = self._datasets.rows["shots"]
            row, shot = shots.length, np.array([(index, *times, number)], _SHOT)
            write_values(self._datasets, self._schemas, row, schema, stored)
            is_retake = index in known.by_index and not self.holds_results
            if is_retake:
                self._write_retake(row)
            shots.write(row, shot)
            self._schemas.write_copies()
            known.note(row, shot, [row] if is_retake else [])

    def append_alike(
        self,
        indices: npt.NDArray[np.int64],
        times: tuple[int, int],
        values: Mapping[tuple[str, str], AlikeValues],
        compression: str | int | None = None,
    ) -> None:
        """Record shots of one kind as the next rows, each dataset in as few writes as can be.

        Args:
            indices: Those of the shots.
            times: Start and end in microseconds since 1970 UTC, of all of them.
            values: By section (``parameters`` or ``data``) and name.
            compression: As for `append`.
        """
        with writing(self._file_object):
            known = self._rows()
            kinds = {key: alike.kind for key, alike in values.items()}
            number, schema = self._schemas.find(kinds, compression)
            table = self._datasets.rows["shots"]
            first = table.length
            shots = np.zeros(len(indices), _SHOT)
            shots["shot_index"], shots["schema"] = indices, number
            shots["start_time"], shots["end_time"] = times
            write_alike(self._datasets, schema, first, values)
            table.write(first, shots)
            self._schemas.write_copies()
            known.note(first, shots, ())

    def _begin(self, sequence_id: str, path: str, launch: Launch | None) -> None:
        file = self._file
        write_header(file, sequence_id, path, is_of_results=launch is None)
        if launch is not None:
            write_launch(file, launch)
        file.create_group("data")
        describe_file(file)
        self._datasets.create("shots", _SHOT)
        if launch is None:
            for group in (ABOUT, COPIES):
                file.create_group(group)
        else:
            write_copy(file, launch)

    def _write_retake(self, row: int) -> None:
        if not own_objects.exists(self._file, RETAKES):
            self._datasets.create(RETAKES, np.dtype("<u8"))
        rows = self._datasets.rows[RETAKES]
        rows.write(rows.length, np.array([row], rows.dtype))

    def _retakes(self, rows: int) -> list[int]:
        """Which of the first rows are of shots that had been recorded before."""
        if not own_objects.exists(self._file, RETAKES):
            return []
        found = self._datasets.rows[RETAKES]
        return [row for row in found.read(0, found.length, values=0).tolist() if row < rows]

    def _schema(self, row: int) -> Schema:
        return self._schemas.load()[self._rows().schemas[row]]

    def _rows(self) -> KnownRows:
        shots = self._datasets.rows["shots"]
        if self._known is None:
            known = KnownRows()
            if self._remember is not None and "launch" in self._file.attrs:
                known = self._remember(own_objects.read_text_attribute(self._file, "launch"))
            self._known = known if known.fits(shots) else KnownRows()
            self._known.may_repeat = self.holds_results
        if len(self._known.schemas) < shots.length:
            self._known.extend(shots, frozenset(self._retakes(shots.length)))
        return self._known

    def _used_slots(self, rows: int) -> UsedSlots:
        numbers = self._rows().used_schemas(rows)
        if numbers != self._used.numbers:
            self._used = UsedSlots(self._datasets, self._schemas, numbers)
        return self._used

    def _payloads(self, row: int) -> Payloads:
        return Payloads(np.array([row]), self._schemas.rows, self._datasets.rows.__getitem__)
