"""The journal: what a committed transaction has still to do, so that it can always be finished.

A transaction prepares everything under ``.shotstore/tx/<id>/`` and past the ends of files, where
nothing refers to it, and writes down what is left to do. Renaming that journal into place is the
commit. From then on the work can be done again from any point, with the same result, because the
journal holds the net effect and goes in phases:

0. pages and lengths of files, and staged files over the old ones, all at their old paths;
1. every directory or file that moves or goes, deepest first, to a name of its own (a *slot*,
   ``.shotstore/tx/<id>/<n>``);
2. each slot to its destination, parents first. Created directories are slots from the start.

A durable mark follows phase 1: it is made before the commit, and renamed, since nothing after the
commit may need space. Within a phase, whether the slot exists says what is done.

Doing the renames in the user's order instead does not survive a crash: in a swap of two paths, 9
of 16 crash states came out wrong.
"""

import contextlib
import hashlib
import json
import struct
from itertools import groupby
from pathlib import Path
from typing import Any

import cattrs
from attrs import field, frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk
from shotstore.hdf5.locks import try_lock_shared
from shotstore.hdf5.overlay import PAGE, tail_start

_MAGIC = b"shotstore journal 1\n"
MARK = "departing"
"""In the staging directory: an empty file, called ``departed`` once phase 1 is done."""
_DIGEST_SIZE = hashlib.sha256().digest_size

# All paths below are relative to the root of the store, with slashes.


@frozen
class FilePatch:
    """Pages to write into a file, and the length it then has (bytes)."""

    path: str
    committed: int
    length: int
    offsets: list[int]
    pages: list[bytes]


@frozen
class Rename:
    """A file or directory and the name it gets."""

    source: str
    destination: str


@frozen
class Journal:
    """What a transaction has to do once it is committed."""

    transaction: str
    patches: list[FilePatch] = field(factory=list)
    replacements: list[Rename] = field(factory=list)
    departures: list[Rename] = field(factory=list)
    arrivals: list[Rename] = field(factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.patches or self.replacements or self.has_moves)

    @property
    def has_moves(self) -> bool:
        """Whether there is anything that may not be done twice."""
        return bool(self.departures or self.arrivals)


def dump(journal: Journal) -> bytes:
    """The journal as a file: a line that names the format, the length of the header (8 bytes,
    little-endian), the header (JSON), the pages, and the SHA-256 of all before it."""
    header = cattrs.unstructure(journal)
    pages = []
    for patch in header["patches"]:
        pages.extend(patch["pages"])
        patch["pages"] = [len(page) for page in patch["pages"]]
    text = json.dumps(header).encode()
    content = b"".join([_MAGIC, struct.pack("<Q", len(text)), text, *pages])
    return content + hashlib.sha256(content).digest()


def load(content: bytes, path: Path) -> Journal:
    """The inverse of `dump`.

    Raises:
        DamagedStorageError: the file is not what `dump` wrote.
    """
    body, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != digest:
        raise damaged(path, "its checksum is wrong")
    try:
        return _load(body)
    except Exception as error:  # cattrs raises groups of all sorts
        raise damaged(path, "it is not as shotstore writes it") from error


def damaged(path: Path, why: str) -> DamagedStorageError:
    """The error for a journal that cannot be carried out; ``why`` is a clause."""
    return DamagedStorageError(
        f"The journal {path} is damaged ({why}), so the transaction in it cannot be finished, and "
        "the sequences it touched may be half-changed. Restore the store from a backup; or, to go "
        "on without that transaction, move the journal elsewhere and check the last changes."
    )


def _load(body: bytes) -> Journal:
    position = len(_MAGIC) + 8
    (size,) = struct.unpack_from("<Q", body, len(_MAGIC))
    header: dict[str, Any] = json.loads(body[position : position + size])
    position += size
    for patch in header["patches"]:
        pages = []
        for length in patch["pages"]:
            pages.append(body[position : position + max(0, length)])
            position += length
        patch["pages"] = pages
    if position != len(body):
        raise ValueError(f"its pages have {len(body) - position} bytes too many")
    return cattrs.structure(header, Journal)


