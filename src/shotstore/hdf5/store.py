"""The directory of a store: its marker, its commits, and what is to be cleared away in it."""

import contextlib
import errno
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from shotstore.errors import DamagedStorageError, StorageError, StorageLockTimeoutError
from shotstore.hdf5 import disk, documents, on_disk
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.dropped import call_when_dropped
from shotstore.hdf5.held_back import Problem, problem
from shotstore.hdf5.kept_files import KeptFiles, KeptWriters
from shotstore.hdf5.known_documents import KnownDocuments
from shotstore.hdf5.lock_files import try_lock_alone
from shotstore.hdf5.locks import MOMENT, Locks
from shotstore.hdf5.log.counter import Count
from shotstore.hdf5.log.record import TRANSACTIONS
from shotstore.hdf5.membership import Membership
from shotstore.hdf5.open_shots import ShotsReader
from shotstore.hdf5.shots.known_rows import RowsOfFiles
from shotstore.hdf5.staging import remove
from shotstore.hdf5.unit_documents import UnitDocument
from shotstore.records.owner import Owner
from shotstore.records.recorders import RecorderLocks
from shotstore.records.summaries import Remembered, SequenceSummary
from shotstore.records.times import dump_time

MARKER = "shotstore.json"
SEQUENCES = "sequences"
GLOBAL_PARAMETERS = "global_parameters.json"
DEVICES = "device_configurations"
CONTROL = ".shotstore"
TRASH = f"{CONTROL}/trash"
INCOMING = f"{CONTROL}/incoming"
"""Stores in which sequences are made that come from elsewhere."""
INCOMING_LOCK = f"{CONTROL}/incoming.lock"
"""In each of those: held for as long as somebody is at work there."""


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
        self._transactions = self.root / TRANSACTIONS
        self._incoming = self.root / INCOMING
        self.lock_timeout = lock_timeout
        """Seconds to wait for others."""
        self.locks = Locks(self._control, lock_timeout)
        self.commits = Commits(self.root, self._control, self.locks)
        """What was committed, and the files as they are by that."""
        self.recorders = RecorderLocks(self._control / "recorders")
        """The locks of those who record."""
        self.membership = Membership(self.locks, self.commits, read_only=read_only)
        """The use that this program makes of the store, as others may at the same time."""
        self.readers: KeptFiles[ShotsReader] = KeptFiles()
        """The shots files that were read."""
        self.kept = KeptWriters()
        """The shots files that are being recorded into."""
        self.rows = RowsOfFiles()
        """What was read of the tables of shots before."""
        self.known = KnownDocuments()
        """What was read of documents before."""
        self.units = UnitDocument(self.root, self.known)
        """What the units of the lab mean."""
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
            raise NotADirectoryError(f"{self.root} is not a directory that could be read.")
        if not read_only:
            try:
                if self.is_archive:
                    self._create()
                self._make_directories(CONTROL, TRANSACTIONS, TRASH, SEQUENCES, DEVICES)
                self.locks.create()
                self._create_log()
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                    raise StorageError(
                        f"{self.root} cannot be written to ({error}). To look at what is in it, "
                        "open it with read_only=True."
                    ) from error
                raise
        self._has_locks = not read_only
        self._join()
        if not read_only:
            with contextlib.suppress(StorageError, OSError):  # said where it is asked for
                with self.reading():  # what a power loss has taken back, comes back
                    pass
                if self.commits.held:
                    self.retry()

    def _join(self) -> None:
        """Begin to use the store, until it is closed, or dropped; also in a process that was forked
        from the one that has opened it."""
        if not self.is_archive and not self.membership.is_joined:
            self.membership.join()
            call_when_dropped(self, self.membership.leave)

    def last_commit(self) -> int | None:
        """What changes with each commit; None where nobody counts them.

        One that is not carried out counts too: who was killed in it may not have come to count it,
        and the next reader is to finish it.
        """
        if self.is_archive:
            return None
        count = self.commits.count()
        return count.commits + count.is_unfinished

    def settled(self) -> int | None:
        """How many transactions were committed, for who reads without a lock; None while one is
        carried out, or is left, and where nobody counts them. As long as it stays the same, so do
        the files."""
        if self.is_archive or not self.membership.is_joined:
            return None
        count = self.commits.count()
        return None if self.membership.lays_log(count) else count.commits

    @contextlib.contextmanager
    def reading(self, *, finish: bool = True) -> Iterator[int]:
        """Keep commits out while files are read; the number of commits so far.

        What a killed process, or a power loss, has left is carried out first. Where that is not
        possible, or not allowed, or ``finish`` is False, it is laid over the `files` in memory;
        with that, a log that cannot be read is left out.

        Raises:
            StorageLockTimeoutError: a lock is held for too long.
            DamagedStorageError: the log cannot be read, or does not fit the files.
        """
        as_it_is = not finish
        finish = finish and not self.read_only
        self._join()
        while True:
            with contextlib.ExitStack() as stack:
                if self._is_shared():
                    stack.enter_context(self.locks.shared())
                if self.is_archive:
                    yield 0
                    return
                count = self.commits.count()
                if not finish or not count.is_unfinished:
                    yield self._look(count, as_it_is=as_it_is)
                    return
            try:
                self.acquire_write(None)()  # it finishes what was left
            except OSError:
                finish = False  # the disk is full, or read-only, or fails

    def _look(self, count: Count, *, as_it_is: bool) -> int:
        try:
            commits = self.commits.look(count, lay_log=self.membership.lays_log(count))
            self.readers.check(commits)
            return commits
        except DamagedStorageError as error:
            if as_it_is:
                return count.commits
            if not self.read_only:
                raise
            raise DamagedStorageError(
                f"{self.root} was left, or copied, in the middle of a commit, and cannot be read "
                f"as it is. {error} A copy is best made again, while no program writes to the "
                "store. Open it once without read_only=True if it is not a copy."
            ) from error

    def _is_shared(self) -> bool:
        """Whether there are locks to take. A copy without any gets them from who writes to it."""
        self._has_locks = self._has_locks or (not self.is_archive and self.locks.exist())
        return self._has_locks

    def acquire_write(
        self, owner: Owner | None, timeout: float | None = None
    ) -> Callable[[], None]:
        """Take the write lock, and finish what a killed process has left; return the function that
        releases it. The arguments are those of `Locks.acquire_write`.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            StorageError: the store was opened for reading.
            DamagedStorageError: the log cannot be read, or does not fit the files.
            OSError: it cannot be carried out.
        """
        if self.read_only:
            raise read_only_error(self.root)
        self._join()
        release = self.membership.acquire_write(owner, timeout)
        try:
            self.commits.finish()
            self._clear_up()
            rounds = self.commits.rounds
            self.kept.check_count(rounds.count, rounds.changed_since, self.root)
            self.readers.check(self.commits.counted)
        except BaseException:
            release()
            raise
        return release

    def _clear_up(self) -> None:
        # What cannot be removed, such as files of another user, is in nobody's way.
        if staged := on_disk.list_names(str(self._transactions)):
            for left in {*staged} - self.commits.staging_in_use():
                with contextlib.suppress(OSError):
                    remove(self._transactions / left)
        if on_disk.is_directory(self._incoming):
            for abandoned in self.abandoned():
                with contextlib.suppress(OSError):  # or its session has just ended by itself
                    disk.remove_tree(abandoned)

    def abandoned(self) -> Iterator[Path]:
        """What killed processes have left of sequences that were to come in. Each is locked until
        the next one is asked for."""
        if not on_disk.is_directory(self._incoming):
            return
        for name in on_disk.list_directories(str(self._incoming)):
            release = try_lock_alone(self._incoming / name / INCOMING_LOCK)
            if release is not None:
                try:
                    yield self._incoming / name
                finally:
                    release()

    def retry(self) -> list[Problem]:
        """Carry out what could not be carried out before, as far as that is possible by now.

        Returns:
            Why the rest is kept back still, or what it waits for.
        """
        with self.reading(finish=False):
            problems = self.commits.problems()
            if self.read_only or not (problems or self.commits.count().is_unfinished):
                return problems
        try:
            release = self.acquire_write(None, MOMENT)
        except StorageLockTimeoutError:
            return problems
        except OSError as error:
            return [problem(self.root, self.commits.left(), error), *problems]
        try:
            problems = self.commits.retry()
            self._clear_up()
            return problems
        finally:
            release()

    def _read(self, path: Path) -> bytes | None:
        """The content of a file of the store's own, or None if there is none.

        Raises:
            DamagedStorageError: it cannot be read.
        """
        try:
            return on_disk.read_file(str(path))
        except OSError as error:
            raise on_disk.unreadable_error(path, error) from error

    def _check_places(self) -> None:
        """Refuse links in the places of a store's own files, which may lead out of it, and pipes,
        which may never say anything."""
        places = [self.root / MARKER]
        if not self.read_only or on_disk.exists(self.root / MARKER):
            places += [self.root / name for name in (SEQUENCES, DEVICES, CONTROL)]
        if on_disk.is_directory(self._control):
            for name in on_disk.list_others(str(self._control)):
                place = self._control / name
                if not on_disk.is_link(place):
                    raise StorageError(
                        f"{place} is a pipe, a socket or a device, and should be a file: somebody "
                        "has put it there. Remove it."
                    )
                places.append(place)
        for place in places:
            if on_disk.is_link(place):
                raise StorageError(
                    f"{place} is a link, and what it leads to is not part of the store. Move what "
                    "it leads to into its place."
                )

    def _check_marker_was_not_lost(self) -> None:
        if all(on_disk.is_directory(self.root / name) for name in (SEQUENCES, CONTROL)):
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
        if others and not on_disk.exists(self.root / MARKER):
            raise StorageError(
                f"{self.root} is not a store (it has no {MARKER}), and it is not empty: it holds "
                f"{', '.join(sorted(others)[:5])}. Choose an empty or a new directory; to look at "
                "sequences that were copied here, open it with read_only=True."
            )
        self._make_directories(CONTROL)
        release = self.locks.acquire_write(None)
        try:
            if not on_disk.exists(self.root / MARKER):
                created = dump_time(datetime.now(UTC))
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

    def _create_log(self) -> None:
        if not self.commits.rounds.is_complete():
            release = self.locks.acquire_write(None)
            try:
                self.commits.rounds.create()
            finally:
                release()

    def close(self) -> None:
        """Close all files, after a checkpoint."""
        self.kept.close_all()
        self.readers.close_all()
        self.membership.leave()

    def _make_directories(self, *names: str) -> None:
        """Make what a store needs and a copy may lack: rsync is often told to leave out hidden
        files and empty directories."""
        for name in names:
            if not on_disk.is_directory(self.root / name):
                with contextlib.suppress(FileExistsError):  # made by another process meanwhile
                    disk.make_directory(self.root / name)
                disk.sync_directory((self.root / name).parent)


def read_only_error(root: Path) -> StorageError:
    """The error for a store that was opened for reading alone, and was to be changed."""
    return StorageError(f"{root} was opened with read_only=True: open it without to change it.")
