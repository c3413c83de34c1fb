"""Which shots a sequence can have, and the errors for those that it cannot have, or has not."""

import itertools
import operator
from collections.abc import Collection
from typing import SupportsIndex

import numpy as np

from shotstore.errors import ShotExistsError, ShotNotFoundError
from shotstore.model import IterationConfiguration
from shotstore.paths import PureSequencePath

_COUNTABLE = 2**63
"""Where integers end that every storage can hold."""


def expected_number_of_shots(iteration: IterationConfiguration) -> int | None:
    """Return what the iteration expects, or None; a class of a lab may count with numpy.

    Raises:
        ValueError: it is negative, or needs more than 63 bits.
    """
    number = iteration.expected_number_shots()
    if number is None:
        return None
    count = operator.index(number)
    if not 0 <= count < _COUNTABLE:
        raise ValueError(f"The iteration makes {count} shots, which cannot be counted.")
    return count


def is_countable(index: int) -> bool:
    """Return whether a shot can have the index."""
    return 0 <= index < _COUNTABLE


def check_shot_index(path: PureSequencePath, index: SupportsIndex, expected: int | None) -> int:
    """Return the index as an int.

    Args:
        path: The sequence, for the message.
        index: A Python or numpy integer.
        expected: How many shots the sequence has when it is complete, or None if not known.

    Raises:
        ValueError: the index is negative, not below ``expected``, or needs more than 63 bits.
        TypeError: it is not an integer; a bool is not.
    """
    try:
        if isinstance(index, bool | np.bool_):
            raise TypeError
        number = operator.index(index)
    except TypeError:
        raise TypeError(f"A shot index must be an int, not {index!r} (sequence {path}).") from None
    if number < 0:
        raise ValueError(f"Shot index {number} of sequence {path} is negative: count from 0.")
    if expected is not None and number >= expected:
        raise ValueError(f"Sequence {path} makes {expected} shots, so index {number} is too large.")
    if number >= _COUNTABLE:
        raise ValueError(f"Shot index {number} of sequence {path} needs more than 63 bits.")
    return number


def shot_not_found_error(path: PureSequencePath, index: int) -> ShotNotFoundError:
    """The sequence has no shot of this index."""
    return ShotNotFoundError(
        f"Sequence {path} has no shot {index}: get_shots lists those that it has."
    )


def shot_exists_error(
    path: PureSequencePath, index: int, taken: Collection[int], expected: int | None
) -> ShotExistsError:
    """The sequence has a shot of this index already.

    Args:
        path: The sequence.
        index: The index.
        taken: The indices of all shots that it has.
        expected: How many shots it has when it is complete, or None if not known.
    """
    free = next(number for number in itertools.count() if number not in taken)
    remedy = (
        f"the first index that is free is {free}"
        if expected is None or free < expected
        else f"it has all its {expected}, so record further ones into a duplicate of it"
    )
    return ShotExistsError(
        f"Sequence {path} has a shot {index} already: to take it again, pass replace=True; else "
        f"{remedy}."
    )
