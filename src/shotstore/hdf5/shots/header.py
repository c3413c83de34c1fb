"""What a file of shots, or of results, says of itself: the attributes of its root."""

import uuid
from pathlib import Path

import h5py
from attrs import frozen

from shotstore.errors import StorageError
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.fixed_texts import write_attribute
from shotstore.version import NEWER_VERSION, __version__

VERSION = 1
"""The version of the layout that is written."""

_SHOTS = "shotstore shots"
_RESULTS = "shotstore results"


@frozen
class Header:
    """What is to be known of a file before anything else."""

    version: int
    sequence_id: str
    is_of_results: bool


def write_header(file: h5py.File, sequence_id: str, path: str, *, is_of_results: bool) -> None:
    """Write it into a new file; ``path`` is where the sequence was at that time."""
    write_attribute(file, "format", _RESULTS if is_of_results else _SHOTS)
    write_attribute(file, "version", VERSION)
    write_attribute(file, "sequence", sequence_id)
    write_attribute(file, "launch", uuid.uuid4().hex)
    write_attribute(file, "path", path)
    write_attribute(file, "creator", f"shotstore {__version__}")


def read_header(file: h5py.File) -> Header:
    """Read what `write_header` has written.

    Raises:
        ValueError: it is something else.
    """
    found = own_objects.read_text_attribute(file, "format")
    if found not in (_SHOTS, _RESULTS):
        raise ValueError("its format attribute is missing")
    return Header(
        own_objects.read_integer_attribute(file, "version"),
        own_objects.read_text_attribute(file, "sequence"),
        found == _RESULTS,
    )


def check_version(header: Header, path: Path) -> None:
    """Check that this library can read the file.

    Raises:
        StorageError: it is of a later version.
    """
    if header.version > VERSION:
        raise StorageError(
            f"{path} has format version {header.version}, written by a newer shotstore; this one "
            f"reads up to {VERSION}: {NEWER_VERSION}."
        )
