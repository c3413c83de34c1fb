"""Packages that only some installations have."""

from collections.abc import Iterator
from contextlib import contextmanager

from shotstore.errors import MissingPackageError
from shotstore.installing import install_command


@contextmanager
def needed(what: str, extra: str | None = None) -> Iterator[None]:
    """Import packages of an extra inside the block; a missing one is told to a person.

    Args:
        what: What needs them, as a message begins: "A picture", "An .xlsx file".
        extra: The extra of shotstore that brings them, if there is one.

    Raises:
        MissingPackageError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        command = f"pip install {error.name}" if extra is None else install_command(extra)
        raise MissingPackageError(
            f"{what} needs {error.name}, which is not installed: {command}"
        ) from error
