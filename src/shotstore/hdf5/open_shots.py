"""Open shots files: to read one side by side with its writer, and to write one in a transaction."""

import os
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.files import HasFiles
from shotstore.hdf5.known_documents import TICK
from shotstore.hdf5.lock_files import try_lock_shared, unlock
from shotstore.hdf5.log.carrying_out import cut_off_error
from shotstore.hdf5.log.record import FilePatch
from shotstore.hdf5.overlay import HDF5FileObject, OverlayFile, PatchedFileObject, committed_end
from shotstore.hdf5.shots.known_rows import RowsOfFiles
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile

_PIECE = 64 * 2**20
"""Bytes that are copied before a Ctrl-C is noticed."""


class ShotsReader:
    """A committed shots file of which a session reads.

    The open descriptor keeps to the file where it is moved, reset or replaced. HDF5's view of it
    is opened anew when something was committed since: its cached metadata would not fit what is on
    the disk by then.
    """

    def __init__(self, path: Path, store: HasFiles, known: RowsOfFiles | None = None) -> None:
        """Open the file, of which some rows may be ``known``.

        Args:
            path: Where it belongs.
            store: What is laid over the files of the store at the moment.

        Raises:
            DamagedStorageError: there is none, or the system does not let us read it.
        """
        self._store = store
        self._place = store.files.place(path)
        try:
            self._file = _open_file(self._place or path, "r")
        except OSError as error:
            raise on_disk.unreadable_error(path, error) from error
        _opened.add(self)
        self._known = RowsOfFiles() if known is None else known
        self._shots: ShotsFile | None = None
        self._seen: object = None
        self._age = 0
        self._patch: FilePatch | None = None
        self.is_open = True
        self.limit: int | None = None
        """How many rows the session sees, once that is settled."""
        self.number_of_shots = 0
        """How many shots are in these."""
        self.was_read = False
        """Whether the session was told of its shots, and not only of its state."""

    def shots(self, commits: int) -> ShotsFile:
        """HDF5's view of the file while the store counts so many commits."""
        status = self._file.stat()
        files = self._store.files
        seen = commits, status.st_size, status.st_mtime_ns, status.st_ctime_ns, files
        if self._shots is None or self._seen != seen:
            if self._place is not None:
                files.check(self._place)
            if self._shots is not None:
                self._shots.close()
                self._shots = None
            self._patch = None if self._place is None else files.patch(self._place)
            self._shots = self._open_view((status.st_dev, status.st_ino))
            self._seen = seen
            self._age = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)
        return self._shots

    @property
    def is_viewed(self) -> bool:
        """Whether HDF5 has it open, which takes most of the time."""
        return self._shots is not None

    def _open_view(self, file_id: tuple[int, int]) -> ShotsFile:
        if self._patch is not None and has_later_shots(self._file, self._patch):
            self._patch = None
        if self._patch is not None:
            if self._file.length() < self._patch.needed:
                raise cut_off_error(self._file.path)
            if is_older(self._file, self._patch):
                raise older_error(self._file.path)
            return _open_view(self._file, self._patch)
        file_object = HDF5FileObject(self._file, committed_end(self._file))
        return ShotsFile.open(
            file_object, remember=lambda launch: self._known.of((*file_id, launch))
        )

    def copy_to(self, path: Path) -> Generator[tuple[int, int], None, None]:
        """Copy the committed part to a new file, durably, a piece at a time; yield after each how
        many bytes were copied, and how many there are. It must not change meanwhile: that of a
        sequence that has ended."""
        patch = self._patch
        length = committed_end(self._file) if patch is None else patch.length
        in_file = min(length, self._file.length())
        copy = disk.File(path, "x")
        try:
            for start in range(0, in_file, _PIECE):
                stop = min(start + _PIECE, in_file)
                disk.copy_piece(self._file, copy, start, stop)
                copy.begin_to_write(start, stop)
                yield stop, length
            if patch is not None:
                for offset, page in zip(patch.offsets, patch.pages, strict=True):
                    copy.write(page, offset)
            copy.sync()
        finally:
            copy.close()

    def is_still(self, path: Path) -> bool:
        """Whether the file that lies at the path is this one."""
        place = self._store.files.place(path)
        return place is not None and on_disk.is_at(self._file.stat(), place)

    def pause(self) -> None:
        """Leave the file open for another session.

        Raises:
            DamagedStorageError: it could not be read.
        """
        self.limit, self.was_read = None, False
        if self._shots is not None:
            self._shots.check()

    def resume(self, path: Path) -> bool:
        """Whether the file at the path is still this one, and what was read of it can be relied
        on."""
        return self._age > TICK and self.is_still(path)

    def close(self, *, discard: bool = False) -> None:  # noqa: ARG002 - as `ShotsWriter.close`
        """Close the file, to which nothing was written."""
        self.is_open = False
        if self._shots is not None:
            self._shots.close()
        self._file.close()

    close_inherited = close


