"""Record what transactions do to the disk, and build every state that a crash could leave.

The model of the file system, which is weaker than what real ones promise:

- What was written to a file, or cut off it, is durable once the file was synced; until then any
  part of it, in units of a sector, may or may not be there, or the blocks it touches are garbage.
- A name that was made or removed is durable once its directory was synced, a rename once both
  directories were (a real one makes it durable with either of them); until then any of them may be
  there without the others, in any order.
- A rename is atomic: it has happened, or it has not.
"""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from attrs import define, field, frozen

from shotstore.hdf5 import disk
from shotstore.hdf5.disk import Operation

SECTOR = 512
BLOCK = 4096

GARBAGE = range(-1, 0)
"""Instead of the sectors of a write: its blocks are spoilt."""

Kept: TypeAlias = dict[int, range | None]
"""Numbers of changes that are on the disk; of a write, these of its sectors, or all for None."""

_MOST_REMEMBERED = 3000


@contextmanager
def recorded(recording: "Recording") -> Iterator["Recording"]:
    """Record what happens."""
    disk.observe = recording.add
    try:
        yield recording
    finally:
        disk.observe = None


@define(slots=False, eq=False)
class Inode:
    """A file or a directory, whatever its names are. It is never changed: images share it."""

    content: bytes | None = None
    names: dict[str, int] | None = None

    @cached_property
    def digest(self) -> bytes:
        """Of the content of a file."""
        return sha256(self.content or b"").digest()


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

    @property
    def is_sync(self) -> bool:
        """Whether it changes nothing."""
        return self.kind.startswith("sync")

    @property
    def touched(self) -> tuple[int, ...]:
        """The inodes that it changes."""
        if self.kind in ("write", "truncate"):
            return (self.inode,)
        if self.kind == "rename" and self.parent != self.new_parent:
            return (self.parent, self.new_parent)
        return (self.parent,)


@frozen
class Image:
    """The files below a directory."""

    inodes: dict[int, Inode]

    @classmethod
    def read(cls, directory: Path) -> "Image":
        """Take an image of what is on the disk."""
        inodes = {0: Inode(names={})}

        def read(place: Path, number: int) -> None:
            names = inodes[number].names
            assert names is not None
            for path in sorted(place.iterdir()):
                child = names[path.name] = len(inodes)
                if path.is_dir():
                    inodes[child] = Inode(names={})
                    read(path, child)
                else:
                    inodes[child] = Inode(content=path.read_bytes())

        read(directory, 0)
        return cls(inodes)

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
                inode = self.inodes[child]
                state.update(f"\0{name}\0".encode())
                if inode.content is None:
                    state.update(b"(")
                    visit(child)
                    state.update(b")")
                else:
                    state.update(inode.digest)

        visit(0)
        return state.digest()


@frozen
class Crash:
    """A crash, and what it leaves on the disk."""

    count: int
    """After how many operations."""
    was_killed: bool
    """Whether only the program has ended, and not the machine."""
    recording: "Recording" = field(repr=False)
    kept: Kept = field(repr=False)

    @property
    def image(self) -> Image:
        """What it leaves."""
        return self.recording.image(self.kept)


