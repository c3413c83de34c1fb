"""The directory of a store: its marker, its commit counter, its journal, and their recovery."""

import contextlib
import errno
import os
import struct
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from shotstore.errors import CommitUncertainError, DamagedStorageError, StorageError
from shotstore.hdf5 import disk, documents, journal
from shotstore.hdf5.journal import Journal
from shotstore.hdf5.journal_check import check_journal
from shotstore.hdf5.kept_writers import KeptWriters
from shotstore.hdf5.known_documents import KnownDocuments
from shotstore.hdf5.locks import Locks, try_lock_alone
from shotstore.hdf5.shots.known_rows import RowsOfFiles
from shotstore.session import SequenceSummary
from shotstore.session.summaries import Remembered

MARKER = "shotstore.json"
SEQUENCES = "sequences"
GLOBAL_PARAMETERS = "global_parameters.json"
DEVICES = "device_configurations"
CONTROL = ".shotstore"
TRANSACTIONS = f"{CONTROL}/tx"
TRASH = f"{CONTROL}/trash"
INCOMING = f"{CONTROL}/incoming"
"""What transactions make that do not have the write lock yet."""
STAGING_LOCK = "lock"
"""In a directory of those: held for as long as its transaction lives."""

_COUNTER = struct.Struct("<Q")
_ANY_LENGTH = 2**63


