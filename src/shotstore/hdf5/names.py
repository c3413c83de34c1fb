"""Names on disk: path names as directory names, and labels as names inside HDF5.

Both mappings are one-to-one. What a file system, or HDF5, cannot hold everywhere is written as the
percent-encoded bytes of its UTF-8 form, as in a URL. Letters with accents are written as they are,
in the composed form (NFC) that keyboards type: who renames a directory in a file manager gives the
path that name.
"""

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from shotstore.errors import InvalidPathFormatError
from shotstore.paths import LONGEST_NAME, PureSequencePath

SEQUENCE_DOCUMENT = "sequence.json"
FOLDER_DOCUMENT = "folder.json"
SHOTS_FILE = "shots.h5"
RESULTS_FILE = "results.h5"
FILES_OF_ROWS = (SHOTS_FILE, RESULTS_FILE)
"""Those of a sequence that grow."""

_OURS = frozenset({SEQUENCE_DOCUMENT, FOLDER_DOCUMENT, *FILES_OF_ROWS})
_MAXIMUM_HDF5_BYTES = 32 * 1024  # HDF5 limits the header message that holds a name to 64 KiB

_FORBIDDEN_IN_DIRECTORY = re.compile(r'[%/\\:*?"<>|\x00-\x1f\x7f-\x9f]')
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension too.
_RESERVED_ON_WINDOWS = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?=$|[. ])",
    re.IGNORECASE,
)
_FORBIDDEN_IN_HDF5 = re.compile(r"[%/#\x00-\x1f\x7f-\x9f]")


@lru_cache(maxsize=65536)
def directory_name(name: str) -> str:
    """The directory that stands for the path name ``name``.

    Raises:
        InvalidPathFormatError: the directory's name would be longer than 255 bytes.
    """
    encoded = _FORBIDDEN_IN_DIRECTORY.sub(lambda found: _percent(found.group()), name)
    encoded = re.sub(r"[. ]+$", lambda found: _percent(found.group()), encoded)
    if encoded.startswith(".") or encoded.lower() in _OURS or _RESERVED_ON_WINDOWS.match(encoded):
        encoded = _percent(encoded[0]) + encoded[1:]
    if not (unicodedata.is_normalized("NFC", name) and unicodedata.is_normalized("NFC", encoded)):
        # A file system may take two forms of a text for one name, and hand out either.
        encoded = re.sub(r"[^\x00-\x7f]+", lambda found: _percent(found.group()), encoded)
    return _checked_length(name, encoded)


@lru_cache(maxsize=65536)
def path_name(directory: str) -> str | None:
    """The path name that the directory stands for, or None if `directory_name` never makes it:
    then it is somebody else's directory.

    A directory that macOS has decomposed (HFS+ does, and copies of it keep that) is taken too.
    """
    composed = unicodedata.normalize("NFC", directory)
    if directory not in (composed, decomposed(composed)):
        return None
    try:
        name = unquote_to_bytes(composed).decode()
        return name if name and directory_name(name) == composed else None
    except (UnicodeError, InvalidPathFormatError):
        return None


def decomposed(directory: str) -> str:
    """The other form in which a file system may hand out the name of a directory."""
    return directory if directory.isascii() else unicodedata.normalize("NFD", directory)


def suggested_name(directory: str) -> str:
    """A directory that stands for a path, for one that stands for none: what to rename it to."""
    text = re.sub("[\ud800-\udfff]", "_", directory)  # bytes that are not UTF-8
    with suppress(UnicodeError):
        text = unquote_to_bytes(text).decode()
    text = unicodedata.normalize("NFC", text)
    valid = "".join(c if PureSequencePath.is_valid_name("x" + c) else "_" for c in text)
    name = valid.lstrip(" ").rstrip(". ") or "renamed"
    try:
        return directory_name(name)
    except InvalidPathFormatError:
        return directory_name(name[: LONGEST_NAME // 12])  # each character takes 12 bytes at most


@lru_cache(maxsize=4096)
def hdf5_name(label: str) -> str:
    """The name of a dataset or column for ``label``. It never holds ``/`` and ``#``, which
    separate groups and the datasets of one label.

    Raises:
        ValueError: it would be longer than 32 KiB.
    """
    encoded = _FORBIDDEN_IN_HDF5.sub(lambda found: _percent(found.group()), label)
    if not encoded.strip("."):
        encoded = _percent(encoded)
    if len(encoded.encode()) > _MAXIMUM_HDF5_BYTES:
        raise ValueError(
            f"The name {label[:40]!r}... needs {len(encoded.encode())} bytes in an HDF5 file, and "
            f"it may have {_MAXIMUM_HDF5_BYTES}: choose a shorter one."
        )
    return encoded


def document_name(name: str) -> str:
    """The file that stands for a device configuration: any text, as a directory name and an
    extension.

    Raises:
        InvalidPathFormatError: the file's name would be longer than 255 bytes.
    """
    return _checked_length(name, directory_name(name) + ".json")


def _checked_length(name: str, encoded: str) -> str:
    length = len(encoded.encode())
    if length > LONGEST_NAME:
        raise InvalidPathFormatError(
            f"The name {name!r} needs {length} bytes on the disk, and file systems hold "
            f"{LONGEST_NAME}: choose a shorter one."
        )
    return encoded


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
