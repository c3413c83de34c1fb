"""What pictures are drawn from: a sequence, or columns that were computed from one."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables.gaps import complete
from shotstore.analysis.tables.names import name_columns, origins
from shotstore.analysis.tables.sequence_table import SequenceTable
from shotstore.analysis.tables.table import Table, TableColumn
from shotstore.model import DataType
from shotstore.records.columns import Column, objects
from shotstore.records.sequence_reader import ReadableSequence

if TYPE_CHECKING:
    import polars

Source: TypeAlias = (
    "ReadableSequence | Table | polars.LazyFrame | polars.DataFrame | Mapping[str, Any]"
)
"""A Sequence or a table, or columns that were computed: a polars frame, or arrays by name."""


def as_table(source: Source) -> Table:
    """Return a source as a table.

    Raises:
        PathNotFoundError: it is a sequence that does not exist.
        TypeError: it is nothing that pictures are made of.
        ValueError: the arrays are of different lengths.
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, Mapping):
        return _ArraysTable({name: np.asarray(values) for name, values in source.items()})
    if hasattr(source, "_reader_"):
        return SequenceTable(source._reader_())
    if hasattr(source, "lazy"):
        return _FrameTable(source.lazy())
    raise TypeError(
        "A picture is made of a Sequence, a polars frame or a dict of arrays, not of type "
        f"{type(source).__name__}."
    )


class _ArraysTable(Table):
    """Arrays by name, each with an entry for each row."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the arrays.

        Raises:
            ValueError: they are of different lengths.
        """
        lengths = {name: len(values) if values.ndim else None for name, values in arrays.items()}
        if len(set(lengths.values())) > 1 or None in lengths.values():
            raise ValueError(f"The arrays need one length, that of the shots, not {lengths}.")
        self.title = ""
        self._arrays = arrays
        self._length = next(iter(lengths.values()), None) or 0
        kinds = {
            name: DataType("array", values.dtype, values.shape[1:])
            for name, values in arrays.items()
        }
        self._columns = {
            name: TableColumn.of_data(name, origin, kinds[origin.name])
            for name, origin in name_columns(origins((), kinds), reserved=()).items()
        }

    @property
    def columns(self) -> Mapping[str, TableColumn]:
        return self._columns

    def __len__(self) -> int:
        return self._length

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        found = {}
        for name in names:
            column = self.columns[name]
            assert column.origin is not None
            values = self._arrays[column.origin.name]
            found[name] = column.of(complete(values if rows is None else values[rows]))
        return found


class _FrameTable(Table):
    """A polars frame, of which only the columns that are asked for are collected, all rows."""

    def __init__(self, frame: "polars.LazyFrame") -> None:
        import polars

        self.title = ""
        self._frame = frame
        self._length = int(frame.select(polars.len()).collect().item())
        self._collected: dict[str, Column] = {}
        self._columns = {
            name: _frame_column(name, dtype) for name, dtype in frame.collect_schema().items()
        }

    @property
    def columns(self) -> Mapping[str, TableColumn]:
        return self._columns

    def __len__(self) -> int:
        return self._length

    def frame(self, names: Iterable[str]) -> "polars.DataFrame":
        import polars.selectors

        # By name, for polars takes "*" and "^a.*$" for many columns.
        return self._frame.select(polars.selectors.by_name(*names)).collect()

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        names = list(names)
        if new := [name for name in names if name not in self._collected]:
            for series in self.frame(new):
                self._collected[series.name] = _series_column(series)
        if rows is None:
            return {name: self._collected[name] for name in names}
        return {
            name: Column(self._collected[name].values[rows], self._collected[name].is_present[rows])
            for name in names
        }


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
            is_one = all(length == 1 for length in dtype.shape)
            shape = () if is_one else dtype.shape
            return TableColumn(name, "number" if is_one else "array", None, empty.dtype, shape)
    return TableColumn(name, "json")


def _series_column(series: "polars.Series") -> Column:
    is_present = series.is_not_null().to_numpy()
    column = _frame_column(series.name, series.dtype)
    if column.dtype is not None:
        values = np.zeros((len(series), *getattr(series.dtype, "shape", ())), column.dtype)
        values[is_present] = series.drop_nulls().to_numpy()
        return column.of(Column(values, is_present))
    if column.kind == "time":
        if series.dtype.time_zone is not None:  # type: ignore[attr-defined]
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return Column(series.to_numpy(), is_present)
    if column.kind == "number" and is_present.all():
        return Column(series.to_numpy(), is_present)
    return objects(series.to_list())
