"""What an awaited session does is what a sync one does."""

import operator
import pickle
from datetime import UTC, datetime
from typing import Any

import anyio
import numpy as np
import pytest
from matplotlib.figure import Figure

from shotstore import (
    AsyncSequence,
    DataNotFoundError,
    ExperimentSessionNotActiveError,
    InvalidPathFormatError,
    PathNotFoundError,
    PureSequencePath,
    Sequence,
    ShotId,
    State,
    UnknownDeviceConfiguration,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, ParameterNamespace
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    STOP,
    TIME_LANES,
    recipe,
)
from tests.asynchronous.conftest import count_shots, record

pytestmark = pytest.mark.anyio

OTHER = PureSequencePath(r"\2026\other")


async def test_leaving_the_block_commits(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        await record(session, 0)
    assert count_shots(storage) == 1


async def test_leaving_the_block_by_an_error_discards_everything(
    storage: HDF5StorageManager,
) -> None:
    async def fail() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert count_shots(storage) == 0


async def test_a_session_is_used_once(storage: HDF5StorageManager) -> None:
    opened = storage.async_session()
    async with opened as session:
        for used in (opened, session):
            with pytest.raises(RuntimeError, match=r"storage\.async_session\(\)"):
                await used.__aenter__()
    with pytest.raises(RuntimeError, match="used once"):
        await opened.__aenter__()


async def test_outside_of_its_block_nothing_can_be_reached(storage: HDF5StorageManager) -> None:
    opened = storage.async_session()
    async with opened as session:
        paths, sequences = session.paths, session.sequences
        devices = session.default_device_configurations
        sequence = session.get_sequence(PATH)
        assert await opened.paths.does_path_exists(PATH)
    for used in (session, opened, storage.async_session()):
        for reach in ("paths", "sequences", "default_device_configurations"):
            with pytest.raises(ExperimentSessionNotActiveError, match="async with"):
                getattr(used, reach)
        with pytest.raises(ExperimentSessionNotActiveError, match="async with"):
            await used.get_global_parameters()
    for call in (
        paths.get_all_paths,
        lambda: sequences.get_state(PATH),
        devices.count,
        sequence.get_state,
        sequence.get_shot(0).get_data,
    ):
        with pytest.raises(ExperimentSessionNotActiveError, match="async with"):
            await call()


async def test_a_session_cannot_be_pickled(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        for thing in (session, session.paths, session.get_sequence(PATH)):
            with pytest.raises(TypeError, match="pickle its storage"):
                pickle.dumps(thing)


async def test_an_error_comes_with_its_notes(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        with pytest.raises(PathNotFoundError) as caught:
            await session.get_sequence(r"\2026\rabbi").get_state()
        assert str(PATH) in caught.value.__notes__[0]
        with pytest.raises(InvalidPathFormatError):
            session.get_sequence("no\\")


async def test_an_error_in_a_call_leaves_the_session_usable(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        with pytest.raises(PathNotFoundError):
            await session.sequences.set_finished(OTHER, "now")
        await record(session, 0)
    assert count_shots(storage) == 1


async def test_a_sequence_from_its_recipe_to_its_shots(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        sequence = await AsyncSequence.create(OTHER, recipe(2), TIME_LANES, session)
        assert sequence == session.get_sequence(str(OTHER))
        assert await sequence.get_state() is State.DRAFT
        assert await sequence.get_expected_number_of_shots() == 2
        assert await sequence.get_iteration_configuration() == recipe(2)
        assert await sequence.get_time_lanes() == TIME_LANES
        assert await sequence.get_local_parameters() == {"pulse.length"}
        assert await sequence.get_start_time() is None
        sequences = session.sequences
        await sequences.set_preparing(OTHER, DEVICES, PARAMETERS)
        await sequences.set_running(OTHER, START)
        for index in (1, 0):
            await sequences.create_shot(
                ShotId(OTHER, index), {"index": index}, {"counts": 10 * index}, START, STOP
            )
        assert [shot.index async for shot in sequence] == [0, 1]
        assert await sequence.get_parameter_names("sequence") == {"pulse.length"}
        assert await sequence.get_global_parameters() == PARAMETERS
        assert await sequence.get_device_configurations() == DEVICES
        assert set(await sequence.get_parameter_schema()) == {"index"}
        [first, second] = await sequence.get_shots()
        assert first == sequence.get_shot(0)
        assert await first.get_start_time() == START
        assert await first.get_end_time() == STOP
        assert await second.get_parameters() == {"index": 1}
        assert await second.get_data() == {"counts": 10}
        assert await second.get_data_by_label("counts") == 10
        assert await second.get_data_by_labels(["counts"]) == {"counts": 10}
        with pytest.raises(DataNotFoundError):
            await second.get_data_by_label("atoms")
        await sequences.set_crashed(OTHER, ERROR, STOP)
        assert await sequence.get_traceback_summary() == ERROR
        assert await sequence.get_end_time() == STOP
        copy = await sequence.duplicate(r"\2026\copy")
        assert type(copy) is AsyncSequence
        assert (await copy.get_stats()).number_completed_shots == 0


async def test_a_run_goes_on_and_a_shot_is_taken_again(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        await record(session, 0)
        sequence = session.get_sequence(PATH)
        [shot] = await sequence.get_shots()
        before = await shot.get_parameters()
        await session.sequences.set_interrupted(PATH, STOP)
        await sequence.resume(STOP)
        assert len(await sequence.get_interruptions()) == 1
        await session.sequences.create_shot(
            ShotId(PATH, 0), {}, {"counts": 7}, START, STOP, replace=True
        )
        assert await shot.get_data() == {"counts": 7}
        [attempt] = await shot.attempts
        assert attempt.parameters == before


async def test_pictures_are_drawn_of_what_is_awaited(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        sequence = await AsyncSequence.create(OTHER, recipe(2), TIME_LANES, session)
        await session.sequences.set_preparing(OTHER, DEVICES, PARAMETERS)
        await session.sequences.set_running(OTHER, START)
        for index in range(2):
            data: dict[str, Data] = {"counts": index, "frame": np.full((2, 3), index)}
            shot = ShotId(OTHER, index)
            await session.sequences.create_shot(shot, {"index": index}, data, START, STOP)
        axes = Figure().subplots()
        assert await sequence.plot("index", "counts", axes=axes) is axes
        assert axes.get_xlabel() == "index"
        for mean in (False, True):
            axes = Figure().subplots()
            assert await sequence.plot_image("frame", mean=mean, axes=axes) is axes
            assert ("mean of frame" in axes.get_title(loc="left")) is mean
        with pytest.raises(TypeError, match="axes"):
            await sequence.plot("index", "counts", axes=5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="axes"):
            await sequence.plot_image("frame", axes=5)  # type: ignore[arg-type]


async def test_devices_are_a_mapping_that_is_awaited(storage: HDF5StorageManager) -> None:
    [camera] = DEVICES.values()
    laser = UnknownDeviceConfiguration("lab.Laser", {"power": 1})
    async with storage.async_session() as session:
        devices = session.default_device_configurations
        await devices.set("camera", camera)
        await devices.update({"laser": laser}, spare=laser)
        assert [name async for name in devices] == ["camera", "laser", "spare"]
        assert await devices.keys() == ["camera", "laser", "spare"]
        assert await devices.values() == [camera, laser, laser]
        assert dict(await devices.items())["spare"] == laser
        assert await devices["camera"] == await devices.get("camera") == camera
        assert await devices.contains("laser")
        assert await devices.pop("laser") == laser
        assert await devices.pop("laser", None) is None
        with pytest.raises(KeyError):
            await devices.pop("laser")
        assert not await devices.contains("laser")
        assert await devices.get("laser") is None
        assert await devices.get("laser", 1) == 1
        assert await devices.setdefault("laser", camera) == camera
        await devices.delete("laser")
        with pytest.raises(KeyError):
            await devices["laser"]
        assert await devices.count() == 2
        assert (await devices.popitem())[0] in ("camera", "spare")
        await devices.clear()
        assert await devices.count() == 0
        untyped: Any = devices
        with pytest.raises(TypeError):
            operator.contains(untyped, "camera")
        with pytest.raises(TypeError):
            iter(untyped)


async def test_what_a_session_holds_beside_the_tree(storage: HDF5StorageManager) -> None:
    parameters = ParameterNamespace.from_mapping({"a": "1"})
    async with storage.async_session() as session:
        await session.set_global_parameters(parameters)
        assert await session.get_global_parameters() == parameters
        await session.paths.create_path(OTHER)
        date = datetime(2020, 1, 1, tzinfo=UTC)
        await session.paths.update_creation_date(OTHER, date)
        assert await session.paths.get_path_creation_date(OTHER) == date


async def test_a_sync_function_gets_the_session(storage: HDF5StorageManager) -> None:
    async with storage.async_session() as session:
        await record(session, 0)
        assert await session.run_sync(lambda session: len(Sequence(PATH, session))) == 1


async def test_tasks_share_a_session_whose_calls_are_made_one_by_one(
    storage: HDF5StorageManager,
) -> None:
    inside = []

    async with storage.async_session() as session:

        async def use(index: int) -> None:
            await session.run_sync(lambda _: inside.append(index))
            await record(session, index)

            def look(_: object) -> None:
                inside.append(-1)
                assert inside.count(-1) == 1
                inside.remove(-1)

            await session.run_sync(look)

        async with anyio.create_task_group() as tasks:
            for index in range(10):
                tasks.start_soon(use, index)
        stats = await session.sequences.get_stats(PATH)
    assert stats.number_completed_shots == count_shots(storage) == 10
    assert sorted(inside) == list(range(10))
