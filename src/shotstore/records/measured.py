"""From where to where the numbers under each label of a sequence lie: in its record once it has
ended, so that sequences are found by what was measured without a look at their shots."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from shotstore.model import JSON, ParameterRange
from shotstore.records.columns import Column

Measured: TypeAlias = Mapping[str, JSON]
"""By label: the smallest and the largest number, as a list, which is empty if there is none but NaN
and infinities."""


def measured_of(columns: Mapping[str, Column]) -> Measured:
    """Return what is kept of columns of numbers, by label."""
    return {label: _ends(column) for label, column in columns.items()}


def ranges_of(measured: Measured) -> dict[str, ParameterRange]:
    """Return what was kept as ranges, by label."""
    return {label: _range(ends) for label, ends in measured.items()}


def check_measured(content: Any) -> Measured | None:
    """Return the content if it is what was kept, or None.

    Raises:
        TypeError, ValueError: it is something else.
    """
    if content is None:
        return None
    if not isinstance(content, dict):
        raise TypeError(f"{content!r} is not an object")
    for ends in content.values():
        if not isinstance(ends, list) or len(ends) not in (0, 2):
            raise ValueError(f"{ends!r} is not a range")
        if not all(isinstance(end, int | float) for end in ends):
            raise TypeError(f"{ends!r} is not a range of numbers")
    return content


def _ends(column: Column) -> JSON:
    values = column.values[column.is_present]
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return []
    low, high = values.min(), values.max()
    return [item.item() if isinstance(item, np.generic) else item for item in (low, high)]


def _range(ends: Any) -> ParameterRange:
    if not ends:
        return ParameterRange("", "", 0, None, None, None)
    low, high = ends
    return ParameterRange(str(low), str(high), None, low, high, None)
