"""A hint for who misspelt the path of a sequence."""

import contextlib
from collections.abc import Iterator

from shotstore.errors import PathNotFoundError, StorageError
from shotstore.paths import PureSequencePath
from shotstore.records.closest_names import closest_path
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
        with contextlib.suppress(StorageError):  # the error that this is a hint for matters more
            existing = sequences.get_contained_sequences(PureSequencePath.root())
            if closest := closest_path(path, existing):
                error.add_note(f"The closest existing sequence is {closest}")
        raise
