"""Which processes hold a lock, and what somebody who waits for it can do about them."""

import json
import os
import sys
import threading
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from attrs import frozen

from shotstore.hdf5 import on_disk
from shotstore.records.times import load_time


@frozen
class Writer:
    """A program that has the write lock."""

    process: int
    program: str
    since: datetime
    is_session: bool
    """Whether a session is writing; otherwise it is a moment's work, as a checkpoint."""


def read_writer(path: Path) -> Writer | None:
    """Who has left word in a file, as `describe_this_process` says it. It is a courtesy, which a
    full disk has left out."""
    try:
        keys = json.loads(on_disk.read_file(str(path)) or b"")
        since = load_time(keys["since"])
        is_session = keys.get("session") is not False
        return Writer(int(keys["process"]), str(keys["program"]), since, is_session)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def describe_this_process(*, is_session: bool) -> bytes:
    """This process, for those who are to know of it, as JSON."""
    return json.dumps(
        {
            "process": os.getpid(),
            "thread": threading.current_thread().name,
            "program": _this_program(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "session": is_session,
        }
    ).encode()


@cache
def _this_program() -> str:
    words = [*[Path(word).name for word in sys.argv[:1]], *sys.argv[1:2]]
    return " ".join(words) or "python"


def holders_of(path: Path) -> set[int]:
    """Ids of the processes that hold a lock on the file; only Linux tells."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return set()
    # "1: FLOCK  ADVISORY  READ 1234 08:02:5678 0 EOF"
    fields = (line.split() for line in lines if "->" not in line)
    return {int(f[4]) for f in fields if f[1] == "FLOCK" and int(f[5].split(":")[2]) == inode}


def describe(pid: int) -> str:
    """A process by its number, its program, and, if it is stopped, how to let it go on."""
    return f"process {pid} ({_program(pid)}){what_to_do(pid)}"


def _program(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "unknown program"
    return " ".join(words[:3]).strip()


def what_to_do(pid: int) -> str:
    """How to let a process go on that is stopped, as by a debugger or SIGSTOP; only Linux tells."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return ""
    # "1234 (name, which may hold brackets) T 1 ..."
    is_stopped = status.rpartition(")")[2].split()[:1] in (["T"], ["t"])
    return f", which is stopped: `kill -CONT {pid}` lets it go on" if is_stopped else ""
