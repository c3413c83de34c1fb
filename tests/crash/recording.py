"""Record what a transaction does to the disk, and build every state that a crash could leave.

The model of the file system, which is weaker than what real ones promise:

- What was written to a file, or cut off it, is durable once the file was synced; until then any
  part of it, in units of a sector, may or may not be there, or the blocks it touches are garbage.
- A name that was made or removed is durable once its directory was synced, a rename once both
  directories were; until then any of them may be there without the others, in any order.
- A rename is atomic: it has happened, or it has not.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from attrs import define, field, frozen

from shotstore.hdf5 import disk
from shotstore.hdf5.disk import Operation

SECTOR = 512
BLOCK = 4096

GARBAGE = range(-1, 0)
"""Instead of the sectors of a write: its blocks are spoilt."""


@contextmanager
def recorded(recording: "Recording") -> Iterator["Recording"]:
    """Record what happens."""
    disk.observe = recording.add
    try:
        yield recording
    finally:
        disk.observe = None


@define
class Inode:
    """A file or a directory, whatever its names are."""

    content: bytearray | None = None
    names: dict[str, int] | None = None


@frozen
class Change:
    """An operation, with the inodes that its paths meant when it was made."""

    kind: str
    inode: int
    is_directory: bool = False
    parent: int = 0
    name: str = ""
    new_parent: int = 0
    new_name: str = ""
    offset: int = 0
    data: bytes = b""


@define
class Image:
    """The files below a directory."""

    inodes: dict[int, Inode] = field(factory=lambda: {0: Inode(names={})})

    @classmethod
    def read(cls, directory: Path) -> "Image":
        """Take an image of what is on the disk."""
        image = cls()
        image._read(directory, 0)
        return image

    def _read(self, directory: Path, number: int) -> None:
        names = self.inodes[number].names
        assert names is not None
        for path in sorted(directory.iterdir()):
            child = names[path.name] = len(self.inodes)
            if path.is_dir():
                self.inodes[child] = Inode(names={})
                self._read(path, child)
            else:
                self.inodes[child] = Inode(content=bytearray(path.read_bytes()))

    def copy(self) -> "Image":
        """An image that can be changed."""
        return Image(
            {
                number: Inode(
                    None if inode.content is None else bytearray(inode.content),
                    None if inode.names is None else dict(inode.names),
                )
                for number, inode in self.inodes.items()
            }
        )

    def write(self, directory: Path, number: int = 0) -> None:
        """Put the image on the disk."""
        directory.mkdir(exist_ok=True)
        for name, child in (self.inodes[number].names or {}).items():
            content = self.inodes[child].content
            if content is None:
                self.write(directory / name, child)
            else:
                (directory / name).write_bytes(content)

    def digest(self) -> bytes:
        """The same for images that look the same."""
        state = sha256()

        def visit(number: int) -> None:
            for name, child in sorted((self.inodes[number].names or {}).items()):
                content = self.inodes[child].content
                state.update(f"\0{name}\0".encode())
                if content is None:
                    state.update(b"(")
                    visit(child)
                    state.update(b")")
                else:
                    state.update(sha256(content).digest())

        visit(0)
        return state.digest()

    def find(self, parts: tuple[str, ...]) -> int:
        """The inode at a path."""
        number = 0
        for name in parts:
            names = self.inodes[number].names
            assert names is not None
            number = names[name]
        return number

    def apply(self, change: Change, sectors: range | None = None) -> None:
        """Make a change; of a write, only these of its sectors, or `GARBAGE`."""
        inode = self.inodes.setdefault(
            change.inode, Inode(names={}) if change.is_directory else Inode(content=bytearray())
        )
        if change.kind == "write":
            assert inode.content is not None
            for start, piece in _sectors(change, sectors):
                if len(inode.content) < start + len(piece):
                    inode.content.extend(bytes(start + len(piece) - len(inode.content)))
                inode.content[start : start + len(piece)] = piece
        elif change.kind == "truncate":
            assert inode.content is not None
            del inode.content[change.offset :]
            inode.content.extend(bytes(change.offset - len(inode.content)))
        elif change.kind in ("create", "mkdir"):
            self._names(change.parent)[change.name] = change.inode
        elif change.kind == "rename":
            if self._names(change.parent).get(change.name) == change.inode:
                del self._names(change.parent)[change.name]
            self._names(change.new_parent)[change.new_name] = change.inode
        elif self._names(change.parent).get(change.name) == change.inode:
            del self._names(change.parent)[change.name]  # unlink, rmdir

    def _names(self, number: int) -> dict[str, int]:
        names = self.inodes.setdefault(number, Inode(names={})).names
        assert names is not None
        return names


class Recording:
    """The operations below a directory, in their order."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._start = Image.read(directory)
        self._now = self._start.copy()
        self._changes: list[Change] = []
        self._next = len(self._now.inodes)

    def __len__(self) -> int:
        return len(self._changes)

    def killed_after(self, count: int, place: Path) -> "Recording":
        """What goes on at ``place``, where the first ``count`` operations were put, as a kill
        leaves them: what was not durable before is not durable after it either."""
        recording = Recording(place)
        recording._start = self._start
        recording._changes = self._changes[:count]
        recording._now = self._start.copy()
        for change in recording._changes:
            if not change.kind.startswith("sync"):
                recording._now.apply(change)
        recording._next = self._next
        return recording

    @property
    def kinds(self) -> list[str]:
        """What was done, for messages."""
        return [change.kind for change in self._changes]

    def add(self, operation: Operation) -> None:
        """Note an operation that is about to be made."""
        parts = Path(operation.path).relative_to(self._directory).parts
        if operation.kind in ("create", "mkdir"):
            parent = self._now.find(parts[:-1])
            change = Change(
                operation.kind, self._next, operation.kind == "mkdir", parent, parts[-1]
            )
            self._next += 1
        elif operation.kind == "rename":
            new_parts = Path(operation.destination).relative_to(self._directory).parts
            moved = self._now.find(parts)
            change = Change(
                "rename",
                moved,
                self._now.inodes[moved].content is None,
                self._now.find(parts[:-1]),
                parts[-1],
                self._now.find(new_parts[:-1]),
                new_parts[-1],
            )
        elif operation.kind in ("unlink", "rmdir"):
            parent = self._now.find(parts[:-1])
            is_directory = operation.kind == "rmdir"
            gone = self._now.find(parts)
            change = Change(operation.kind, gone, is_directory, parent, parts[-1])
        else:
            change = Change(
                operation.kind,
                self._now.find(parts),
                offset=operation.offset,
                data=operation.data,
            )
        if not operation.kind.startswith("sync"):
            self._now.apply(change)
        self._changes.append(change)

    def killed(self, first: int = 0) -> Iterator[tuple[int, Image]]:
        """What a kill leaves after ``first`` operations and after each further one: everything
        done so far."""
        image = self._start.copy()
        for count in range(len(self._changes) + 1):
            if count >= first:
                yield count, image
            if count < len(self._changes) and not self._changes[count].kind.startswith("sync"):
                image.apply(self._changes[count])

    def power_lost(
        self, choice: random.Random, mixes: int, first: int = 0
    ) -> Iterator[tuple[int, Image]]:
        """What a power loss may leave after each operation: of what was not durable, nothing; all;
        all but one; one alone; one write torn or garbage; and ``mixes`` random mixes of that."""
        for count in range(first, len(self._changes) + 1):
            durable, pending = self._split(count)
            if not pending:
                continue
            everything: dict[int, range | None] = dict.fromkeys(pending)
            kept: list[dict[int, range | None]] = [{}, everything]
            for number in pending:
                kept.append({other: None for other in pending if other != number})
                kept.append({number: None})
                half = _sector_count(self._changes[number]) // 2
                if half:
                    kept.append(everything | {number: range(half)})
                    kept.append(everything | {number: range(half, 2 * half + 1)})
                if self._changes[number].kind == "write":
                    kept.append(everything | {number: GARBAGE})
            kept.extend(
                {number: self._torn(number, choice) for number in pending if choice.random() < 0.5}
                for _ in range(mixes)
            )
            for numbers in kept:
                image = self._start.copy()
                for number in range(count):
                    if number in durable:
                        image.apply(self._changes[number])
                    elif number in numbers:
                        image.apply(self._changes[number], numbers[number])
                yield count, image

    def _torn(self, number: int, choice: random.Random) -> range | None:
        total = _sector_count(self._changes[number])
        if total < 2 or choice.random() < 0.5:
            return None
        first = choice.randrange(total)
        return range(first, choice.randrange(first, total) + 1)

    def _split(self, count: int) -> tuple[set[int], list[int]]:
        """Which of the first ``count`` changes are durable, and which are pending."""
        durable: set[int] = set()
        pending: list[int] = []
        synced: dict[int, set[int]] = {}
        for number, change in enumerate(self._changes[:count]):
            if change.kind in ("sync", "sync names"):
                for other in pending:
                    needs = synced.setdefault(other, _needed_syncs(self._changes[other]))
                    if change.kind == _sync_for(self._changes[other]):
                        needs.discard(change.inode)
                durable.update(other for other in pending if not synced[other])
                pending = [other for other in pending if synced[other]]
            else:
                pending.append(number)
        return durable, pending


def _sync_for(change: Change) -> str:
    return "sync" if change.kind in ("write", "truncate") else "sync names"


def _needed_syncs(change: Change) -> set[int]:
    if change.kind in ("write", "truncate"):
        return {change.inode}
    return {change.parent, change.new_parent} if change.kind == "rename" else {change.parent}


def _sector_count(change: Change) -> int:
    return -(-len(change.data) // SECTOR) if change.kind == "write" else 0


def _sectors(change: Change, wanted: range | None) -> Iterator[tuple[int, bytes]]:
    if wanted is None:
        yield change.offset, change.data
        return
    if wanted == GARBAGE:
        start = change.offset // BLOCK * BLOCK
        stop = -(-(change.offset + len(change.data)) // BLOCK) * BLOCK
        yield start, b"\xaa" * (stop - start)
        return
    for number in wanted:
        piece = change.data[number * SECTOR : (number + 1) * SECTOR]
        if piece:
            yield change.offset + number * SECTOR, piece
