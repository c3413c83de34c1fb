"""The checks that every backend makes, and what their messages say."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import numpy as np
import pytest

from shotstore.errors import (
    InvalidStateTransitionError,
    PathExistsError,
    PathIsRootError,
    RecursivePathMoveError,
)
from shotstore.paths import PureSequencePath
from shotstore.records import data_rules, path_rules, shot_rules, state_rules, times
from shotstore.records.arguments import as_texts
from shotstore.records.content import SequenceRecord
from shotstore.state import State

ROOT = PureSequencePath.root()
PATH = PureSequencePath(r"\2026\rabi")


def test_a_time_in_any_zone_is_given_in_utc() -> None:
    time = datetime(2026, 11, 22, 12, 30, 0, 123456, timezone(timedelta(hours=2)))
    utc = times.as_utc(time, "start_time")
    assert utc == time
    assert utc.tzinfo is UTC
    assert utc.hour == 10


def test_now_is_the_present_in_utc() -> None:
    before = datetime.now(UTC)
    now = times.as_utc("now", "start_time")
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


class _Nowhere(tzinfo):
    def utcoffset(self, _: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize("zone", [None, _Nowhere()])
def test_a_time_without_a_zone_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(ValueError, match=r"stop_time 2026-11-22T00:00:00 has no time zone"):
        times.as_utc(datetime(2026, 11, 22, tzinfo=zone), "stop_time")


def test_a_time_before_year_one_in_utc_is_refused() -> None:
    time = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(ValueError, match="out of range"):
        times.as_utc(time, "start_time")


@pytest.mark.parametrize("time", ["today", None, 0.0, np.datetime64("2026-11-22")])
def test_what_is_no_time_is_refused(time: object) -> None:
    with pytest.raises(TypeError, match="start_time must be"):
        times.as_utc(time, "start_time")  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [3, np.int8(3), np.uint64(3), np.array(3)])
def test_a_shot_index_is_given_as_an_int(index: int) -> None:
    result = shot_rules.check_shot_index(PATH, index, 4)
    assert result == 3
    assert type(result) is int


@pytest.mark.parametrize("index", [3.0, "3", None, True, np.bool_(True), np.float64(3)])
def test_what_is_no_integer_is_no_shot_index(index: object) -> None:
    with pytest.raises(TypeError, match="must be an int"):
        shot_rules.check_shot_index(PATH, index, None)  # type: ignore[arg-type]


def test_a_shot_index_is_below_the_expected_number_where_that_is_known() -> None:
    assert shot_rules.check_shot_index(PATH, 10**6, None) == 10**6
    with pytest.raises(ValueError, match="negative"):
        shot_rules.check_shot_index(PATH, -1, None)
    with pytest.raises(ValueError, match="makes 4 shots"):
        shot_rules.check_shot_index(PATH, 4, 4)


def test_labels_are_several() -> None:
    assert as_texts(("b", "a", "b"), "labels") == ["b", "a"]
    with pytest.raises(TypeError, match=r"write \['counts'\]"):
        as_texts("counts", "labels")


def test_a_transition_that_is_not_allowed_says_what_to_do() -> None:
    created = datetime(2026, 11, 22, tzinfo=UTC)
    draft = SequenceRecord(created=created, iteration={}, time_lanes={}, expected_number_of_shots=1)
    state_rules.check_transition(PATH, draft, State.PREPARING)
    with pytest.raises(InvalidStateTransitionError) as caught:
        state_rules.check_transition(PATH, draft, State.RUNNING)
    assert str(caught.value) == (
        r"Sequence \2026\rabi is a draft, so it cannot become running: "
        "launch it with set_preparing first."
    )
    with pytest.raises(InvalidStateTransitionError, match="is a draft already"):
        state_rules.check_transition(PATH, draft, State.DRAFT)


def test_a_move_of_the_root_into_itself_or_onto_itself_is_refused() -> None:
    path_rules.check_move(PATH, PureSequencePath(r"\2026\rabi 2"))
    with pytest.raises(PathIsRootError):
        path_rules.check_move(ROOT, PATH)
    with pytest.raises(RecursivePathMoveError):
        path_rules.check_move(PATH, PATH / "inside")
    with pytest.raises(PathExistsError):
        path_rules.check_move(PATH, PATH)
    with pytest.raises(PathExistsError):
        path_rules.check_move(PATH, ROOT)


def test_missing_data_is_reported_with_the_closest_labels() -> None:
    labels = [r"Camera\picture", "power"]
    error = data_rules.data_not_found_error(PATH, 3, ["volts", r"Camera\pictures"], labels)
    assert str(error) == (
        r"Shot 3 of sequence \2026\rabi has no 'Camera\\pictures' (did you mean "
        r"'Camera\\picture'?), 'volts': it has 'Camera\\picture', 'power'."
    )
    assert str(data_rules.data_not_found_error(PATH, 3, ["volts"], [])).endswith("it has no data.")


def test_a_deletion_of_sequences_names_one_and_the_remedy() -> None:
    folder = PureSequencePath(r"\2026")
    assert str(path_rules.path_holds_sequences_error(folder, {folder / "b", folder / "a"})) == (
        r"Path \2026 holds 2 sequences (\2026\a): "
        "pass delete_sequences=True to delete the shots too."
    )
    assert str(path_rules.path_holds_sequences_error(PATH, {PATH})).startswith(
        f"Path {PATH} is a sequence:"
    )
