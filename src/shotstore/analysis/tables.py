"""What pictures and files are made of: columns by name, of a sequence or of what was computed."""

import abc
import difflib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.column_names import name_columns
from shotstore.errors import DataNotFoundError
from shotstore.model import DataType, ParameterType
from shotstore.session.columns import Column, objects
from shotstore.session.sequence import Sequence

if TYPE_CHECKING:
    import polars

Source: TypeAlias = "Sequence | polars.LazyFrame | polars.DataFrame | Mapping[str, Any]"
"""A sequence, or columns that were computed: a polars frame, or arrays by name."""

Kind: TypeAlias = Literal["number", "time", "text", "json", "array"]

HELD: Mapping[Kind, str] = {
    "number": "numbers",
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
        key: The name of the parameter, or the label; None for index and times.
        is_parameter: Whether it is a parameter.
    """

    name: str
    kind: Kind
    units: str | None = None
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | None, ...] | None = None
    key: str | None = None
    is_parameter: bool = False

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
        return 64 if self.kind in ("number", "time", "text") else _USUAL_ROW


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
        if name in self.columns:
            return self.columns[name]
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


def as_table(source: Source) -> Table:
    """Return a source as a table.

    Raises:
        TypeError: it is nothing that pictures are made of.
        ValueError: the arrays are of different lengths.
    """
    if isinstance(source, Sequence):
        return SequenceTable(source)
    if isinstance(source, Mapping):
        return ArraysTable({name: np.asarray(values) for name, values in source.items()})
    if hasattr(source, "lazy"):
        return _FrameTable(source.lazy())
    raise TypeError(
        "A picture is made of a Sequence, a polars frame or a dict of arrays, not of type "
        f"{type(source).__name__}."
    )


class SequenceTable(Table):
    """The shots of a sequence."""

    def __init__(self, sequence: Sequence) -> None:
        """Read which shots and columns there are."""
        self._path = sequence.path
        self._sequences = sequence.session.sequences
        len(sequence)  # names the closest sequence where there is none
        indices = self._sequences.get_columns(self._path).shot_index
        self._order = np.argsort(indices, kind="stable")
        self.title = str(self._path)
        self.columns = _columns_of(
            self._sequences.get_parameter_schema(self._path) if len(indices) else {},
            self._sequences.get_data_schema(self._path),
        )

    def __len__(self) -> int:
        return len(self._order)

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        columns = [self.columns[name] for name in names]
        found = self._sequences.get_columns(
            self._path,
            parameters=[str(column.key) for column in columns if column.is_parameter],
            labels=[
                str(column.key)
                for column in columns
                if column.key is not None and not column.is_parameter
            ],
            rows=self._order if rows is None else self._order[rows],
        )
        own = {INDEX: found.shot_index, START: found.start_time, END: found.end_time}
        return {
            column.name: _complete(own[column.name])
            if column.key is None
            else (found.parameters if column.is_parameter else found.data)[column.key]
            for column in columns
        }


class ArraysTable(Table):
    """Arrays by name, each with an entry for each row."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], title: str = "") -> None:
        """Take the arrays.

        Raises:
            ValueError: they are of different lengths.
        """
        lengths = {name: len(values) if values.ndim else None for name, values in arrays.items()}
        if len(set(lengths.values())) > 1 or None in lengths.values():
            raise ValueError(f"The arrays need one length, that of the shots, not {lengths}.")
        self.title = title
        self._arrays = arrays
        self._length = next(iter(lengths.values()), None) or 0
        self.columns = {
            name: TableColumn(name, _kind_of_items(values.dtype, values.shape[1:]), None)
            if values.ndim == 1
            else TableColumn(name, "array", None, values.dtype, values.shape[1:])
            for name, values in arrays.items()
        }

    def __len__(self) -> int:
        return self._length

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        return {
            name: _complete(self._arrays[name] if rows is None else self._arrays[name][rows])
            for name in names
        }


class _FrameTable(Table):
    """A polars frame, of which only the columns that are asked for are collected, all rows."""

    def __init__(self, frame: "polars.LazyFrame") -> None:
        import polars

        self.title = ""
        self._frame = frame
        self._length = int(frame.select(polars.len()).collect().item())
        self._collected: dict[str, Column] = {}
        self.columns = {
            name: _frame_column(name, dtype) for name, dtype in frame.collect_schema().items()
        }

    def __len__(self) -> int:
        return self._length

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        names = list(names)
        if new := [name for name in names if name not in self._collected]:
            for series in self._frame.select(new).collect():
                self._collected[series.name] = _series_column(series)
        if rows is None:
            return {name: self._collected[name] for name in names}
        return {
            name: Column(self._collected[name].values[rows], self._collected[name].is_present[rows])
            for name in names
        }


def number_values(column: Column) -> npt.NDArray[np.float64]:
    """Return numbers as floats, NaN where a shot has none."""
    values = column.values
    if values.dtype.kind == "O":
        values = np.array([np.nan if value is None else float(value) for value in values])
    return np.where(column.is_present, values, np.nan).astype(np.float64)


def _columns_of(
    parameters: Mapping[str, ParameterType], labels: Mapping[str, DataType]
) -> dict[str, TableColumn]:
    columns = {
        INDEX: TableColumn(INDEX, "number"),
        START: TableColumn(START, "time"),
        END: TableColumn(END, "time"),
    }
    for name, origin in name_columns(parameters, labels).items():
        if origin.kind == "parameter":
            units = parameters[origin.name].units
            columns[name] = TableColumn(name, "number", units, key=origin.name, is_parameter=True)
        else:
            kind = labels[origin.name]
            columns[name] = TableColumn(
                name, _kind_of(kind), dtype=kind.dtype, shape=kind.shape, key=origin.name
            )
    return columns


def _kind_of(kind: DataType) -> Kind:
    match kind.kind:
        case "bool" | "int" | "float":
            return "number"
        case "text":
            return "text"
        case "array":
            assert kind.dtype is not None
            return _kind_of_items(kind.dtype, kind.shape or ())
    return "json"


def _kind_of_items(dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> Kind:
    if shape:
        return "array"
    return {"M": "time", "U": "text"}.get(dtype.kind) or (  # type: ignore[return-value]
        "number" if dtype.kind in "biuf" else "json"
    )


def _frame_column(name: str, dtype: Any) -> TableColumn:
    import polars

    if dtype.is_numeric() or dtype == polars.Boolean:
        return TableColumn(name, "number")
    if isinstance(dtype, polars.Datetime):
        return TableColumn(name, "time")
    if dtype in (polars.String, polars.Categorical) or isinstance(dtype, polars.Enum):
        return TableColumn(name, "text")
    if isinstance(dtype, polars.Array):
        inner: Any = dtype
        while isinstance(inner, polars.Array):
            inner = inner.inner
        if inner.is_numeric() or inner == polars.Boolean:
            empty = polars.Series([], dtype=inner).to_numpy()
            return TableColumn(name, "array", None, empty.dtype, dtype.shape)
    return TableColumn(name, "json")


def _series_column(series: "polars.Series") -> Column:
    is_present = series.is_not_null().to_numpy()
    column = _frame_column(series.name, series.dtype)
    if column.kind == "array" and column.shape is not None:
        assert column.dtype is not None
        values = np.zeros((len(series), *(length or 0 for length in column.shape)), column.dtype)
        values[is_present] = series.drop_nulls().to_numpy()
        return Column(values, is_present)
    if column.kind == "time":
        return Column(series.dt.replace_time_zone(None).to_numpy(), is_present)
    if column.kind == "number" and is_present.all():
        return Column(series.to_numpy(), is_present)
    return objects(series.to_list())


def _complete(values: npt.NDArray[Any]) -> Column:
    return Column(values, np.ones(len(values), bool))
