"""A hint for who misspelt the path of a sequence."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shotstore.errors import PathNotFoundError, StorageError
from shotstore.paths import PureSequencePath
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    from shotstore.session.experiment_session import ExperimentSession


@contextlib.contextmanager
def naming_closest_sequence(
    path: PureSequencePath, session: ExperimentSession
) -> Iterator[SequenceCollection]:
    """Give the session's sequences; a path not found among them gets a note with the closest one.

    Args:
        path: What the block asks for.
        session: Where.
    """
    sequences = session.sequences
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
