"""NumPy's ``.npz``: an array for each column, none of which needs pickle.

Numbers that a shot lacks are NaN, texts empty. Frames of integers have no value for that: if shots
lack one, ``<name>.is_present`` says which have one. Arrays that differ in their first dimension lie
one after the other in ``<name>``, and ``<name>.length`` has the length of each shot's.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

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
from shotstore.analysis.tables import TableColumn


def holds(column: TableColumn) -> bool:
    """Return whether arrays of a column have one shape, or differ in their first dimension only."""
    return column.kind != "array" or (
        column.shape is not None and None not in column.shape[1:] and column.dtype is not None
    )


def write(job: Job, file: Path) -> None:
    """Write the columns, and ``sequence`` and ``units`` (JSON) as texts."""
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for column in job.columns:
            if column.kind == "array":
                _write_arrays(job, column, archive)
            else:
                _save(archive, column.name, scalar_array(column, job.read(column)))
        if "units" not in job.table.columns:
            units = json.dumps(job.units(), ensure_ascii=False)
            _save(archive, "units", np.array(units))
        _save(archive, "sequence", np.array(str(job.sequence.path)))


def _write_arrays(job: Job, column: TableColumn, archive: zipfile.ZipFile) -> None:
    assert column.shape is not None
    assert column.dtype is not None
    is_present: list[npt.NDArray[np.bool_]] = []
    if is_ragged(column):
        found = lengths(job, column)
        shape = (int(found.sum()), *column.shape[1:])
        _save(archive, f"{column.name}.{LENGTH}", found)
    else:
        shape = (len(job.rows), *column.shape)
    with _open(archive, column.name) as out:
        _write_header(out, column.dtype, cast("tuple[int, ...]", shape))
        for values, present in _batches(job, column):
            out.write(np.ascontiguousarray(values).tobytes())
            is_present.append(present)
    if not all(present.all() for present in is_present):
        _save(archive, f"{column.name}.{IS_PRESENT}", np.concatenate(is_present))


def _batches(
    job: Job, column: TableColumn
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]:
    for _, batch in job.batches([column.name]):
        yield filled(column, batch[column.name]), batch[column.name].is_present


def _save(archive: zipfile.ZipFile, name: str, values: npt.NDArray[Any]) -> None:
    with _open(archive, name) as out:
        np.lib.format.write_array(out, values, allow_pickle=False)


def _open(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # A slash would make a directory of what a label begins with, which numpy reads all the same.
    return archive.open(f"{name}.npy", "w", force_zip64=True)


def _write_header(out: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    description = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_2_0(out, description)
