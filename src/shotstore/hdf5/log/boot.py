"""What tells one start of the machine from the next."""

import uuid
from functools import cache
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> bytes:
    """16 bytes that differ after each start of the machine; zeros where the system does not tell.

    Only Linux gives them to everyone. Where they are not known, more has to be assumed lost.
    """
    try:
        return uuid.UUID(_LINUX.read_text().strip()).bytes
    except (OSError, ValueError):
        return bytes(16)
