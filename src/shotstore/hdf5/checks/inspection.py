"""Everything in one ``shots.h5`` or ``results.h5``, read and compared with the layout
(docs/file-format.md).

The file may grow meanwhile: each step works on HDF5's view of the file as it is then, and looks
only at the rows that were there at first.
"""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from attrs import define, field

from shotstore.hdf5.checks.chunks import Chunk, StoredDataset
from shotstore.hdf5.checks.findings import reason
from shotstore.hdf5.checks.report import listed
from shotstore.hdf5.shots.copies import COPIES, copy_of
from shotstore.hdf5.shots.launch import CONFIGURATION, DEVICES, DOCUMENTS
from shotstore.hdf5.shots.own_objects import list_names, read_text_attribute
from shotstore.hdf5.shots.schemas import ABOUT, Schema, load_schema
from shotstore.hdf5.shots.shots_file import RETAKES
from shotstore.hdf5.shots.slot_checks import check_fits
from shotstore.hdf5.shots.stored_values import Slot

_TABLES = re.compile(
    rf"shots|{RETAKES}|(?:parameters|parameter_units|scalars|scalar_units|schemas)(?:#\d+)?"
)
_SCHEMAS = re.compile(r"schemas(?:#\d+)?")
_OF_NO_SHOT = r"(?:parameter_units|scalar_units|schemas)(?:#\d+)?"
_UNALIGNED = re.compile(rf"{CONFIGURATION}/.*|{_OF_NO_SHOT}|{COPIES}/.*|{RETAKES}")
_GROUPS = {name for group in (CONFIGURATION, DEVICES) for name in (group, copy_of(group))}
_SHOT_FIELDS = {"shot_index", "start_time", "end_time", "schema"}
_MOST_UNUSED = 1000


@define
class _Unreadable:
    count: int = 0
    rows: set[int] = field(factory=set)
    why: str = ""


