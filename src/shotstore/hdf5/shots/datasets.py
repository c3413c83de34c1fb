"""The datasets of a shots file, by name. Those of one kind are ``x``, ``x#2``, ``x#3``, ..."""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.rows import ROW_CHUNK, Rows, create_rows, open_rows


class Datasets:
    """The datasets of a file, kept open once they were used."""

    def __init__(self, file: h5py.File, file_object: HDF5FileObject) -> None:
        self.file = file
        self.rows: dict[str, Rows] = _OpenRows(file, file_object)
        """Each is opened when it is first asked for."""

    def numbered(self, name: str) -> Iterator[str]:
        """``name``, ``name#2``, ... as far as there are any."""
        candidate, number = name, 1
        while own_objects.exists(self.file, candidate):
            yield candidate
            number += 1
            candidate = f"{name}#{number}"

    def create(
        self,
        name: str,
        dtype: np.dtype[Any],
        row_shape: tuple[int, ...] = (),
        *,
        compression: str | int | None = None,
        chunk_bytes: int = ROW_CHUNK,
    ) -> str:
        """Create the next dataset of this name; return the name that it got."""
        number = 1 + sum(1 for _ in self.numbered(name))
        full = name if number == 1 else f"{name}#{number}"
        self.rows[full] = create_rows(
            self.file,
            full,
            dtype,
            row_shape,
            compression=compression,
            chunk_bytes=chunk_bytes,
        )
        return full

    def flush(self) -> None:
        """Hand HDF5 what is held back of them."""
        for rows in self.rows.values():
            if rows.held:
                rows.flush()

    def close(self) -> None:
        """Forget them all: HDF5 is about to close the file."""
        self.rows.clear()


class _OpenRows(dict[str, Rows]):
    def __init__(self, file: h5py.File, file_object: HDF5FileObject) -> None:
        super().__init__()
        self._file = file
        self._file_object = file_object

    def __missing__(self, name: str) -> Rows:
        rows = self[name] = open_rows(self._file, name, self._file_object)
        return rows
