"""Where the files of a store are not as a record expects them: in a copy that was made while
somebody wrote, after another program has changed a file, or where something was moved by hand."""

import json
from contextlib import suppress
from pathlib import Path

from shotstore.hdf5 import on_disk
from shotstore.hdf5.disk import File
from shotstore.hdf5.log.record import Document, FilePatch, LogRecord, digest


def phase(root: Path, record: LogRecord) -> int:
    """The phase to go on with. A part of it may be done already, which does no harm."""
    if not record.departures:
        return 0
    if on_disk.exists(root / record.departed):
        return 2
    # Once something has departed, phase 0 was done and durable, and its paths may be gone.
    return int(any(on_disk.exists(root / gone.destination) for gone in record.departures))


def why_no_fit(root: Path, record: LogRecord) -> str | None:
    """What keeps a record from being carried out on the files that are there, as a clause; None
    if nothing does."""
    if phase(root, record) > 0:
        return None
    arriving = {arrival.destination for arrival in record.arrivals}
    for patch in record.patches:
        path = root / patch.path
        with suppress(OSError):
            if patch.path not in arriving and not on_disk.is_regular_file(path):
                return f"it changes {path}, which is missing"
            if path.stat().st_size < patch.needed:
                return f"it changes {path}, which was cut off"
    return None


def is_given_up(root: Path, record: LogRecord) -> bool:
    """Whether nothing of a record was done, and it cannot be done any more.

    After its writer was killed, another program has opened a shots file for writing and, when it
    closed it, has cut off what lay past the committed end, as HDF5 does.
    """
    if phase(root, record) > 0 or not any(_is_cut_off(root, patch) for patch in record.patches):
        return False
    first = record.patches[0]
    try:
        file = File(root / first.path, "r")
    except OSError:
        return False
    try:
        return not is_begun(first, file)
    finally:
        file.close()


def cut_off(root: Path, record: LogRecord) -> list[str]:
    """The files that lack what lay past their committed ends, of those that a record changes."""
    return [patch.path for patch in record.patches if _is_cut_off(root, patch)]


def is_begun(patch: FilePatch, file: File) -> bool:
    """Whether the first page of a patch, which is written before all others, is in place."""
    found = bytearray(len(patch.first_page))
    file.read_into(memoryview(found), patch.offsets[0] if patch.offsets else 0)
    return bytes(found) == patch.first_page


def is_later(found: bytes | None, document: Document) -> bool:
    """Whether what was found in the place of a document came after it, as in a copy that was made
    while somebody wrote, or where somebody has edited it."""
    if found is None or digest(found) in (*document.replaces, digest(document.content)):
        return False
    try:
        return isinstance(json.loads(found), dict)
    except (ValueError, RecursionError):
        return False  # a power loss has torn it


def _is_cut_off(root: Path, patch: FilePatch) -> bool:
    try:
        return patch.has_tail and (root / patch.path).stat().st_size < patch.needed
    except OSError:
        return False  # it is missing, or out of reach, which is said where it is asked for
