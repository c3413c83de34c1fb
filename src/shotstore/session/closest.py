"""A hint for who misspelt the path of a sequence."""

import contextlib
from collections.abc import Iterator

from shotstore.errors import PathNotFoundError
from shotstore.paths import PureSequencePath
from shotstore.records.closest_names import note_closest_path
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
        root = PureSequencePath.root()
        note_closest_path(error, path, lambda: sequences.get_contained_sequences(root))
        raise
