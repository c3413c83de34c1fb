"""What a record may say. Its checksum tells that it is whole, and not who wrote it: one that would
reach out of the store, or that makes no sense, is refused before anything of it is done.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from shotstore.hdf5 import on_disk
from shotstore.hdf5.log.record import LogRecord
from shotstore.hdf5.names import FILES_OF_ROWS
from shotstore.hdf5.overlay import PAGE

_TRANSACTION = re.compile(r"[0-9a-f]{32}")
_PLACES = re.compile(
    r"sequences/.+|device_configurations/[^/]+|global_parameters\.json|units\.json|"
    r"\.shotstore/active\.json|\.shotstore/trash/.+|\.shotstore/tx/[0-9a-f]{32}-.+",
    re.DOTALL,
)


def check_record(root: Path, record: LogRecord) -> None:
    """Check the paths and numbers in a record that was found in a store.

    Raises:
        ValueError: shotstore has not written it for this store.
    """
    if not _TRANSACTION.fullmatch(record.transaction):
        raise ValueError(f"it is of a transaction {record.transaction!r}")
    staged = {document.staged for document in record.documents}
    for path in dict.fromkeys((*record.paths, *staged)):
        _check_place(root, path)
    for patch in record.patches:
        if patch.path.rpartition("/")[2] not in FILES_OF_ROWS:
            raise ValueError(f"it changes {patch.path!r}, which holds no shots")
        _check_numbers((patch.committed, patch.needed, patch.length, patch.shots, *patch.offsets))
        if len(patch.offsets) != len(patch.pages):
            raise ValueError(f"it has {len(patch.pages)} pages for {patch.path}")
        for offset, page in zip(patch.offsets, patch.pages, strict=True):
            if offset % PAGE or offset + len(page) > patch.length:
                raise ValueError(f"it writes past the end of {patch.path}, or beside its pages")


def _check_place(root: Path, path: str) -> None:
    """Refuse a path that leads out of the store, by its name or by a link on the way."""
    parts = path.split("/")
    if (
        not _PLACES.fullmatch(path)
        or any(part in ("", ".", "..") or "\0" in part for part in parts)
        or root.joinpath(path).drive != root.drive
        or len(Path(path).parts) != len(parts)
    ):
        raise ValueError(f"it names {path!r}, which is not a place in a store")
    for depth in range(1, len(parts)):
        above = root.joinpath(*parts[:depth])
        with suppress(OSError):  # what nobody may look at, nobody may change either
            if on_disk.exists(above) and not on_disk.is_directory(above):
                raise ValueError(f"it names {path!r}, and {above} is not a directory")


def _check_numbers(numbers: Iterable[int]) -> None:
    for number in numbers:
        if not 0 <= number < 2**63:
            raise ValueError(f"it has the length or place {number}")
