"""Times as text: in UTC for files, on the clock of this machine for people."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.datetime64]

_FINER = ("ns", "ps", "fs", "as")
_COARSER = ("us", "ms", "s", "m", "h", "D")


def utc_texts(times: Times, zone: str = "Z") -> list[str | None]:
    """Return times as ISO 8601, without loss; None where there is none.

    Args:
        times: In UTC, of any unit and any year.
        zone: What is written after them.
    """
    texts = np.datetime_as_string(_in_usual_unit(times)).tolist()
    return [
        None if is_none else f"{text}{zone}"
        for text, is_none in zip(texts, np.isnat(times).tolist(), strict=True)
    ]


def is_exact(times: Times, unit: str) -> bool:
    """Return whether times are the same in another unit: numpy goes round where 64 bits end."""
    there = ~np.isnat(times)
    other = times.astype(f"M8[{unit}]")
    return bool(
        np.array_equal(there, ~np.isnat(other))
        and (other[there].astype(times.dtype) == times[there]).all()
        and (other[there].astype("M8[Y]") == times[there].astype("M8[Y]")).all()
    )


def on_this_clock(times: Times) -> list[datetime | None]:
    """Return times as aware ones of this machine's time zone.

    Args:
        times: In UTC, of any unit.

    Returns:
        None where there is no time, and where it is before the year 1 or after 9999.
    """
    return [
        _local(time) if is_there else None
        for time, is_there in zip(times, has_date(times).tolist(), strict=True)
    ]


def has_date(times: Times) -> npt.NDArray[np.bool_]:
    """Return whether times are in the years 1 to 9999, the only ones that calendars know."""
    years = times.astype("M8[Y]").astype(np.int64) + 1970
    return (years >= 1) & (years <= 9999) & ~np.isnat(times)


def local_texts(times: Times, form: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    """Return times as people read them, on the clock of this machine.

    Args:
        times: In UTC, of any unit.
        form: As ``strftime`` takes it.

    Returns:
        "-" where there is none, and ISO 8601 in UTC for years that no calendar knows.
    """
    return [
        (text or "-") if time is None else time.strftime(form)
        for time, text in zip(on_this_clock(times), utc_texts(times), strict=True)
    ]


def zone_names(times: Times) -> str:
    """Return what the time zone of this machine is called at these times: ``"CET"``, or
    ``"CET, CEST"`` where clocks are put forward among them."""
    names = [time.tzname() or "" for time in on_this_clock(times) if time is not None]
    return ", ".join(dict.fromkeys(names)) or "UTC"


def _in_usual_unit(times: Times) -> Times:
    unit = np.datetime_data(times.dtype)[0]
    if unit in _FINER:
        return times
    exact = next((unit for unit in _COARSER if is_exact(times, unit)), None)
    return times if exact is None else times.astype(f"M8[{exact}]")


def _local(time: np.datetime64) -> datetime:
    microseconds: Any = time.astype("M8[us]").item()
    aware: datetime = microseconds.replace(tzinfo=UTC)
    try:
        return aware.astimezone()
    except (OverflowError, ValueError, OSError):  # beyond what the clock of this machine knows
        return aware
