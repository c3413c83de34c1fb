"""Rows as they lie in their chunks, whoever reads them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore.hdf5.disk import File
from shotstore.hdf5.overlay import OverlayFile
from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.fill_values import fill_value
from shotstore.hdf5.shots.handles import close_handle, open_handle
from shotstore.hdf5.shots.rows import Array

TYPES: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
    "a table": (np.dtype([("x", "<f8"), ("n", "<i8"), ("on", "?")]), ()),
    "small arrays": (np.dtype("<u2"), (100,)),
    "texts": (np.dtype("S16"), ()),
    "floats": (np.dtype("<f4"), (7,)),
    "many in a chunk": (np.dtype("<u1"), ()),
    "arrays of a chunk each": (np.dtype("<i4"), (40, 40)),
}


class Opened:
    """A file that is open to be written, as it was committed last."""

    def __init__(self, path: Path) -> None:
        self._file_object = OverlayFile(File(path, "r+"), 0, path.stat().st_size)
        self._file = open_handle(self._file_object, "r+")
        self.datasets = Datasets(self._file, self._file_object)

    def commit(self) -> None:
        self.datasets.flush()
        self._file.flush()

    def close(self) -> None:
        self.commit()
        self.datasets.close()
        close_handle(self._file_object, self._file)
        self._file_object.close()


def some_rows(
    random: np.random.Generator, count: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Array:
    content = random.integers(1, 100, (count, *shape, dtype.itemsize), np.uint8)
    content[random.random(count) < 0.4] = 0
    if dtype.names is not None:
        content[..., -1] %= 2  # of a bool
    return content.view(dtype).reshape(count, *shape)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("seed", range(3))
def test_rows_are_what_was_written_however_they_came(tmp_path: Path, kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    dtype, shape = TYPES[kind]
    path = tmp_path / "rows.h5"
    h5py.File(path, "w", libver="v110").close()
    opened = Opened(path)
    name = opened.datasets.create("rows", dtype, shape)
    filled = fill_value(dtype)
    expected = np.empty((0, *shape), dtype)
    for _ in range(30):
        count, gap = int(random.choice([1, 1, 2, 7, 300])), int(random.choice([0, 0, 0, 1, 20]))
        rows = some_rows(random, count, dtype, shape)
        opened.datasets.rows[name].write(len(expected) + gap, rows)
        expected = np.concatenate([expected, np.full((gap, *shape), filled, dtype), rows])
        match random.integers(6):
            case 0:
                opened.close()
                opened = Opened(path)
            case 1:
                opened.commit()
            case 2:
                start = int(random.integers(len(expected)))
                found = opened.datasets.rows[name].read(start, len(expected) - start)
                assert found.tobytes() == expected[start:].tobytes()
    opened.close()
    with h5py.File(path) as file:
        assert file[name][:].tobytes() == expected.tobytes()