class Recording:
    """The operations below a directory, in their order."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._start = Image.read(directory)
        self._names = {
            number: dict(inode.names)
            for number, inode in self._start.inodes.items()
            if inode.names is not None
        }
        """Of the directories as they are by now."""
        self._changes: list[Change] = []
        self._new: dict[int, Inode] = {}
        """What was made, as it is while nothing of it is on the disk."""
        self._remembered: dict[tuple[int, tuple[tuple[int, range | None], ...]], Inode] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def killed_after(self, count: int, place: Path) -> "Recording":
        """What goes on at ``place``, where the first ``count`` operations were put, as a kill
        leaves them: what was not durable before is not durable after it either."""
        recording = Recording.__new__(Recording)
        recording._directory = place
        recording._start = self._start
        recording._changes = self._changes[:count]
        recording._new = dict(self._new)
        recording._remembered = {}
        after = self.image(dict.fromkeys(range(count)))
        recording._names = {
            number: dict(inode.names)
            for number, inode in after.inodes.items()
            if inode.names is not None
        }
        return recording

    @property
    def changes(self) -> list[Change]:
        """What was done."""
        return self._changes

    def add(self, operation: Operation) -> None:
        """Note an operation that is about to be made."""
        parts = Path(operation.path).relative_to(self._directory).parts
        if operation.kind in ("create", "mkdir"):
            change = self._made(operation, parts)
        elif operation.kind == "rename":
            new_parts = Path(operation.destination).relative_to(self._directory).parts
            moved = self._find(parts)
            change = Change(
                "rename",
                moved,
                moved in self._names,
                self._find(parts[:-1]),
                parts[-1],
                self._find(new_parts[:-1]),
                new_parts[-1],
            )
        elif operation.kind in ("unlink", "rmdir"):
            is_directory = operation.kind == "rmdir"
            gone, parent = self._find(parts), self._find(parts[:-1])
            change = Change(operation.kind, gone, is_directory, parent, parts[-1])
        else:
            change = Change(
                operation.kind, self._find(parts), offset=operation.offset, data=operation.data
            )
        for number in () if change.is_sync else change.touched:
            if number in self._names:
                _rename(change, number, self._names[number])
        self._changes.append(change)

    def _made(self, operation: Operation, parts: tuple[str, ...]) -> Change:
        number = len(self._start.inodes) + len(self._new)
        is_directory = operation.kind == "mkdir"
        self._new[number] = Inode(names={}) if is_directory else Inode(content=b"")
        if is_directory:
            self._names[number] = {}
        return Change(operation.kind, number, is_directory, self._find(parts[:-1]), parts[-1])

    def _find(self, parts: tuple[str, ...]) -> int:
        number = 0
        for name in parts:
            number = self._names[number][name]
        return number

    def image(self, kept: Kept) -> Image:
        """What is on the disk with these changes."""
        of_inodes: dict[int, list[tuple[int, range | None]]] = {}
        for number in sorted(kept):
            change = self._changes[number]
            for inode in () if change.is_sync else change.touched:
                of_inodes.setdefault(inode, []).append((number, kept[number]))
        inodes = {**self._start.inodes, **self._new}
        for inode, changes in of_inodes.items():
            inodes[inode] = self._changed(inode, inodes[inode], tuple(changes))
        return Image(inodes)

    def _changed(
        self, number: int, inode: Inode, changes: tuple[tuple[int, range | None], ...]
    ) -> Inode:
        found = self._remembered.get((number, changes))
        if found is None:
            if inode.names is not None:
                names = dict(inode.names)
                for each, _ in changes:
                    _rename(self._changes[each], number, names)
                found = Inode(names=names)
            else:
                content = bytearray(inode.content or b"")
                for each, sectors in changes:
                    _write(self._changes[each], sectors, content)
                found = Inode(content=bytes(content))
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[number, changes] = found
        return found

    def kills(self, first: int = 0) -> list[Crash]:
        """What a kill leaves after ``first`` operations and after each further one: everything
        done so far."""
        return [
            Crash(count, True, self, dict.fromkeys(range(count)))
            for count in range(first, len(self._changes) + 1)
        ]

    def power_losses(
        self, choice: random.Random, mixes: int, first: int = 0
    ) -> Iterator[Iterator[Crash]]:
        """What a power loss may leave after ``first`` operations and after each further one, in any
        order: of what was not durable, nothing; all; all but one; one alone; one write torn or
        garbage; and ``mixes`` random mixes of that."""
        durable: Kept = {}
        pending: dict[int, set[int]] = {}
        for count in range(len(self._changes) + 1):
            if count >= first and pending:
                yield self._losses(count, dict(durable), [*pending], choice, mixes)
            if count < len(self._changes):
                self._go_on(count, durable, pending)

    def _losses(
        self, count: int, durable: Kept, pending: list[int], choice: random.Random, mixes: int
    ) -> Iterator[Crash]:
        everything: Kept = dict.fromkeys(pending)
        ways: list[tuple[str, int]] = [("nothing", 0), ("everything", 0)]
        for number in pending:
            ways += [("all but", number), ("alone", number)]
            if _sector_count(self._changes[number]) > 1:
                ways += [("start", number), ("end", number)]
            if self._changes[number].kind == "write":
                ways += [("garbage", number)]
        ways += [("mix", 0)] * mixes
        choice.shuffle(ways)
        for way, number in ways:
            kept = self._kept(way, number, everything, choice)
            yield Crash(count, False, self, durable | kept)

    def _kept(self, way: str, number: int, everything: Kept, choice: random.Random) -> Kept:
        """What of what was not durable is there, for one way to lose the rest."""
        half = _sector_count(self._changes[number]) // 2
        match way:
            case "nothing":
                return {}
            case "all but":
                return {each: None for each in everything if each != number}
            case "alone":
                return {number: None}
            case "start":
                return everything | {number: range(half)}
            case "end":
                return everything | {number: range(half, 2 * half + 1)}
            case "garbage":
                return everything | {number: GARBAGE}
            case "mix":
                return {
                    each: self._torn(each, choice) for each in everything if choice.random() < 0.5
                }
        return everything

    def _torn(self, number: int, choice: random.Random) -> range | None:
        total = _sector_count(self._changes[number])
        if total < 2 or choice.random() < 0.5:
            return None
        first = choice.randrange(total)
        return range(first, choice.randrange(first, total) + 1)

    def _go_on(self, number: int, durable: Kept, pending: dict[int, set[int]]) -> None:
        """Note what an operation makes durable, or what is pending with it, until these inodes
        were synced."""
        change = self._changes[number]
        if not change.is_sync:
            pending[number] = set(change.touched)
            return
        for other, needed in list(pending.items()):
            if change.inode in needed and change.kind == _sync_for(self._changes[other]):
                needed.discard(change.inode)
                if not needed:
                    del pending[other]
                    durable[other] = None


def sampled(
    recording: Recording,
    choice: random.Random,
    mixes: int,
    sample: int | None,
    first: int = 0,
) -> Iterator[Crash]:
    """Crashes that leave different states: all of them, or a random sample in which each point of
    time, and a kill at it, has an equal part."""
    seen: set[tuple[bytes, bool, int]] = set()
    kills = recording.kills(first)
    choice.shuffle(kills)
    losses = list(recording.power_losses(choice, mixes, first))
    choice.shuffle(losses)
    if sample is not None:
        del kills[max(sample // 3, 1) :]
    for crash in _in_turn([iter(kills), _in_turn(losses)]):
        # What a kill leaves differs in what of it is durable, too.
        time = crash.count if crash.was_killed else crash.count == len(recording)
        key = crash.image.digest(), crash.was_killed, time
        if key in seen:
            continue
        seen.add(key)
        yield crash
        if len(seen) == sample:
            return


def _in_turn(many: Iterable[Iterator[Crash]]) -> Iterator[Crash]:
    """One of each, then another one of each, until all are used up."""
    left = list(many)
    while left:
        for each in list(left):
            crash = next(each, None)
            if crash is None:
                left.remove(each)
            else:
                yield crash


def _rename(change: Change, directory: int, names: dict[str, int]) -> None:
    """Make a change to the names in a directory."""
    if (
        change.kind in ("rename", "unlink", "rmdir")
        and change.parent == directory
        and names.get(change.name) == change.inode
    ):
        del names[change.name]
    if change.kind in ("create", "mkdir"):
        names[change.name] = change.inode
    if change.kind == "rename" and change.new_parent == directory:
        names[change.new_name] = change.inode


def _write(change: Change, sectors: range | None, content: bytearray) -> None:
    """Make a change to the content of a file."""
    if change.kind == "truncate":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    for start, piece in _sectors(change, sectors):
        if len(content) < start + len(piece):
            content.extend(bytes(start + len(piece) - len(content)))
        content[start : start + len(piece)] = piece


def _sync_for(change: Change) -> str:
    return "sync" if change.kind in ("write", "truncate") else "sync names"


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
