"""NumPy's ``.npz``: an array for each column, none of which needs pickle.

Numbers that a shot lacks are NaN, texts empty. Frames of integers have no value for that: if shots
lack one, ``<name>.is_present`` says which have one. Arrays that differ in their first dimension lie
one after the other in ``<name>``, and ``<name>.length`` has the length of each shot's. Of those
that differ in others too, the items lie one after the other, and ``<name>.shape`` has the shapes.
"""

import json
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.arrays import ArrayColumn, names_beside, scalar_array
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn
from shotstore.analysis.tables.labels import shortened

_UNITS, _SEQUENCE = "units", "sequence"


def holds(column: TableColumn) -> bool:
    """Return whether a column holds no arrays, or arrays of one number of dimensions."""
    return column.kind != "array" or (column.shape is not None and column.dtype is not None)


def write(job: Job, file: Path) -> None:
    """Write the columns, and as texts ``units`` (JSON) and, of one sequence, ``sequence``."""
    names = job.labels(
        reserved=(_UNITS,) if job.path is None else (_UNITS, _SEQUENCE),
        spelled=_spelled,
        occupies=lambda column, name: {_key(part) for part in names_beside(column, name)},
    )
    units = {names[column]: units for column, units in job.units().items()}
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for column in job.columns:
            if column.kind == "array":
                _write_arrays(job, column, archive, names[column.name])
            else:
                _save(archive, names[column.name], scalar_array(job, column))
        _save(archive, _UNITS, np.array(json.dumps(units, ensure_ascii=False)))
        if job.path is not None:
            _save(archive, _SEQUENCE, np.array(job.path))


def _write_arrays(job: Job, column: TableColumn, archive: zipfile.ZipFile, name: str) -> None:
    arrays = ArrayColumn(job, column)
    with _open(archive, name) as out:
        _write_header(out, arrays.dtype, arrays.shape)
        for values in arrays.batches():
            out.write(np.ascontiguousarray(values).tobytes())
    for beside, values in arrays.beside().items():
        _save(archive, f"{name}.{beside}", values)


def _save(archive: zipfile.ZipFile, name: str, values: npt.NDArray[Any]) -> None:
    with _open(archive, name) as out:
        np.lib.format.write_array(out, values, version=(3, 0), allow_pickle=False)


def _open(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    entry = zipfile.ZipInfo()
    # Given to ZipInfo itself, a backslash would become a slash on Windows.
    entry.filename = entry.orig_filename = f"{name}.npy"
    return archive.open(entry, "w", force_zip64=True)


def _spelled(name: str) -> str:
    """A name that a zip file can hold: it ends at a NUL."""
    return shortened(name).replace("\0", "_")


def _key(name: str) -> str:
    """What must differ between two names, for numpy to tell them apart: it takes ``a.npy`` for
    ``a``, and Windows a backslash for a slash."""
    while name.endswith(".npy"):
        name = name.removesuffix(".npy")
    return name.replace("\\", "/")


def _write_header(out: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Write the beginning of a ``.npy`` file of version 3, the first that takes all names of
    fields, before the items are there (numpy.lib.format, "Format Version 3.0")."""
    content = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    text = repr(content).encode("utf-8")
    text += b" " * (-(len(text) + _BEFORE_HEADER + 1) % np.lib.format.ARRAY_ALIGN) + b"\n"
    out.write(np.lib.format.magic(3, 0) + struct.pack("<I", len(text)) + text)


_BEFORE_HEADER = np.lib.format.MAGIC_LEN + 4
"""Bytes"""
