"""Files that appear when they are complete, and never half-written."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_to_be(path: Path, *, force: bool, is_folder: bool = False) -> Iterator[Path]:
    """Give the block a path to write to; what is there in the end becomes the file or the folder.

    If the block fails, it leaves nothing behind.

    Args:
        path: The file or the folder.
        force: Whether it may exist. A file is replaced then, and in a folder files of the same
            names, and no others.
        is_folder: Whether it is a folder; the block is given an empty one.

    Raises:
        OSError: as `check_place` does, before the block and after it.
    """
    check_place(path, force=force, is_folder=is_folder)
    new = _beside(path)
    try:
        if is_folder:
            new.mkdir()
        yield new
        check_place(path, force=force, is_folder=is_folder)  # somebody may have written meanwhile
        if path.is_dir():
            for file in new.iterdir():
                file.replace(path / file.name)
        else:
            new.replace(path)
    finally:
        if is_folder:
            shutil.rmtree(new, ignore_errors=True)
        else:
            new.unlink(missing_ok=True)


def file_name(name: str) -> str:
    """Return what a file is called that is named after a sequence, on every system.

    Args:
        name: Of the sequence.
    """
    plain = _NOT_IN_NAMES.sub("_", name).rstrip(". ")
    plain = cut(plain, _LONGEST)
    is_device = _DEVICES.fullmatch(plain.partition(".")[0])
    return f"_{plain}" if is_device or not plain else plain


_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
"""What names of files cannot hold on Windows, and the slash nowhere"""
_DEVICES = re.compile(r"(?i)con|prn|aux|nul|(com|lpt)[0-9¹²³]")
"""What Windows takes for a device, whatever the ending"""
_LONGEST = 200
"""Bytes; file systems end at 255"""


def check_place(path: Path, *, force: bool, is_folder: bool = False) -> None:
    """Check that a file or folder can be written, before anything is read for it.

    Raises:
        FileExistsError: it exists, and ``force`` does not allow that.
        FileNotFoundError: the directory that it is to be in does not exist.
        IsADirectoryError: a directory is where a file is to be.
        NotADirectoryError: a file is where a folder is to be.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The directory {path.parent} does not exist: create it first.")
    if not os.path.lexists(path):
        return
    if is_folder and not path.is_dir():
        raise NotADirectoryError(f"{path} is a file, not a folder: name another one.")
    if path.is_dir() and not is_folder:
        raise IsADirectoryError(f"{path} is a directory, not a file: name a file in it.")
    if not force:
        what = "folder" if is_folder else "file"
        raise FileExistsError(
            f"{path} exists: name another {what}, or pass force (--force) to replace "
            f"{'files in it' if is_folder else 'it'}."
        )


def _beside(path: Path) -> Path:
    # On the same file system, where it can be renamed.
    path = path.absolute()  # so that "." has a name
    return path.with_name(f".{cut(path.name, 80)}.{secrets.token_hex(4)}.part")


def cut(text: str, size: int) -> str:
    """Return as much of a text as has this many bytes."""
    return text.encode("utf-8", "surrogateescape")[:size].decode("utf-8", "ignore")
