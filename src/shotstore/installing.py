"""Packages that only some installations have, and what to type where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from shotstore.errors import MissingPackageError


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


def install_command(*extras: str) -> str:
    """Return the command that installs what some extras of shotstore bring.

    It names the packages themselves, so it works wherever shotstore came from: a clone, a wheel or
    an index.
    """
    packages = []
    for requirement in metadata.requires("shotstore") or ():
        package, _, condition = requirement.partition(";")
        if any(
            f"extra == {quote}{extra}{quote}" in condition for extra in extras for quote in "'\""
        ):
            packages.append(f'"{package.strip()}"')
    return f"pip install {' '.join(packages)}"
