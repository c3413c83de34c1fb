"""Times as people type them: ``2026-11-22``, ``7 days``, ``last week``."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import attrs

from shotstore.records import times

When: TypeAlias = datetime | date | str
"""An aware time; a day; or a text, as `period` reads it."""

_TICK = timedelta(microseconds=1)
_AGO = re.compile(r"(\d+)\s*(minute|min|hour|h|day|d|week|w|month|year|y)s?(\s+ago)?")
_SPANS = {
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1),
    "d": timedelta(days=1),
    "week": timedelta(weeks=1),
    "w": timedelta(weeks=1),
}
_MONTHS = {"month": 1, "year": 12, "y": 12}
_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")


@attrs.frozen
class Period:
    """A span of time: a day, a month, or one instant."""

    begin: datetime
    end: datetime
    """The first instant after it."""


def period(when: When, now: datetime) -> Period:
    """Return the span of time that is meant.

    A text is one of ``2026``, ``2026-11``, ``2026-11-22``, ``2026-11-22 14:30``, ``now``,
    ``today``, ``yesterday``, ``this week`` (from Monday on), ``last week``, the same with ``month``
    and ``year``, and ``90 minutes``, ``2 hours``, ``7 days``, ``3 weeks``, ``6 months`` or
    ``1 year``, which are the instant so long ago. Days begin at midnight in the time zone of this
    computer, and so are times without a time zone. A time that comes twice, in the night in which
    the clock is set back, is the whole span from its first to its second coming.

    Args:
        when: What was asked for.
        now: The present time, aware.

    Raises:
        ValueError: the text is none of these, or a ``datetime`` has no time zone.
        TypeError: it is something else.
    """
    if isinstance(when, datetime):
        return instant(times.as_utc(when, "A time"))
    if isinstance(when, date):
        return _days(when, when + timedelta(days=1))
    if not isinstance(when, str):
        raise TypeError(f"A time must be an aware datetime, a date or a text, not {when!r}.")
    try:
        found = _named(when.strip().lower(), now) or _dated(when.strip())
    except (ValueError, OverflowError):  # such as February 30
        found = None
    if found is None:
        raise ValueError(
            f"{when!r} is not a time: write it as 2026-11-22, 2026-11-22 14:30, 2026-11, 7 days, "
            "2 hours, today, yesterday, last week or this month."
        )
    return found


def _named(text: str, now: datetime) -> Period | None:
    today = now.astimezone().date()
    if ago := _AGO.fullmatch(text):
        number, unit = int(ago[1]), ago[2]
        if unit in _SPANS:
            return instant(now - number * _SPANS[unit])
        return instant(_months_before(now, number * _MONTHS[unit]))
    match text.split():
        case ["now"]:
            return instant(now)
        case ["today"]:
            return _days(today, today + timedelta(days=1))
        case ["yesterday"]:
            return _days(today - timedelta(days=1), today)
        case ["this" | "last" as which, "week"]:
            monday = today - timedelta(days=today.weekday() + (7 if which == "last" else 0))
            return _days(monday, monday + timedelta(days=7))
        case ["this" | "last" as which, "month"]:
            back = 1 if which == "last" else 0
            return _month(today.year, today.month - back, 1)
        case ["this" | "last" as which, "year"]:
            return _month(today.year - (1 if which == "last" else 0), 1, 12)
    return None


def _dated(text: str) -> Period | None:
    if found := _MONTH.fullmatch(text):
        if found[2] is None:
            return _month(int(found[1]), 1, 12)
        if not 1 <= int(found[2]) <= 12:
            return None
        return _month(int(found[1]), int(found[2]), 1)
    if len(text) == len("2026-11-22"):
        day = date.fromisoformat(text)
        return _days(day, day + timedelta(days=1))
    return instant(datetime.fromisoformat(text))


def instant(time: datetime) -> Period:
    """Return the period of a time; without a zone it is on the clock of this computer, and may be
    two instants, with what is between.

    Raises:
        OverflowError: it is not in the years 1 to 9999 in UTC.
    """
    # In spring, of a time that the clock leaves out, the later one comes first.
    begin, last = sorted(time.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return Period(begin, last + _TICK)


def _days(first: date, after: date) -> Period:
    return Period(_midnight(first), _midnight(after))


def _month(year: int, month: int, count: int) -> Period:
    """So many months; month 0 is the last one of the year before."""
    first = year * 12 + month - 1
    return _days(_first_of(first), _first_of(first + count))


def _first_of(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _months_before(time: datetime, number: int) -> datetime:
    """The same day of an earlier month, or the last one that this has."""
    local = time.astimezone().replace(tzinfo=None)
    first = _first_of(local.year * 12 + local.month - 1 - number)
    last = _first_of(local.year * 12 + local.month - number) - timedelta(days=1)
    return local.replace(year=first.year, month=first.month, day=min(local.day, last.day))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day).astimezone(UTC)
