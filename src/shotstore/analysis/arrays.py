"""The shots of a sequence as numpy arrays, and as pandas and xarray have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.column_names import FIXED, Origin, name_columns
from shotstore.analysis.packages import needed
from shotstore.model import DataSchema, ParameterSchema
from shotstore.paths import PureSequencePath
from shotstore.session import data_rules
from shotstore.session.columns import Column, objects, parameter_column
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    import pandas
    import xarray

_TIMES = ("shot_start_time", "shot_end_time")


def to_arrays(
    sequences: SequenceCollection, path: PureSequencePath, names: Collection[str] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Return the shots as an array for each column; `Sequence.to_arrays` says how."""
    return dict(_read(sequences, path, names).arrays)


def to_pandas(
    sequences: SequenceCollection, path: PureSequencePath, names: Collection[str] | None = None
) -> pandas.DataFrame:
    """Return the shots as a frame; `Sequence.to_pandas` says how."""
    with needed("A DataFrame"):
        import pandas as pd
    table = _read(sequences, path, names)
    columns: dict[str, Any] = {}
    for name, values in table.arrays.items():
        if name in _TIMES:
            columns[name] = pd.to_datetime(values, utc=True)
        else:
            columns[name] = values if values.ndim == 1 else list(values)
    index = pd.Index(columns.pop("shot_index"), name="shot_index")
    frame = pd.DataFrame(
        {name: pd.Series(values, index=index) for name, values in columns.items()}, index=index
    )
    frame.attrs = {"sequence": str(path), "units": dict(table.units)}
    return frame


def to_xarray(
    sequences: SequenceCollection, path: PureSequencePath, names: Collection[str] | None = None
) -> xarray.Dataset:
    """Return the shots as a dataset; `Sequence.to_xarray` says how."""
    with needed("A Dataset"):
        import xarray as xr
    table = _read(sequences, path, names)
    variables = {}
    for name, values in table.arrays.items():
        dimensions = ("shot", *(f"{name}_{axis}" for axis in range(values.ndim - 1)))
        units = table.units.get(name)
        variables[name] = (dimensions, values, {} if units is None else {"units": units})
    coordinates = {name: variables.pop(name) for name in _TIMES}
    shot = variables.pop("shot_index")
    return xr.Dataset(
        variables, coords={"shot": shot, **coordinates}, attrs={"sequence": str(path)}
    )


@attrs.frozen
class _Table:
    arrays: Mapping[str, npt.NDArray[Any]]
    units: Mapping[str, str]
    """Of the columns that have one."""


def _read(
    sequences: SequenceCollection, path: PureSequencePath, names: Collection[str] | None
) -> _Table:
    fixed = sequences.get_columns(path)
    parameters, data = _schemas(sequences, path, has_shots=len(fixed.shot_index) > 0)
    origins = name_columns(parameters, data)
    wanted = data_rules.check_column_names(
        path, origins if names is None else names, {**dict.fromkeys(FIXED), **origins}
    )
    order = np.argsort(fixed.shot_index, kind="stable")
    arrays: dict[str, npt.NDArray[Any]] = {
        "shot_index": fixed.shot_index[order],
        "shot_start_time": fixed.start_time[order],
        "shot_end_time": fixed.end_time[order],
    }
    asked = {name: origin for name, origin in wanted.items() if origin is not None}
    columns = _columns(sequences, path, asked.values(), order, parameters)
    for name, origin in wanted.items():
        if origin is not None:
            arrays[name] = _with_nan(columns[origin])
        elif name == "sequence":
            arrays[name] = np.full(len(order), str(path))
    units = {}
    for name, origin in asked.items():
        unit = parameters[origin.name].units if origin.kind == "parameter" else None
        if unit is not None:
            units[name] = unit
    return _Table(arrays, units)


def _schemas(
    sequences: SequenceCollection, path: PureSequencePath, *, has_shots: bool
) -> tuple[ParameterSchema, DataSchema]:
    try:
        return sequences.get_parameter_schema(path), sequences.get_data_schema(path)
    except ValueError:
        if has_shots:
            raise
        return ParameterSchema(), DataSchema()  # of a recipe that cannot be evaluated


def _columns(
    sequences: SequenceCollection,
    path: PureSequencePath,
    origins: Collection[Origin],
    rows: npt.NDArray[np.int64],
    parameters: ParameterSchema,
) -> dict[Origin, Column]:
    names = [origin.name for origin in origins if origin.kind == "parameter"]
    labels = [origin.name for origin in origins if origin.kind == "label"]
    if not len(rows):  # then there are no labels, and parameters are known from the recipe only
        return {
            Origin("parameter", name): parameter_column(name, parameters[name], [])
            for name in names
        }
    found = sequences.get_columns(path, parameters=names, labels=labels, rows=rows)
    return {
        **{Origin("parameter", name): column for name, column in found.parameters.items()},
        **{Origin("label", label): column for label, column in found.data.items()},
    }


def _with_nan(column: Column) -> npt.NDArray[Any]:
    """The values, with NaN, NaT or None where one is missing."""
    values = column.values
    if column.is_present.all() or values.dtype.kind in "OmM":
        return values
    if values.dtype.kind in "biufc":
        with_nan = values.astype(np.result_type(values.dtype, np.float32))
        with_nan[~column.is_present] = np.nan
        return with_nan
    return objects(
        [
            value if is_present else None
            for value, is_present in zip(values, column.is_present.tolist(), strict=True)
        ]
    ).values
