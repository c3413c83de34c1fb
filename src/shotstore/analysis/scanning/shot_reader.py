"""Some columns of some shots of a sequence, as a polars frame of the planned types."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
import polars as pl

from shotstore.analysis.scanning.plan import Plan, known_type
from shotstore.analysis.scanning.series import to_series
from shotstore.analysis.scanning.types import (
    TIME,
    in_polars,
    merged,
    of_floats,
    type_of_values,
)
from shotstore.analysis.tables import INDEX, SEQUENCE, SequenceTable
from shotstore.analysis.tables.names import FIXED, Origin, origins_of
from shotstore.analysis.tables.units import in_first_unit
from shotstore.errors import TransactionConflictError
from shotstore.records.columns import Column
from shotstore.records.sequence_reader import SequenceReader

ROW = ""
"""A column that says which shots of a frame these are; no parameter or label has this name."""


class ShotReader:
    """The shots that a sequence has when this is made."""

    def __init__(
        self, reader: SequenceReader, plan: Plan, calling: AbstractContextManager[object]
    ) -> None:
        """``calling`` is entered for each look at the sequence."""
        self._plan = plan
        self._calling = calling
        self._table = SequenceTable(reader, unpack=False)
        with calling:
            self._count = len(self._table)
            # Without shots, nothing is asked of it.
            columns = self._table.columns if self._count else {}
        self._there = {
            column.origin: name for name, column in columns.items() if column.origin is not None
        }

    def rows(self, first: int | None = None) -> pl.DataFrame:
        """Return the rows of the first shots, or of all, by increasing index."""
        return pl.DataFrame({ROW: np.arange(self._count)[:first]})

    def row_size(self, names: Iterable[str]) -> int:
        """Return about how many bytes a shot has in these columns."""
        asked = (self._plan.origins[name] for name in names if name not in FIXED)
        return self._table.row_size(self._there[at] for at in asked if at in self._there)

    def read(self, names: Collection[str], rows: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Return these columns of the shots of these rows.

        Raises:
            TransactionConflictError: a value is of another type than the columns were planned with.
            IncompatibleUnitsError: a unit cannot be converted to that of the plan.
        """
        asked = {name: self._plan.origins[name] for name in names if name not in FIXED}
        for at in asked.values():
            self._check_is_planned(at)
        own = {name: self._there[at] for name, at in asked.items() if at in self._there}
        own |= {name: name for name in names if name in FIXED and name != SEQUENCE}
        with self._calling:
            found = self._table.read(own.values(), rows)
        columns = []
        for name in names:
            if name == SEQUENCE:
                columns.append(pl.Series(name, [self._table.title]).new_from_index(0, len(rows)))
            elif name not in own:
                dtype = in_polars(self._plan.types[asked[name]])
                columns.append(pl.Series(name, [None] * len(rows), dtype=dtype))
            elif name in FIXED:
                columns.append(_fixed_series(name, found[name].values))
            else:
                columns.append(self._series(name, asked[name], found[own[name]]))
        return pl.DataFrame(columns)

    def _check_is_planned(self, origin: Origin) -> None:
        """Check that all of a label has a place, also where it has become complex, or is no longer
        complex in all shots."""
        if origin in self._there or origin.kind not in ("label", "result"):
            return
        schema = self._table.data if origin.kind == "label" else self._table.results
        if origin.name in schema:
            own = origins_of(origin.kind, origin.name, schema[origin.name])
            if not self._plan.types.keys() >= set(own):
                raise self._changed(origin, str(schema[origin.name]))

    def _series(self, name: str, origin: Origin, column: Column) -> pl.Series:
        planned, dtype = self._plan.types[origin], self._type(origin, column)
        own = self._table.columns[self._there[origin]]
        found = in_first_unit(self._plan.units, column, own, self._table.reader.path)
        if found is not column:
            dtype = of_floats(dtype)
        if merged(planned, dtype) != planned:
            raise self._changed(origin, str(dtype))
        return to_series(name, found, planned)

    def _changed(self, origin: Origin, dtype: str) -> TransactionConflictError:
        """The error that says so."""
        return TransactionConflictError(
            f"Sequence {self._table.title} has recorded {origin.kind} {origin.name!r} as {dtype} "
            f"since the scan was made, which knows it as {self._plan.types[origin]}: call scan "
            "again."
        )

    def _type(self, origin: Origin, column: Column) -> pl.DataType:
        values = column.values
        known = known_type(origin, self._table)
        if known is None or (known == pl.Int64() and values.dtype.kind == "O"):
            return type_of_values(values[column.is_present])
        return pl.Float64() if values.dtype == np.float64 and known == pl.Int64() else known


def _fixed_series(name: str, values: npt.NDArray[np.generic]) -> pl.Series:
    series = pl.Series(name, values)
    return series if name == INDEX else series.dt.replace_time_zone("UTC").cast(TIME)
