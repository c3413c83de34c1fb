"""The file objects that HDF5 works through.

HDF5 has no transactions, and a file whose writer dies half-way is often lost. So HDF5 never writes
to a committed byte of a real file. `OverlayFile` lets it write past the committed end, where
nothing refers to the bytes yet, and keeps what it writes below that as pages in memory, over the
real file. A commit takes the pages into the log; a rollback forgets them.

HDF5 calls the methods from C code that cannot take an exception: one raised there crashes the
interpreter later. They note the error instead, for `check` to raise once HDF5 has returned.
"""

import io
import os
from collections.abc import Callable, Iterable, Sequence
from copy import copy

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import superblock
from shotstore.hdf5.disk import File
from shotstore.hdf5.on_disk import unreadable_error

PAGE = 4096
"""Bytes in a page: what a disk writes as a whole, or tears."""
_LARGEST_TAIL_IN_LOG = 64 * 2**10
"""Bytes past the committed end that a commit takes into the log: to sync them in the file as well
takes longer than to write them twice."""
_MOST_SETTLED = 64
"""How many pages are kept from one commit to the next."""


def committed_end(file: File) -> int:
    """The length in bytes of the committed part of an HDF5 file: what its superblock says.

    A file that is longer has an uncommitted tail, left by a writer that was killed.

    Raises:
        DamagedStorageError: the file has no superblock of ours, is shorter than it says, or cannot
            be read.
    """
    block = bytearray(superblock.SIZE)
    try:
        count = file.read_into(memoryview(block), 0)
    except OSError as error:
        raise unreadable_error(file.path, error) from error
    end = superblock.end_of_file(bytes(block[:count]))
    if end is None:
        raise DamagedStorageError(
            f"{file.path} is damaged: it does not begin as an HDF5 file of shotstore's does. "
            "Restore it from a backup."
        )
    length = file.length()
    if length < end:
        raise DamagedStorageError(
            f"{file.path} has {length} bytes and should have {end}: it was cut off, or copied "
            "incompletely. Copy it again, or restore it from a backup."
        )
    return end


def tail_start(committed: int) -> int:
    """Where writing past the committed end begins: a torn write must not share a block with
    committed bytes."""
    return -(-committed // PAGE) * PAGE


def joined(pieces: Iterable[tuple[int, bytes | bytearray]]) -> list[tuple[int, bytes]]:
    """Pieces of a file, (offset, bytes), in order of the offset, with neighbours as one piece."""
    found: list[tuple[int, bytearray]] = []
    for offset, piece in pieces:
        if found and found[-1][0] + len(found[-1][1]) == offset:
            found[-1][1].extend(piece)
        elif piece:
            found.append((offset, bytearray(piece)))
    return [(offset, bytes(piece)) for offset, piece in found]


class HDF5FileObject:
    """A read-only file object over the first ``end`` bytes of a file, which only grows."""

    def __init__(self, file: File, end: int) -> None:
        self.file = file
        self._end = end
        self._position = 0
        self._error: Exception | None = None

    @property
    def end(self) -> int:
        """Length in bytes, as HDF5 sees it."""
        return self._end

    def check(self) -> None:
        """Raise the error that a callback met, if any."""
        if self._error is not None:
            raise copy(self._error) from self._error.__cause__

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:
        # The driver ignores how much was read, so what is past the end must read as zeros.
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._end - self._position))
        count = 0
        try:
            count = self._fetch(view[:wanted], self._position)
        except OSError as raised:
            self._note(unreadable_error(self.file.path, raised))
        except Exception as raised:
            self._note(raised)
        view[count:] = bytes(len(view) - count)
        self._position += len(view)
        return len(view)

    def read_at(self, views: Sequence[memoryview], offset: int) -> None:
        """Read committed bytes, past HDF5, into these one after the other.

        Raises:
            DamagedStorageError: the disk fails.
            ValueError: there are not so many.
        """
        try:
            count = self._fetch_pieces(views, offset)
        except OSError as raised:
            self._note(unreadable_error(self.file.path, raised))
            self.check()
            raise
        wanted = sum(map(len, views))
        if count < wanted:
            raise ValueError(f"{wanted} bytes at {offset} are not in the file")

    def flush(self) -> None:
        """Nothing: HDF5's flush says nothing about the disk. The commit syncs."""

    def close(self) -> None:
        """Close the file below. Only after HDF5 has closed its side."""
        self.file.close()

    def _note(self, error: Exception) -> None:
        if self._error is not None:
            return
        self._error = error
        # Not kept with the frames that it came through, nor raised itself, which adds others: they
        # hold the properties that h5py opens a file with, which hold this object where the garbage
        # collector does not see it. HDF5 would free them after Python has ended, and crash.
        passed: BaseException | None = error
        while passed is not None:
            passed.__traceback__ = None
            passed = passed.__cause__

    def _fetch(self, view: memoryview, offset: int) -> int:
        """Fill ``view``; return how many bytes there are."""
        return self.file.read_into(view, offset)

    def _fetch_pieces(self, views: Sequence[memoryview], offset: int) -> int:
        """Fill them, one after the other; return how many bytes there are."""
        return self.file.read_pieces(views, offset)


