"""Times as people read them are on the clock of this machine, wherever they are shown."""

import csv
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from matplotlib.dates import num2date

from shotstore import ColumnKindError, Sequence
from shotstore.analysis.pictures.images import contact_sheet
from shotstore.analysis.pictures.points import collect_points
from shotstore.analysis.times import local_texts, utc_texts
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data
from shotstore.testing.experiments import PATH, launch, record

pytestmark = [
    pytest.mark.usefixtures("without_windows"),
    pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone is that of the process"),
]

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is two hours before UTC, from October 25 on one."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", BERLIN)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def run(storage: HDF5StorageManager, berlin: None) -> Iterator[Sequence]:
    """Three shots at the time at which clocks go back, and one that saw no time, or odd ones."""
    del berlin
    with storage.session() as session:
        launch(session)
        for index, hour in enumerate(["00:30", "01:30"]):
            data: dict[str, Data] = {
                "n": float(index),
                "seen": np.array(f"2026-10-25T{hour}:00", "M8[s]"),
                "atoms": np.full((4, 4), index),
                "odd": np.array(["NaT", "20260-01-01"][index], "M8[s]"),
            }
            record(session, index=index, data=data)
        record(session, index=2, data={"n": 2.0, "atoms": np.ones((4, 4))})
        yield session.get_sequence(PATH)


def test_a_plot_has_the_clock_of_this_machine_and_says_which(run: Sequence) -> None:
    axes = run.plot("seen", "n")
    assert axes.get_xlabel() == "seen (CEST, CET)"
    axes.figure.canvas.draw()
    formatter = axes.xaxis.get_major_formatter()
    ticks = axes.get_xticks()
    shown = formatter.format_ticks(list(ticks))
    for tick, text in zip(ticks, shown, strict=True):
        if found := re.fullmatch(r"(\d\d):(\d\d)", text):
            local = num2date(tick).astimezone()
            assert (local.hour, local.minute) == (int(found[1]), int(found[2]))
    assert any(re.fullmatch(r"02:\d\d", text) for text in shown)


def test_groups_and_captions_have_it_too(run: Sequence) -> None:
    curves = collect_points(run, "index", "n", by="seen").curves
    assert [curve.label for curve in curves] == [
        "seen = 2026-10-25 02:30:00",
        "seen = 2026-10-25 02:30:00",
    ]
    sheet = contact_sheet(run, "atoms", caption="shot_start_time")
    assert sheet.captions[0] == "2026-11-22 13:00:00"


def test_a_year_that_no_calendar_knows_is_no_traceback(run: Sequence) -> None:
    with pytest.raises(ColumnKindError, match=r"odd has the time 20260-01-01.*1 to 9999"):
        run.plot("odd", "n")
    curves = collect_points(run, "index", "n", by="odd").curves
    assert [curve.label for curve in curves] == ["odd = 20260-01-01T00:00:00.000000Z"]


def test_exact_texts() -> None:
    odd = np.array(["NaT", "-0044-03-15", "20260-01-01", "2026-11-22T12:00:00"], "M8[s]")
    assert utc_texts(odd) == [
        None,
        "-044-03-15T00:00:00.000000Z",
        "20260-01-01T00:00:00.000000Z",
        "2026-11-22T12:00:00.000000Z",
    ]
    assert utc_texts(np.array(["2026-11-22T12:00:00.1"], "M8[ns]"), "+00:00") == [
        "2026-11-22T12:00:00.100000000+00:00"
    ]
    assert utc_texts(np.array([], "M8[us]")) == []
    assert utc_texts(np.array(["NaT"], "M8")) == [None]


@pytest.mark.usefixtures("berlin")
def test_local_texts() -> None:
    times = np.array(["NaT", "9999-12-31T23:59:59", "2026-07-01", "10000-01-01"], "M8[s]")
    assert local_texts(times) == [
        "-",
        "9999-12-31 23:59:59",  # in UTC: later than any clock goes
        "2026-07-01 02:00:00",
        "10000-01-01T00:00:00.000000Z",
    ]


def test_the_first_and_the_last_time_that_there_is_are_exported_beside_other_data(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    east, west = timezone(timedelta(hours=1)), timezone(-timedelta(hours=1))
    first = datetime(1, 1, 1, 0, 30, tzinfo=east)
    last = datetime(9999, 12, 31, 23, 30, tzinfo=west)
    values: list[Data] = [first, last, {"no": "time"}]
    with storage.session() as session:
        launch(session)
        for index, value in enumerate(values):
            record(session, index=index, data={"seen": value})
        written = session.get_sequence(PATH).export(tmp_path / "run.csv")
    with written.open(encoding="utf-8", newline="") as file:
        texts = [row["seen"] for row in csv.DictReader(file)]
    assert texts[0].endswith("12-31T23:30:00.000000Z")
    assert texts[1].endswith("01-01T00:30:00.000000Z")
    assert texts[2] == '{"no": "time"}'
