"""Numbers, units, types and durations as people read them."""

from collections.abc import Sequence
from datetime import timedelta

from shotstore.model.data_schema import DataType
from shotstore.model.parameters import quoted

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_TEXTS = 6


def number_text(value: object) -> str:
    """Return a number in six digits, and anything else as it is."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def texts_text(texts: Sequence[str], count: int | None = None) -> str:
    """Return different texts as they are written, in one line: "'Rb85', 'Rb87' (2 values)".

    Args:
        texts: Each of them once.
        count: How many values these are; by default as many.
    """
    shown = ", ".join(map(quoted, texts[:_MOST_TEXTS])) + ", ..." * (len(texts) > _MOST_TEXTS)
    number = len(texts) if count is None else count
    return shown if number == 1 else f"{shown} ({number} values)"


def value_text(value: object, units: str | None = None) -> str:
    """Return a value with its unit, in as few digits as tell it."""
    unit = pretty_unit(units)
    return f"{number_text(value)} {unit}" if unit else number_text(value)


def pretty_unit(units: str | None) -> str:
    """Return a unit as it is printed: ``m/s²``."""
    if not units:
        return ""
    from shotstore.model.quantities import quantity

    try:
        return format(quantity(1, units).units, "~P")
    except ValueError:  # a unit that only the lab knows
        return units


OTHER_DATA = "lists, dicts or other data"
"""What is said of data that is stored as JSON."""


def type_text(kind: DataType) -> str:
    """Return what the data under a label is: "uint16, 256 x 320", "float in µK", "text"."""
    unit, text = pretty_unit(kind.units), _without_unit(kind)
    return f"{text}{',' * (kind.kind == 'array')} in {unit}" if unit else text


def _without_unit(kind: DataType) -> str:
    if kind.kind == "array":
        assert kind.dtype is not None
        name = "structured" if kind.dtype.names else str(kind.dtype)
        lengths = ["any" if length is None else str(length) for length in kind.shape or ()]
        return f"{name}, {' x '.join(lengths)}" if lengths else f"{name}, a single one"
    return {"json": OTHER_DATA, "none": "always None"}.get(kind.kind, kind.kind)


def duration_text(duration: timedelta) -> str:
    """Return how long something took: "0.5 s", "35 s", "2 min 5 s", "1 h 40 min", "3 d 2 h"."""
    seconds = duration.total_seconds()
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
