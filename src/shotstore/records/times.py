"""The times of sequences and shots: aware, in UTC, and in order."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from shotstore.paths import PureSequencePath


def as_utc(time: datetime | Literal["now"], what: str) -> datetime:
    """Return the time in UTC.

    Args:
        time: An aware time in any zone, or "now".
        what: What the time is, as the message calls it: "start_time".

    Raises:
        ValueError: the time has no time zone, or is not in the years 1 to 9999 in UTC.
        TypeError: it is neither a datetime nor "now".
    """
    if isinstance(time, str) and time == "now":
        return datetime.now(UTC)
    if not isinstance(time, datetime):
        raise TypeError(f'{what} must be an aware datetime or "now", not {time!r}.')
    if time.utcoffset() is None:
        raise ValueError(
            f"{what} {time.isoformat()} has no time zone: write datetime.now(UTC), or add one with "
            f"time.astimezone()."
        )
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{what} {time.isoformat()} is out of range in UTC.") from None


def later_time_check(
    path: PureSequencePath, time: datetime | Literal["now"], what: str
) -> Callable[[datetime | None, str], datetime]:
    """Return what makes a time of a sequence, in UTC, of an earlier one, which there may be.

    "now" is the earlier one where that is later: a clock that was set back keeps no sequence from
    ending.

    Args:
        path: The sequence, for the message.
        time: An aware time in any zone, or "now".
        what: What the time is, as the message calls it: "stop_time".

    Returns:
        A function of the earlier time, and of what the message is to say of both: "began at {}, so
        it cannot end at {}".

    Raises:
        ValueError: the time has no time zone, or is not in the years 1 to 9999 in UTC; from what is
            returned: it is before the earlier one.
        TypeError: it is neither a datetime nor "now".
    """
    later = as_utc(time, what)

    def check(earlier: datetime | None, order: str) -> datetime:
        if earlier is None or earlier <= later:
            return later
        if not isinstance(time, datetime):
            return earlier
        said = order.format(earlier.isoformat(), later.isoformat())
        raise ValueError(f"Sequence {path} {said}.")

    return check


def dump_time(time: datetime | None) -> str | None:
    """Return a time as JSON holds it: ISO 8601 in UTC, to the microsecond."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def load_time(text: object) -> datetime:
    """Return a time that JSON holds, in UTC.

    Raises:
        TypeError, ValueError: it is not a time, or has no time zone.
    """
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a str")
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is out of range in UTC") from None


def shot_times(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the times of a shot in UTC.

    Raises:
        ValueError: one has no time zone, or is not in the years 1 to 9999 in UTC; or the shot ends
            before it starts.
        TypeError: one is not a datetime.
    """
    utc = as_utc(start, "shot_start_time"), as_utc(end, "shot_end_time")
    if utc[1] < utc[0]:
        raise ValueError(
            f"shot_end_time {end.isoformat()} is before shot_start_time {start.isoformat()}."
        )
    return utc
