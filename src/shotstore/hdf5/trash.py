"""The trash of a store: deleted paths, the shots of sequences that were reset to drafts, and the
damaged files of recovered ones."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Literal, TypeAlias, cast, get_args

from attrs import evolve, frozen

from shotstore.errors import (
    DamagedStorageError,
    PathExistsError,
    StorageError,
)
from shotstore.hdf5 import disk, documents, on_disk, time_in_trash
from shotstore.hdf5.information import read_information
from shotstore.hdf5.locks import MOMENT
from shotstore.hdf5.log.record import TRANSACTIONS
from shotstore.hdf5.session import HDF5ExperimentSession
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.store import TRASH, Store
from shotstore.hdf5.worker import run
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules
from shotstore.records.arguments import as_time_span, shown
from shotstore.records.owner import Cancelled
from shotstore.records.times import load_time
from shotstore.state import State

_LONGEST_PAUSE = 3600.0
"""Seconds, for which a storage does not look for expired entries again."""

_Reason: TypeAlias = Literal["deleted", "reset", "recovered"]


@frozen
class TrashEntry:
    """Something that can be restored."""

    id: str
    path: PureSequencePath
    """Where it was."""
    deleted: datetime
    """When, in UTC."""
    reason: _Reason
    """``reset``: the sequence as it was before it was reset to a draft, with its shots.
    ``recovered``: the damaged files that a recovered sequence had before."""
    size: int
    """Bytes on the disk."""


class Trash:
    """What was deleted from a store and not removed yet, ``storage.trash``."""

    def __init__(self, store: Store, session: Callable[[], HDF5ExperimentSession]) -> None:
        self._store = store
        self._session = session
        self._next_look = 0.0

    @property
    def directory(self) -> Path:
        """Where the entries lie, each in a directory that has its id as its name."""
        return self._store.root / TRASH

    def entries(self) -> list[TrashEntry]:
        """Everything in the trash, the oldest first."""
        found: list[TrashEntry] = []

        def find() -> None:
            with self._store.reading():
                for entry in self._found():
                    with suppress(FileNotFoundError):  # somebody empties the trash
                        found.append(self._measured(entry))

        run(find)
        return found

    def restore(
        self, entry: TrashEntry | str, to: PureSequencePath | str | None = None
    ) -> PureSequencePath:
        """Bring an entry back, in a transaction of its own.

        The shots of a reset sequence come back to its path if the draft is still there: the draft
        goes to the trash in turn.

        Args:
            entry: An entry of `entries`, or its id.
            to: Where to put it; by default, where it was.

        Returns:
            The path where it is.

        Raises:
            StorageError: there is no such entry.
            PathExistsError: something else is at the path: choose another with ``to``.
            PathIsSequenceError: a path above it is a sequence.
        """
        entry_id, place = _id_of(entry), None if to is None else PureSequencePath(to)
        with self._session() as session:
            found = next((known for known in self.entries() if known.id == entry_id), None)
            if found is None:
                raise StorageError(
                    f"There is no entry {entry_id!r} in the trash of {self._store.root}: "
                    "entries() names them."
                )
            path = found.path if place is None else place
            if path.is_root():
                raise path_rules.path_is_root_error("restored to")
            directory = f"{TRASH}/{found.id}"
            content = self._store.root / directory / "content"
            if not self._store.commits.files.is_directory(
                f"{directory}/content"
            ):  # a link may lead out of the store
                raise DamagedStorageError(
                    f"{content} is missing, which held what was deleted: there is nothing to "
                    "restore. Copy it there from a backup of the store."
                )
            transaction = session.transaction

            def restore() -> None:
                tree = transaction.tree
                node = tree.find(path)
                if node is not None:
                    is_its_draft = (
                        found.reason == "reset"
                        and node.is_sequence
                        and tree.document(node).state is State.DRAFT
                        and tree.document(node).id == self._sequence_id(directory)
                    )
                    if not is_its_draft:
                        raise PathExistsError(
                            f"{path} exists, so entry {found.id} of the trash cannot come back "
                            "there: delete or move it, or restore the entry to another path."
                        )
                    transaction.thrown_away.discard(node)
                transaction.restore(directory, f"{directory}/content", path)

            transaction.write(restore)
        return path

    def empty(self, *, older_than: timedelta = timedelta(0)) -> list[TrashEntry]:
        """Remove entries for good and give their space back. This cannot be undone.

        Args:
            older_than: Only those that were deleted before this time span, by the clock of this
                machine; by default all.

        Returns:
            What was removed. What the system does not let this program remove, such as what
            belongs to another user, stays in the trash.

        Raises:
            StorageLockTimeoutError: a session keeps on writing.
            StorageError: the store was opened with ``read_only=True``.
            TypeError: an argument is of another type; an id alone is not several.
        """
        as_time_span(older_than, "older_than")

        def is_old(entry: TrashEntry) -> bool:
            return not older_than or time_in_trash.now() - entry.deleted >= older_than

        return run(lambda: self._remove(is_old))

    def remove(self, entries: Iterable[TrashEntry | str]) -> list[TrashEntry]:
        """Remove these entries, or those with these ids, for good; otherwise as `empty` does.

        Raises:
            StorageLockTimeoutError: a session keeps on writing.
            StorageError: the store was opened with ``read_only=True``.
            TypeError: an argument is of another type; an id alone is not several.
        """
        if isinstance(entries, str | TrashEntry) or not isinstance(entries, Iterable):
            raise TypeError(f"Several entries were expected, such as a list, not {shown(entries)}.")
        ids = {_id_of(entry) for entry in entries}
        return run(lambda: self._remove(lambda entry: entry.id in ids))

    def remove_expired(self, retention: timedelta) -> None:
        """Remove what has been in the trash for longer than the retention, as far as the store has
        seen time pass; see `shotstore.hdf5.time_in_trash`. Called after something was written.

        What seems to be from the future, or from before there was the store, stays: a clock was
        wrong. While another session is writing, nothing is done.
        """
        if monotonic() < self._next_look:
            return
        self._next_look = monotonic() + min(retention.total_seconds(), _LONGEST_PAUSE)

        def remove() -> None:
            if not any(self._found()):
                return
            release = self._store.acquire_write(None, MOMENT)
            try:
                # A commit that was finished may have brought something back from the trash.
                names = [entry.id for entry in self._found()]
                seen = time_in_trash.note_time(self._store.root, names)
                born = read_information(self._store).created
                now = time_in_trash.now()

                def is_expired(entry: TrashEntry) -> bool:
                    spent = min(seen.get(entry.id, timedelta(0)), now - entry.deleted)
                    return spent >= retention and born is not None and entry.deleted >= born

                self._bury([entry for entry in self._found() if is_expired(entry)])
            finally:
                release()

        with suppress(StorageError, OSError, Cancelled):  # what was written, is
            run(remove)

    def _remove(self, is_meant: Callable[[TrashEntry], bool]) -> list[TrashEntry]:
        store = self._store
        release = store.acquire_write(None)
        try:
            return self._bury([self._measured(entry) for entry in self._found() if is_meant(entry)])
        finally:
            release()

    def _bury(self, entries: list[TrashEntry]) -> list[TrashEntry]:
        """Remove what can be removed of these, and return it."""
        store = self._store
        trash = store.root / TRASH
        # Looked at first: an entry that is removed by half is nothing that anybody can restore.
        entries = [
            e for e in entries if on_disk.may_remove_tree(str(trash / e.id)) and self._is_free(e.id)
        ]
        if not entries:
            return []
        # Renamed away first: a crash leaves whole entries, and rests that are not entries.
        going = store.root / TRANSACTIONS / uuid.uuid4().hex
        disk.make_directory(going)
        gone: list[TrashEntry] = []
        failure: OSError | None = None
        for entry in entries:
            try:
                disk.rename(trash / entry.id, going / entry.id)
                gone.append(entry)
            except OSError as error:  # on Windows, a program may have a file in it open
                failure = failure or error
        if failure is not None and not gone:
            raise failure
        with suppress(OSError):  # they are gone: the next session that writes removes the rest
            for directory in (going, trash):
                disk.sync_directory(directory)
            disk.remove_tree(going)
        return gone

    def _is_free(self, entry_id: str) -> bool:
        """Whether all of an entry has come to the trash."""
        try:
            self._store.commits.check_free([f"{TRASH}/{entry_id}"])
        except StorageError:
            return False
        return True

    def _found(self) -> Iterator[TrashEntry]:
        files = self._store.commits.files
        names = files.list_directories(TRASH) if files.is_directory(TRASH) else []
        for name in sorted(names):
            # It may be restored by hand, and harms nobody: `verify` tells of it.
            with suppress(StorageError, OSError):
                yield self._load(name)

    def _load(self, name: str) -> TrashEntry:
        path = self._store.root / TRASH / name / "entry.json"
        keys = documents.load(
            "trash entry", self._store.commits.files.read(f"{TRASH}/{name}/entry.json") or b"", path
        )
        try:
            reason = keys["reason"]
            if reason not in get_args(_Reason):
                raise ValueError(reason)
            return TrashEntry(
                id=name,
                path=PureSequencePath(keys["path"]),
                deleted=load_time(keys["deleted"]),
                reason=cast("_Reason", reason),
                size=0,
            )
        except (LookupError, ValueError, TypeError) as error:
            raise documents.damaged_error(path, f"it lacks or garbles a key ({error!r})") from error

    def _measured(self, entry: TrashEntry) -> TrashEntry:
        return evolve(entry, size=self._store.commits.files.size_of_tree(f"{TRASH}/{entry.id}"))

    def _sequence_id(self, directory: str) -> str | None:
        path = f"{directory}/content/sequence.json"
        content = Snapshot(self._store.commits).read(path)
        try:
            return documents.load_sequence(content or b"", self._store.root / path).id
        except DamagedStorageError:
            return None


def _id_of(entry: TrashEntry | str) -> str:
    """The id of an entry.

    Raises:
        TypeError: it is neither an entry nor an id.
    """
    if not isinstance(entry, str | TrashEntry):
        raise TypeError(f"An entry of the trash or its id was expected, not {shown(entry)}.")
    return entry if isinstance(entry, str) else entry.id
