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
import os
import struct
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import cattrs
from attrs import evolve, field, frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.file_patches import FilePatch, PatchedFile
from shotstore.hdf5.refusals import why_no_name, why_not_moved, why_not_opened
from shotstore.hdf5.territories import groups

_MAGIC = b"shotstore journal 1\n"
MARK, DEPARTED = "departing", "departed"
"""In the staging directory: an empty file, and its name once phase 1 is done."""
_DIGEST_SIZE = hashlib.sha256().digest_size

_Action = TypeVar("_Action", bound="FilePatch | Rename")

# All paths below are relative to the root of the store, with slashes.


@frozen
class Rename:
    """A file or directory and the name it gets."""

    source: str
    destination: str
    replaces: str | None = None
    """The `digest` of the document that was there before; None if that is not known."""


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


def digest(document: bytes | None) -> str:
    """What tells a document from others, and from none."""
    return "" if document is None else hashlib.sha256(document).hexdigest()


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
        OSError: a file is out of reach, or may not be changed.
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
        if rename.destination not in leaving and on_disk.exists(root / rename.destination):
            parents = {str(parent) for parent in Path(rename.destination).parents}
            if not parents & leaving:
                raise FileExistsError(
                    f"{root / rename.destination} is in the way: remove it, or choose another path."
                )
    for denial in denials(root, journal):
        raise PermissionError(
            f"{denial[0].upper()}{denial[1:]} by this user, so nothing of this session was stored. "
            "Allow it (as with `chmod u+w`), and run the block again."
        )


def denials(root: Path, journal: Journal) -> Iterator[str]:
    """What the system does not allow of what a journal says, as clauses."""
    for patch in journal.patches:
        if denial := why_not_opened(root / patch.path, os.O_RDWR):
            yield denial
    for rename in (*journal.replacements, *journal.departures):
        if denial := why_not_moved(root / rename.source, root / rename.destination):
            yield denial
    for rename in journal.arrivals:
        if denial := why_no_name(root / rename.destination):
            yield denial


def phase(root: Path, journal: Journal) -> int:
    """The phase with which to go on; what of it is done already does not matter."""
    if on_disk.exists(root / ".shotstore" / "tx" / journal.transaction / DEPARTED):
        return 2
    # Once something has departed, phase 0 was done and durable, and its paths may be gone.
    return int(any(on_disk.exists(root / gone.destination) for gone in journal.departures))


KeepBack = Callable[[Journal, Exception], object]
"""Notes down durably what could not be done of one group, and why not."""


def apply(root: Path, journal: Journal, keep_back: KeepBack | None = None) -> bool:
    """Do what the journal says, whatever of it was done before, and make it durable.

    Args:
        root: Of the store.
        journal: What to do.
        keep_back: Called with what cannot be done for one sequence or one path, once for each;
            the rest is done all the same. Without it, the first error is raised.

    Returns:
        False if it was given up before anything of it was done. After its writer was killed,
        another program has opened a shots file for writing, and has cut off what lay past the
        committed end when it closed it, as HDF5 does.

    Raises:
        DamagedStorageError: the same, but something of it was done.
        OSError: it cannot be done, or not be noted down.
    """
    return _Application(root, journal, keep_back).run()


