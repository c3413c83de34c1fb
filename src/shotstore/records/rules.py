"""The checks that every backend makes, and the errors they end in; those of what is asked of the
shots are in `data_rules`.

A function named after what it found returns the exception, to be raised by the caller; one whose
name starts with ``check_`` raises it. Each message says what was found and what to do.
"""

import itertools
import operator
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, SupportsIndex
from unicodedata import normalize

import numpy as np

from shotstore.errors import (
    ExperimentSessionNotActiveError,
    InvalidStateTransitionError,
    PathExistsError,
    PathHasChildrenError,
    PathIsNotSequenceError,
    PathIsRootError,
    PathIsSequenceError,
    PathNotFoundError,
    RecursivePathMoveError,
    SequenceNotCrashedError,
    SequenceNotEditableError,
    SequenceNotLaunchedError,
    SequenceNotRunningError,
    SequenceRunningError,
    ShotExistsError,
    ShotNotFoundError,
)
from shotstore.model import IterationConfiguration
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.state import State

_COUNTABLE = 2**63
"""Where integers end that every storage can hold."""

_LONGEST_DEVICE_NAME = 250
"""In bytes: with ``.json`` after it, it is the name of a file."""

_IS = {
    State.DRAFT: "is a draft",
    State.PREPARING: "is preparing",
    State.RUNNING: "is running",
    State.FINISHED: "has finished",
    State.INTERRUPTED: "was interrupted",
    State.CRASHED: "has crashed",
}
_WAY_OUT = {
    State.DRAFT: "launch it with set_preparing first",
    State.PREPARING: "call set_running or set_crashed first",
    State.RUNNING: "call set_finished, set_interrupted or set_crashed first",
    State.FINISHED: "make it a draft with reset_to_draft first",
    State.INTERRUPTED: "make it a draft with reset_to_draft first",
    State.CRASHED: "make it a draft with reset_to_draft first",
}


def as_utc(time: datetime | Literal["now"], what: str) -> datetime:
    """Return the time in UTC.

    Args:
        time: An aware time in any zone, or "now".
        what: What the time is, as the message calls it: "start_time".

    Raises:
        ValueError: the time has no time zone, or is not in the years 1 to 9999 in UTC.
        TypeError: it is neither a datetime nor "now".
    """
    if isinstance(time, str) and time == "now":
        return datetime.now(UTC)
    if not isinstance(time, datetime):
        raise TypeError(f'{what} must be an aware datetime or "now", not {time!r}.')
    if time.utcoffset() is None:
        raise ValueError(
            f"{what} {time.isoformat()} has no time zone: write datetime.now(UTC), or add one with "
            f"time.astimezone()."
        )
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{what} {time.isoformat()} is out of range in UTC.") from None


def stop_time(
    path: PureSequencePath, time: datetime | Literal["now"]
) -> Callable[[datetime | None], datetime]:
    """Return what makes the stop time of a sequence, in UTC, of its start time.

    "now" is the start time where that is later: a clock that was set back keeps no sequence from
    ending.

    Args:
        path: The sequence, for the message.
        time: An aware time in any zone, or "now".

    Raises:
        ValueError: the time has no time zone, or is not in the years 1 to 9999 in UTC; from what is
            returned: it is before the start.
        TypeError: it is neither a datetime nor "now".
    """
    stop = as_utc(time, "stop_time")

    def check(start: datetime | None) -> datetime:
        if start is None or start <= stop:
            return stop
        if not isinstance(time, datetime):
            return start
        raise ValueError(
            f"Sequence {path} began at {start.isoformat()}, so it cannot end at {stop.isoformat()}."
        )

    return check