def _open_view(file: disk.File, patch: FilePatch | None) -> ShotsFile:
    if patch is None:
        return ShotsFile.open(HDF5FileObject(file, committed_end(file)))
    pieces = list(zip(patch.offsets, patch.pages, strict=True))
    return ShotsFile.open(PatchedFileObject(file, patch.length, pieces))


def has_later_shots(file: disk.File, patch: FilePatch) -> bool:
    """Whether a file holds what was committed after the patch, as in a copy that was made while
    shots were recorded: shots are only ever appended."""
    if file.length() < patch.needed:
        return False  # it was cut off, so that what the patch makes of it may be unreadable
    as_it_is, patched = _count_rows(file, None), _count_rows(file, patch)
    # A file that is half-changed cannot be read as it is.
    return as_it_is is not None and (patched is None or as_it_is > patched)


def is_older(file: disk.File, patch: FilePatch) -> bool:
    """Whether a file is from before the patch and what came just before that, as in a copy that was
    made while shots were recorded."""
    as_it_is = _count_rows(file, None)
    return as_it_is is not None and as_it_is < patch.shots


def older_error(path: Path) -> DamagedStorageError:
    """The error for such a file."""
    return DamagedStorageError(
        f"{path} is older than the log of the store: it was copied while shots were recorded. Copy "
        "it again, while no program writes to the store."
    )


def _count_rows(file: disk.File, patch: FilePatch | None) -> int | None:
    try:
        shots = _open_view(file, patch)
        try:
            return shots.number_of_rows()
        finally:
            shots.close()
    except StorageError:
        return None


