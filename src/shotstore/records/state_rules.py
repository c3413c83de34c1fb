"""What may be done with a sequence in its state, and the errors for what may not: each message says
what was found, and what to do."""

from shotstore.errors import (
    InvalidStateTransitionError,
    SequenceNotCrashedError,
    SequenceNotEditableError,
    SequenceNotLaunchedError,
    SequenceNotRunningError,
    SequenceRunningError,
)
from shotstore.paths import PureSequencePath
from shotstore.state import State

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


def not_editable_error(path: PureSequencePath, state: State) -> SequenceNotEditableError:
    """The recipe of a launched sequence was to be changed."""
    return SequenceNotEditableError(
        f"Sequence {path} {_IS[state]} and cannot be edited: duplicate it, or reset it to a draft "
        f"{'' if state.has_ended() else 'when it has ended '}(which deletes its shots)."
    )


def not_launched_error(path: PureSequencePath) -> SequenceNotLaunchedError:
    """A draft was asked for what it has only after its launch."""
    return SequenceNotLaunchedError(
        f"Sequence {path} is a draft, so it has no parameters and devices of its launch: read the "
        f"session's, or launch it."
    )


def not_running_error(path: PureSequencePath, state: State) -> SequenceNotRunningError:
    """A shot was given to a sequence that takes none."""
    way_out = {
        State.DRAFT: "call set_preparing and set_running first",
        State.PREPARING: "call set_running first",
    }.get(state, "record into a duplicate")
    return SequenceNotRunningError(f"Sequence {path} {_IS[state]} and takes no shots: {way_out}.")


def sequence_running_error(
    path: PureSequencePath, state: State, doing: str
) -> SequenceRunningError:
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


def not_crashed_error(path: PureSequencePath, state: State) -> SequenceNotCrashedError:
    """A sequence that did not crash was asked for its exception."""
    return SequenceNotCrashedError(
        f"Sequence {path} {_IS[state]}, so it has no exception: look at its state first."
    )
