"""Plots of one column against another."""

import io
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from matplotlib import pyplot
from matplotlib.dates import date2num, num2date
from rich.console import Console

from shotstore import ColumnKindError, DataNotFoundError, Sequence
from shotstore.analysis import plot
from shotstore.analysis.pictures.points import collect_points
from shotstore.cli.terminal_plot import print_points
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    Data,
    ExecuteShot,
    LinspaceLoop,
    StepsConfiguration,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.experiments import PATH, START, TIME_LANES, launch, record, relaunch
from tests.analysis.conftest import FRAME, Reading

pytestmark = pytest.mark.usefixtures("without_windows")


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    r"""A storage in which ``\2026\rabi`` has three repetitions of a scan of three detunings."""
    detunings = LinspaceLoop(
        "mot.detuning",
        "-2 MHz",
        "2 MHz",
        3,
        [VariableDeclaration("twice", "2 * mot.detuning"), ExecuteShot()],
    )
    recipe = StepsConfiguration([LinspaceLoop("repetition", "0", "2", 3, [detunings])])
    with storage.session() as session:
        session.sequences.create(PATH, recipe, TIME_LANES)
        relaunch(session)
        shots = list(enumerate(recipe.walk({})))
        for index, parameters in reversed(shots):  # they need not be recorded in their order
            number = 200.0 * (index % 3 - 1) + 10 * (index // 3)
            record(session, PATH, index, parameters, {"atoms": FRAME, "number": number})
    return storage


@pytest.fixture
def rabi(recorded: HDF5StorageManager) -> Iterator[Sequence]:
    with recorded.session() as session:
        yield session.get_sequence(PATH)


def test_where_x_repeats_there_is_the_mean_with_its_standard_error(rabi: Sequence) -> None:
    [curve] = collect_points(rabi, "detuning", "number").curves
    means = curve.means()
    assert means is not None
    assert means.x.tolist() == [-2, 0, 2]
    assert means.count.tolist() == [3, 3, 3]
    np.testing.assert_allclose(means.mean, [-190, 10, 210])
    np.testing.assert_allclose(means.error, np.std([0, 10, 20], ddof=1) / np.sqrt(3))


def test_values_that_differ_by_rounding_are_the_same() -> None:
    arrays = {"x": [0.1 + 0.2, 0.3, 1.0], "y": [1.0, 3.0, 5.0]}
    [curve] = collect_points(arrays, "x", "y").curves
    means = curve.means()
    assert means is not None
    assert means.mean.tolist() == [2, 5]
    assert means.count.tolist() == [2, 1]
    assert np.isnan(means.error[1])


def test_what_is_drawn(rabi: Sequence) -> None:
    axes = rabi.plot("detuning", "number")
    assert axes.get_title(loc="left") == str(PATH)
    assert axes.get_xlabel() == "mot.detuning (MHz)"
    assert axes.get_ylabel() == "number"
    [points, means, *_] = axes.get_lines()
    assert len(np.asarray(points.get_xdata())) == 9
    np.testing.assert_allclose(np.asarray(means.get_ydata()), [-190, 10, 210])
    assert axes.get_legend() is None


def test_by_default_it_is_what_was_varied_against_the_only_number(rabi: Sequence) -> None:
    points = collect_points(rabi)
    # Not the repetition, which has no unit, nor what follows from the detuning.
    assert (points.x_label, points.y_label) == ("mot.detuning (MHz)", "number")


def test_what_cannot_be_told_must_be_named() -> None:
    arrays = {"x": [1, 2], "a": [1, 2]}
    with pytest.raises(DataNotFoundError, match="Say what to plot as x: there is x, a"):
        collect_points(arrays, y="a")
    with pytest.raises(DataNotFoundError, match="Say what to plot as y"):
        collect_points(arrays, "x")


def test_a_condition_chooses_the_shots_and_is_in_the_title(rabi: Sequence) -> None:
    axes = rabi.plot("detuning", "number", where="repetition = 1")
    assert axes.get_title(loc="left").splitlines() == [str(PATH), "repetition = 1"]
    [points] = axes.get_lines()
    assert np.asarray(points.get_ydata()).tolist() == [-190, 10, 210]


def test_colours_tell_another_column_apart(rabi: Sequence) -> None:
    points = collect_points(rabi, "repetition", "number", by="detuning")
    labels = [curve.label for curve in points.curves]
    assert labels == ["mot.detuning = -2 MHz", "mot.detuning = 0 MHz", "mot.detuning = 2 MHz"]
    assert points.curves[2].y.tolist() == [200, 210, 220]
    legend = rabi.plot("repetition", "number", by="detuning").get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == labels


def test_several_columns_in_one_plot(rabi: Sequence) -> None:
    points = collect_points(rabi, "detuning", ["number", "twice"])
    assert points.y_label == ""
    assert [curve.label for curve in points.curves] == ["number", "twice (MHz)"]


def test_times_are_those_of_the_shots(rabi: Sequence) -> None:
    axes = rabi.plot("shot_start_time", "number")
    assert axes.get_xlabel() == f"shot_start_time ({START.astimezone().tzname()})"
    [points] = axes.get_lines()
    first = np.asarray(points.get_xdata())[0]
    assert num2date(date2num(first)) == START


def test_texts_have_places_side_by_side(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=4)
        for index, species in enumerate(["Rb87", "K40", "Rb87"]):
            record(session, PATH, index, {"species": species}, {"number": 10.0 * index})
        record(session, PATH, 3, {}, {"number": 5.0})
        sequence = session.get_sequence(PATH)
        axes = sequence.plot("species", "number", where="species != 'none'")
        points = collect_points(sequence, "species", "number")
    assert points.x_texts == ("K40", "Rb87")
    [curve] = points.curves
    assert list(zip(curve.x, curve.y, strict=True)) == [(1, 0), (0, 10), (1, 20)]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["K40", "Rb87"]
    console = Console(file=io.StringIO(), width=80)
    print_points(points, console)
    assert "K40" in console.file.getvalue()  # type: ignore[attr-defined]


def test_many_numbers_have_the_colours_of_a_scale(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(12):
            power = quantity(float(index), "mW")
            data: dict[str, Data] = {"n": index, "m": 2 * index, "name": f"{index:02}"}
            record(session, index=index, parameters={"x": index % 2, "power": power}, data=data)
        sequence = session.get_sequence(PATH)
        axes = sequence.plot("x", "n", by="power")
        colours = [line.get_color() for line in axes.get_lines()]
        assert len(set(colours)) == 12
        assert axes.get_legend() is None
        [_, bar] = axes.figure.axes
        assert bar.get_ylabel() == "power (mW)"
        assert bar.get_ylim() == (0, 11)
        both = sequence.plot("x", ["n", "m"], by="power")
        legend = both.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["n", "m"]
        named = sequence.plot("x", "n", by="name").get_lines()
        assert len({(line.get_color(), line.get_marker()) for line in named}) == 12


def test_all_nan_is_said(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(2):
            never = np.array("NaT", "M8[s]")
            data: dict[str, Data] = {"i": float("nan"), "n": 1.0, "t": never}
            record(session, index=index, parameters={"v": 1.0 * index}, data=data)
        sequence = session.get_sequence(PATH)
        with pytest.raises(DataNotFoundError, match=r"All values of i in .*rabi are NaN: there"):
            sequence.plot("v", "i")
        with pytest.raises(DataNotFoundError, match="of the shots that meet 'v > 0' are NaN"):
            sequence.plot("i", "n", where="v > 0")
        with pytest.raises(DataNotFoundError, match=r"All values of t in .*rabi are NaT"):
            sequence.plot("t", "n")


def test_arrays_of_one_item_are_numbers(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(2):
            data: dict[str, Data] = {"n": np.array([1.5 * index]), "m": np.array([[index]], "u2")}
            record(session, index=index, parameters={"v": 1.0 * index}, data=data)
        sequence = session.get_sequence(PATH)
        points = collect_points(sequence, "v", ["n", "m"], where="n > -1 and m < 5")
        assert [curve.y.tolist() for curve in points.curves] == [[0, 1.5], [0, 1]]
        arrays = sequence.to_arrays()
        assert collect_points(arrays, "v", "n").curves[0].y.tolist() == [0, 1.5]
        assert collect_points(sequence.scan(), "v", "m").curves[0].y.tolist() == [0, 1]
        assert arrays["m"].shape == (2, 1, 1)


def test_axes_that_are_given_are_drawn_on(rabi: Sequence) -> None:
    _, (left, right) = pyplot.subplots(1, 2)
    assert rabi.plot("detuning", "number", axes=right) is right
    assert not left.has_data()


def test_shots_without_a_value_have_no_point(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=0, parameters={"x": 1.0}, data={"n": 1.0})
        record(session, index=1, parameters={"x": 2.0}, data={})
        record(session, index=2, parameters={}, data={"n": 3.0})
        record(session, index=3, parameters={"x": float("nan")}, data={"n": 3.0})
        record(session, index=4, parameters={"x": 5.0}, data={"n": None})
        [curve] = collect_points(session.get_sequence(PATH), "x", "n").curves
        assert (curve.x.tolist(), curve.y.tolist()) == ([1], [1])


@pytest.mark.parametrize("x", ["detuning", "shot_start_time"])
def test_nothing_to_draw_is_said(rabi: Sequence, x: str) -> None:
    with pytest.raises(DataNotFoundError, match="no shot that meets 'detuning > 5 MHz'"):
        rabi.plot(x, "number", where="detuning > 5 MHz")


def test_frames_are_no_numbers(rabi: Sequence) -> None:
    message = r"atoms holds arrays, not numbers: plot_image \(--image atoms\) draws it"
    with pytest.raises(ColumnKindError, match=message):
        rabi.plot("detuning", "atoms")


def test_a_draft_has_nothing_to_draw(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        session.sequences.create(PATH, StepsConfiguration([]), TIME_LANES)
        with pytest.raises(DataNotFoundError, match="has no shots"):
            session.get_sequence(PATH).plot("x", "y")


@pytest.mark.parametrize("lazy", [True, False])
def test_what_was_computed_is_drawn_too(rabi: Sequence, lazy: bool) -> None:
    scan = rabi.scan().with_columns(kilo=pl.col("number") / 1000)
    frame = scan if lazy else scan.collect()
    points = collect_points(frame, "detuning", "kilo", where=pl.col("repetition") == 0)
    assert points.curves[0].y.tolist() == [-0.2, 0, 0.2]
    points = collect_points(frame, "shot_start_time", "kilo", where="repetition = 0", by="twice")
    assert points.x_is_time
    assert [curve.label for curve in points.curves] == ["twice = -4", "twice = 0", "twice = 4"]


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        plot({"x": [1, 2], "y": [1]}, "x", "y")
    with pytest.raises(TypeError, match="not of type int"):
        plot(3, "x", "y")  # type: ignore[arg-type]


def test_no_frame_is_read_for_numbers(recorded: HDF5StorageManager, reading: Reading) -> None:
    with reading() as read, recorded.session() as session:
        session.get_sequence(PATH).plot("detuning", "number", where="repetition > 0")
    assert 0 < read.count < 3 * FRAME.nbytes


@pytest.mark.anyio
async def test_an_awaited_sequence_draws_the_same(recorded: HDF5StorageManager) -> None:
    async with recorded.async_session() as session:
        axes = await session.get_sequence(PATH).plot("detuning", "number")
        assert axes.get_ylabel() == "number"
        axes = await session.get_sequence(PATH).plot_image("atoms", mean=True)
        assert "9 shots" in axes.get_title(loc="left")
