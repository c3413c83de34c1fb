"""Programs that look at a shots file with plain h5py and its default locking."""

from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import h5py

from tests.processes import shots
from tests.processes.children import Child


class Notebook:
    """A viewer in the same process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: h5py.File | None = None

    def open(self, mode: str) -> str | None:
        """Open the file; the name of the error where that fails."""
        try:
            self._file = h5py.File(self._path, mode)
        except Exception as error:
            return type(error).__name__
        return None

    def read(self) -> list[int]:
        """Read all shots natively; their indices."""
        return shots.read_natively(self._file)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def obey(parent: Connection, path: Path) -> None:
    """A viewer that does what it is told."""
    with Notebook(path) as viewer:
        while (order := parent.recv()) is not None:
            name, *arguments = order
            parent.send(getattr(viewer, name)(*arguments))


class OtherProgram(Child):
    """A viewer in another process."""

    def __init__(self, path: Path) -> None:
        super().__init__(obey, path)

    def open(self, mode: str) -> str | None:
        """Open the file; the name of the error where that fails."""
        error: str | None = self._ask("open", mode)
        return error

    def read(self) -> list[int]:
        """Read all shots natively; their indices."""
        indices: list[int] = self._ask("read")
        return indices

    def close(self) -> None:
        """Close the file, if it is open."""
        self._ask("close")

    def _ask(self, *order: str) -> Any:
        self.tell(order)
        return self.hear()


Viewer: TypeAlias = Notebook | OtherProgram