def check(root: Path, journal: Journal) -> None:
    """Make sure, before the commit, that everything the journal says can be done.

    Raises:
        DamagedStorageError: the files are not as this transaction left them.
        OSError: a file is out of reach.
    """
    for patch in journal.patches:
        length = (root / patch.path).stat().st_size
        if length < patch.committed:
            raise DamagedStorageError(
                f"{root / patch.path} has {length} bytes, {patch.committed} were committed: "
                "something else has cut it. Nothing of this session was stored."
            )
    device = root.stat().st_dev
    for rename in (*journal.departures, *journal.replacements):
        if (root / rename.source).lstat().st_dev != device:
            raise OSError(f"{root / rename.source} lies on another disk than {root}: move it back.")
    leaving = {rename.source for rename in journal.departures}
    for rename in journal.arrivals:
        if rename.destination not in leaving and disk.exists(root / rename.destination):
            parents = {str(parent) for parent in Path(rename.destination).parents}
            if not parents & leaving:
                raise FileExistsError(
                    f"{root / rename.destination} is in the way: remove it, or choose another path."
                )


def apply(root: Path, journal: Journal) -> bool:
    """Do what the journal says, whatever of it was done before, and make it durable.

    Returns:
        False if it was given up before anything of it was done. After its writer was killed,
        another program has opened a shots file for writing, and has cut off what lay past the
        committed end when it closed it, as HDF5 does.

    Raises:
        DamagedStorageError: the same, but something of it was done.
    """
    staging = root / ".shotstore" / "tx" / journal.transaction
    mark = staging / "departed"
    departed = disk.exists(mark)
    # Once something has departed, phase 0 was done and durable, and its paths may be gone.
    if not departed and not any(
        disk.exists(root / gone.destination) for gone in journal.departures
    ):
        if not _apply_patches(root, staging, journal.patches):
            return False
        _rename_all(root, journal.replacements)
    if journal.has_moves and not departed:
        # What leaves a directory is durable before the directory leaves: a power loss that took
        # back the first rename alone would leave it in a place where nobody looks.
        for _, same_depth in groupby(journal.departures, lambda gone: gone.source.count("/")):
            _rename_all(root, list(same_depth))
        if disk.exists(staging / MARK):
            disk.rename(staging / MARK, mark)
        else:  # a copy has left it out, for instance
            disk.write_new_file(mark, b"")
        disk.sync_directory(staging)
    _rename_all(root, journal.arrivals)
    return True


def _apply_patches(root: Path, staging: Path, patches: list[FilePatch]) -> bool:
    copies: dict[Path, Path] = {}
    with contextlib.ExitStack() as stack:
        files: list[disk.File] = []
        for number, patch in enumerate(patches):
            path, copy = root / patch.path, staging / f"copy-{number}"
            file = disk.File(path, "r+")
            stack.callback(file.close)
            if not try_lock_shared(file):
                file = _copy(file, copy)
                stack.callback(file.close)
                copies[path] = copy
            files.append(file)
        for file, patch in zip(files, patches, strict=True):
            if patch.length > tail_start(patch.committed) and file.length() < patch.length:
                if file is files[0] or not _is_begun(files[0], patches[0]):
                    return False
                raise DamagedStorageError(
                    f"{root / patch.path} was opened and closed by another program before a "
                    "transaction in it was finished, and has lost shots of that. Restore it from a "
                    "backup."
                )
        for file, patch in zip(files, patches, strict=True):
            for offset, page in zip(patch.offsets, patch.pages, strict=True):
                file.write(page, offset)
            if file.length() != patch.length:
                file.truncate(patch.length)
            file.sync()
    for path, copy in copies.items():
        disk.rename(copy, path)
        disk.sync_directory(path.parent)
    return True


def _copy(file: disk.File, path: Path) -> disk.File:
    """A copy of a file that another program has open for writing: that program will write what it
    remembers of it over what is in it when it closes it."""
    if not disk.is_directory(path.parent):
        disk.make_directory(path.parent)
    disk.remove_file(path)
    disk.copy_start(file, file.length(), path)
    return disk.File(path, "r+")


def _is_begun(file: disk.File, patch: FilePatch) -> bool:
    """Whether the first page of the patch, which is written before all others, is in place."""
    page = patch.pages[0][:PAGE] if patch.pages else b""
    found = bytearray(len(page))
    file.read_into(memoryview(found), patch.offsets[0] if page else 0)
    return found == page


def _rename_all(root: Path, renames: list[Rename]) -> None:
    touched: dict[Path, None] = {}
    for rename in renames:
        source, destination = root / rename.source, root / rename.destination
        if disk.exists(source):
            disk.rename(source, destination)
        # The new name first: a file system without a journal may otherwise lose both.
        touched |= {destination.parent: None, source.parent: None}
    for directory in touched:
        # One that is gone has left in an earlier attempt, or was staged in by a journal that a
        # power loss brought back: then everything in it was done.
        if disk.is_directory(directory):
            disk.sync_directory(directory)
