"""What may have been meant by a name that nothing has."""

import contextlib
import difflib
from collections.abc import Callable, Iterable

from shotstore.errors import PathNotFoundError, StorageError
from shotstore.paths import PureSequencePath


def closest_name(name: str, names: Iterable[str], separator: str = ".") -> str | None:
    """Return which of the names is close to the one that was asked for, or None if none is.

    Upper and lower case are the same, and the last part of a name may be meant.

    Args:
        name: What was asked for.
        names: Those that there are.
        separator: Between the parts of a name.
    """
    names = sorted(names)
    known = {each.rpartition(separator)[2].casefold(): each for each in names}
    known |= {each.casefold(): each for each in names}
    found = difflib.get_close_matches(name.casefold(), known, n=1)
    return known[found[0]] if found else None


def closest_path(
    path: PureSequencePath, existing: Iterable[PureSequencePath]
) -> PureSequencePath | None:
    """Return which of the existing paths is closest to another one; None if there are none."""
    by_text = {str(other): other for other in sorted(existing)}
    for other in by_text.values():
        if other.parts[-len(path.parts) :] == path.parts:
            return other  # the folders were left out
    found = difflib.get_close_matches(str(path), by_text, n=1, cutoff=0)
    return by_text[found[0]] if found else None


def note_closest_path(
    error: PathNotFoundError,
    path: PureSequencePath,
    existing: Callable[[], Iterable[PureSequencePath]],
) -> None:
    """Note in an error which existing sequence is closest to what was asked for, if there is one.

    Args:
        error: It is to be raised, whatever happens here.
        path: What was asked for.
        existing: Returns the paths of all sequences.
    """
    with contextlib.suppress(StorageError):
        if closest := closest_path(path, existing()):
            error.add_note(f"The closest existing sequence is {closest}")
