"""A hint for who misspelt the path of a sequence."""

import contextlib
import difflib
from collections.abc import Iterator

from shotstore.errors import PathNotFoundError, StorageError
from shotstore.paths import PureSequencePath
from shotstore.session.sequence_collection import SequenceCollection


@contextlib.contextmanager
def naming_closest_sequence(
    path: PureSequencePath, sequences: SequenceCollection
) -> Iterator[SequenceCollection]:
    """Give the sequences again; a path not found among them gets a note with the closest one.

    Args:
        path: What the block asks for.
        sequences: Where.
    """
    try:
        yield sequences
    except PathNotFoundError as error:
        if closest := _find_closest(path, sequences):
            error.add_note(f"The closest existing sequence is {closest}")
        raise


def _find_closest(path: PureSequencePath, sequences: SequenceCollection) -> str | None:
    try:
        existing = sequences.get_contained_sequences(PureSequencePath.root())
    except StorageError:
        return None  # the error that this is a hint for matters more
    closest = difflib.get_close_matches(str(path), map(str, sorted(existing)), n=1, cutoff=0)
    return closest[0] if closest else None
