"""What there is to know of a store beside its sequences."""

from datetime import datetime
from pathlib import Path

from attrs import frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.lock_holders import Writer
from shotstore.hdf5.store import MARKER, Store
from shotstore.records.times import load_time


@frozen
class StoreInformation:
    """What there is to know of a store beside its sequences. Times are in UTC."""

    root: Path
    format_version: int
    id: str | None
    """None for a directory that was copied out of a store."""
    created: datetime | None
    commits: int
    """How many transactions were committed."""
    is_carried_out: bool
    """Whether all of them are in the files. If not, a program was killed, the power failed, or
    something could not be changed: the next session that may write carries them out."""
    is_writing: bool
    """Whether a session was writing at this moment."""
    writer: Writer | None
    """The one that was writing, as far as it could leave word of that."""


def read_information(store: Store) -> StoreInformation:
    """Look at a store.

    Raises:
        DamagedStorageError: its marker is damaged, or cannot be read.
        StorageLockTimeoutError: a lock is held for too long.
    """
    marker = store.root / MARKER
    try:
        content = on_disk.read_file(str(marker))
    except OSError as error:
        raise on_disk.unreadable_error(marker, error) from error
    if content is None:
        return StoreInformation(store.root, documents.VERSION, None, None, 0, True, False, None)
    keys = documents.load("store", content, marker)
    with store.reading(finish=False):
        is_carried_out = not (store.commits.files.is_laid_over or _is_log_damaged(store))
    is_writing = store.locks.is_writing()
    try:
        return StoreInformation(
            root=store.root,
            format_version=documents.VERSION,
            id=str(keys["id"]),
            created=load_time(keys["created"]),
            commits=store.commits.count().commits,
            is_carried_out=is_carried_out,
            is_writing=is_writing,
            writer=store.locks.writer() if is_writing else None,
        )
    except (LookupError, ValueError, TypeError) as error:
        raise documents.damaged_error(marker, f"it lacks or garbles a key ({error!r})") from error


def _is_log_damaged(store: Store) -> bool:
    try:
        if store.membership.lays_log(store.commits.count()):
            store.commits.left()
    except DamagedStorageError:
        return True
    return False
