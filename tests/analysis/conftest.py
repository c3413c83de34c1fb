"""Runs of frames, how many bytes of them are read, and pictures without a screen."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot

from shotstore.hdf5.disk import File
from shotstore.hdf5.names import SHOTS_FILE

FRAME = np.arange(128 * 128, dtype="u2").reshape(128, 128)  # 32 KiB


@attrs.define
class BytesRead:
    """Which bytes of the shots files were read, those read twice counted once."""

    marks: dict[Path, bytearray] = attrs.field(factory=dict)

    @property
    def files(self) -> int:
        """How many files were read of."""
        return len(self.marks)

    @property
    def count(self) -> int:
        """How many bytes were read."""
        return sum(marks.count(1) for marks in self.marks.values())

    def note(self, path: Path, start: int, count: int) -> None:
        """Mark bytes of a file as read."""
        marks = self.marks.setdefault(path, bytearray())
        marks.extend(bytes(max(0, start + count - len(marks))))
        marks[start : start + count] = b"\1" * count


@pytest.fixture
def without_windows() -> Iterator[None]:
    """Draw into memory, and forget the figures."""
    with mpl.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


Reading: TypeAlias = Callable[[], AbstractContextManager[BytesRead]]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Note what is read of shots files inside a block."""
    read_pieces = File.read_pieces

    @contextmanager
    def noting() -> Iterator[BytesRead]:
        read = BytesRead()

        def note(file: File, buffers: Sequence[memoryview], offset: int) -> int:
            count = read_pieces(file, buffers, offset)
            path = Path(file.path)
            if path.name == SHOTS_FILE:
                read.note(path, offset, count)
            return count

        with monkeypatch.context() as patch:
            patch.setattr(File, "read_pieces", note)
            yield read

    return noting
