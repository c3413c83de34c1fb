"""Runs that are recorded in one block."""

import threading
from typing import Any

import pytest

from shotstore import (
    Sequence,
    State,
    StorageManager,
)
from shotstore.model import (
    ArangeLoop,
    ExecuteShot,
    OpenEnded,
    ParameterNamespace,
    StepsConfiguration,
)
from shotstore.model.quantities import quantity
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    TIME_LANES,
    path,
    recipe,
)


def test_a_loop_records_a_run(storage: StorageManager) -> None:
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    expected = list(recipe(3).walk(PARAMETERS.evaluate()))
    with storage.record(str(PATH), recipe(3), tags=["good"], note="a note") as run:
        assert run.path == PATH
        for number, parameters in enumerate(run):
            assert parameters == expected[number]
            assert run.save({"x/y": number}, brightness=number / 2).index == number
            with storage.session() as session:
                assert len(Sequence(PATH, session)) == number + 1
                assert session.sequences.get_stats(PATH).recorder == "alive"
    with reopened(storage).session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_state() is State.FINISHED
        assert sequence.get_tags() == {"good"}
        assert sequence.get_note() == "a note"
        assert sequence.get_global_parameters() == PARAMETERS
        assert sequence.get_device_configurations() == DEVICES
        for number, shot in enumerate(sequence):
            assert shot.get_parameters() == expected[number]
            assert shot.get_data() == {"x/y": number, "brightness": number / 2}
            assert shot.get_start_time() <= shot.get_end_time()
        assert session.sequences.get_stats(PATH).recorder is None


def test_what_is_given_counts_in_the_place_of_what_the_session_has(storage: StorageManager) -> None:
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    other = ParameterNamespace.from_mapping({"offset": "3 MHz"})
    run = storage.record(
        PATH, recipe(1), time_lanes=TIME_LANES, devices={}, global_parameters=other
    )
    with run:
        for parameters in run:
            assert parameters["offset"] == quantity(3, "MHz")
            run.save()
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_time_lanes() == TIME_LANES
        assert sequence.get_global_parameters() == other
        assert sequence.get_device_configurations() == {}


def state_after(storage: StorageManager) -> State:
    with storage.session() as session:
        return session.sequences.get_state(PATH)


