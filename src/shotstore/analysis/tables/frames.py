"""The columns of a table as polars has them."""

from typing import TYPE_CHECKING

import numpy as np

from shotstore.analysis.tables.gaps import present_or_none
from shotstore.records.columns import Column

if TYPE_CHECKING:
    import polars


def as_series(name: str, column: Column, *, has_zone: bool) -> "polars.Series":
    """Return the values of a column, null where one is missing.

    Args:
        name: Of the column.
        column: The values.
        has_zone: Whether times are aware, in UTC; times that were recorded are as they were.
    """
    import polars

    if column.values.dtype.kind == "O":
        values = [
            value.tolist() if isinstance(value, np.ndarray) else value
            for value in present_or_none(column)
        ]
        return polars.Series(name, values, strict=False)
    series = polars.Series(name, column.values)
    if has_zone:
        series = series.dt.replace_time_zone("UTC")
    if column.is_present.all():
        return series
    mask = polars.Series(column.is_present)
    return polars.select(polars.when(mask).then(series).alias(name)).to_series()
