"""The shots of a sequence as numpy arrays, and as pandas and xarray have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy.typing as npt

from shotstore.analysis.tables.gaps import with_nan
from shotstore.analysis.tables.labels import label_columns, label_dimensions
from shotstore.analysis.tables.sequence_table import SequenceTable
from shotstore.analysis.tables.table import END, INDEX, START, TableColumn
from shotstore.installing import needed
from shotstore.records.arguments import as_texts
from shotstore.records.sequence_reader import ReadableSequence

if TYPE_CHECKING:
    import pandas
    import xarray

_SHOT = "shot"
"""The dimension of shots in a dataset"""


def to_arrays(
    sequence: ReadableSequence, names: Collection[str] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Return the shots as an array for each column; `Sequence.to_arrays` says how."""
    return dict(_read(sequence, names).arrays)


def to_pandas(sequence: ReadableSequence, names: Collection[str] | None = None) -> pandas.DataFrame:
    """Return the shots as a frame; `Sequence.to_pandas` says how."""
    with needed("A DataFrame"):
        import pandas as pd
    read = _read(sequence, names)
    columns: dict[str, Any] = {}
    for name, values in read.arrays.items():
        if name in (START, END):
            columns[name] = pd.to_datetime(values, utc=True)
        else:
            columns[name] = values if values.ndim == 1 else list(values)
    index = pd.Index(columns.pop(INDEX), name=INDEX)
    frame = pd.DataFrame(
        {name: pd.Series(values, index=index) for name, values in columns.items()}, index=index
    )
    frame.attrs = {
        "sequence": read.sequence,
        "units": {column.name: column.units for column in read.columns if column.units is not None},
    }
    return frame


def to_xarray(sequence: ReadableSequence, names: Collection[str] | None = None) -> xarray.Dataset:
    """Return the shots as a dataset; `Sequence.to_xarray` says how."""
    with needed("A Dataset"):
        import xarray as xr
    read = _read(sequence, names)
    labels = label_columns(read.columns, reserved=(_SHOT,))
    shapes = {name: values.shape[1:] for name, values in read.arrays.items() if values.ndim > 1}
    dimensions = label_dimensions(shapes, taken={_SHOT, *labels.values()})
    variables = {}
    for column in read.columns:
        attributes = {} if column.units is None else {"units": column.units}
        along = (_SHOT, *dimensions.get(column.name, ()))
        variables[labels[column.name]] = (along, read.arrays[column.name], attributes)
    coordinates = {name: variables.pop(name) for name in (START, END)}
    shot = variables.pop(INDEX)
    return xr.Dataset(
        variables, coords={_SHOT: shot, **coordinates}, attrs={"sequence": read.sequence}
    )


@attrs.frozen
class _Arrays:
    sequence: str
    columns: list[TableColumn]
    """Named as they were asked for."""
    arrays: Mapping[str, npt.NDArray[Any]]


def _read(sequence: ReadableSequence, names: Collection[str] | None) -> _Arrays:
    asked = None if names is None else as_texts(names, "columns")
    table = SequenceTable(sequence._reader_(), split=False, unpack=False)
    if asked is None:
        asked = [column.name for column in table.usual_columns()]
    chosen = {name: table.find(name) for name in dict.fromkeys([INDEX, START, END, *asked])}
    found = table.read({column.name for column in chosen.values()})
    return _Arrays(
        table.title,
        [attrs.evolve(column, name=name) for name, column in chosen.items()],
        {name: with_nan(found[column.name]) for name, column in chosen.items()},
    )
