"""h5py's handle on a file object of ours, and what the errors of HDF5 mean."""

from collections.abc import Iterator
from contextlib import contextmanager

import h5py

from shotstore.errors import DamagedStorageError, IncompatibleUnitsError, StorageError
from shotstore.hdf5.overlay import HDF5FileObject, OverlayFile


def open_handle(file_object: HDF5FileObject, mode: str, oldest: str = "v110") -> h5py.File:
    """Open a file.

    Args:
        file_object: What HDF5 is to read and write.
        mode: As `h5py.File` takes it.
        oldest: The oldest version of HDF5 that is to read what is written.
    """
    failure: Exception | None = None
    try:
        file = h5py.File(
            str(file_object.file.path),  # for messages: this driver opens nothing by name
            mode,
            driver="fileobj",
            fileobj=file_object,
            libver=(oldest, "v110"),
        )
    except Exception as raised:
        # Whoever keeps the error would keep h5py's frames, and with them what HDF5 frees at the
        # end of the process, by calling into a Python that has ended.
        failure = raised.with_traceback(None)
    if failure is not None:
        file_object.check()
        raise failure
    try:
        file_object.check()
    except Exception:
        close_handle(file_object, file)
        raise
    return file


def close_handle(file_object: HDF5FileObject, file: h5py.File) -> None:
    """Close a file without writing. One that stays open is closed by HDF5 at the end of the
    process, which then calls into a Python that has ended."""
    if isinstance(file_object, OverlayFile):
        file_object.kill()
    file.close()


@contextmanager
def reading(file_object: HDF5FileObject) -> Iterator[None]:
    """Say which file is damaged where HDF5 only says what it stumbled over.

    Raises:
        DamagedStorageError: anything was raised in the block, but for want of memory.
    """
    try:
        yield
        file_object.check()
    except (StorageError, IncompatibleUnitsError, MemoryError):
        raise
    except Exception as error:
        file_object.check()  # what the disk said comes before what HDF5 made of it
        raise DamagedStorageError(
            f"{file_object.file.path} is damaged ({error}). Restore it from a backup."
        ) from error


@contextmanager
def writing(file_object: HDF5FileObject) -> Iterator[None]:
    """Raise what the disk said, rather than what HDF5 made of it."""
    try:
        yield
    except Exception:
        file_object.check()
        raise
    file_object.check()
