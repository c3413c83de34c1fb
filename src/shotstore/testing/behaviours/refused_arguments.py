"""Whatever a method is given: it does what it is asked, or refuses it and nothing has changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore import (
    DataId,
    DataNotFoundError,
    ExperimentSession,
    InvalidPathFormatError,
    PathError,
    PureSequencePath,
    SequenceStateError,
    ShotExistsError,
    ShotId,
    ShotNotFoundError,
    State,
    StorageManager,
)
from shotstore.model import (
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.testing import strategies
from shotstore.testing.content import content
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    STOP,
    TIME_LANES,
    launch,
    recipe,
    record,
)
from shotstore.testing.failing_sessions import discarded
from shotstore.testing.methods import METHODS

_REFUSALS = (
    TypeError,
    ValueError,
    LookupError,
    PathError,
    SequenceStateError,
    ShotNotFoundError,
    ShotExistsError,
    DataNotFoundError,
)
"""What may come of wrong arguments. No file is damaged by them, and no lock is held."""

_ARGUMENTS = [
    (name, parameter) for name, method in METHODS.items() for parameter in method.parameters
]
_OF_PATHS = [
    (name, parameter)
    for name, parameter in _ARGUMENTS
    if parameter in {"path", "source", "destination", "target"}
]


def _made(make: Callable[[], object]) -> object:
    """What it makes, or the class of what it would be where that cannot even be made."""
    try:
        return make()
    except (TypeError, ValueError):
        return object


_kinds: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 2**70, 1.5, float("nan"), 1j, b"x", object(), int, len, ...),
        *("", "text", "\ud800", "a\0b", "x" * 70_000, " ", "draft"),
        *([], (), {}, set(), [None], [b"x"], ["\ud800"], [[]], {5: 5}, {"a": object()}, {None: 1}),
        *(range(2), np.arange(3), np.array(["counts"]), np.array([None]), np.float64(1)),
        *(np.zeros((2, 2)), np.datetime64("2026"), datetime(2026, 1, 1)),  # noqa: DTZ001
        *(datetime.now(UTC).date(), State.DRAFT, PATH, PureSequencePath.root(), ShotId(PATH, 0)),
        ShotId(PATH, "x"),  # type: ignore[arg-type]
        DataId(ShotId(PATH, 0), 5),  # type: ignore[arg-type]
        DataId(None, "counts"),  # type: ignore[arg-type]
        *(recipe(), TIME_LANES, PARAMETERS, ERROR, DEVICES),
        _made(lambda: UnknownDeviceConfiguration(5, {})),  # type: ignore[arg-type]
        _made(lambda: UnknownIterationConfiguration(5, {})),  # type: ignore[arg-type]
        _made(lambda: UnknownTimeLane([], {})),  # type: ignore[arg-type]
        *(
            UnknownDeviceConfiguration(tag, content)
            for tag, content in (("x" * 70_000, {}), ("\ud800", {}), ("a\0", []), ("", "\ud800"))
        ),
        {"camera": UnknownDeviceConfiguration("\ud800", {})},
        {"camera": UnknownDeviceConfiguration("x" * 70_000, {})},
        {"camera": None},
    ]
)
_hostile = st.one_of(_kinds, _kinds, st.text(max_size=5), st.builds(iter, st.lists(st.text())))


def _prepare(storage: StorageManager) -> None:
    with storage.session() as session:
        if not session.paths.does_path_exists(PATH):
            launch(session)
            record(session)
            session.default_device_configurations["camera"] = DEVICES["camera"]


@strategies.tried(250)
@given(argument=st.sampled_from(_ARGUMENTS), value=_hostile)
def test_a_wrong_argument_is_refused_and_nothing_has_changed(
    storage: StorageManager, argument: tuple[str, str], value: object
) -> None:
    _prepare(storage)
    name, wrong = argument
    with discarded(storage) as session:
        before = content(session)
        try:
            METHODS[name].on(session, **{wrong: value})()
        except _REFUSALS:
            assert content(session) == before
            record(session, index=2)
        else:
            content(session)  # what was taken can be read
    assert content(storage) == before


@pytest.mark.parametrize(("name", "parameter"), _OF_PATHS)
def test_what_is_no_path_is_refused_by_all_alike(
    storage: StorageManager, name: str, parameter: str
) -> None:
    _prepare(storage)
    method = METHODS[name]
    with storage.session() as session:
        before = content(session)
        for wrong in ("", "a//b", "\\a\\", "\\ a", "\\a\nb"):
            with pytest.raises(InvalidPathFormatError) as expected:
                PureSequencePath(wrong)
            with pytest.raises(InvalidPathFormatError) as found:
                method.on(session, **{parameter: wrong})()
            assert str(found.value) == str(expected.value)
        for other in (None, 5, b"\\2026", ["2026"], object(), np.array(["2026"])):
            with pytest.raises(TypeError, match="must be a str or a PureSequencePath"):
                method.on(session, **{parameter: other})()
        assert content(session) == before


_READ_BY_TEXT = [
    name
    for name, method in METHODS.items()
    if method.parameters[:1] == ("path",) and name.split(".")[-1].startswith(("get", "is_", "does"))
]


@pytest.mark.parametrize("name", _READ_BY_TEXT)
def test_every_method_takes_the_text_of_a_path(storage: StorageManager, name: str) -> None:
    _prepare(storage)

    def answer(session: ExperimentSession, path: object) -> str:
        """The result or the error, as text: arrays have no plain comparison."""
        try:
            return repr(METHODS[name].on(session, path=path)())
        except _REFUSALS as error:
            return repr(error)

    with storage.session() as session:
        expected = answer(session, PATH)
        for text in (str(PATH), r"2026\rabi", "2026/rabi", "/2026/rabi", "/2026/rabi/"):
            assert answer(session, text) == expected


def test_a_run_is_recorded_by_the_text_of_its_path(storage: StorageManager) -> None:
    text, place = "2026/14:30:05 Rb→K", PureSequencePath("\\2026\\14:30:05 Rb→K")
    with storage.session() as session:
        sequences = session.sequences
        assert session.paths.create_path("2026") == [PureSequencePath(r"\2026")]
        sequences.create(text, recipe(), TIME_LANES)
        sequences.set_tags(text, {"good"})
        sequences.set_preparing(text, DEVICES, PARAMETERS)
        sequences.set_running(text, START)
        sequences.create_shot(ShotId(text, 0), {"x": 1}, {"n": 2}, START, STOP)
        assert sequences.get_sequences_in_state("running") == {place}
        sequences.set_finished(text, STOP)
    with storage.session() as session:
        assert session.sequences.get_shots(text) == [ShotId(place, 0)]
        session.paths.move(text, "2027/moved")
        assert session.paths.get_children("2027") == {PureSequencePath(r"\2027\moved")}
    with storage.session() as session:
        session.sequences.reset_to_draft("2027/moved")
        session.paths.delete_path("2027", True)
        assert session.paths.get_all_paths() == {PureSequencePath(r"\2026")}


@pytest.mark.parametrize("state", ["running", "RUNNING", State.RUNNING])
def test_a_state_is_taken_by_its_name(storage: StorageManager, state: State | str) -> None:
    _prepare(storage)
    with storage.session() as session:
        assert session.sequences.get_sequences_in_state(state) == {PATH}


@pytest.mark.parametrize(
    ("state", "error"), [("run", ValueError), ("", ValueError), (5, TypeError)]
)
def test_what_is_no_state_is_refused(
    storage: StorageManager, state: Any, error: type[Exception]
) -> None:
    with storage.session() as session, pytest.raises(error, match="state"):
        session.sequences.get_sequences_in_state(state)


def test_labels_are_any_texts_that_can_be_gone_through(storage: StorageManager) -> None:
    _prepare(storage)
    with storage.session() as session:
        sequences = session.sequences
        several: list[Any] = [["counts"], ("counts",), {"counts"}, {"counts": 1}.keys()]
        for labels in (*several, np.array(["counts"]), iter(["counts"])):
            columns = sequences.get_columns(PATH, labels=labels)
            assert columns.data["counts"].values.tolist() == [0]
        for labels in (*several, np.array(["counts"]), iter(["counts"])):
            assert sequences.get_shot_data_by_labels(PATH, 0, labels) == {"counts": 0}
        for wrong in (5, None, "counts", b"counts", [5], np.arange(3), [["counts"]]):
            with pytest.raises(TypeError, match="labels"):
                sequences.get_columns(PATH, labels=wrong)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="labels"):
                sequences.get_shot_data_by_labels(PATH, 0, wrong)  # type: ignore[arg-type]
