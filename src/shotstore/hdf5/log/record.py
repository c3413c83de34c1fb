"""A record of the log: what a committed transaction does to the files of a store.

It is done in phases, so that it can be done again from any point with the same result:

0. pages and lengths of shots files, and files that take the place of others, at their old paths;
1. every directory or file that moves or goes, deepest first, to a name of its own (a *slot*,
   ``.shotstore/tx/<id>-<n>``);
2. each slot to its destination, parents first. A directory that is created is a slot from the
   start;
3. documents, whole, at their final paths.

A durable mark follows phase 1: it is made before the commit, and renamed, since nothing after the
commit may need space. Doing the renames in the user's order instead does not survive a crash: in a
swap of two paths, 9 of 16 crash states came out wrong.
"""

import hashlib
import json
import struct
from functools import cached_property
from typing import Any, TypeAlias

import cattrs
from attrs import field, frozen

from shotstore.hdf5.overlay import PAGE

LOG = ".shotstore/log"
TRANSACTIONS = ".shotstore/tx"
"""Where everything is staged: files and directories that the commit brings to their places."""

_LENGTH = struct.Struct("<Q")

# All paths below are relative to the root of the store, with slashes.


@frozen
class FilePatch:
    """Pages to write into a file, and the length it then has (bytes)."""

    path: str
    committed: int
    """How long it was before."""
    needed: int
    """How long it must be to be patched. What lies past the committed end, below this, was written
    and synced before the commit, and is nowhere else."""
    length: int
    shots: int
    """How many shots it held before."""
    offsets: list[int]
    pages: list[bytes]

    @property
    def has_tail(self) -> bool:
        """Whether a part that the commit adds lies in the file alone."""
        return self.needed > self.committed

    @property
    def first_page(self) -> bytes:
        """What is written first: whether it is there tells whether anything is."""
        return self.pages[0][:PAGE] if self.pages else b""


@frozen
class Document:
    """A document, whole."""

    path: str
    content: bytes
    staged: str
    """Where it lies before the commit, so that bringing it to its place needs no space."""
    replaces: list[str]
    """The `digest` of each document that may be there before."""


@frozen
class Rename:
    """A file or directory and the name it gets."""

    source: str
    destination: str
    is_new: bool = False
    """Whether it is a directory that the transaction creates, empty but for documents."""


Action: TypeAlias = FilePatch | Document | Rename


@frozen
class LogRecord:
    """What a transaction does once it is committed."""

    transaction: str
    patches: list[FilePatch] = field(factory=list)
    replacements: list[Rename] = field(factory=list)
    """Shots files that take the place of others."""
    departures: list[Rename] = field(factory=list)
    arrivals: list[Rename] = field(factory=list)
    documents: list[Document] = field(factory=list)

    @cached_property
    def actions(self) -> list[Action]:
        """All there is to do, by phase."""
        renames = (*self.replacements, *self.departures, *self.arrivals)
        return [*self.patches, *renames, *self.documents]

    @cached_property
    def paths(self) -> set[str]:
        """All paths that it names, but for those of staged documents."""
        return {path for action in self.actions for path in paths_of(action)}

    @cached_property
    def moves(self) -> bool:
        """Whether it does what cannot be repeated among the records of others."""
        staged = [arrival for arrival in self.arrivals if not arrival.is_new]
        return bool(self.departures or self.replacements or staged)

    @property
    def mark(self) -> str:
        """The empty file that is renamed once phase 1 is done."""
        return f"{TRANSACTIONS}/{self.transaction}-departing"

    @property
    def departed(self) -> str:
        """What the mark is renamed to."""
        return f"{TRANSACTIONS}/{self.transaction}-departed"


def paths_of(action: Action) -> tuple[str, ...]:
    """The paths that an action has to do with."""
    return (action.source, action.destination) if isinstance(action, Rename) else (action.path,)


def digest(document: bytes | None) -> str:
    """What tells a document from others, and from none."""
    return "" if document is None else hashlib.sha256(document).hexdigest()


def dump(record: LogRecord) -> bytes:
    """The record as bytes: the length of the header (8 bytes, little-endian), the header (JSON),
    the pages, and the contents of the documents."""
    header = cattrs.unstructure(record)
    pieces = []
    for patch in header["patches"]:
        pieces += patch["pages"]
        patch["pages"] = [len(page) for page in patch["pages"]]
    for document in header["documents"]:
        pieces.append(document["content"])
        document["content"] = len(document["content"])
    text = json.dumps(header).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *pieces])


def load(content: bytes) -> LogRecord:
    """The inverse of `dump`.

    Raises:
        ValueError: it is not what `dump` makes.
    """
    try:
        return _load(content)
    except Exception as error:  # cattrs raises groups of all sorts
        raise ValueError("it is not as shotstore writes it") from error


def _load(content: bytes) -> LogRecord:
    (size,) = _LENGTH.unpack_from(content)
    position = _LENGTH.size + size
    header: dict[str, Any] = json.loads(content[_LENGTH.size : position])

    def take(length: int) -> bytes:
        nonlocal position
        start, position = position, position + length
        if not 0 <= start <= position <= len(content):
            raise ValueError(f"a piece of it has {length} bytes")
        return content[start:position]

    for patch in header["patches"]:
        patch["pages"] = [take(length) for length in patch["pages"]]
    for document in header["documents"]:
        document["content"] = take(document["content"])
    if position != len(content):
        raise ValueError(f"it has {len(content) - position} bytes too many")
    return cattrs.structure(header, LogRecord)
