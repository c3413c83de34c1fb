"""Files that appear when they are complete, and never half-written."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_to_be(file: Path, *, force: bool) -> Iterator[Path]:
    """Give the block a path to write to; what is there in the end becomes the file.

    If the block fails, it leaves nothing behind.

    Args:
        file: The file.
        force: Whether it may exist, and is replaced then.

    Raises:
        FileExistsError: it exists, now or in the end.
        FileNotFoundError: its directory does not exist.
    """
    _check(file, force=force)
    new = _beside(file)
    try:
        yield new
        if not force:
            _check(file, force=False)  # somebody else may have written it meanwhile
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def folder_to_be(folder: Path, *, force: bool) -> Iterator[Path]:
    """Give the block a new folder to write into; its files are in the folder in the end.

    Args:
        folder: The folder.
        force: Whether it may exist: then files of the same names are replaced, and no others.

    Raises:
        FileExistsError: it exists, now or in the end.
        FileNotFoundError: the directory that it is to be in does not exist.
        NotADirectoryError: a file is there.
    """
    _check(folder, force=force)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder: name another one.")
    new = _beside(folder)
    new.mkdir()
    try:
        yield new
        if not force:
            _check(folder, force=False)
        if folder.is_dir():
            for file in new.iterdir():
                file.replace(folder / file.name)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _check(path: Path, *, force: bool) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The directory {path.parent} does not exist: create it first.")
    if os.path.lexists(path) and not force:
        raise FileExistsError(
            f"{path} exists: name another file, or pass force (--force) to replace it."
        )


def _beside(path: Path) -> Path:
    # On the same file system, where it can be renamed.
    return path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.part")
