"""NetCDF-4: variables along a dimension ``shot``, as xarray, MATLAB and Panoply read them.

Units are attributes. Numbers that a shot lacks are NaN, texts empty, and what else is missing or
differs in shape is told as in ``.npz`` files. Complex numbers are two variables. Times are
microseconds since 1970 in UTC, or nanoseconds, which xarray decodes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.arrays import ArrayColumn, is_ragged, names_beside, scalar_array
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import INDEX, TableColumn
from shotstore.analysis.tables.labels import label_dimensions, shortened
from shotstore.analysis.times import is_exact, utc_texts
from shotstore.installing import needed

if TYPE_CHECKING:
    import h5netcdf

_SHOT = "shot"
_COUNTED = {"us": "microseconds", "ns": "nanoseconds"}
_SMALL_CHUNK = 64 * 2**10
"""Bytes"""
_HIDDEN = "_nc4_non_coord_"
"""What the NetCDF library hides in names in the file, and takes out when it reads them"""


def holds(column: TableColumn) -> bool:
    """Return whether a column holds numbers, texts, times, or arrays of numbers of one number of
    dimensions."""
    if column.kind != "array":
        return True
    return column.shape is not None and column.dtype is not None and column.dtype.kind in "biuf"


def write(job: Job, file: Path) -> None:
    """Write the columns, batch by batch.

    Raises:
        MissingPackageError: h5netcdf is not installed.
    """
    with needed("A NetCDF file", "export"):
        import h5netcdf
    names = job.labels(reserved=(_SHOT,), spelled=_spelled, occupies=_occupies)
    taken = {_SHOT}.union(*(_occupies(column, names[column.name]) for column in job.columns))
    dimensions = label_dimensions(_shapes(job), taken)
    with h5netcdf.File(file, "w") as out:
        if job.path is not None:
            out.attrs["sequence"] = _without_nul(job.path)
        out.dimensions[_SHOT] = len(job.rows)
        index = job.table.read([INDEX], job.rows)[INDEX].values
        _create(out, _SHOT, (_SHOT,), index.dtype)[...] = index
        for column in job.columns:
            if column.name == INDEX:
                continue
            name = names[column.name]
            if column.kind == "array":
                _write_arrays(job, column, out, name, dimensions.get(column.name))
            else:
                _write_scalars(job, column, out, name)
            if name != column.name:
                out.variables[name].attrs["long_name"] = _without_nul(column.name)


def _shapes(job: Job) -> dict[str, tuple[int, ...]]:
    """Of the arrays of columns in which all are of one shape."""
    return {
        column.name: tuple(length or 0 for length in column.shape)
        for column in job.columns
        if column.kind == "array" and column.shape is not None and not is_ragged(column)
    }


def _write_scalars(job: Job, column: TableColumn, out: "h5netcdf.File", name: str) -> None:
    values = scalar_array(job, column)
    attributes = {} if column.units is None else {"units": column.units}
    if values.dtype.kind == "M":
        unit = next((unit for unit in _COUNTED if is_exact(values, unit)), None)
        if unit is None:
            job.note(column, "holds texts there, for NetCDF has no such times")
            values = np.array([text or "" for text in utc_texts(values)])
        else:
            attributes["units"] = f"{_COUNTED[unit]} since 1970-01-01"
            values = values.astype(f"M8[{unit}]").astype(np.int64)
    if values.dtype.kind == "U":
        texts = values.tolist()
        if any("\0" in text for text in texts):
            job.note(column, "has texts with \N{SYMBOL FOR NULL} for NUL there")
        variable = out.create_variable(name, (_SHOT,), h5py.string_dtype())
        variable[...] = np.array([_without_nul(text) for text in texts], object)
    else:
        variable = _create(out, name, (_SHOT,), values.dtype)
        variable[...] = _stored(values)
        _note_width(job, column)
    variable.attrs.update(attributes)


def _write_arrays(
    job: Job,
    column: TableColumn,
    out: "h5netcdf.File",
    name: str,
    dimensions: tuple[str, ...] | None,
) -> None:
    arrays = ArrayColumn(job, column)
    if dimensions is None:
        along = tuple(f"{name}.{_AXIS}{axis}" for axis in range(len(arrays.shape)))
    else:
        along = (_SHOT, *dimensions)
    for dimension, length in zip(along, arrays.shape, strict=True):
        if dimension not in out.dimensions:
            out.dimensions[dimension] = length
    variable = _create(out, name, along, arrays.dtype)
    if column.units is not None:
        variable.attrs["units"] = column.units
    _note_width(job, column)
    done = 0
    for values in arrays.batches():
        if values.size:
            variable[done : done + len(values)] = _stored(values)
        done += len(values)
    for beside, found in arrays.beside().items():
        if found.ndim > 1:
            out.dimensions[f"{name}.{_AXIS}"] = found.shape[1]
        of_shots = (_SHOT, f"{name}.{_AXIS}")[: found.ndim]
        _create(out, f"{name}.{beside}", of_shots, found.dtype)[...] = _stored(found)


_AXIS = "axis"


def _occupies(column: TableColumn, name: str) -> set[str]:
    names = names_beside(column, name)
    if is_ragged(column):
        axes = (f"{name}.{_AXIS}{axis}" for axis in ("", *range(len(column.shape or ()))))
        names.update(axes)
    return names


def _note_width(job: Job, column: TableColumn) -> None:
    if column.dtype is not None and column.dtype.kind == "f" and column.dtype.itemsize > 8:
        job.note(column, f"is float64 there, and {column.dtype} in the store")


def _create(
    out: "h5netcdf.File", name: str, dimensions: tuple[str, ...], dtype: np.dtype[Any]
) -> "h5netcdf.Variable":
    """Create a variable whose chunks are single frames, or many small rows."""
    lengths = [len(out.dimensions[dimension]) for dimension in dimensions]
    row = dtype.itemsize * int(np.prod(lengths[1:], dtype=np.int64))
    chunks = None
    if all(lengths):  # an array without items has no chunks
        chunks = (min(lengths[0], max(1, _SMALL_CHUNK // row)), *lengths[1:])
    variable = out.create_variable(
        name, dimensions, _stored(np.empty(0, dtype)).dtype, chunks=chunks
    )
    if dtype.kind == "b":
        variable.attrs["dtype"] = "bool"  # which is how xarray writes and reads them
    return variable


def _stored(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values in a type that NetCDF has."""
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
        return values.astype(np.float32 if values.dtype.itemsize == 2 else np.float64)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _spelled(name: str) -> str:
    """A name that NetCDF allows (its "File Format Specifications", under "name"), with a
    ``long_name`` beside it: no slashes, which make groups, no control characters, no spaces around
    it, and a letter or digit in front."""
    plain = "".join(c if c.isprintable() and c != "/" else "_" for c in shortened(name)).strip()
    while _HIDDEN in plain:
        plain = plain.replace(_HIDDEN, _HIDDEN[1:])
    return plain if plain[:1].isalnum() or plain[:1] == "_" else f"data_{plain}"


def _without_nul(text: str) -> str:
    """A text that HDF5 can hold."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")