def shot_times(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the times of a shot in UTC.

    Raises:
        ValueError: one has no time zone, or is not in the years 1 to 9999 in UTC; or the shot ends
            before it starts.
        TypeError: one is not a datetime.
    """
    utc = as_utc(start, "shot_start_time"), as_utc(end, "shot_end_time")
    if utc[1] < utc[0]:
        raise ValueError(
            f"shot_end_time {end.isoformat()} is before shot_start_time {start.isoformat()}."
        )
    return utc


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


def check_device_name(name: str) -> str:
    """Return the name of a device, a plain ``str``.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, longer than 250 bytes in UTF-8, or holds a NUL character or a lone
            surrogate.
    """
    plain = check_text(name, "The name of a device")
    if not plain:
        raise ValueError("The name of a device must not be empty.")
    if "\0" in plain:
        raise ValueError(f"The name of a device must not hold a NUL character: {plain!r}.")
    if len(plain.encode()) > _LONGEST_DEVICE_NAME:
        raise ValueError(
            f"The name of a device has up to {_LONGEST_DEVICE_NAME} bytes: choose a shorter one "
            f"than {plain[:40]!r}..."
        )
    return plain


def session_is_used_twice(opened: str = "storage.session()") -> RuntimeError:
    """A session was entered that had been entered before; ``opened`` is how to open one."""
    return RuntimeError(f"A session is used once: open a new one with {opened}.")


def session_is_not_active(
    block: str = "with storage.session() as session:",
) -> ExperimentSessionNotActiveError:
    """A session was used before its block was entered, or after it was left; ``block`` is how to
    enter it."""
    return ExperimentSessionNotActiveError(
        f"The session is used outside its block: write `{block}` and use it, and what it has "
        "given, inside."
    )


def session_cannot_be_pickled() -> TypeError:
    """A session was to be pickled, or copied."""
    return TypeError("A session cannot be pickled: pickle its storage, and open one there.")


def check_transition(path: PureSequencePath, old: State, new: State) -> None:
    """Check that the sequence can go from its state to the new one.

    Raises:
        InvalidStateTransitionError: it cannot.
    """
    if State.is_transition_allowed(old, new):
        return
    if new is old:
        raise InvalidStateTransitionError(f"Sequence {path} {_IS[old]} already.")
    raise InvalidStateTransitionError(
        f"Sequence {path} {_IS[old]}, so it cannot become {new.value}: {_WAY_OUT[old]}."
    )


def check_move(source: PureSequencePath, destination: PureSequencePath) -> None:
    """Check what can be said about a move without looking at the tree.

    Raises:
        PathIsRootError: the source is the root.
        RecursivePathMoveError: the destination is inside the source.
        PathExistsError: the destination is the root, or the source itself.
    """
    if source.is_root():
        raise path_is_root("moved")
    if destination.is_descendant_of(source):
        raise RecursivePathMoveError(
            f"Path {source} cannot be moved to {destination}, which is inside it: choose a "
            f"destination elsewhere."
        )
    if destination.is_root() or destination == source:
        raise path_exists(destination)


def path_not_found(path: PureSequencePath) -> PathNotFoundError:
    """Nothing exists at the path."""
    return PathNotFoundError(f"Path {path} does not exist: check its spelling, or create it first.")


def path_exists(path: PureSequencePath) -> PathExistsError:
    """Something exists where a path is to be moved to."""
    return PathExistsError(f"Path {path} exists already: choose another one, or delete it first.")


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    # "Canonical caseless matching" of the Unicode Standard, 3.13: as file systems compare names.
    return normalize("NFD", normalize("NFD", name).casefold())


def check_siblings(parent: PureSequencePath, name: str, siblings: Iterable[str]) -> None:
    """Check that a name can be created beside others.

    Two that differ in upper and lower case only, or in how an accent is encoded, would be one
    directory on macOS and Windows, and a copy to there would lose one of them.

    Args:
        parent: Where.
        name: The name, which is not there.
        siblings: The names that are.

    Raises:
        PathExistsError: it differs from one of them in upper and lower case only.
    """
    folded = _folded(name)
    for other in siblings:
        if _folded(other) == folded:
            raise PathExistsError(
                f"Path {parent / other} exists already, and {name!r} differs from its name in "
                "upper and lower case only, which not all file systems tell apart: choose another "
                "name, or use the path that is there."
            )


def sequence_exists(path: PureSequencePath) -> PathIsSequenceError:
    """A sequence is where another one was to be created."""
    return PathIsSequenceError(
        f"Sequence {path} exists already: choose another name, such as '{path.name}_2', or move or "
        "delete the one that is there first."
    )


def path_is_root(action: str) -> PathIsRootError:
    """The root was to be "moved", "deleted", "made a sequence", as ``action`` says."""
    return PathIsRootError(f"The root \\ cannot be {action}: name a path inside it.")


def path_has_children(path: PureSequencePath) -> PathHasChildrenError:
    """The path that is to become a sequence holds other paths."""
    return PathHasChildrenError(
        f"Path {path} is a folder that holds other paths, so it cannot become a sequence: choose "
        f"another path, or move or delete what it holds."
    )


def path_is_sequence(
    path: PureSequencePath, requested: PureSequencePath | None = None
) -> PathIsSequenceError:
    """The path is a sequence where a folder, or nothing, is needed.

    Args:
        path: The sequence.
        requested: What was asked for, if that is a path inside the sequence.
    """
    if requested is not None and requested != path:
        return PathIsSequenceError(
            f"Path {requested} cannot exist, since {path} is a sequence and holds no other paths: "
            f"choose a path outside it."
        )
    return PathIsSequenceError(
        f"Path {path} is a sequence, which holds no other paths: choose a folder, or another path."
    )


def path_holds_sequences(
    path: PureSequencePath, sequences: Collection[PureSequencePath]
) -> PathIsSequenceError:
    """The path is, or holds, sequences that are not meant to be deleted.

    Args:
        path: What was to be deleted.
        sequences: All sequences at or inside it; at least one.
    """
    found = "is a sequence"
    if path not in sequences:
        found = f"holds {len(sequences)} sequences" if len(sequences) > 1 else "holds a sequence"
        found += f" ({min(sequences)})"
    return PathIsSequenceError(
        f"Path {path} {found}: pass delete_sequences=True to delete the shots too."
    )


def path_is_not_sequence(path: PureSequencePath) -> PathIsNotSequenceError:
    """The path is a folder where a sequence is needed."""
    return PathIsNotSequenceError(
        f"Path {path} is a folder, not a sequence: get_contained_sequences lists those inside it."
    )


def not_editable(path: PureSequencePath, state: State) -> SequenceNotEditableError:
    """The recipe of a launched sequence was to be changed."""
    return SequenceNotEditableError(
        f"Sequence {path} {_IS[state]} and cannot be edited: duplicate it, or reset it to a draft "
        f"{'' if state.has_ended() else 'when it has ended '}(which deletes its shots)."
    )


def not_launched(path: PureSequencePath) -> SequenceNotLaunchedError:
    """A draft was asked for what it has only after its launch."""
    return SequenceNotLaunchedError(
        f"Sequence {path} is a draft, so it has no parameters and devices of its launch: read the "
        f"session's, or launch it."
    )


def not_running(path: PureSequencePath, state: State) -> SequenceNotRunningError:
    """A shot was given to a sequence that takes none."""
    way_out = {
        State.DRAFT: "call set_preparing and set_running first",
        State.PREPARING: "call set_running first",
    }.get(state, "record into a duplicate")
    return SequenceNotRunningError(f"Sequence {path} {_IS[state]} and takes no shots: {way_out}.")


def sequence_running(path: PureSequencePath, state: State, doing: str) -> SequenceRunningError:
    """A sequence that an experiment works on was to be moved or deleted.

    Args:
        path: The sequence.
        state: PREPARING or RUNNING.
        doing: "moving" or "deleting".
    """
    return SequenceRunningError(
        f"Sequence {path} {_IS[state]}: "
        f"{'interrupt it' if state is State.RUNNING else 'let it run or crash'} before {doing} it."
    )


def not_crashed(path: PureSequencePath, state: State) -> SequenceNotCrashedError:
    """A sequence that did not crash was asked for its exception."""
    return SequenceNotCrashedError(
        f"Sequence {path} {_IS[state]}, so it has no exception: look at its state first."
    )


def shot_not_found(path: PureSequencePath, index: int) -> ShotNotFoundError:
    """The sequence has no shot of this index."""
    return ShotNotFoundError(
        f"Sequence {path} has no shot {index}: get_shots lists those that it has."
    )


def shot_exists(
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
    return ShotExistsError(f"Sequence {path} has a shot {index} already: {remedy}.")
