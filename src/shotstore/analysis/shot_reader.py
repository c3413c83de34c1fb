"""Some columns of some shots of a sequence, as a polars frame of the planned types."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from shotstore.analysis.column_names import FIXED, Origin, origins
from shotstore.analysis.column_series import to_series
from shotstore.analysis.column_types import (
    TIME,
    in_polars,
    merged,
    type_of_data,
    type_of_parameter,
    type_of_values,
)
from shotstore.analysis.scan_plan import Plan
from shotstore.errors import IncompatibleUnitsError, TransactionConflictError
from shotstore.installing import needed
from shotstore.model import DataSchema, DataType, ParameterSchema
from shotstore.paths import PureSequencePath
from shotstore.records.columns import Column, ShotColumns, in_unit, objects, row_size
from shotstore.session.sequence_collection import SequenceCollection

with needed("A scan", "scan"):
    import polars as pl

ROW = ""
"""A column that says which shots of a frame these are; no parameter or label is called so."""


class ShotReader:
    """The shots that a sequence has when this is made."""

    def __init__(
        self,
        sequences: SequenceCollection,
        path: PureSequencePath,
        plan: Plan,
        calling: AbstractContextManager[object],
    ) -> None:
        """``calling`` is entered for each call on ``sequences``."""
        self._sequences = sequences
        self._path = path
        self._plan = plan
        self._calling = calling
        with calling:
            self._fixed = sequences.get_columns(path)
            has_shots = len(self._fixed.shot_index) > 0
            self._parameters = (
                sequences.get_parameter_schema(path) if has_shots else ParameterSchema()
            )
            self._data = sequences.get_data_schema(path) if has_shots else DataSchema()
        self._there = set(origins(self._parameters, self._data))

    def rows(self, first: int | None = None) -> pl.DataFrame:
        """Return the rows of the first shots, or of all, by increasing index."""
        order = np.argsort(self._fixed.shot_index, kind="stable")[:first]
        return pl.DataFrame({ROW: order.astype(np.int64)})

    def row_size(self, names: Iterable[str]) -> int:
        """Return about how many bytes a shot has in these columns."""
        asked = (self._plan.origins[name] for name in names if name not in FIXED)
        labels = {at.name for at in asked if at.kind == "label"}
        return row_size(self._data[label] for label in labels if label in self._data)

    def read(self, names: Collection[str], rows: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Return these columns of the shots of these rows.

        Raises:
            TransactionConflictError: a value is of another type than the columns were planned with.
            IncompatibleUnitsError: a unit cannot be converted to that of the plan.
        """
        asked = {name: self._plan.origins[name] for name in names if name not in FIXED}
        for at in asked.values():
            self._check_is_planned(at)
        there = [at for at in asked.values() if at in self._there]
        found: ShotColumns | None = None
        if there:
            with self._calling:
                found = self._sequences.get_columns(
                    self._path,
                    parameters=[at.name for at in there if at.kind == "parameter"],
                    labels=[at.name for at in there if at.kind == "label"],
                    rows=rows,
                )
        columns = []
        for name in names:
            if name in FIXED:
                columns.append(self._fixed_column(name, rows))
            elif found is None or asked[name] not in self._there:
                dtype = in_polars(self._plan.types[asked[name]])
                columns.append(pl.Series(name, [None] * len(rows), dtype=dtype))
            else:
                columns.append(self._column(name, asked[name], found))
        return pl.DataFrame(columns)

    def _check_is_planned(self, origin: Origin) -> None:
        """Check that all of a label has a place, also where it has become complex, or is no more
        so in all shots."""
        if origin.kind == "label" and origin not in self._there and origin.name in self._data:
            own = origins((), {origin.name: self._data[origin.name]})
            if not self._plan.types.keys() >= set(own):
                raise self._changed(origin, str(self._data[origin.name]))

    def _fixed_column(self, name: str, rows: npt.NDArray[np.int64]) -> pl.Series:
        match name:
            case "sequence":
                return pl.Series(name, [str(self._path)]).new_from_index(0, len(rows))
            case "shot_index":
                return pl.Series(name, self._fixed.shot_index[rows])
            case "shot_start_time":
                times = self._fixed.start_time
            case _:
                times = self._fixed.end_time
        return pl.Series(name, times[rows]).dt.replace_time_zone("UTC").cast(TIME)

    def _column(self, name: str, origin: Origin, found: ShotColumns) -> pl.Series:
        planned = self._plan.types[origin]
        if origin.kind == "parameter":
            column = self._in_planned_unit(origin.name, found.parameters[origin.name])
        else:
            kind = self._data[origin.name]
            column = origin.of(_in_one_type(kind, found.data[origin.name]))
        dtype = self._type(origin, column)
        if merged(planned, dtype) != planned:
            raise self._changed(origin, str(dtype))
        return to_series(name, column, planned)

    def _changed(self, origin: Origin, dtype: str) -> TransactionConflictError:
        """The error that says so."""
        return TransactionConflictError(
            f"Sequence {self._path} has recorded {origin.kind} {origin.name!r} as {dtype} since "
            f"the scan was made, which knows it as {self._plan.types[origin]}: call scan again."
        )

    def _type(self, origin: Origin, column: Column) -> pl.DataType:
        values = column.values
        if origin.kind == "parameter":
            dtype = type_of_parameter(self._parameters[origin.name])
        else:
            known = type_of_data(origin.type_of(self._data[origin.name]))
            if known is None:
                return type_of_values(values[column.is_present])
            dtype = known
        if values.dtype.kind == "O" and dtype == pl.Int64():
            return type_of_values(values[column.is_present])
        return pl.Float64() if values.dtype == np.float64 and dtype == pl.Int64() else dtype

    def _in_planned_unit(self, name: str, column: Column) -> Column:
        unit, found = self._plan.units[name], self._parameters[name].units
        if found == unit.text:
            return column
        try:
            return Column(in_unit(name, column.values, found, unit.text), column.is_present)
        except IncompatibleUnitsError as error:
            first, second = (
                "a plain number" if text is None else f"in {text or 'a dimensionless unit'}"
                for text in (unit.text, found)
            )
            raise IncompatibleUnitsError(
                f"Parameter {name} is {first} in {unit.sequence} and {second} in {self._path}: "
                f"scan these sequences apart, or leave {name} out."
            ) from error


def _in_one_type(kind: DataType, column: Column) -> Column:
    """Arrays of differing lengths in the type that the schema gives them."""
    if kind.kind != "array" or column.values.dtype.kind != "O":
        return column
    arrays = [
        None if array is None else array.astype(kind.dtype, copy=False) for array in column.values
    ]
    return objects(arrays)
