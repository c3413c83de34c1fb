"""The recipe of a sequence, and the parameters that follow from it."""

import math

import numpy as np
import pytest

from shotstore import (
    PathIsSequenceError,
    SequenceNotEditableError,
    State,
    StorageManager,
)
from shotstore.model import (
    DigitalTimeLane,
    ExecuteShot,
    LinspaceLoop,
    OpenEnded,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    StepsConfiguration,
    TimeLanes,
    ValuesLoop,
    quantity,
)
from shotstore.testing.content import changed, content_after, refused, reopened
from shotstore.testing.experiments import (
    DEVICES,
    LAUNCHED,
    PARAMETERS,
    PATH,
    START,
    TIME_LANES,
    bring_to,
    create,
    finish,
    launch,
    path,
    recipe,
    recipe_of_unknown_length,
    record,
    relaunch,
)
from shotstore.testing.lab import Schedule

OTHER_LANES = TimeLanes(["a", "b"], ["1 s", "t"], {"shutter": DigitalTimeLane([(True, 2)])})


def test_a_draft_is_edited(storage: StorageManager) -> None:
    create(storage, shots=3)
    with changed(storage, PATH) as (session, found):
        session.sequences.set_iteration_configuration(PATH, recipe(4))
        session.sequences.set_time_lanes(PATH, OTHER_LANES)
    assert found["iteration"] == recipe(4)
    assert found["time lanes"] == OTHER_LANES
    assert found["stats"].expected_number_shots == 4


def test_a_loop_over_values_of_any_kind_is_kept(storage: StorageManager) -> None:
    values = ["-5 MHz", "2 * offset", True, 0, 2**70, 1.5, math.nan, quantity(-math.inf, "µs")]
    loop = ValuesLoop("a", values, [ExecuteShot(), ValuesLoop("b", [], [])])
    with storage.session() as session:
        session.sequences.create(PATH, StepsConfiguration([loop]), TIME_LANES)
    with reopened(storage).session() as session:
        assert session.sequences.get_iteration_configuration(PATH) == StepsConfiguration([loop])
        assert session.sequences.get_stats(PATH).expected_number_shots == len(values)
        assert session.sequences.get_summaries(PATH)[0].varied["a"].count == len(values)