class ShotsWriter:
    """A shots file that a transaction changes."""

    def __init__(
        self, overlay: OverlayFile, shots: ShotsFile, staged: Path | None, *, replaces: bool
    ) -> None:
        self._overlay = overlay
        self.shots = shots
        self.staged = staged
        """Where the file was made that the commit puts into its place; None if the committed file
        itself is changed."""
        _opened.add(self)
        self._paused = 0, 0
        self.is_open = True
        """Whether it was not closed yet, which it is in a forked child."""
        self.replaces = replaces
        """Whether the staged file takes the place of a committed one with the same shots."""
        self.file = overlay.file
        """As it lies on the disk, with a lock on it that keeps other writers out."""
        self._committed_rows = 0 if overlay.committed == 0 else shots.number_of_rows()

    @classmethod
    def create(
        cls, path: Path, sequence_id: str, launched_at: str, launch: Launch | None
    ) -> "ShotsWriter":
        """Make a new file without shots at ``path``, which is in the staging directory."""
        overlay = OverlayFile(disk.File(path, "x"), 0)
        try:
            shots = ShotsFile.create(overlay, sequence_id, launched_at, launch)
        except BaseException:
            overlay.close()
            raise
        return cls(overlay, shots, path, replaces=False)

    @classmethod
    def open_copy(cls, path: Path) -> "ShotsWriter":
        """Open the copy of a file with all its shots, which is in the staging directory."""
        file = disk.File(path, "r+")
        try:
            overlay = OverlayFile(file, 0, committed_end(file))
            shots = ShotsFile.open(overlay)
        except BaseException:
            file.close()
            raise
        return cls(overlay, shots, path, replaces=False)

    @classmethod
    def open(cls, path: Path, stage: Callable[[], Path]) -> "ShotsWriter":
        """Open the committed file to append shots.

        If somebody else has it open for writing (HDFView does by default), it is copied to the
        path that ``stage`` gives, and the copy will replace it. That writer would otherwise, when
        it closes the file, write what it remembers over shots that were committed since.
        """
        file = _open_file(path, "r+")
        try:
            end = committed_end(file)
            if try_lock_shared(file):
                if file.length() > end:
                    file.truncate(end)
                overlay, staged = OverlayFile(file, end), None
            else:
                staged = stage()
                disk.copy_start(file, end, staged)
                file.close()
                file = disk.File(staged, "r+")
                overlay = OverlayFile(file, 0, end)
            shots = ShotsFile.open(overlay, write=True)
        except BaseException:
            file.close()
            raise
        return cls(overlay, shots, staged, replaces=staged is not None)

    def flush(self) -> None:
        """Make everything durable that needs space on the disk."""
        self.shots.flush()
        if self.staged is None:
            self._overlay.sync_tail()
        else:
            self._overlay.file.sync()

    def patch(self, path: str) -> FilePatch | None:
        """What is left to do for the committed file, which lies at ``path`` in the store; None if
        it has not changed."""
        overlay = self._overlay
        end = overlay.end
        pieces = overlay.changed_pages()
        if not pieces and end == overlay.committed:
            return None
        pieces += overlay.tail()
        return FilePatch(
            path=path,
            committed=overlay.committed,
            # Carried out before, it may have made the file shorter.
            needed=end if overlay.has_large_tail() else min(overlay.committed, end),
            length=end,
            shots=self._committed_rows,
            offsets=[offset for offset, _ in pieces],
            pages=[page for _, page in pieces],
        )

    def pause(self) -> None:
        """Let others open the file for writing, until `resume`. Everything is committed."""
        self._overlay.settle()
        self._committed_rows = self.shots.number_of_rows()
        self._paused = _changes_of(self.file.stat())
        unlock(self._overlay.file)

    def resume(self, path: Path) -> bool:
        """Whether the file at the path is still this one, as it was left, and nobody else has it
        open for writing."""
        return (
            try_lock_shared(self._overlay.file)
            and _changes_of(status := self.file.stat()) == self._paused
            and on_disk.is_at(status, path)
        )

    def close(self, *, discard: bool) -> None:
        """Close the file; cut off what was written to it if ``discard``."""
        self.is_open = False
        try:
            if discard and self.staged is None:
                self._overlay.discard()
        finally:
            self.shots.close()
            self._overlay.close()

    def close_inherited(self) -> None:
        """Close the file in a forked child, which changes nothing of it."""
        self.is_open = False
        self.shots.close()
        self._overlay.close()


def _changes_of(status: os.stat_result) -> tuple[int, int]:
    """What of a file changes where another program writes to it."""
    return status.st_size, status.st_mtime_ns


_opened: "WeakSet[ShotsReader | ShotsWriter]" = WeakSet()


def _close_inherited() -> None:
    """Close what a forked child has inherited: it would share the lock on a file with its parent,
    and crash when it exits, where HDF5 closes files after Python has ended."""
    for shots in list(_opened):
        with suppress(Exception):
            shots.close_inherited()


if hasattr(os, "register_at_fork"):
    # That of h5py, which frees its lock, was registered before and runs before.
    os.register_at_fork(after_in_child=_close_inherited)


def _open_file(path: Path, mode: str) -> disk.File:
    try:
        # A symbolic link may lead out of the store, and opening a pipe may never return.
        if not on_disk.is_regular_file(path):
            raise FileNotFoundError
        return disk.File(path, mode)
    except FileNotFoundError:
        raise DamagedStorageError(
            f"{path} is missing, which holds the shots of a launched sequence. Copy the directory "
            "again, or restore the file from a backup."
        ) from None
