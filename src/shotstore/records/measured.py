"""From where to where the numbers under each label of a sequence lie: in its record once it has
ended, so that sequences are found by what was measured without a look at their shots."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from shotstore.model import JSON, DataType, ParameterRange
from shotstore.model.parameters import plain_parameter_text
from shotstore.model.unit_texts import is_safe_unit
from shotstore.records.columns import Column

Measured: TypeAlias = Mapping[str, JSON]
"""By label: the smallest and the largest number, and the unit if there is one, as a list, which is
empty if there is none but NaN and infinities."""


def measured_of(columns: Mapping[str, Column], kinds: Mapping[str, DataType]) -> Measured:
    """Return what is kept of columns of numbers of these types, by label."""
    return {label: _ends(column, kinds[label].units) for label, column in columns.items()}


def number_labels(kinds: Mapping[str, DataType]) -> list[str]:
    """Return the labels of numbers, which have ranges."""
    return [label for label, kind in kinds.items() if kind.kind in ("int", "float")]


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
        if not isinstance(ends, list) or len(ends) not in (0, 2, 3):
            raise ValueError(f"{ends!r} is not a range")
        if not all(isinstance(end, int | float) for end in ends[:2]):
            raise TypeError(f"{ends!r} is not a range of numbers")
        if not all(isinstance(unit, str) and is_safe_unit(unit) for unit in ends[2:]):
            raise ValueError(f"{ends!r} is not a range in a unit")
    return content


def _ends(column: Column, unit: str | None) -> JSON:
    values = column.values[column.is_present]
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return []
    low, high = values.min(), values.max()
    ends = [item.item() if isinstance(item, np.generic) else item for item in (low, high)]
    return ends if unit is None else [*ends, unit]


def _range(ends: Any) -> ParameterRange:
    if not ends:
        return ParameterRange("", "", 0, None, None, None)
    low, high, *units = ends
    unit = units[0] if units else None
    start, stop = (plain_parameter_text(end, unit) for end in (low, high))
    return ParameterRange(start, stop, None, low, high, unit)
