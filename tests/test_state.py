"""The states of a sequence, and the ways between them."""

import itertools

from shotstore.state import State

ALLOWED = {
    (State.DRAFT, State.PREPARING),
    (State.PREPARING, State.RUNNING),
    (State.PREPARING, State.CRASHED),
    (State.RUNNING, State.FINISHED),
    (State.RUNNING, State.INTERRUPTED),
    (State.RUNNING, State.CRASHED),
    (State.FINISHED, State.DRAFT),
    (State.INTERRUPTED, State.DRAFT),
    (State.CRASHED, State.DRAFT),
}


def test_only_these_transitions_are_allowed() -> None:
    pairs = itertools.product(State, repeat=2)
    assert {pair for pair in pairs if State.is_transition_allowed(*pair)} == ALLOWED


def test_a_state_is_stored_by_its_lower_case_name() -> None:
    assert all(state.value == state.name.lower() for state in State)


def test_only_a_draft_can_be_edited() -> None:
    assert [state for state in State if state.is_editable()] == [State.DRAFT]


def test_a_sequence_is_a_draft_or_active_or_has_ended() -> None:
    for state in State:
        assert [state.is_editable(), state.is_active(), state.has_ended()].count(True) == 1
    assert {state for state in State if state.is_active()} == {State.PREPARING, State.RUNNING}
