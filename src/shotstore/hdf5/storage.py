"""The file backend's storage."""

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from shotstore.hdf5 import places
from shotstore.hdf5.checks.recover import recover
from shotstore.hdf5.checks.report import Progress, Recovered, Report
from shotstore.hdf5.checks.verify import verify
from shotstore.hdf5.incoming import bring_in, check_place, store_aside
from shotstore.hdf5.information import StoreInformation, read_information
from shotstore.hdf5.records import HDF5Records
from shotstore.hdf5.session import HDF5ExperimentSession
from shotstore.hdf5.store import Store, read_only_error
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.trash import Trash
from shotstore.hdf5.unseen import Unseen, find_unseen
from shotstore.hdf5.worker import run
from shotstore.model import Serializer
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import (
    as_file,
    as_flag,
    as_function,
    as_seconds,
    as_serializer,
    as_time_span,
    shown,
)
from shotstore.records.owner import current_owner
from shotstore.session import StorageManager


class HDF5StorageManager(StorageManager):
    """Experiments as plain HDF5 and JSON files in one directory.

    It can be pickled, and used from many threads and processes at once.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        serializer: Serializer | None = None,
        lock_timeout: float = 30,
        read_only: bool = False,
        compression: str | int | None = None,
        trash_retention: timedelta = timedelta(days=30),
    ) -> None:
        """Open a store, or create one in an empty or missing directory.

        Args:
            root: The directory. With ``read_only``, any folder of a store, or one sequence, also
                one that was copied elsewhere.
            serializer: Turns recipes and device configurations into JSON and back; by default a
                `DefaultSerializer`, which knows the classes of `shotstore.model`.
            lock_timeout: Seconds to wait for other sessions before `StorageLockTimeoutError`.
            read_only: Whether to open for reading alone. Nothing is written then, so the disk may
                be read-only.
            compression: Filter for new datasets of arrays: ``"lzf"``, ``"gzip"``, or a level of
                gzip from 0 to 9.
            trash_retention: How long what was deleted can be restored. What is older is removed
                after something else was written. Only time that the store has seen pass counts, at
                most a day between two such moments, so that a wrong clock does not empty the trash.

        Raises:
            StorageError: the directory holds other things and no store, or a store of a newer
                format version, or it cannot be written to.
            DamagedStorageError: the marker of the store is unreadable.
            NotADirectoryError: there is no directory to read, or ``root`` is a file.
            ValueError: an argument is out of its range.
            TypeError: an argument is of another type.
        """
        directory = Path(as_file(root, "root"))
        if compression is not None:
            _check_compression(compression)
        self._arguments: dict[str, Any] = {
            "serializer": as_serializer(serializer),
            "lock_timeout": as_seconds(lock_timeout, "lock_timeout"),
            "read_only": as_flag(read_only, "read_only"),
            "compression": compression,
            "trash_retention": as_time_span(trash_retention, "trash_retention"),
        }
        store = run(lambda: Store(directory, lock_timeout=lock_timeout, read_only=read_only))
        self._store = store
        self.trash = Trash(store, lambda: self.session(write=True))
        """What was deleted, to be restored."""
        store.after_writing = lambda: self.trash.remove_expired(trash_retention)

    @property
    def root(self) -> Path:
        """The directory of the store."""
        return self._store.root

    @property
    def serializer(self) -> Serializer:
        serializer: Serializer = self._arguments["serializer"]
        return serializer

    def session(self, *, write: bool = False) -> HDF5ExperimentSession:
        return self._session_on(self._store, write=as_flag(write, "write"))

    @contextmanager
    def receiving(
        self,
    ) -> Iterator[Callable[[PureSequencePath], AbstractContextManager[HDF5ExperimentSession]]]:
        with store_aside(self._store) as aside:

            @contextmanager
            def receive(path: PureSequencePath) -> Iterator[HDF5ExperimentSession]:
                with self.session() as session:
                    check_place(path, session.transaction)
                with self._session_on(aside) as session:
                    yield session
                with self._session_on(aside) as made, self.session(write=True) as session:
                    bring_in(path, made.transaction, session.transaction)

            yield receive

    def _session_on(self, store: Store, *, write: bool = False) -> HDF5ExperimentSession:
        compression = self._arguments["compression"]

        def begin() -> HDF5Records:
            store.units.give_to_process()
            return HDF5Records(Transaction(store, current_owner()), compression)

        return HDF5ExperimentSession(self, self.serializer, begin, write=write)

    def hold_recorder(self, mark: str) -> Callable[[], None]:
        if self._store.read_only:
            raise read_only_error(self.root)
        return self._store.recorders.hold(mark)

    def last_commit(self) -> Hashable:
        return self._store.last_commit()

    def get_directory(self, path: PureSequencePath | str) -> Path:
        """Return where the files of a sequence, or of a folder and all below it, lie.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        place = PureSequencePath(path)
        return run(lambda: places.directory_of(self._store, place))

    def get_sizes(self, path: PureSequencePath | str = "\\") -> dict[PureSequencePath, int]:
        """Return how many bytes the files of each folder and sequence at and below a path have.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        place = PureSequencePath(path)
        return run(lambda: places.sizes(self._store, place))

    def get_unseen(self, path: PureSequencePath | str = "\\") -> list[Unseen]:
        """Return what lies at and below a path on the disk and is not shown: sequences in
        directories whose names stand for no path, and directories that cannot be read.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        place = PureSequencePath(path)
        return run(lambda: find_unseen(self._store, place))

    def get_information(self) -> StoreInformation:
        """Return what there is to know of the store beside its sequences.

        Raises:
            DamagedStorageError: its marker is damaged.
            StorageLockTimeoutError: a lock is held for too long.
        """
        return run(lambda: read_information(self._store))

    def verify(
        self, path: PureSequencePath | str | None = None, *, progress: Progress | None = None
    ) -> Report:
        """Read everything, and report what is damaged.

        Documents, every chunk of every ``shots.h5`` with its checksum, and whether what belongs
        together fits together. Sessions can go on meanwhile, writing ones too. Nothing is changed,
        except that a commit which a killed program has left is finished, as every session does it.

        Args:
            path: A sequence, or a folder with all below it; by default the whole store with its
                trash.
            progress: Called now and then with the bytes read and those that there are.

        Raises:
            PathNotFoundError: nothing is at the path.
            StorageLockTimeoutError: a lock is held for too long.
        """
        place = None if path is None else PureSequencePath(path)
        if progress is not None:
            as_function(progress, "progress")
        return verify(self._store, place, progress)

    def recover(
        self, path: PureSequencePath | str, *, progress: Progress | None = None
    ) -> Recovered:
        """Make a damaged sequence readable again, with all that can still be read of it.

        What can be read of a damaged ``shots.h5`` goes into a new one, shots of which only a part
        can be read included; the damaged file goes to the trash. A ``sequence.json`` that cannot
        be read, is missing, or is older than the shots is made anew from ``shots.h5``: then the
        sequence counts as finished if it has all shots that were expected, else as interrupted.
        All of this is one transaction. Nothing is changed if nothing is damaged.

        Args:
            path: The sequence.
            progress: Called now and then with the bytes that were worked on and those that there
                are.

        Raises:
            DamagedStorageError: nothing can be read, or mended. Nothing was changed.
            SequenceRunningError: the sequence is preparing or running, and can be ended: end it
                first. One whose shots cannot even be counted is recovered as interrupted.
            PathNotFoundError, PathIsNotSequenceError: there is no sequence at the path.
            StorageError: the store was opened with ``read_only=True``.
        """
        place = PureSequencePath(path)
        if progress is not None:
            as_function(progress, "progress")
        with self.session(write=True) as session:
            return recover(session, place, progress)

    def close(self) -> None:
        """Bring the store to rest, as before the disk is unmounted or copied, and close its files.

        What this storage has committed is synced in the files themselves, so that nobody needs the
        log. If another session keeps on writing for half a second, it stays in the log until the
        next checkpoint of any program, or until the store is next opened; a session of this storage
        makes that checkpoint when it ends. The files that stay open between sessions are those of
        the running sequences that this storage has recorded into, and of the sequences that were
        read last; they are closed too when a path is moved or deleted (where another program does
        it, with the next session). A storage that is dropped is closed, and so is each when Python
        ends. A closed storage can be used further.
        """

        run(self._store.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"

    def __reduce__(self) -> tuple[Callable[..., "HDF5StorageManager"], tuple[Path]]:
        return partial(type(self), **self._arguments), (self.root,)


def _check_compression(compression: str | int) -> None:
    if isinstance(compression, bool) or not isinstance(compression, str | int):
        raise TypeError(f"compression must be a text or an int, not {shown(compression)}.")
    known = compression in ("lzf", "gzip") or (
        type(compression) is int and compression in range(10)
    )
    if not known or not h5py.h5z.filter_avail(
        h5py.h5z.FILTER_LZF if compression == "lzf" else h5py.h5z.FILTER_DEFLATE
    ):
        raise ValueError(
            f'compression must be "lzf", "gzip", a level from 0 to 9, or None, not {compression!r}'
        )