class PatchedFileObject(HDF5FileObject):
    """A read-only file object over a file, with what is still to be written into it laid over."""

    def __init__(self, file: File, end: int, pieces: list[tuple[int, bytes]]) -> None:
        """``pieces`` lie over the file: (offset, bytes)."""
        super().__init__(file, end)
        self._pieces = pieces

    def _fetch(self, view: memoryview, offset: int) -> int:
        count = super()._fetch(view, offset)
        view[count:] = bytes(len(view) - count)
        for start, piece in self._pieces:
            low, high = max(offset, start), min(offset + len(view), start + len(piece))
            if low < high:
                view[low - offset : high - offset] = piece[low - start : high - start]
        return max(0, min(len(view), self._end - offset))

    def _fetch_pieces(self, views: Sequence[memoryview], offset: int) -> int:
        return _fetch_each(self._fetch, views, offset)


class OverlayFile(HDF5FileObject):
    """A file object whose writes change no committed byte of the real file."""

    def __init__(self, file: File, committed: int, end: int | None = None) -> None:
        """``committed`` is the length of the committed part in bytes, ``end`` that of the file:
        by default the same. Of a file that is not in the store yet, nothing is committed."""
        super().__init__(file, committed if end is None else end)
        self.committed = committed
        self._kept = committed  # what no truncation has cut off
        self._tail = tail_start(committed)
        self._pages: dict[int, bytearray] = {}
        self._settled: dict[int, bytearray] = {}
        """Those of the last commit, which are in the file, and mostly needed in the next one."""
        self._dead = False
        # A forked child would flush its copy of the parent's open transaction into the file.
        self._process = os.getpid()

    def kill(self) -> None:
        """Swallow every further write: closing an HDF5 file writes."""
        self._dead = True

    def write(self, data: memoryview) -> int:
        view = memoryview(data).cast("B")
        length, offset = len(view), self._position
        self._position = stop = offset + length
        try:
            if not self._dead and os.getpid() == self._process:
                while offset < min(stop, self._tail):
                    index, inside = divmod(offset, PAGE)
                    count = min(PAGE - inside, stop - offset)
                    page = self._pages.get(index)
                    if page is None and (index + 1) * PAGE <= self._kept:
                        page = self._settled.pop(index, None)
                    if page is None:
                        page = self._new_page(index)
                    self._pages[index] = page
                    page[inside : inside + count] = view[:count]
                    view = view[count:]
                    offset += count
                if view:
                    self.file.write(view, offset)
                    if len(view) > _LARGEST_TAIL_IN_LOG:  # a frame, which is synced at the end
                        self.file.begin_to_write(offset, stop)
                self._end = max(self._end, stop)
        except Exception as raised:
            self._note(raised)
        return length

    def truncate(self, length: int | None = None) -> int:
        length = self._position if length is None else length
        try:
            if not self._dead and os.getpid() == self._process:
                self._truncate(length)
        except Exception as raised:
            self._note(raised)
        return length

    def changed_pages(self) -> list[tuple[int, bytes]]:
        """What a commit must write over the real file: (offset, bytes), in order of the offset.
        Neighbouring pages come as one piece."""
        grown_again = min(self.committed, self._end)
        if self._kept < grown_again:
            for index in range(self._kept // PAGE, -(-grown_again // PAGE)):
                if index not in self._pages:
                    self._new_page(index)
        pages = [(index * PAGE, self._pages[index]) for index in sorted(self._pages)]
        return joined([(offset, page[: max(0, self._end - offset)]) for offset, page in pages])

    def has_tail(self) -> bool:
        """Whether the real file was written to, past its committed end."""
        return self._end > self._tail

    def has_large_tail(self) -> bool:
        """Whether so much was written there that it is not to be written twice."""
        return self._end > self._tail + _LARGEST_TAIL_IN_LOG

    def sync_tail(self) -> None:
        """Make what lies past the committed end durable, if it is large."""
        if self.has_large_tail():
            self.file.sync()

    def tail(self) -> list[tuple[int, bytes]]:
        """What lies past the committed end, if it is not large, as `changed_pages` gives it."""
        size = self._end - self._tail
        if not 0 < size <= _LARGEST_TAIL_IN_LOG:
            return []
        tail = bytearray(size)
        self.file.read_into(memoryview(tail), self._tail)
        return [(self._tail, bytes(tail))]

    def settle(self) -> None:
        """Go on from what was committed: the real file holds all that was written."""
        self.committed = self._kept = self._end
        self._tail = tail_start(self._end)
        self._settled = self._pages if len(self._pages) <= _MOST_SETTLED else {}
        self._pages = {}

    def discard(self) -> None:
        """Cut off what was written past the committed end, and swallow every further write."""
        self.kill()
        if self.file.length() > self.committed:
            self.file.truncate(self.committed)

    def _note(self, error: Exception) -> None:
        super()._note(error)
        self._dead = True  # what HDF5 goes on to write may rest on what could not be read

    def _fetch(self, view: memoryview, offset: int) -> int:
        count = self.file.read_into(view, offset)
        view[count:] = bytes(len(view) - count)
        stop = offset + len(view)
        low, high = max(offset, self._kept), min(stop, self.committed)
        if low < high:
            view[low - offset : high - offset] = bytes(high - low)
        indices = range(offset // PAGE, -(-stop // PAGE))
        for index in indices if len(indices) < len(self._pages) else list(self._pages):
            page = self._pages.get(index)
            start = index * PAGE
            if page is not None and index in indices:
                low, high = max(offset, start), min(stop, start + PAGE)
                view[low - offset : high - offset] = page[low - start : high - start]
        return len(view)

    def _fetch_pieces(self, views: Sequence[memoryview], offset: int) -> int:
        return _fetch_each(self._fetch, views, offset)

    def _truncate(self, length: int) -> None:
        for index in [index for index in self._pages if index * PAGE >= length]:
            del self._pages[index]
        index, inside = divmod(length, PAGE)
        if index in self._pages:
            self._pages[index][inside:] = bytes(PAGE - inside)
        self._kept = min(self._kept, length)
        had_tail, self._end = self.has_tail(), length
        # A file with a tail has its full length, or a tail that somebody has cut off is not missed.
        if had_tail or self.has_tail():
            self.file.truncate(max(length, self.committed))

    def _new_page(self, index: int) -> bytearray:
        count = max(0, min(PAGE, self._kept - index * PAGE))
        page = self._settled.pop(index, None)
        if page is None:
            page = bytearray(PAGE)
            self.file.read_pieces([memoryview(page)[:count]], index * PAGE)
        page[count:] = bytes(PAGE - count)
        self._pages[index] = page
        return page


def _fetch_each(
    fetch: Callable[[memoryview, int], int], views: Sequence[memoryview], offset: int
) -> int:
    count = 0
    for view in views:
        count += fetch(view, offset)
        offset += len(view)
    return count
