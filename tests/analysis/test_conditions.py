"""Conditions on shots, as people type them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shotstore import DataNotFoundError, InvalidConditionError
from shotstore.analysis.tables import Table, as_table
from shotstore.analysis.tables.conditions import Where, matching_rows
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, Parameter, quantity
from shotstore.testing.experiments import PATH, launch, record


@pytest.fixture
def table(storage: HDF5StorageManager) -> Iterator[Table]:
    """Five shots: detunings of 0.1, 0.2, ... 0.5 MHz, of which 0.3 is a sum of floats."""
    with storage.session() as session:
        launch(session)
        for index in range(5):
            parameters: dict[str, Parameter] = {
                "mot.detuning": quantity(0.1 * (index + 1), "MHz"),
                "repetition": index % 2,
                "is_on": index > 2,
            }
            data: dict[str, Data] = {
                "atoms": np.zeros((2, 2)),
                "comment": "salt and pepper" if index == 4 else f"no {index}",
                "fit": float("nan") if index == 0 else index / 10,
                r"Camera\mean": float(index),
            }
            if index == 1:
                data["late"] = 1.5
            record(session, index=index, parameters=parameters, data=data)
    with storage.session() as session:
        yield as_table(session.get_sequence(PATH))


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        (None, [0, 1, 2, 3, 4]),
        ("detuning > 0.25 MHz", [2, 3, 4]),
        ("mot.detuning > 250 kHz", [2, 3, 4]),
        ("detuning = 0.3 MHz", [2]),
        ("detuning == 300 kHz", [2]),
        ("detuning != 0.3 MHz", [0, 1, 3, 4]),
        ("detuning <= 0.3 MHz", [0, 1, 2]),
        ("detuning < 0.3 MHz", [0, 1]),
        ("0.3 MHz < detuning", [3, 4]),
        ("0.2 MHz <= detuning < 0.4 MHz", [1, 2]),
        ("0.4 MHz > detuning >= 0.2 MHz", [1, 2]),
        ("detuning > 0", [0, 1, 2, 3, 4]),
        ("detuning < -1 MHz", []),
        ("repetition = 1 and detuning > 0.3 MHz", [3]),
        ("repetition = 1 & shot_index < 2", [1]),
        ("is_on = true", [3, 4]),
        ("is_on = False", [0, 1, 2]),
        ("comment = 'no 3'", [3]),
        ("comment = no 3", [3]),
        (r"Camera\mean >= 3", [3, 4]),
        ("late > 1", [1]),
        ("late != 7", [1]),
        ("shot_start_time >= 2026-11-22T12:00:03+00:00", [3, 4]),
        ("shot_start_time < 2020-01-01", []),
        ("shot_start_time < 'last week' or shot_start_time > '100 years ago'", [0, 1, 2, 3, 4]),
        ("shot_start_time > 2026-11-22", []),
        ("shot_start_time = 2026-11", [0, 1, 2, 3, 4]),
        ("repetition = 1 or detuning > 0.4 MHz", [1, 3, 4]),
        ("repetition = 1 | detuning > 0.4 MHz", [1, 3, 4]),
        ("repetition = 1 or repetition = 0 and detuning > 0.4 MHz", [1, 3, 4]),
        ("(repetition = 1 or repetition = 0) and detuning > 0.4 MHz", [4]),
        ("not repetition = 1", [0, 2, 4]),
        ("not (repetition = 1 or detuning > 0.4 MHz)", [0, 2]),
        ("not 0.2 MHz <= detuning < 0.4 MHz", [0, 3, 4]),
        ("detuning = 0.3 MHz +- 0.1 MHz", [1, 2, 3]),
        ("detuning != 300 kHz ± 100 kHz", [0, 4]),
        ("repetition = 0.9 +- 0.2", [1, 3]),
        ("comment = 'salt and pepper'", [4]),
        ("not comment = 'salt and pepper'", [0, 1, 2, 3]),
        ("'salt and pepper' != comment", [0, 1, 2, 3]),
        (r"'Camera\mean' >= 3", [3, 4]),
        # A shot without a value, or with NaN, meets neither a condition on it nor its opposite.
        ("not late = 7", [1]),
        ("not late = 1.5", []),
        ("not (late = 1.5 and repetition = 1)", [0, 2, 4]),
        ("late = 1.5 or repetition = 0", [0, 1, 2, 4]),
        ("not (late = 1.5 or repetition = 0)", []),
        ("fit < 0.25", [1, 2]),
        ("not fit < 0.25", [3, 4]),
        ("fit != 0.1", [2, 3, 4]),
        (pl.col("mot.detuning") > 0.35, [3, 4]),
        ((pl.col("repetition") == 0) & (pl.col("late").is_null()), [0, 2, 4]),
        (pl.col("late") > 0, [1]),
        (pl.col("comment").str.ends_with("2"), [2]),
    ],
)
def test_the_shots_that_meet_a_condition(
    table: Table, where: "Where | None", rows: list[int]
) -> None:
    assert matching_rows(table, where).tolist() == rows


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("detuning > 5", "mot.detuning is in MHz: write 5 MHz"),
        ("detuning > 5 s", "5 s cannot be converted"),
        ("repetition > 5 s", "repetition has no unit"),
        ("atoms > 5", "'atoms > 5' cannot be answered: atoms holds arrays"),
        ("repetition = '3'", "numbers are written without quotes"),
        ("comment = a +- b", "comment holds texts, which have no tolerance"),
        ("shot_start_time = 2026 +- 1", "times, which have no tolerance"),
        ("detuning = 1 MHz +- 1 s", "does not fit 'megahertz'"),
        ("x(", "not a condition"),
        ("shot_start_time > soon", "not a time"),
        ("detuning", "not a condition"),
        ("detuning > ", "not a condition"),
        ("", "not a condition"),
        ("1 MHz = detuning < 2 MHz", "not a condition"),
        ("detuning > 5 nonsense", "nonsense"),
        (pl.col("repetition") + 1, "not True or False"),
        (pl.lit(True), "names no column"),
        (pl.all() > 1, "names no column"),
        (pl.col("repetition").max() > 0, "not give True or False for each shot"),
    ],
)
def test_what_is_not_a_condition(table: Table, where: "Where", message: str) -> None:
    with pytest.raises(InvalidConditionError, match=message):
        matching_rows(table, where)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("detunning > 5 MHz", r"did you mean 'mot\.detuning'"),
        ("5 MHz < detunning", r"did you mean 'mot\.detuning'"),
        (pl.col("nothing") > 1, "has no column 'nothing'"),
    ],
)
def test_a_column_that_is_not_there(table: Table, where: "Where", message: str) -> None:
    with pytest.raises(DataNotFoundError, match=message):
        matching_rows(table, where)


def test_an_expression_means_in_a_condition_what_it_means_in_a_scan(
    storage: HDF5StorageManager,
) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    by_camera = noon.replace(tzinfo=None)
    with storage.session() as session:
        launch(session)
        for index in range(3):
            data: dict[str, Data] = {
                "seen": np.array(by_camera + timedelta(hours=index), "datetime64[us]"),
                "frame": np.full((2, 2 + index), index),
            }
            record(session, index=index, data=data)
        sequence = session.get_sequence(PATH)
        scan = sequence.scan().collect()
        for where in (
            pl.col("seen") >= by_camera + timedelta(hours=1),
            pl.col("shot_start_time") >= noon + timedelta(seconds=1),
            pl.col("frame").list.get(0).list.len() > 2,
        ):
            assert scan.filter(where)["shot_index"].to_list() == [1, 2]
            assert matching_rows(as_table(sequence), where).tolist() == [1, 2]


def test_the_zone_of_a_computed_time_changes_nothing() -> None:
    times = pl.Series([datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (10, 11, 12)])
    for zone in ("UTC", "Asia/Tokyo"):
        computed = as_table(pl.DataFrame({"t": times.dt.convert_time_zone(zone)}))
        assert matching_rows(computed, "t >= 2026-11-22T11:00Z").tolist() == [1, 2]
        assert computed.read(["t"])["t"].values[0] == np.datetime64("2026-11-22T10:00")
    at_eleven = pl.col("t").dt.hour() == 20
    assert matching_rows(computed, at_eleven).tolist() == [1]


def test_zero_has_no_need_of_a_unit_where_all_units_have_the_same(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        launch(session)
        record(
            session,
            parameters={
                "temperature": quantity(20, "degC"),
                "power": quantity(-3, "dBm"),
                "heating": quantity(2, "delta_degC"),
                "efficiency": quantity(40, "%"),
            },
        )
        table = as_table(session.get_sequence(PATH))
        assert matching_rows(table, "heating > 0 and efficiency > 0").tolist() == [0]
        assert matching_rows(table, "temperature > 0 degC and power < 0 dBm").tolist() == [0]
        for where, message in (("temperature > 0", "write 0 °C"), ("power < 0", "write 0 dBm")):
            with pytest.raises(InvalidConditionError, match=message):
                matching_rows(table, where)


def test_an_ending_of_two_names_is_refused(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={"mot.power": 1, "probe.power": 2})
        with pytest.raises(DataNotFoundError, match=r"may be mot\.power or probe\.power"):
            matching_rows(as_table(session.get_sequence(PATH)), "power > 1")