class Inspection:
    """What was found in a file, step by step: `begin`, then for each of `names` `chunks`, and for
    each of these `read`; `problems` in the end."""

    def __init__(self, *, holds_results: bool = False) -> None:
        """With ``holds_results`` it is a results file: without a launch, and with several rows of a
        shot."""
        self._holds_results = holds_results
        self.sequence_id: str | None = None
        self.number_of_rows = 0
        self.number_of_shots = 0
        self.retakes: set[int] | None = set()
        """The rows of shots that had been recorded before; None if that cannot be read."""
        self.names: list[str] = []
        """The datasets."""
        self.configuration: dict[str, Any] = {}
        """The launch configuration: JSON by name; devices by name as a tag and JSON."""
        self.unreadable_configuration: list[str] = []
        """Names of what is missing there; that of the group, where nobody knows which devices."""
        self._problems: list[str] = []
        self._schema_names: list[str] = []
        self._unlisted: set[str] = set()
        self._indices: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._schema_of_row: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._users: dict[str, set[int]] = {}
        self._flat: set[str] = set()
        self._unreadable: dict[str, _Unreadable] = {}
        self._file: h5py.File | None = None
        self._open: dict[str, StoredDataset] = {}
        self._length = 0

    def view(self, file: h5py.File, length: int) -> None:
        """Go on in this view of the file, which has this length in bytes."""
        if file is not self._file:
            self._file, self._length = file, length
            self._open.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._file = None
        self._open.clear()

    def begin(self) -> None:
        """Read all that the file says of itself."""
        file = self._get_file()
        try:
            self.sequence_id = read_text_attribute(file, "sequence")
        except Exception as error:
            self._add(f"the attribute sequence cannot be read ({reason(error)})")
        if not self._holds_results:
            self._inspect_configuration()
        tables = [name for name in self._list("") if _TABLES.fullmatch(name)]
        schemas = sorted(
            {name for name in (*tables, *self._list(COPIES)) if _SCHEMAS.fullmatch(name)}
        )
        self._schema_names = [*schemas, *map(copy_of, schemas)]
        self._find_datasets(COPIES, schemas)
        self._find_datasets("", ["shots"])
        if "shots" in self.names:
            self._read_shots()
            self._check_schemas()
        used = {*self._users, *self._flat}
        known = {name for name in tables if name in used or _UNALIGNED.fullmatch(name)}
        self._find_datasets("", sorted(known | set(schemas)))
        self._find_unused("", set(tables) - {*known, "shots"})
        for group in ("data", ABOUT) if self._holds_results else ("data",):
            names = self._list(group)
            self._find_datasets(group, [name for name in names if f"{group}/{name}" in used])
            self._find_unused(group, [name for name in names if f"{group}/{name}" not in used])
        self._check_lengths()

    def chunks(self, name: str) -> list[Chunk]:
        """The chunks of a dataset, once it is certain that it holds what it should."""
        try:
            dataset = self.dataset(name)
            chunks = dataset.chunks()
        except Exception as error:
            self._add(f"{name} cannot be read ({reason(error)})")
            return []
        if name in self._flat and not dataset.rows.fills_with_zeros:
            needed = dataset.chunks_for_row * -(-len(dataset) // dataset.rows_in_chunk)
            if len(chunks) < needed:
                self._add(f"{name} lacks {needed - len(chunks)} of its {needed} chunks")
        elif name in self._users:
            self._check_is_stored(name, dataset, chunks)
        return chunks

    def read(self, name: str, chunk: Chunk) -> None:
        """Read a chunk, which compares its checksum."""
        try:
            self.dataset(name).read(chunk)
        except Exception as error:
            found = self._unreadable.setdefault(name, _Unreadable())
            found.count += 1
            found.why = reason(error)
            found.rows.update(range(chunk.offset[0], chunk.offset[0] + chunk.shape[0]))

    @property
    def problems(self) -> list[str]:
        """What is wrong, a clause each."""
        chunks = []
        for name, found in self._unreadable.items():
            what = f"{found.count} chunk{'s' if found.count > 1 else ''}"
            rows = sorted(found.rows)
            if name not in self._flat and not _UNALIGNED.fullmatch(name):
                known = [row for row in rows if row < self.number_of_rows]
                where = (
                    f"with {len(known)} shots"
                    if name == "shots"
                    else f"with the shots {listed(int(self._indices[row]) for row in known)}"
                )
            else:
                where = f"with its rows {listed(rows)}"
            chunks.append(f"{what} of {name} cannot be read, {where} ({found.why})")
        return [*self._problems, *chunks]

    # Steps

    def _inspect_configuration(self) -> None:
        documents = {f"{CONFIGURATION}/{name}" for name in DOCUMENTS}
        for group in (CONFIGURATION, DEVICES):
            for place in (group, copy_of(group)):
                names = self._list(place)
                self._find_datasets(place, names)
                documents.update(f"{group}/{name}" for name in names)
        self._read_configuration(documents - _GROUPS)
        if {DEVICES, copy_of(DEVICES)} <= self._unlisted:
            self.unreadable_configuration.append(DEVICES)

    def _list(self, group: str) -> list[str]:
        names: list[str] = []
        try:
            list_names(self._get_file(), group, names)
        except Exception as error:
            self._unlisted.add(group)
            self._add(f"the group {group or '/'} cannot be read ({reason(error)})")
        return names

    def _find_datasets(self, group: str, names: Iterable[str]) -> None:
        for name in names:
            full = f"{group}/{name}" if group else name
            if full in _GROUPS:
                continue
            try:
                self.dataset(full)
            except Exception as error:
                self._add(f"{full} cannot be read ({reason(error)})")
            else:
                self.names.append(full)

    def _find_unused(self, group: str, names: Collection[str]) -> None:
        """Look at datasets that no readable schema names; not at all if they are very many, which
        only another program has made."""
        if len(names) > _MOST_UNUSED:
            self._add(f"{group or '/'} holds {len(names)} objects that no shot uses")
        else:
            self._find_datasets(group, names)

    def _read_configuration(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            found = []
            for place in (name, copy_of(name)):
                try:
                    found.append(self._read_document(place))
                except Exception as error:
                    self._add_unreadable(place, error)
            if not found:
                self.unreadable_configuration.append(name)
                continue
            self.configuration[name] = found[0]
            if found[0] != found[-1]:
                self._add(f"{name} and its copy are not the same")

    def _read_document(self, name: str) -> object:
        dataset = self.dataset(name)
        if len(dataset) != 1:
            raise ValueError("it has not one row")
        content: object = json.loads(bytes(dataset.rows.read(0, 1)[0]))
        is_device = name.startswith((f"{DEVICES}/", f"{copy_of(DEVICES)}/"))
        return (
            (read_text_attribute(self._get_file()[name], "type"), content) if is_device else content
        )

    def _add_unreadable(self, name: str, error: Exception) -> None:
        """Report it, unless that was done when it was opened."""
        problem = f"{name} cannot be read ({reason(error)})"
        if problem not in self._problems:
            self._add(problem)

    def _read_shots(self) -> None:
        try:
            dataset = self.shots()
        except ValueError as error:
            self._add(str(error))
            return
        if len(dataset) > dataset.most_rows:
            self._add(
                f"it says that it has {len(dataset)} shots, and holds {dataset.most_rows} at most"
            )
            return
        self.number_of_rows = len(dataset)
        rows, readable = dataset.read_leniently(len(dataset))
        self._indices = rows["shot_index"].astype(np.uint64)
        self._schema_of_row = np.where(readable, rows["schema"].astype(np.int64), -1)
        self.number_of_shots = self.number_of_rows
        if not self._holds_results:
            self._check_retakes(np.flatnonzero(readable))

    def _check_retakes(self, readable: npt.NDArray[np.int64]) -> None:
        """Compare the readable rows of shots that are in an earlier one too with those of which
        the file says that they have been taken again."""
        is_first = np.zeros(len(readable), np.bool_)
        is_first[np.unique(self._indices[readable], return_index=True)[1]] = True
        repeated = readable[~is_first]
        self.number_of_shots = self.number_of_rows - len(repeated)
        self.retakes = self._read_retakes()
        if self.retakes is None:
            return
        unknown = [row for row in repeated.tolist() if row not in self.retakes]
        if unknown:
            shots = np.unique(self._indices[unknown]).tolist()
            self._add(f"the shots {listed(shots)} stand in it twice")
        elif self.retakes - {*repeated.tolist()} & {*readable.tolist()}:
            self._add(f"{RETAKES} names rows of shots that were not taken again")

    def _read_retakes(self) -> set[int] | None:
        """The rows of shots that were taken again, as the file says it; None if it is unreadable,
        which is said where all of it is read."""
        try:
            if RETAKES not in self._get_file():
                return set()
            dataset = self.dataset(RETAKES)
            return set(dataset.rows.read(0, len(dataset)).tolist())
        except Exception:
            return None

    def _check_schemas(self) -> None:
        for number in np.unique(self._schema_of_row[self._schema_of_row >= 0]).tolist():
            try:
                schema, *others = self._readable_schemas(number)
                if not others:
                    self._add(f"schema {number} can be read once, and is stored twice")
            except Exception as error:
                shots = self._indices[self._schema_of_row == number].tolist()
                self._add(
                    f"schema {number} cannot be read ({reason(error)}), by which the shots "
                    f"{listed(shots)} are stored"
                )
                continue
            if any(other != schema for other in others):
                self._add(f"schema {number} and its copy are not the same")
            for slot in (*schema.parameters, *schema.data):
                try:
                    self._check_slot(slot, number)
                except Exception as error:
                    self._add(f"schema {number}: {slot.name!r} is not there ({reason(error)})")

    def _check_slot(self, slot: Slot, schema: int) -> None:
        if slot.dataset is None:
            if slot.type not in ("none", "empty"):
                raise ValueError("it names no dataset")
            return
        dataset = self.dataset(slot.dataset)
        check_fits(slot, dataset.dtype, dataset.shape[1:])
        if slot.index is None:
            self._users.setdefault(slot.dataset, set()).add(schema)
            return
        first = slot.index not in self._users
        self._users.setdefault(slot.index, set()).add(schema)
        self._flat.add(slot.dataset)
        if first:
            self._check_spans(slot.index, dataset)

    def _check_spans(self, index: str, flat: StoredDataset) -> None:
        dataset = self.dataset(index)
        count = min(len(dataset), len(self._indices))
        rows, readable = dataset.read_leniently(count)
        start, length = rows["start"], rows["length"]
        total = np.uint64(len(flat))
        outside = readable & ((length > total) | (start > total - np.minimum(length, total)))
        if np.any(outside):
            shots = self._indices[:count][outside].tolist()
            self._add(f"{index} leads outside of its dataset for the shots {listed(shots)}")

    def _check_lengths(self) -> None:
        flat = {name.removesuffix("#rows") for name in self.names if name.endswith("#rows")}
        for name in self.names:
            if name in flat or _UNALIGNED.fullmatch(name):
                continue
            length = len(self.dataset(name))
            if length > self.number_of_rows:
                self._add(f"{name} has {length} rows for {self.number_of_rows} shots")

    def _check_is_stored(self, name: str, dataset: StoredDataset, chunks: list[Chunk]) -> None:
        """Compare the shots that use a dataset with the rows that are stored."""
        used = np.flatnonzero(np.isin(self._schema_of_row, list(self._users[name])))
        missing = dataset.missing(used, chunks)
        if len(missing):
            self._add(f"{name} lacks the shots {listed(self._indices[missing].tolist())}")

    # Helpers

    def _get_file(self) -> h5py.File:
        assert self._file is not None
        return self._file

    def dataset(self, name: str) -> StoredDataset:
        """A dataset of the file; for the errors, see `StoredDataset`."""
        dataset = self._open.get(name)
        if dataset is None:
            dataset = self._open[name] = StoredDataset(self._get_file(), name, self._length)
        return dataset

    def shots(self) -> StoredDataset:
        """The table of the shots.

        Raises:
            ValueError: it is not one; and as `dataset`.
        """
        dataset = self.dataset("shots")
        kinds = {name: dataset.dtype[name].kind for name in dataset.dtype.names or ()}
        if dataset.shape[1:] or not all(kinds.get(name) in ("i", "u") for name in _SHOT_FIELDS):
            raise ValueError("the table of the shots is not one of single shots, with their times")
        return dataset

    def schema(self, number: int) -> Schema:
        """A schema, or its copy.

        Raises:
            ValueError: there is none of this number.
            Exception: neither can be read.
        """
        return self._readable_schemas(number)[0]

    def _readable_schemas(self, number: int) -> list[Schema]:
        """The schema and its copy, as far as they can be read, which is at least one."""
        error: Exception = ValueError("it is missing")
        found = []
        for name in self._schema_names:
            try:
                dataset = self.dataset(name)
                text = bytes(dataset.rows.read(number, 1)[0]) if number < len(dataset) else b""
                if text:
                    found.append(load_schema(text))
            except Exception as raised:
                error = raised
        if not found:
            raise error
        return found

    def _add(self, problem: str) -> None:
        self._problems.append(problem)
