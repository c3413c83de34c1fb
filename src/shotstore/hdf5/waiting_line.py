"""The line of those that wait for the write lock: first come, first served.

The lock itself goes to whoever tries at the right moment, so a writer in a loop, which tries again
at once, would overtake those that wait. They therefore write into a file when they have come, and
only the first of them tries. The file is not a lock, and nothing but the order rests on it: who was
killed is passed over, at once where the system tells of it, who was stopped in the line gives no
sign of life any more and is passed over too, who finds another one in its place takes a new one,
and where the file cannot be used, there is no order.
"""

import io
import os
import random
import struct
import time
from contextlib import suppress
from pathlib import Path

from shotstore.hdf5 import disk, on_disk

_PLACE = struct.Struct("<QQLL")
"""When somebody came and last gave a sign of life, in nanoseconds of the machine's clock, which
all processes share; and its process with a random number, by which its place is known."""

_RANDOM = random.SystemRandom()
_PLACES = 128
_SIZE = _PLACES * _PLACE.size
_EMPTY = bytes(_SIZE)
_SIGN = 100_000_000  # nanoseconds between two signs of life
_LONGEST_SILENCE = 1_000_000_000

_OPEN = (
    os.O_RDWR
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def create(path: Path) -> None:
    """Make the file, with room for all places: to stand in line needs no space on the disk."""
    with suppress(OSError):
        if not on_disk.exists(path):
            disk.overwrite(path, _EMPTY)


class WaitingLine:
    """One who wants the write lock, in the line of all."""

    def __init__(self, path: Path) -> None:
        """Nobody knows of it until it has to wait."""
        self._came = time.monotonic_ns()
        self._id = os.getpid(), _RANDOM.getrandbits(32)
        self._place: int | None = None
        self._signed = 0
        self.ahead = 0
        """How many are before it, when it last looked."""
        self._file: io.FileIO | None = None
        with suppress(OSError):  # then there is no order
            self._file = io.FileIO(os.open(path, _OPEN), "r+")

    def is_first(self) -> bool:
        """Whether it may try to take the lock."""
        places = self._read()
        if places == _EMPTY:
            self.ahead, self._place = 0, None
            return True
        now, us = time.monotonic_ns(), (self._came, self._id)
        self.ahead = 0
        for came, signed, *who in _PLACE.iter_unpack(places):
            is_heard = came and abs(now - signed) < _LONGEST_SILENCE
            if is_heard and (came, tuple(who)) < us and _may_live(who[0]):
                self.ahead += 1
        return self.ahead == 0

    def wait(self) -> None:
        """Stand in line, and give a sign of life."""
        now = time.monotonic_ns()
        if self._place is not None and now - self._signed < _SIGN:
            return
        places = list(_PLACE.iter_unpack(self._read()))
        if self._place is None or not places or places[self._place][2:] != self._id:
            free = [
                place
                for place, (came, signed, *_) in enumerate(places)
                if not came or abs(now - signed) >= _LONGEST_SILENCE
            ]
            self._place = _RANDOM.choice(free) if free else None
        self._signed = now
        self._write(self._came, now, *self._id)

    def leave(self) -> None:
        """Leave the line, with the lock or without."""
        if self._place is not None:
            self._write(0, 0, 0, 0)
        if self._file is not None:
            self._file.close()

    def _read(self) -> bytes:
        with suppress(OSError):
            if self._file is not None:
                self._file.seek(0)
                places = self._file.read(_SIZE) or b""
                return places if len(places) == _SIZE else _EMPTY
        return _EMPTY

    def _write(self, came: int, signed: int, process: int, number: int) -> None:
        if self._file is None or self._place is None:
            return
        with suppress(OSError):
            self._file.seek(self._place * _PLACE.size)
            self._file.write(_PLACE.pack(came, signed, process, number))


def _may_live(process: int) -> bool:
    """Whether a process may still be there. One in another container may seem not to be, and then
    loses its turn, and nothing else."""
    if os.name == "nt":
        return True  # to ask would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
