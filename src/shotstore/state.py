"""The states that a sequence goes through."""

import enum


class State(enum.Enum):
    """What a sequence is doing.

    ``DRAFT -> PREPARING -> RUNNING -> FINISHED / INTERRUPTED / CRASHED``; a sequence can also crash
    while preparing. The last three can only go back to ``DRAFT``, which discards the shots; but one
    that was interrupted, or has crashed, can be resumed with the shots that it has.
    """

    DRAFT = "draft"
    PREPARING = "preparing"
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"

    @staticmethod
    def is_transition_allowed(old: "State", new: "State") -> bool:
        """Return whether a sequence can go from one state to the other in one step."""
        return new in _NEXT[old]

    def is_editable(self) -> bool:
        """Return whether the recipe of the sequence can be changed."""
        return self is State.DRAFT

    def is_active(self) -> bool:
        """Return whether an experiment is working on the sequence: it is preparing or running."""
        return self in {State.PREPARING, State.RUNNING}

    def has_ended(self) -> bool:
        """Return whether the sequence was launched and takes no more shots."""
        return self in {State.FINISHED, State.INTERRUPTED, State.CRASHED}


_NEXT = {
    State.DRAFT: {State.PREPARING},
    State.PREPARING: {State.RUNNING, State.CRASHED},
    State.RUNNING: {State.FINISHED, State.INTERRUPTED, State.CRASHED},
    State.FINISHED: {State.DRAFT},
    State.INTERRUPTED: {State.DRAFT},
    State.CRASHED: {State.DRAFT},
}
