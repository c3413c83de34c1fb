"""What pictures and files are made of: the columns of a sequence by name."""

import abc
import difflib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.column_names import PARTS, Origin, name_columns, origins
from shotstore.errors import DataNotFoundError
from shotstore.model import DataType
from shotstore.records.arguments import as_text
from shotstore.records.columns import Column
from shotstore.session.sequence import Sequence

Kind: TypeAlias = Literal["number", "complex", "time", "text", "json", "array"]

HELD: Mapping[Kind, str] = {
    "number": "numbers",
    "complex": "complex numbers",
    "time": "times",
    "text": "texts",
    "json": "lists, dicts or different kinds of data",
    "array": "arrays",
}
"""What a message says that a column of each kind holds."""

INDEX, START, END = "shot_index", "shot_start_time", "shot_end_time"
_BATCH = 32 * 2**20
"""Bytes of a batch, which may be several times in memory at once"""
_USUAL_ROW = 8192


@attrs.frozen
class TableColumn:
    """What a column holds.

    Attributes:
        name: As in the columns of ``Sequence.scan``.
        kind: "json" for lists, dicts, and data that is of different kinds. An array without
            dimensions is what its item is.
        units: Of a parameter with a unit.
        dtype: Of an array, as it is stored.
        shape: Of an array, with None for a length that differs between shots.
        origin: The parameter, or the label; None for index and times.
    """

    name: str
    kind: Kind
    units: str | None = None
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | None, ...] | None = None
    origin: Origin | None = None

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter."""
        return self.origin is not None and self.origin.kind == "parameter"

    @property
    def is_label(self) -> bool:
        """Whether it holds what was recorded under a label."""
        return self.origin is not None and self.origin.kind == "label"

    @property
    def is_image(self) -> bool:
        """Whether it holds pictures: arrays of real numbers in two dimensions."""
        return (
            self.kind == "array"
            and self.dtype is not None
            and self.dtype.kind in "biuf"
            and self.shape is not None
            and len(self.shape) == 2
        )

    @property
    def row_size(self) -> int:
        """About how many bytes it has for each shot."""
        if self.dtype is not None and self.shape is not None and None not in self.shape:
            return self.dtype.itemsize * math.prod(length or 0 for length in self.shape)
        return _USUAL_ROW if self.kind in ("json", "array") else 64

    def of(self, found: Column) -> Column:
        """Return the values of the column, of those of its parameter or label."""
        if self.origin is not None:
            found = self.origin.of(found)
        if self.shape == () and found.values.ndim > 1:  # arrays of one item
            return Column(found.values.reshape(len(found.values)), found.is_present)
        return found


_FIXED = (TableColumn(INDEX, "number"), TableColumn(START, "time"), TableColumn(END, "time"))


class Table(abc.ABC):
    """Shots in rows, by increasing index where it is a sequence; nothing is read before its use."""

    title: str
    """What to call it in a picture."""
    columns: Mapping[str, TableColumn]

    @abc.abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abc.abstractmethod
    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        """Return some columns, by name; the rest is not read.

        Args:
            names: Columns that the table has.
            rows: Which rows; by default all.
        """

    def find(self, name: str) -> TableColumn:
        """Return the column of this name, or the only one whose name ends in it, after a dot.

        Raises:
            DataNotFoundError: there is none, or several end in it; the message names close ones.
        """
        if as_text(name, "The name of a column") in self.columns:
            return self.columns[name]
        if parts := self._parts(name):
            raise DataNotFoundError(
                f"{name!r} is complex: write {' or '.join(part.name for part in parts)}."
            )
        ending = [column for column in self.columns if column.endswith(f".{name}")]
        if len(ending) == 1:
            return self.columns[ending[0]]
        if ending:
            raise DataNotFoundError(
                f"{name!r} may be {' or '.join(ending)}: write one of them in full."
            )
        known = {column.rpartition(".")[2]: column for column in self.columns}
        known |= {column: column for column in self.columns}
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {known[close[0]]!r}?)" if close else ""
        raise DataNotFoundError(
            f"{self.title} has no column {name!r}{hint}: it has {', '.join(self.columns)}."
        )

    def find_all(self, name: str) -> list[TableColumn]:
        """Return the column of this name as :meth:`find` does, or both parts of complex numbers."""
        as_text(name, "The name of a column")
        parts = [] if name in self.columns else self._parts(name)
        return parts or [self.find(name)]

    def _parts(self, label: str) -> list[TableColumn]:
        """The real and the imaginary part of what is recorded under a label, where it is complex
        and has two columns."""
        wanted = {Origin("label", label, part) for part in PARTS}
        return [column for column in self.columns.values() if column.origin in wanted]

    def check_has_rows(self) -> None:
        """Check that there is something to draw.

        Raises:
            DataNotFoundError: there are no shots.
        """
        if not len(self):
            raise DataNotFoundError(
                f"{self.title or 'The table'} has no shots: there is nothing to draw."
            )

    def batches(
        self, names: Collection[str], rows: npt.NDArray[np.integer[Any]]
    ) -> Iterator[dict[str, Column]]:
        """Yield some columns of these rows, a bounded number of bytes at a time."""
        size = 64 + sum(self.columns[name].row_size for name in names)
        count = max(1, _BATCH // size)
        for first in range(0, len(rows), count):
            yield self.read(names, rows[first : first + count])


class SequenceTable(Table):
    """The shots of a sequence."""

    def __init__(self, sequence: Sequence, *, split: bool = True, unpack: bool = True) -> None:
        """Read which shots and columns there are.

        Args:
            sequence: The sequence.
            split: Whether complex numbers are two columns: their real and imaginary part.
            unpack: Whether arrays of one item are what their item is.
        """
        self._path = sequence.path
        self._sequences = sequence.session.sequences
        len(sequence)  # names the closest sequence where there is none
        indices = self._sequences.get_columns(self._path).shot_index
        self._order = np.argsort(indices, kind="stable")
        self.title = str(self._path)
        parameters = self._sequences.get_parameter_schema(self._path) if len(indices) else {}
        labels = self._sequences.get_data_schema(self._path)
        self.columns = {column.name: column for column in _FIXED}
        for name, origin in name_columns(origins(parameters, labels, split=split)).items():
            self.columns[name] = (
                TableColumn(name, "number", parameters[origin.name].units, origin=origin)
                if origin.kind == "parameter"
                else data_column(name, origin, labels[origin.name], unpack=unpack)
            )

    def __len__(self) -> int:
        return len(self._order)

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        columns = [self.columns[name] for name in names]
        asked = [column.origin for column in columns if column.origin is not None]
        found = self._sequences.get_columns(
            self._path,
            parameters=[origin.name for origin in asked if origin.kind == "parameter"],
            labels=[origin.name for origin in asked if origin.kind == "label"],
            rows=self._order if rows is None else self._order[rows],
        )
        own = {INDEX: found.shot_index, START: found.start_time, END: found.end_time}
        return {
            column.name: complete(own[column.name])
            if column.origin is None
            else column.of(
                (found.parameters if column.is_parameter else found.data)[column.origin.name]
            )
            for column in columns
        }


def data_column(name: str, origin: Origin, kind: DataType, *, unpack: bool = True) -> TableColumn:
    """Return what a column with the data of a label holds.

    Args:
        name: Of the column.
        origin: Which part of the data.
        kind: What the data is.
        unpack: Whether arrays of one item are what their item is.
    """
    kind = origin.type_of(kind)
    shape = kind.shape
    if unpack and shape and all(length == 1 for length in shape):
        shape = ()
    return TableColumn(name, _kind_of(kind, shape), dtype=kind.dtype, shape=shape, origin=origin)


def complete(values: npt.NDArray[Any]) -> Column:
    """Return values of which every shot has one."""
    return Column(values, np.ones(len(values), bool))


def number_values(column: Column) -> npt.NDArray[np.float64]:
    """Return numbers as floats, NaN where a shot has none; infinite where they are too large."""
    values = column.values
    if values.dtype.kind == "O":
        values = np.array([np.nan if value is None else _as_float(value) for value in values])
    return np.where(column.is_present, values, np.nan).astype(np.float64)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int beyond 1e308
        return math.copysign(math.inf, value)


def _kind_of(kind: DataType, shape: tuple[int | None, ...] | None) -> Kind:
    match kind.kind:
        case "bool" | "int" | "float":
            return "number"
        case "text":
            return "text"
        case "array" if shape:
            return "array"
        case "array":
            assert kind.dtype is not None
            return _KINDS.get(kind.dtype.kind, "json")
    return "json"


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys("biuf", "number"),
    "c": "complex",
    "M": "time",
    "U": "text",
}
"""Of single items, by the kind of their numpy type."""
