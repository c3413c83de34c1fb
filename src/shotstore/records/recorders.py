"""Who records: a file for each run, which its recorder keeps locked for as long as it lives. So
everybody can tell one that is gone from one that is slow."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

Recorder: TypeAlias = Literal["alive", "gone"]
"""What is known of the program that records a run."""

_held: set[int] = set()
"""Descriptors. A forked child shares the locks on them, and may outlive the recorder."""


class RecorderLocks:
    """The locks of those who record into one storage."""

    def __init__(self, directory: Path) -> None:
        """The directory is made when it is first needed."""
        self._directory = directory

    def hold(self, mark: str) -> Callable[[], None]:
        """Take the lock of a run; return the function that releases it.

        Args:
            mark: What tells the recorder from all others, of which nobody else knows yet.

        Raises:
            OSError: its file cannot be made, or locked.
        """
        self._directory.mkdir(exist_ok=True)
        self._clear()
        file = self._directory / mark
        descriptor = _open_alone(file)
        while descriptor is None or not os.fstat(descriptor).st_nlink:
            # Somebody who clears up has taken it for that of a recorder that is gone.
            _close(descriptor)
            descriptor = _open_alone(file)
        _held.add(descriptor)
        process = os.getpid()

        def release() -> None:
            if os.getpid() == process and descriptor in _held:
                _held.discard(descriptor)
                _remove(file)
                _close(descriptor)
                _remove(file)  # on Windows, it has to be closed before

        return release

    def look(self, mark: str) -> Recorder | None:
        """Return whether a recorder lives; None where that cannot be known."""
        import portalocker  # which takes long

        try:
            descriptor = os.open(self._directory / mark, os.O_RDONLY)
        except FileNotFoundError:
            return "gone"
        except OSError:
            return None
        try:
            flags = portalocker.LockFlags.SHARED | portalocker.LockFlags.NON_BLOCKING
            portalocker.lock(descriptor, flags)
        except portalocker.AlreadyLocked:
            return "alive"
        except portalocker.LockException:
            return None
        finally:
            os.close(descriptor)
        return "gone"

    def _clear(self) -> None:
        """Remove what recorders that are gone have left."""
        for file in list(self._directory.iterdir()):
            with suppress(OSError):
                descriptor = _open_alone(file)
                if descriptor is not None:
                    _remove(file)
                    _close(descriptor)


def _open_alone(file: Path) -> int | None:
    """Open a file, which is made if it is missing, and lock it; None if somebody has it locked.

    Raises:
        OSError: that is not possible.
    """
    import portalocker  # which takes long

    flags = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        portalocker.lock(descriptor, flags)
    except portalocker.AlreadyLocked:
        os.close(descriptor)
        return None
    except portalocker.LockException as error:
        os.close(descriptor)
        raise OSError(f"{file} cannot be locked ({error})") from error
    return descriptor


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _close_inherited() -> None:
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)