class Store:
    """A store, or an archive: any folder of sequences, which is only read."""

    def __init__(self, root: Path, *, lock_timeout: float, read_only: bool) -> None:
        """Open the store, or create one in an empty or missing directory.

        Raises:
            StorageError: the directory holds other things, or a store of a newer version.
            DamagedStorageError: the marker is unreadable.
            FileNotFoundError, NotADirectoryError: there is nothing to read.
        """
        # One spelling for each store: links, "..", and upper and lower case where it is the same.
        self.root = Path(os.path.realpath(root))
        self.read_only = read_only
        self._control = self.root / CONTROL
        self._journal = self._control / "journal"
        self._staged_journal = self._control / "journal.new"
        self._transactions = self.root / TRANSACTIONS
        self._incoming = self.root / INCOMING
        self._commits = self._control / "commits"
        self.locks = Locks(self._control, lock_timeout)
        self.kept = KeptWriters()
        """The shots files that are being recorded into."""
        self.rows = RowsOfFiles()
        """What was read of the tables of shots before."""
        self.known = KnownDocuments()
        """What was read of documents before."""
        self.summaries: Remembered[SequenceSummary] = Remembered()
        """What was made of them."""
        self.after_writing: Callable[[], object] = lambda: None
        """Called after each session that has changed something."""
        self._check_places()
        marker = self._read(self.root / MARKER)
        self.is_archive = marker is None
        if self.is_archive:
            self._check_marker_was_not_lost()
        if marker is not None:
            documents.load("store", marker, self.root / MARKER)
        elif read_only and not self.root.is_dir():
            raise NotADirectoryError(f"{self.root} is no directory that could be read.")
        if not read_only:
            try:
                if self.is_archive:
                    self._create()
                self._make_directories(CONTROL, TRANSACTIONS, TRASH, SEQUENCES, DEVICES)
                self.locks.create()
                if not disk.exists(self._commits):  # a commit could not make it on a full disk
                    disk.overwrite(self._commits, _COUNTER.pack(0))
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                    raise StorageError(
                        f"{self.root} cannot be written to ({error}). To look at what is in it, "
                        "open it with read_only=True."
                    ) from error
                raise
        self._has_locks = False

    def commits(self) -> int:
        """How many transactions were committed; a session reads it to see whether others did."""
        content = self._read(self._commits) or b""
        return int(_COUNTER.unpack(content)[0]) if len(content) == _COUNTER.size else 0

    def last_commit(self) -> tuple[int, bool] | None:
        """What changes with each commit; None where nobody counts them.

        A journal counts too: who was killed after putting it into place may not have come to the
        counter, and the next reader is to finish it.
        """
        return None if self.is_archive else (self.commits(), disk.exists(self._journal))

    @contextlib.contextmanager
    def reading(self, *, finish: bool = True) -> Iterator[int]:
        """Keep commits out while files are read; the number of commits so far.

        A journal that a killed process has left is finished first, unless ``finish`` is False:
        then the files are read as they are.

        Raises:
            StorageLockTimeoutError: a lock is held for too long.
            DamagedStorageError: there is a journal that cannot be finished.
        """
        while True:
            with contextlib.ExitStack() as stack:
                if self._is_shared():
                    stack.enter_context(self.locks.shared())
                if self.is_archive or not finish or not disk.exists(self._journal):
                    yield self.commits()
                    return
            if self.read_only:
                raise DamagedStorageError(
                    f"{self.root} was left, or copied, in the middle of a commit, which has to be "
                    "finished first. Open it once without read_only=True; if the disk cannot be "
                    "written to, copy the whole directory to one that can and open it there."
                )
            release = self.locks.acquire_write(None)
            try:
                self.recover()
            finally:
                release()

    def _is_shared(self) -> bool:
        """Whether there are locks to take. A copy without any gets them from who writes to it."""
        self._has_locks = self._has_locks or (not self.is_archive and self.locks.exist())
        return self._has_locks

    def recover(self) -> None:
        """Finish the transaction that a killed process has left; only with the write lock.

        Raises:
            DamagedStorageError: the journal cannot be read, or does not fit the files.
        """
        content = self._read(self._journal, longest=_ANY_LENGTH)
        if content is None and disk.exists(self._journal):
            raise journal.damaged(self._journal, "it is no file")
        if content is not None:
            found = journal.load(content, self._journal)
            try:
                check_journal(self.root, found)
            except ValueError as error:
                raise journal.damaged(self._journal, str(error)) from error
            with self.locks.exclusive():
                self._finish(found)
        disk.remove_file(self._staged_journal)
        # What cannot be removed, such as files of another user, is in nobody's way.
        for left in disk.list_directories(str(self._transactions)):
            with contextlib.suppress(OSError):
                disk.remove_tree(self._transactions / left)
        for abandoned in self.abandoned():
            with contextlib.suppress(OSError):  # or its session has just ended by itself
                disk.remove_tree(abandoned)

    def abandoned(self) -> Iterator[Path]:
        """What killed processes have left of transactions that did not have the write lock yet.
        Each is locked until the next one is asked for."""
        if not disk.is_directory(self._incoming):
            return
        for name in disk.list_directories(str(self._incoming)):
            release = try_lock_alone(self._incoming / name / STAGING_LOCK)
            if release is not None:
                try:
                    yield self._incoming / name
                finally:
                    release()

    def commit(self, prepared: Journal) -> None:
        """Make a prepared transaction happen; only with the write lock.

        Raises:
            CommitUncertainError: it is committed, or will be when the store is next opened.
            Exception: nothing has changed.
        """
        staged = self._staged_journal
        is_committed, is_done = False, None
        try:
            disk.remove_file(staged)
            disk.write_new_file(staged, journal.dump(prepared))
            with self.locks.exclusive():
                journal.check(self.root, prepared)
                self._put_into_place(staged)
                is_committed = True
                is_done = self._finish(prepared)
        except CommitUncertainError:
            raise
        except BaseException as error:
            if not is_committed:
                with contextlib.suppress(OSError):
                    disk.remove_file(staged)
                raise
            # What fails once all is done is the release of a lock, which closing its file releases.
            if is_done is None:
                raise self._uncertain(error) from error
        if not is_done:
            raise DamagedStorageError(
                "Another program has cut off what this session had written, in spite of the lock "
                "on the file. Nothing of the session was stored: run it again without that program."
            )

    def _put_into_place(self, staged: Path) -> None:
        """Rename the journal into place, which is the commit.

        Raises:
            CommitUncertainError: the disk fails, and does not tell whether it is in place.
            OSError: it is not.
        """
        try:
            disk.rename(staged, self._journal)
        except OSError as error:
            try:
                is_in_place = disk.exists(self._journal)
            except OSError:
                raise self._uncertain(error) from error
            if not is_in_place:
                raise

    def _uncertain(self, error: BaseException) -> CommitUncertainError:
        return CommitUncertainError(
            f"The transaction is committed, or will be when {self.root} is next opened: {error}. "
            "Look at what is stored before you store it again."
        )

    def _finish(self, committed: Journal) -> bool:
        """Do what the journal in place says, and remove it; False if it had to be given up."""
        # Also when recovering: who was killed may not have come to it, and a journal that a power
        # loss takes back must not have been begun.
        disk.sync_directory(self._control)
        # The counter first: a crash in between must not leave changed files that look unchanged.
        disk.overwrite(self._commits, _COUNTER.pack((self.commits() + 1) % 2**64))
        is_done = journal.apply(self.root, committed)
        disk.remove_file(self._journal)
        if committed.has_moves or not is_done:
            # A journal that came back after a power loss would do what does not fit by now.
            disk.sync_directory(self._control)
        return is_done

    def _read(self, path: Path, longest: int = disk.LONGEST_DOCUMENT) -> bytes | None:
        """The content of a file of the store's own, or None if there is none.

        Raises:
            DamagedStorageError: it cannot be read.
        """
        try:
            return disk.read_file(str(path), longest)
        except OSError as error:
            raise disk.unreadable(path, error) from error

    def _check_places(self) -> None:
        """Refuse links in the places of a store's own files, which may lead out of it, and pipes,
        which may never say anything."""
        places = [self.root / MARKER]
        if not self.read_only or disk.exists(self.root / MARKER):
            places += [self.root / name for name in (SEQUENCES, DEVICES, CONTROL)]
        if disk.is_directory(self._control):
            for name in disk.list_others(str(self._control)):
                place = self._control / name
                if not disk.is_link(place):
                    raise StorageError(
                        f"{place} is a pipe, a socket or a device, and should be a file: somebody "
                        "has put it there. Remove it."
                    )
                places.append(place)
        for place in places:
            if disk.is_link(place):
                raise StorageError(
                    f"{place} is a link, and what it leads to is not part of the store. Move what "
                    "it leads to into its place."
                )

    def _check_marker_was_not_lost(self) -> None:
        if all(disk.is_directory(self.root / name) for name in (SEQUENCES, CONTROL)):
            raise StorageError(
                f"{self.root} holds {SEQUENCES}/ and {CONTROL}/ as a store does, and no {MARKER}, "
                "which was lost, or left out by a copy. Copy it from the original or a backup; if "
                "there is none, make a store elsewhere with `shotstore init` and move its "
                f"{MARKER} here. To look at the sequences without it, open "
                f"{self.root / SEQUENCES} for reading only."
            )

    def _create(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise NotADirectoryError(f"{self.root} is a file: a store is a directory.")
        disk.make_directories(self.root)
        others = [entry.name for entry in self.root.iterdir() if entry.name != CONTROL]
        if others and not disk.exists(self.root / MARKER):
            raise StorageError(
                f"{self.root} is not a store (it has no {MARKER}), and it is not empty: it holds "
                f"{', '.join(sorted(others)[:5])}. Choose an empty or a new directory; to look at "
                "sequences that were copied here, open it with read_only=True."
            )
        self._make_directories(CONTROL)
        release = self.locks.acquire_write(None)
        try:
            if not disk.exists(self.root / MARKER):
                created = documents.dump_time(datetime.now(UTC))
                content = documents.dump("store", {"id": uuid.uuid4().hex, "created": created})
                staged = self._control / f"{MARKER}.new"
                disk.remove_file(staged)
                disk.write_new_file(staged, content)
                disk.rename(staged, self.root / MARKER)
                disk.sync_directory(self.root)
                disk.sync_directory(self.root.parent)
        finally:
            release()
        self.is_archive = False

    def _make_directories(self, *names: str) -> None:
        """Make what a store needs and a copy may lack: rsync is often told to leave out hidden
        files and empty directories."""
        for name in names:
            if not disk.is_directory(self.root / name):
                with contextlib.suppress(FileExistsError):  # made by another process meanwhile
                    disk.make_directory(self.root / name)
                disk.sync_directory((self.root / name).parent)