def test_a_loop_that_is_left_early_is_interrupted(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        for _ in run:
            run.save(x=1)
            break
    assert state_after(storage) is State.INTERRUPTED


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_loop_that_goes_to_its_end_finishes(storage: StorageManager, is_saved: bool) -> None:
    with storage.record(PATH, recipe(2)) as run:
        for _ in run:
            if is_saved:
                run.save(x=1)
    assert state_after(storage) is State.FINISHED


def test_a_loop_that_is_left_at_its_last_shot_finishes(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(2)) as run:
        for parameters in run:
            run.save(x=1)
            if parameters["pulse.length"] == quantity(4, "us"):
                break
    assert state_after(storage) is State.FINISHED


def test_a_loop_that_is_left_without_its_last_shot_is_interrupted(
    storage: StorageManager,
) -> None:
    with storage.record(PATH, recipe(2)) as run:
        for parameters in run:
            if parameters["pulse.length"] == quantity(4, "us"):
                break
            run.save(x=1)
    assert state_after(storage) is State.INTERRUPTED
    with storage.record(PATH, recipe(2), resume=True) as run:
        assert [run.save(x=1).index for _ in run] == [1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_ctrl_c_interrupts(storage: StorageManager, error: type[BaseException]) -> None:
    def record() -> None:
        with storage.record(PATH, recipe(3)) as run:
            run.save(x=1)
            raise error

    with pytest.raises(error):
        record()
    assert state_after(storage) is State.INTERRUPTED


def test_an_exception_crashes_and_goes_on(storage: StorageManager) -> None:
    def record() -> None:
        with storage.record(PATH, recipe(3)) as run:
            for _ in run:
                run.save(x=1)
                raise ValueError("the laser is out of lock")

    with pytest.raises(ValueError, match="out of lock"):
        record()
    assert state_after(storage) is State.CRASHED
    with storage.session() as session:
        assert "out of lock" in str(session.sequences.get_exception(PATH))
        assert len(session.sequences.get_shots(PATH)) == 1


def test_an_end_that_cannot_be_recorded_hides_no_error_and_the_run_can_go_on(
    storage: StorageManager,
) -> None:
    run = storage.record(PATH, recipe(3)).__enter__()
    run.save(x=1)
    error = ValueError("the laser is out of lock")
    with storage.session(write=True):  # nobody else gets to write
        run.__exit__(ValueError, error, None)
    assert "could not be recorded" in "".join(error.__notes__)
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
        assert (stats.state, stats.recorder) == (State.RUNNING, "gone")
        (summary,) = session.sequences.get_summaries(PATH)
        assert summary.recorder == "gone"
        last = session.sequences.get_shot_end_time(PATH, 0)
    with storage.record(PATH, recipe(3), resume=True) as again:
        assert [again.save(x=1).index for _ in again] == [1, 2]
    with storage.session() as session:
        (interruption,) = session.get_sequence(PATH).get_interruptions()
        assert interruption.stop_time == last


def test_a_shot_that_cannot_be_stored_can_be_saved_again(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(2)) as run:
        for number, _ in enumerate(run):
            before = content(storage)
            with pytest.raises(TypeError, match="x"):
                run.save(x=object())  # type: ignore[arg-type]
            assert content(storage) == before
            assert run.save(x=number).index == number
    assert state_after(storage) is State.FINISHED


def test_one_shot_is_saved_a_turn(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(2)) as run:
        for number, _ in enumerate(run):
            run.save(x=number)
            with pytest.raises(RuntimeError, match=rf"Shot {number} .* saved already"):
                run.save(x=number)


def test_without_a_loop_the_next_shot_is_saved(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        for number in range(3):
            assert run.save(x=number).index == number
        with pytest.raises(RuntimeError, match="has all its shots"):
            run.save(x=3)
    with storage.session() as session:
        found = [shot.get_parameters() for shot in session.get_sequence(PATH)]
    assert found == list(recipe(3).walk({}))
    assert state_after(storage) is State.FINISHED


def test_without_a_loop_a_run_that_lacks_shots_is_interrupted(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        run.save(x=1)
    assert state_after(storage) is State.INTERRUPTED


def test_a_shot_that_the_loop_has_not_come_to_is_saved(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        run.save(index=2, x=2)
        for _ in run:
            shot = run.save(x=0)
            assert shot.index < 2
    with storage.session() as session:
        found = [shot.get_parameters() for shot in session.get_sequence(PATH)]
    assert found == list(recipe(3).walk({}))


def test_parameters_that_the_recipe_does_not_say(storage: StorageManager) -> None:
    with storage.record(PATH, OpenEnded()) as run:
        for number in range(3):
            run.save(parameters={"number": number}, x=number)
    with storage.session() as session:
        shots = session.get_sequence(PATH).get_shots()
        assert [shot.get_parameters() for shot in shots] == [{"number": n} for n in range(3)]
    assert state_after(storage) is State.FINISHED


def test_a_run_without_an_end_finishes_when_it_is_left(storage: StorageManager) -> None:
    with storage.record(PATH, OpenEnded()) as run:
        for number, _ in enumerate(run):
            run.save(x=number)
            if number == 4:
                break
    assert state_after(storage) is State.FINISHED
    with storage.session() as session:
        assert len(session.get_sequence(PATH)) == 5


def test_a_recipe_of_unknown_length_is_recorded_to_its_end(storage: StorageManager) -> None:
    loop = ArangeLoop("detuning", "0 MHz", "offset", "0.5 MHz", [ExecuteShot()])
    unknown = StepsConfiguration([loop])
    with storage.record(PATH, unknown, global_parameters=PARAMETERS) as run:
        indices = [run.save(x=1).index for _ in run]
    assert unknown.expected_number_shots() is None
    assert indices == [0, 1, 2, 3]
    assert state_after(storage) is State.FINISHED
    with storage.record(path(r"\other"), unknown, global_parameters=PARAMETERS) as run:
        for _ in run:
            run.save(x=1)
            break
    with storage.session() as session:
        assert session.sequences.get_state(run.path) is State.INTERRUPTED


def test_a_random_order_keeps_the_indices(storage: StorageManager) -> None:
    orders = []
    for number in range(2):
        place = PATH if not number else path(r"\other")
        with storage.record(place, recipe(20), order="random", seed=7) as run:
            orders.append([run.save(x=str(parameters["pulse.length"])).index for parameters in run])
    assert orders[0] == orders[1] != sorted(orders[0])
    assert sorted(orders[0]) == [*range(20)]
    with storage.session() as session:
        for shot, parameters in zip(session.get_sequence(PATH), recipe(20).walk({}), strict=True):
            assert shot.get_parameters() == parameters
            assert shot.get_data()["x"] == str(parameters["pulse.length"])


# How it is used


def test_a_run_is_used_in_one_block(storage: StorageManager) -> None:
    run = storage.record(PATH, recipe(3))
    for use in (run.save, run.__next__, run.__iter__):
        with pytest.raises(RuntimeError, match="in its block"):
            use()
    with run:
        run.save(x=1)
        with pytest.raises(RuntimeError, match="once"):
            run.__enter__()
    for use in (run.save, run.__next__, run.__iter__):
        with pytest.raises(RuntimeError, match="has ended"):
            use()
    with pytest.raises(RuntimeError, match="once"):
        run.__enter__()
    assert state_after(storage) is State.INTERRUPTED


def test_a_run_is_used_by_the_thread_that_has_begun_it(storage: StorageManager) -> None:
    errors: list[BaseException] = []

    def save() -> None:
        try:
            run.save(x=1)
        except RuntimeError as error:
            errors.append(error)

    with storage.record(PATH, recipe(3)) as run:
        thread = threading.Thread(target=save)
        thread.start()
        thread.join()
        run.save(x=1)
    assert len(errors) == 1
    assert "thread" in str(errors[0])


def test_two_runs_are_recorded_one_in_the_other(storage: StorageManager) -> None:
    other = path(r"\other")
    with storage.record(PATH, recipe(2)) as outer, storage.record(other, recipe(2)) as inner:
        for _ in outer:
            outer.save(x=1)
            inner.save(x=2)
    with storage.session() as session:
        for place in (PATH, other):
            assert session.sequences.get_state(place) is State.FINISHED
            assert len(session.sequences.get_shots(place)) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"order": "backwards"}, ValueError),
        ({"if_exists": "replace"}, ValueError),
        ({"seed": -1}, ValueError),
        ({"seed": "x"}, TypeError),
        ({"resume": 1}, TypeError),
        ({"tags": "good"}, TypeError),
        ({"tags": ["a,b"]}, ValueError),
        ({"note": 5}, TypeError),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    storage: StorageManager, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(arguments))):
        storage.record(PATH, recipe(1), **arguments)


def test_a_label_that_is_given_twice_is_refused(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(1)) as run:
        with pytest.raises(TypeError, match="'x' is given twice"):
            run.save({"x": 1}, x=2)
        run.save({"x": 1}, y=2)
