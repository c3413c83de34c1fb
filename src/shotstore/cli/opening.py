"""What the commands on a store have in common: which one it is, and how paths are typed."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.errors import StorageError
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.hdf5 import HDF5StorageManager

_MARKER = "shotstore.json"
_FOREVER = timedelta(days=365_00)
"""What is in the trash stays there: how long, is up to the programs that use the store."""

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="SHOTSTORE",
        metavar="DIR",
        help="The store. By default the current directory, or the nearest one above it that is a "
        "store.",
    ),
]


def open_store(directory: Path | None, *, read_only: bool = False) -> "HDF5StorageManager":
    """Open a store; with ``read_only``, also a directory that was copied out of one.

    Raises:
        StorageError: there is none.
    """
    from shotstore.hdf5 import HDF5StorageManager

    if directory is None:
        directory = _find_store()
    elif not read_only and not (directory / _MARKER).is_file():
        # Else one would be created there.
        raise StorageError(f"{directory} is no store: it has no {_MARKER}.")
    return HDF5StorageManager(directory, read_only=read_only, trash_retention=_FOREVER)


def parse_path(text: str) -> PureSequencePath:
    r"""A path as people type it: ``\2026\rabi``, ``2026/rabi``, ``/2026/rabi/``. With a backslash
    in it, a slash is a character of a name.

    Raises:
        InvalidPathFormatError: it is no path.
    """
    if "\\" in text:
        return PureSequencePath(text if text.startswith("\\") else "\\" + text)
    return PureSequencePath("\\" + text.strip("/").replace("/", "\\"))


def readable_size(size: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{size} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def counted(number: int, what: str) -> str:
    """ "1 shot", "2 shots", "2 entries"."""
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def _find_store() -> Path:
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / _MARKER).is_file():
            return directory
    raise StorageError(
        f"There is no store here: neither {here} nor a directory above it has a {_MARKER}. "
        "Name one with --store DIR, or in the environment variable SHOTSTORE."
    )
