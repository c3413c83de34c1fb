"""Times as people type them."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shotstore import ShotId
from shotstore.analysis.periods import Period, period
from shotstore.analysis.tables import as_table
from shotstore.analysis.tables.conditions import matching_rows
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PARAMETERS, create, path

# A Sunday. In Berlin it is 00:30 of the Monday after.
NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be set")


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("today", "2026-11-22T23:00", "2026-11-23T23:00"),
        ("Yesterday", "2026-11-21T23:00", "2026-11-22T23:00"),
        ("this week", "2026-11-22T23:00", "2026-11-29T23:00"),
        ("last  week", "2026-11-15T23:00", "2026-11-22T23:00"),
        ("this month", "2026-10-31T23:00", "2026-11-30T23:00"),
        # In October the clocks are set back.
        ("last month", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("this year", "2025-12-31T23:00", "2026-12-31T23:00"),
        ("last year", "2024-12-31T23:00", "2025-12-31T23:00"),
        ("2026", "2025-12-31T23:00", "2026-12-31T23:00"),
        ("2026-12", "2026-11-30T23:00", "2026-12-31T23:00"),
        ("2026-07", "2026-06-30T22:00", "2026-07-31T22:00"),
        (" 2026-11-22 ", "2026-11-21T23:00", "2026-11-22T23:00"),
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_a_text_stands_for_a_span_of_time(text: str, begin: str, end: str) -> None:
    assert period(text, NOW) == Period(utc(begin), utc(end))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", "2026-11-22T23:30"),
        ("7 days", "2026-11-15T23:30"),
        ("7 days ago", "2026-11-15T23:30"),
        ("1d", "2026-11-21T23:30"),
        ("90 minutes", "2026-11-22T22:00"),
        ("90 min", "2026-11-22T22:00"),
        ("2 hours", "2026-11-22T21:30"),
        ("2h", "2026-11-22T21:30"),
        ("3 Weeks", "2026-11-01T23:30"),
        ("1 month", "2026-10-22T22:30"),
        ("11 months", "2025-12-22T23:30"),
        ("9 months", "2026-02-22T23:30"),
        ("1 year", "2025-11-22T23:30"),
        ("2026-11-22 14:30", "2026-11-22T13:30"),
        ("2026-11-22T14:30:10.5", "2026-11-22T13:30:10.5"),
        ("2026-11-22T14:30Z", "2026-11-22T14:30"),
        ("2026-07-01T14:30+05:00", "2026-07-01T09:30"),
    ],
)
def test_a_text_stands_for_an_instant(text: str, instant: str) -> None:
    found = period(text, NOW)
    assert found.begin == utc(instant)
    assert found.end - found.begin == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "begin", "last"),
    [
        ("2026-10-25 02:45", "2026-10-25T00:45", "2026-10-25T01:45"),
        ("2026-10-25 03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
        ("2026-10-25 01:59", "2026-10-24T23:59", "2026-10-24T23:59"),
        ("2026-10-25 02:45+01:00", "2026-10-25T01:45", "2026-10-25T01:45"),
        # In spring, the clock goes from 2 to 3.
        ("2026-03-29 02:30", "2026-03-29T00:30", "2026-03-29T01:30"),
    ],
)
def test_a_time_that_the_clock_repeats_is_all_that_it_can_mean(
    text: str, begin: str, last: str
) -> None:
    assert period(text, NOW) == Period(utc(begin), utc(last) + timedelta(microseconds=1))


def test_a_zone_of_its_own_says_which_time_is_meant() -> None:
    first = datetime(2026, 10, 25, 2, 45, tzinfo=ZoneInfo("Europe/Berlin"))
    for instant in (first, first.replace(fold=1)):
        begin = instant.astimezone(UTC)
        assert period(instant, NOW) == Period(begin, begin + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("shot_start_time <= '2026-10-25 02:45'", [0, 1, 2]),
        ("shot_start_time < '2026-10-25 02:45'", [0]),
        ("shot_start_time >= '2026-10-25 02:45'", [1, 2, 3]),
        ("shot_start_time > '2026-10-25 02:45'", [3]),
        ("shot_start_time = '2026-10-25 02:45'", [1, 2]),
        ("shot_start_time != '2026-10-25 02:45'", [0, 3]),
        ("shot_start_time <= '2026-10-25 02:45+02:00'", [0, 1]),
    ],
)
def test_the_hour_that_the_clock_repeats_is_found_whole(
    storage: HDF5StorageManager, where: str, rows: list[int]
) -> None:
    times = [f"2026-10-25T{clock}:00Z" for clock in ("00:40", "00:45", "01:45", "01:50")]
    with storage.session() as session:
        for number, text in enumerate(times):
            start = datetime.fromisoformat(text)
            sequence = path(rf"\{number}")
            create(session, sequence)
            session.sequences.set_preparing(sequence, {}, PARAMETERS)
            session.sequences.set_running(sequence, start)
            session.sequences.create_shot(ShotId(sequence, 0), {}, {}, start, start)
    found = storage.find(until="2026-10-25 02:45")
    assert [summary.path.name for summary in found] == ["0", "1", "2"]
    found = storage.find(since="2026-10-25 02:45")
    assert [summary.path.name for summary in found] == ["1", "2", "3"]
    with storage.session() as session:
        met = [
            number
            for number in range(4)
            if len(matching_rows(as_table(session.get_sequence(rf"\{number}")), where))
        ]
    assert met == rows


def test_so_many_months_ago_is_a_day_that_there_is() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert period("1 month", now).begin == utc("2026-02-28T13:00")
    assert period("13 months", now).begin == utc("2025-02-28T13:00")


def test_the_month_before_january_is_december() -> None:
    now = datetime(2026, 1, 15, tzinfo=UTC)
    assert period("last month", now) == Period(utc("2025-11-30T23:00"), utc("2025-12-31T23:00"))


def test_a_date_is_a_day_and_a_datetime_an_instant() -> None:
    assert period(date(2026, 11, 22), NOW) == period("2026-11-22", NOW)
    zone = timezone(timedelta(hours=5))
    found = period(datetime(2026, 11, 22, 14, 30, tzinfo=zone), NOW)
    assert found.begin == utc("2026-11-22T09:30")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "next week",
        "7",
        "7 fortnights",
        "-7 days",
        "2026-13",
        "2026-00",
        "2026-02-30",
        "22.11.2026",
        "99999999999 days",
        "99999 years",
        "0000",
        "last",
    ],
)
def test_another_text_is_refused_and_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-11-22"):
        period(text, NOW)


def test_a_datetime_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        period(datetime(2026, 11, 22), NOW)  # noqa: DTZ001 - what is refused
    with pytest.raises(TypeError):
        period(7, NOW)  # type: ignore[arg-type]
