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


def stop_time_check(
    path: PureSequencePath, time: datetime | Literal["now"]
) -> Callable[[datetime | None], datetime]:
    """Return what makes the stop time of a sequence, in UTC, of its start time.

    "now" is the start time where that is later: a clock that was set back keeps no sequence from
    ending.

    Args:
        path: The sequence, for the message.
        time: An aware time in any zone, or "now".

    Raises:
        ValueError: the time has no time zone, or is not in the years 1 to 9999 in UTC; from what is
            returned: it is before the start.
        TypeError: it is neither a datetime nor "now".
    """
    stop = as_utc(time, "stop_time")

    def check(start: datetime | None) -> datetime:
        if start is None or start <= stop:
            return stop
        if not isinstance(time, datetime):
            return start
        raise ValueError(
            f"Sequence {path} began at {start.isoformat()}, so it cannot end at {stop.isoformat()}."
        )

    return check


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