class _Application:
    def __init__(self, root: Path, journal: Journal, keep_back: KeepBack | None) -> None:
        self._root = root
        self._journal = journal
        self._staging = root / ".shotstore" / "tx" / journal.transaction
        self._keep_back = keep_back
        self._errors: dict[int, Exception] = {}
        """The first of each group."""
        self._noted: set[int] = set()
        self._phase = 0
        self._blocked: dict[int, int] = {}
        """The phase in which each group could not go on."""
        self._groups: dict[int, int] = {}
        """By the identity of an action, once any of them has failed."""

    def run(self) -> bool:
        journal = self._journal
        first = phase(self._root, journal)
        if first == 0:
            if not self._patch(journal.patches):
                return False
            self._rename(journal.replacements)
        if first < 2 and journal.has_moves:
            self._phase = 1
            # What leaves a directory is durable before the directory leaves: a power loss that took
            # back the first rename alone would leave it in a place where nobody looks.
            for _, same_depth in groupby(journal.departures, lambda gone: gone.source.count("/")):
                self._rename(list(same_depth))
            self._note()
            self._mark_departed()
        self._phase = 2
        self._rename(journal.arrivals)
        self._note()
        return True

    # Phases

    def _patch(self, patches: list[FilePatch]) -> bool:
        """Write what is to be written into files; False if it was given up."""
        with contextlib.ExitStack() as stack:
            files: list[PatchedFile] = []
            for number, patch in enumerate(patches):
                try:
                    path, copy = self._root / patch.path, self._staging / f"copy-{number}"
                    files.append(PatchedFile(path, copy, patch))
                except OSError as error:
                    self._fail(patch, error)
                else:
                    stack.callback(files[-1].close)
            for file in files:
                if file.is_cut_off():
                    first = files[0]
                    if first.patch is not patches[0]:
                        # Whether anything was done cannot be known.
                        raise next(iter(self._errors.values()))
                    if file is first or not first.patch.is_begun(first.file):
                        return False
                    self._fail(file.patch, file.cut_off())
            self._note()  # before anything is written: the first file tells whether it was begun
            for step in (PatchedFile.write, PatchedFile.put_into_place):
                for file in files:
                    if not self._is_blocked(file.patch):
                        try:
                            step(file)
                        except OSError as error:
                            self._fail(file.patch, error)
        return True

    def _rename(self, renames: list[Rename]) -> None:
        touched: dict[Path, list[Rename]] = {}
        for rename in renames:
            source, destination = self._root / rename.source, self._root / rename.destination
            if self._is_blocked(rename):
                continue
            try:
                if on_disk.exists(source):
                    disk.rename(source, destination)
            except OSError as error:
                self._fail(rename, error)
                continue
            # The new name first: a file system without a journal may otherwise lose both.
            for directory in (destination.parent, source.parent):
                touched.setdefault(directory, []).append(rename)
        for directory, of_it in touched.items():
            try:
                # One that is gone has left in an earlier attempt, or was staged in by a journal
                # that a power loss brought back: then everything in it was done.
                if on_disk.is_directory(directory):
                    disk.sync_directory(directory)
            except OSError as error:
                for rename in of_it:
                    self._fail(rename, error)

    def _mark_departed(self) -> None:
        if on_disk.exists(self._staging / MARK):
            disk.rename(self._staging / MARK, self._staging / DEPARTED)
        else:  # a copy has left it out, for instance
            disk.write_new_file(self._staging / DEPARTED, b"")
        disk.sync_directory(self._staging)

    # What cannot be done

    def _fail(self, action: FilePatch | Rename, error: Exception) -> None:
        if self._keep_back is None:
            raise error
        if not self._groups:
            actions = _actions(self._journal)
            numbers = groups([_paths(each) for each in actions])
            self._groups = {id(a): n for a, n in zip(actions, numbers, strict=True)}
        self._blocked.setdefault(self._groups[id(action)], self._phase)
        self._errors.setdefault(self._groups[id(action)], error)

    def _is_blocked(self, action: FilePatch | Rename) -> bool:
        return self._groups.get(id(action)) in self._blocked

    def _note(self) -> None:
        # Each group by itself: what of a journal has left its place tells for all of the journal
        # that its patches are written.
        for group, error in self._errors.items():
            if group not in self._noted and self._keep_back is not None:
                self._keep_back(self._rest(group), error)
                self._noted.add(group)

    def _rest(self, group: int) -> Journal:
        """What is left to do of a group that could not go on."""
        begun = self._blocked[group]

        def left(actions: list[_Action], phase: int) -> list[_Action]:
            return [a for a in actions if self._groups[id(a)] == group and begun <= phase]

        return evolve(
            self._journal,
            patches=left(self._journal.patches, 0),
            replacements=left(self._journal.replacements, 0),
            departures=left(self._journal.departures, 1),
            arrivals=left(self._journal.arrivals, 2),
        )


def _actions(journal: Journal) -> list[FilePatch | Rename]:
    return [*journal.patches, *journal.replacements, *journal.departures, *journal.arrivals]


def _paths(action: FilePatch | Rename) -> tuple[str, ...]:
    if isinstance(action, FilePatch):
        return (action.path,)
    return action.source, action.destination


def paths_of(journal: Journal) -> set[str]:
    """All paths that a journal names."""
    return {path for action in _actions(journal) for path in _paths(action)}
