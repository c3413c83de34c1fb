"""What a session is told that has read what others have changed, and what files are called."""

from shotstore.errors import TransactionConflictError
from shotstore.hdf5.names import FOLDER_DOCUMENT, SEQUENCE_DOCUMENT, path_name
from shotstore.hdf5.store import DEVICES, GLOBAL_PARAMETERS, SEQUENCES
from shotstore.hdf5.unit_documents import UNITS


def moved_away_error(what: str) -> TransactionConflictError:
    """Make the error for a session that cannot read any more what it has seen there."""
    return TransactionConflictError(
        f"Another session has moved, deleted or reset {what} since this one first looked at it: "
        "run the block again."
    )


def conflict_error(what: str) -> TransactionConflictError:
    """Make the error for a session that finds something else than it has read there."""
    return TransactionConflictError(
        f"Another session has changed {what} since this one has read it, so what this one was to "
        "write may be wrong. Nothing of it was stored: run the block again, or open the session "
        "with write=True, which keeps the others out from its start."
    )


def name_of(file: str) -> str:
    """How people call what a file or directory of a store holds.

    Args:
        file: Relative to the root of the store, with slashes.
    """
    first, _, rest = file.partition("/")
    if file == GLOBAL_PARAMETERS:
        return "the global parameters"
    if file == UNITS:
        return "the definitions of units"
    if first == DEVICES:
        device = path_name(rest.removesuffix(".json")) if rest else None
        return "the default device configurations" if device is None else f"the device {device!r}"
    if first != SEQUENCES:
        rest = file  # a directory that was copied out of a store
    documents = (SEQUENCE_DOCUMENT, FOLDER_DOCUMENT)
    names = [name for name in rest.split("/") if name and name not in documents]
    return "\\" + "\\".join(path_name(name) or name for name in names)
