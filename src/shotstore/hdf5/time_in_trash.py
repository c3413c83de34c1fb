"""How long each entry has been in the trash, as far as the store has seen time pass.

A clock may be wrong for a day, or for one start of the computer, and what is removed from the trash
is gone for good. So the age of an entry is not what the clock says: each time that somebody writes
to the store adds what has passed since the last time, and never more than a day.
"""

import math
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shotstore.errors import StorageError
from shotstore.hdf5 import disk, documents, on_disk
from shotstore.hdf5.store import CONTROL
from shotstore.model import JSON
from shotstore.records.times import dump_time, load_time

SEEN = f"{CONTROL}/trash-seen.json"
LONGEST_STEP = timedelta(days=1)


def now() -> datetime:
    """What the clock of this machine says, in UTC."""
    return datetime.now(UTC)


def note_time(root: Path, entries: Iterable[str]) -> dict[str, timedelta]:
    """Note that time has passed, for these entries, which are all there are; only with the write
    lock. Return how long each has been there."""
    last, before = _load(root / SEEN)
    time = now()
    step = min(max(time - last, timedelta(0)), LONGEST_STEP)
    seen = {name: before[name] + step if name in before else timedelta(0) for name in entries}
    _save(root, time, seen)
    return seen


def _load(path: Path) -> tuple[datetime, dict[str, timedelta]]:
    """When it was last noted, and how long each entry had been there; nothing if that cannot be
    read, so that all begin anew."""
    with suppress(StorageError, OSError, LookupError, ValueError, TypeError, AttributeError):
        keys = documents.load("trash clock", on_disk.read_file(str(path)) or b"", path)
        seconds = {name: float(value) for name, value in keys["seconds"].items()}
        if all(0 <= value < math.inf for value in seconds.values()):
            spent = {
                name: timedelta(seconds=min(value, timedelta.max.days * 86400.0 / 2))
                for name, value in seconds.items()
            }
            return load_time(keys["noted"]), spent
    return now(), {}


def _save(root: Path, time: datetime, seen: dict[str, timedelta]) -> None:
    seconds: JSON = {name: spent.total_seconds() for name, spent in seen.items()}
    content = documents.dump("trash clock", {"noted": dump_time(time), "seconds": seconds})
    staged = root / f"{SEEN}.new"
    disk.remove_file(staged)
    disk.write_new_file(staged, content)
    disk.rename(staged, root / SEEN)
