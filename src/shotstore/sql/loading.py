"""What to say of a row that cannot be what shotstore wrote."""

from collections.abc import Iterator
from contextlib import contextmanager

from shotstore.errors import DamagedStorageError, UnknownUnitError


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Load an object from a row.

    Args:
        what: How the message begins: "The iteration of sequence ...".

    Raises:
        DamagedStorageError: the block raised what a malformed content leads to.
    """
    try:
        yield
    except UnknownUnitError:
        raise  # a definition is missing, and the row is as it was
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise DamagedStorageError(
            f"{what} cannot be read from the database: {error}. Restore it from a backup."
        ) from error
