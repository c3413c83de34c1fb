"""What a system refuses to do with a file: for a moment, or for as long as nobody changes that."""

import errno
import os
import stat
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

_PATIENCE = 1.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02  # all in seconds
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EBUSY)
_IS_MAPPED = 1224
"""What Windows says of a file that another program has mapped, and that is to be cut."""
_OF_THE_PROCESS = os.access in os.supports_effective_ids

_P = ParamSpec("_P")
_T = TypeVar("_T")


def patient(denial: Callable[..., str | None]) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Let an operation be tried again for about a second while it is refused for no reason that
    stays.

    On Windows, a virus scanner or a sync client holds a file for some milliseconds, and nobody may
    rename, remove or open it meanwhile.

    Args:
        denial: Tells, with the arguments of the operation, what forbids it for good.

    Returns:
        A decorator of the operation, which raises `OSError` where it is refused, and has done
        nothing then.
    """

    def decorated(operation: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(operation)
        def patiently(*given: _P.args, **named: _P.kwargs) -> _T:
            deadline = None
            pause = _SHORTEST_PAUSE
            while True:
                try:
                    return operation(*given, **named)
                except OSError as refusal:
                    now = monotonic()
                    deadline = deadline or now + _PATIENCE
                    if now > deadline or not _may_pass(refusal) or denial(*given, **named):
                        raise
                sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

        return patiently

    return decorated


def _may_pass(refusal: OSError) -> bool:
    return refusal.errno in _REFUSALS or getattr(refusal, "winerror", None) == _IS_MAPPED


def why_not_opened(path: Path | str, flags: int = os.O_RDONLY) -> str | None:
    """What forbids to open a file or a directory, as a clause; None if nothing does."""
    if not _permits(path, os.R_OK):
        return f"{path} may not be read"
    if flags & (os.O_WRONLY | os.O_RDWR) and not _permits(path, os.W_OK):
        return f"{path} may not be written to"
    return None


def why_no_name(path: Path | str) -> str | None:
    """What forbids to make, to replace or to remove what has this name, as a clause; None if
    nothing does."""
    directory = Path(path).parent
    if not _permits(directory, os.W_OK | os.X_OK):
        return f"the directory {directory} may not be written to"
    if not hasattr(os, "geteuid") or not (found := _status(path)):
        return None
    above = directory.stat()
    if above.st_mode & stat.S_ISVTX and os.geteuid() not in (0, above.st_uid, found.st_uid):
        return f"{path} belongs to another user, and so does its directory, which is sticky"
    return None


def why_not_moved(source: Path | str, destination: Path | str) -> str | None:
    """What forbids to rename a file or a directory, as a clause; None if nothing does."""
    denial = why_no_name(source) or why_no_name(destination)
    if denial or Path(source).parent == Path(destination).parent:
        return denial
    # What a directory says of the one above it is in the directory itself.
    found = _status(source)
    if found and stat.S_ISDIR(found.st_mode) and not _permits(source, os.W_OK):
        return f"the directory {source} may not be written to"
    return None


def _permits(path: Path | str, mode: int) -> bool:
    # What is not there, no permission keeps from being used.
    return os.access(path, mode, effective_ids=_OF_THE_PROCESS) or not os.path.lexists(path)


def _status(path: Path | str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
