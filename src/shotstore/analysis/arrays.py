"""The shots of a sequence as numpy arrays, and as pandas and xarray have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.column_labels import label_dimensions
from shotstore.analysis.column_names import FIXED, Origin, name_columns, origins
from shotstore.analysis.recipes import parameters_before_shots
from shotstore.installing import needed
from shotstore.model import DataSchema, ParameterSchema
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules
from shotstore.records.columns import Column, objects, parameter_column
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    import pandas
    import xarray

_SHOT = "shot"
"""The dimension of shots in a dataset"""
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
    table = _read(sequences, path, names, reserved=(*FIXED, _SHOT))
    shapes = {name: values.shape[1:] for name, values in table.arrays.items() if values.ndim > 1}
    dimensions = label_dimensions(shapes, taken={_SHOT, *table.arrays})
    variables = {}
    for name, values in table.arrays.items():
        units = table.units.get(name)
        attributes = {} if units is None else {"units": units}
        variables[name] = ((_SHOT, *dimensions.get(name, ())), values, attributes)
    coordinates = {name: variables.pop(name) for name in _TIMES}
    shot = variables.pop("shot_index")
    return xr.Dataset(variables, coords={_SHOT: shot, **coordinates}, attrs={"sequence": str(path)})


@attrs.frozen
class _Table:
    arrays: Mapping[str, npt.NDArray[Any]]
    units: Mapping[str, str]
    """Of the columns that have one."""


def _read(
    sequences: SequenceCollection,
    path: PureSequencePath,
    names: Collection[str] | None,
    reserved: Collection[str] = FIXED,
) -> _Table:
    fixed = sequences.get_columns(path)
    parameters, data = _schemas(sequences, path, has_shots=len(fixed.shot_index) > 0)
    columns = name_columns(origins(parameters, data, split=False))
    wanted = data_rules.check_column_names(
        path, columns if names is None else names, {**dict.fromkeys(FIXED), **columns}
    )
    called = {at: name for name, at in name_columns(columns.values(), reserved).items()}
    order = np.argsort(fixed.shot_index, kind="stable")
    arrays: dict[str, npt.NDArray[Any]] = {
        "shot_index": fixed.shot_index[order],
        "shot_start_time": fixed.start_time[order],
        "shot_end_time": fixed.end_time[order],
    }
    asked = {name: origin for name, origin in wanted.items() if origin is not None}
    found = _columns(sequences, path, asked.values(), order, parameters)
    for name, origin in wanted.items():
        if origin is not None:
            arrays[called[origin]] = _with_nan(found[origin])
        elif name == "sequence":
            arrays[name] = np.full(len(order), str(path))
    units = {}
    for origin in asked.values():
        unit = parameters[origin.name].units if origin.kind == "parameter" else None
        if unit is not None:
            units[called[origin]] = unit
    return _Table(arrays, units)


def _schemas(
    sequences: SequenceCollection, path: PureSequencePath, *, has_shots: bool
) -> tuple[ParameterSchema, DataSchema]:
    if not has_shots:
        return parameters_before_shots(sequences, path), DataSchema()
    return sequences.get_parameter_schema(path), sequences.get_data_schema(path)


def _columns(
    sequences: SequenceCollection,
    path: PureSequencePath,
    asked: Collection[Origin],
    rows: npt.NDArray[np.int64],
    parameters: ParameterSchema,
) -> dict[Origin, Column]:
    names = [origin.name for origin in asked if origin.kind == "parameter"]
    labels = [origin.name for origin in asked if origin.kind == "label"]
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
    if values.dtype.kind in "biufc" and not _is_rounded_as_float(values):
        with_nan = values.astype(np.result_type(values.dtype, np.float32))
        with_nan[~column.is_present] = np.nan
        return with_nan
    return objects(
        [
            value if is_present else None
            for value, is_present in zip(values, column.is_present.tolist(), strict=True)
        ]
    ).values


def _is_rounded_as_float(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return False
    with np.errstate(invalid="ignore"):  # 2**63, which the largest integer becomes
        return bool((values.astype(np.float64).astype(values.dtype) != values).any())
