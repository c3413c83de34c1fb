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
from shotstore.records.content import RESUMABLE, SequenceRecord
from shotstore.records.recorders import Recorder
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
_CANNOT_BE_RESUMED = {
    State.DRAFT: "launch it with set_preparing and set_running",
    State.PREPARING: "call set_running",
    State.FINISHED: "record further shots into a duplicate of it",
}


def check_transition(path: PureSequencePath, record: SequenceRecord, new: State) -> None:
    """Check that the sequence of this record can go from its state to the new one.

    Raises:
        InvalidStateTransitionError: it cannot.
    """
    old = record.state
    if State.is_transition_allowed(old, new):
        return
    if new is old:
        raise InvalidStateTransitionError(f"Sequence {path} {_IS[old]} already.")
    way_out = _WAY_OUT[old]
    if _can_be_resumed(record):
        way_out = "let it go on with resume, or make it a draft with reset_to_draft, first"
    raise InvalidStateTransitionError(
        f"Sequence {path} {_IS[old]}, so it cannot become {new.value}: {way_out}."
    )


def check_resumable(path: PureSequencePath, record: SequenceRecord) -> None:
    """Check that the sequence of this record can run again with the shots that it has.

    Raises:
        InvalidStateTransitionError: it cannot.
    """
    state = record.state
    if _can_be_resumed(record):
        return
    if state is State.RUNNING:
        raise InvalidStateTransitionError(f"Sequence {path} is running already.")
    if state in RESUMABLE:
        raise InvalidStateTransitionError(
            f"Sequence {path} {_IS[state]} before it ran, so there is nothing to resume: make it a "
            "draft with reset_to_draft, and launch it again with set_preparing and set_running."
        )
    raise InvalidStateTransitionError(
        f"Sequence {path} {_IS[state]}, so it cannot be resumed: {_CANNOT_BE_RESUMED[state]}."
    )


def _can_be_resumed(record: SequenceRecord) -> bool:
    return record.state in RESUMABLE and record.start_time is not None


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


def not_running_error(path: PureSequencePath, record: SequenceRecord) -> SequenceNotRunningError:
    """A shot was given to a sequence, of this record, that takes none."""
    state = record.state
    way_out = {
        State.DRAFT: "call set_preparing and set_running first",
        State.PREPARING: "call set_running first",
    }.get(state, "record into a duplicate")
    if _can_be_resumed(record):
        way_out = "let it go on with resume first"
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


def other_recipe_error(path: PureSequencePath, state: State) -> SequenceNotEditableError:
    """A run was to be recorded with another recipe than its sequence has."""
    return SequenceNotEditableError(
        f"Sequence {path} {_IS[state]}, with another recipe or other time lanes than these: leave "
        "them out to record it with its own, or choose another path."
    )


def recorded_by_another_error(
    path: PureSequencePath, state: State, recorder: Recorder | None
) -> SequenceRunningError:
    """A run was to be gone on with that another program may be recording."""
    if recorder == "alive":
        return SequenceRunningError(
            f"Sequence {path} {_IS[state]}: another program records it. Let it end, or end it."
        )
    return SequenceRunningError(
        f"Sequence {path} {_IS[state]}, and nobody can tell whether a program records it. If none "
        "does, end it with `shotstore interrupt --force`, then go on."
    )


def not_crashed_error(path: PureSequencePath, state: State) -> SequenceNotCrashedError:
    """A sequence that did not crash was asked for its exception."""
    return SequenceNotCrashedError(
        f"Sequence {path} {_IS[state]}, so it has no exception: look at its state first."
    )
