"""NetCDF-4: variables along a dimension ``shot``, as xarray, MATLAB and Panoply read them.

Units are attributes. Numbers that a shot lacks are NaN, texts empty, and what else is missing is
told as in ``.npz`` files. Times are microseconds since 1970 in UTC, which xarray decodes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.arrays import (
    IS_PRESENT,
    LENGTH,
    filled,
    is_ragged,
    lengths,
    scalar_array,
)
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.packages import needed
from shotstore.analysis.tables import INDEX, TableColumn

if TYPE_CHECKING:
    import h5netcdf

_SHOT = "shot"
_EPOCH = "microseconds since 1970-01-01"
_SMALL_CHUNK = 64 * 2**10
"""Bytes"""


def holds(column: TableColumn) -> bool:
    """Return whether a column holds numbers, texts, times, or arrays of numbers that have one
    shape or differ in their first dimension only."""
    if column.kind != "array":
        return True
    return (
        column.shape is not None
        and None not in column.shape[1:]
        and column.dtype is not None
        and column.dtype.kind in "biuf"
    )


def write(job: Job, file: Path) -> None:
    """Write the columns, batch by batch.

    Raises:
        MissingPackageError: h5netcdf is not installed.
    """
    with needed("A NetCDF file", "export"):
        import h5netcdf
    with h5netcdf.File(file, "w") as out:
        out.attrs["sequence"] = str(job.sequence.path)
        out.dimensions[_SHOT] = len(job.rows)
        index = job.table.read([INDEX], job.rows)[INDEX].values
        _create(out, _SHOT, (_SHOT,), index.dtype)[...] = index
        for column in job.columns:
            if column.name == INDEX:
                continue
            name = _free_name(column.name, out)
            if column.kind == "array":
                _write_arrays(job, column, out, name)
            else:
                _write_scalars(out, name, scalar_array(column, job.read(column)), column.units)
            if name != column.name:
                out.variables[name].attrs["long_name"] = column.name


def _write_scalars(
    out: "h5netcdf.File", name: str, values: npt.NDArray[Any], units: str | None
) -> None:
    if values.dtype.kind == "U":
        variable = out.create_variable(name, (_SHOT,), h5py.string_dtype())
        variable[...] = values.astype(object)
        return
    attributes: dict[str, str] = {}
    if values.dtype.kind == "M":
        values = values.astype("M8[us]").astype(np.int64)
        attributes["units"] = _EPOCH
    elif units is not None:
        attributes["units"] = units
    variable = _create(out, name, (_SHOT,), values.dtype)
    variable[...] = _stored(values)
    variable.attrs.update(attributes)


def _write_arrays(job: Job, column: TableColumn, out: "h5netcdf.File", name: str) -> None:
    assert column.shape is not None
    assert column.dtype is not None
    first = _SHOT
    if is_ragged(column):
        found = lengths(job, column)
        _create(out, f"{name}.{LENGTH}", (_SHOT,), found.dtype)[...] = found
        first = f"{name}_0"
        out.dimensions[first] = int(found.sum())
    dimensions = [first]
    # Called as Sequence.to_xarray calls them.
    for axis, length in enumerate(column.shape):
        if length is not None:
            dimensions.append(f"{name}_{axis}")
            out.dimensions[dimensions[-1]] = length
    variable = _create(out, name, tuple(dimensions), column.dtype)
    is_present: list[npt.NDArray[np.bool_]] = []
    done = 0
    for values, present in _batches(job, column):
        if len(values):
            variable[done : done + len(values)] = _stored(values)
        done += len(values)
        is_present.append(present)
    if not all(present.all() for present in is_present):
        kept = np.concatenate(is_present)
        _create(out, f"{name}.{IS_PRESENT}", (_SHOT,), kept.dtype)[...] = _stored(kept)


def _create(
    out: "h5netcdf.File", name: str, dimensions: tuple[str, ...], dtype: np.dtype[Any]
) -> "h5netcdf.Variable":
    """Create a variable whose chunks are single frames, or many small rows."""
    lengths = [len(out.dimensions[dimension]) for dimension in dimensions]
    row = dtype.itemsize * int(np.prod(lengths[1:], dtype=np.int64))
    chunks = None
    if all(lengths):
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


def _batches(
    job: Job, column: TableColumn
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]:
    for _, batch in job.batches([column.name]):
        yield filled(column, batch[column.name]), batch[column.name].is_present


def _free_name(name: str, out: "h5netcdf.File") -> str:
    """A name that NetCDF allows: without slashes, which make groups."""
    plain = name.replace("/", "_").strip() or "_"
    while plain in out.variables or plain in out.dimensions:
        plain += "_"
    return plain