def test_an_edit_changes_nothing_else(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.paths.update_creation_date(PATH, START)
    found = content_after(storage, lambda s: s.sequences.set_time_lanes(PATH, OTHER_LANES))
    assert found[str(PATH)]["iteration"] == recipe()
    assert found[str(PATH)]["created"] == START


@pytest.mark.parametrize("state", LAUNCHED)
def test_only_a_draft_can_be_edited(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    with storage.session() as session:
        with refused(session, SequenceNotEditableError, r"\\2026\\rabi"):
            session.sequences.set_iteration_configuration(PATH, recipe(1))
        with refused(session, SequenceNotEditableError):
            session.sequences.set_time_lanes(PATH, OTHER_LANES)


def test_a_recipe_of_unknown_length_expects_no_number_of_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=None)
        assert session.sequences.get_stats(PATH).expected_number_shots is None
    with reopened(storage).session() as session:
        assert session.sequences.get_stats(PATH).expected_number_shots is None
        assert session.sequences.get_iteration_configuration(PATH) == recipe_of_unknown_length()


def test_an_open_ended_sequence_takes_any_number_of_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        session.sequences.create(PATH, OpenEnded(), TIME_LANES)
        assert session.sequences.get_parameter_schema(PATH) == ParameterSchema()
        relaunch(session)
    for index in (0, 1, 10**6):
        with storage.session() as session:
            record(session, index=index, parameters={"hold": index})
    with reopened(storage).session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_iteration_configuration() == OpenEnded()
        assert sequence.get_expected_number_of_shots() is None
        assert [shot.index for shot in sequence] == [0, 1, 10**6]
        assert list(sequence.get_parameter_schema()) == ["hold"]
        [summary] = session.sequences.get_summaries(PATH)
        assert (summary.number_of_shots, summary.expected_number_of_shots) == (3, None)
        assert (summary.varied, summary.declared) == ({}, {})
    followed = storage.follow(PATH, poll=0)
    assert [next(followed).index for _ in range(3)] == [0, 1, 10**6]
    finish(storage)
    assert list(followed) == []


def test_a_sequence_is_not_created_twice(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with storage.session() as session, refused(session, PathIsSequenceError):
        create(session)


def test_what_is_no_recipe_is_refused(storage: StorageManager) -> None:
    with storage.session() as session:
        wrong: object = "10 shots"
        with pytest.raises(TypeError):
            session.sequences.create(PATH, wrong, TIME_LANES)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            session.sequences.create(PATH, recipe(), wrong)  # type: ignore[arg-type]
        assert session.paths.get_all_paths() == set()
        create(session)
        with pytest.raises(TypeError):
            session.sequences.set_iteration_configuration(PATH, wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            session.sequences.set_time_lanes(PATH, wrong)  # type: ignore[arg-type]
        assert session.sequences.get_iteration_configuration(PATH) == recipe()


def test_a_recipe_of_more_shots_than_can_be_counted_is_refused(storage: StorageManager) -> None:
    inner = LinspaceLoop("a", "0", "1", 10**12, [ExecuteShot()])
    endless = StepsConfiguration([LinspaceLoop("b", "0", "1", 10**12, [inner])])
    with storage.session() as session:
        create(session)
        with pytest.raises(ValueError, match="cannot be counted"):
            session.sequences.create(path(r"\x"), endless, TIME_LANES)
        with pytest.raises(ValueError, match="cannot be counted"):
            session.sequences.set_iteration_configuration(PATH, endless)
        session.sequences.set_iteration_configuration(PATH, StepsConfiguration([inner]))
    with storage.session() as session:
        assert session.sequences.get_stats(PATH).expected_number_shots == 10**12
        assert not session.paths.does_path_exists(path(r"\x"))


def test_a_number_of_shots_may_be_of_numpys_making(storage: StorageManager) -> None:
    iteration = Schedule((1.0, 2.0, 4.5))
    assert isinstance(iteration.expected_number_shots(), np.int64)
    with storage.session() as session:
        session.sequences.create(PATH, iteration, TIME_LANES)
        create(session, path(r"\x"))
        session.sequences.set_iteration_configuration(path(r"\x"), iteration)
    with storage.session() as session:
        for sequence in (PATH, path(r"\x")):
            expected = session.sequences.get_stats(sequence).expected_number_shots
            assert (type(expected), expected) == (int, 3)


# The parameters that shots have


def test_the_schema_of_a_draft_follows_the_recipe_and_the_globals(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.set_global_parameters(PARAMETERS)
        names = {"offset", "pulse.power", "pulse.length"}
        assert set(session.sequences.get_parameter_schema(PATH)) == names
    with storage.session() as session:
        session.set_global_parameters(ParameterNamespace.empty())
        assert set(session.sequences.get_parameter_schema(PATH)) == {"pulse.length"}
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        assert set(session.sequences.get_parameter_schema(PATH)) == names


def test_the_schema_of_shots_is_read_off_them(storage: StorageManager) -> None:
    shots: list[dict[str, Parameter]] = [{"a": 1, "b": True}, {"a": 2.5}, {}]
    with storage.session() as session:
        launch(session)
        for index, parameters in enumerate(shots):
            record(session, index=index, parameters=parameters)
        expected = ParameterSchema.of(shots[0]).merged(ParameterSchema.of(shots[1]))
        assert session.sequences.get_parameter_schema(PATH) == expected
    with reopened(storage).session() as session:
        assert session.sequences.get_parameter_schema(PATH) == expected


def test_the_schema_of_shots_without_parameters_is_empty(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={})
        assert set(session.sequences.get_parameter_schema(PATH)) == set()


def test_the_schema_needs_a_recipe_that_can_be_evaluated(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=None)
        with pytest.raises(ValueError, match="offset"):
            session.sequences.get_parameter_schema(PATH)
