"""Which shots meet a condition, a text or a polars expression."""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shotstore.analysis.comparisons import (
    EXAMPLE,
    PRECISION,
    Comparison,
    number_of,
    parse_condition,
)
from shotstore.analysis.periods import instant
from shotstore.analysis.tables import HELD, Table, TableColumn
from shotstore.errors import DataNotFoundError, InvalidConditionError
from shotstore.model.quantities import convert, is_quantity, unit_to_text
from shotstore.records.arguments import shown
from shotstore.records.columns import Column

if TYPE_CHECKING:
    import polars

Where: TypeAlias = "str | polars.Expr"
"""Which shots: a text such as ``"detuning > 5 MHz"``, or a polars expression."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


def matching_rows(table: Table, where: "Where | None") -> npt.NDArray[np.int64]:
    """Return the rows of a table that meet a condition; only the columns in it are read.

    A comparison is of a column with a value: a number with the unit that a parameter has or one of
    the same dimension, ``True``, a text, or a time, which is local unless it has a zone. The value
    may stand first, or on both sides (``1 s < hold_time < 2 s``); several comparisons are joined by
    ``and``. Floats that differ by rounding alone are equal. A shot without a value meets none.

    Args:
        table: Where to look.
        where: The condition; None for all rows.

    Raises:
        InvalidConditionError: it cannot be understood, or does not fit the column.
        DataNotFoundError: there is no such column.
    """
    check_where(where)
    if where is None:
        return np.arange(len(table))
    if not isinstance(where, str):
        return _rows_of_expression(table, where)
    is_met = np.ones(len(table), bool)
    compared = [
        (table.find(comparison.name), comparison)
        for comparison in parse_condition(where, lambda name: _has(table, name))
    ]
    columns = table.read({column.name for column, _ in compared})
    for column, comparison in compared:
        is_met &= _compare(column, columns[column.name], comparison, where)
    return np.flatnonzero(is_met)


def check_where(where: object) -> None:
    """Check that it is a condition, which is not read here.

    Raises:
        TypeError: it is neither a text nor a polars expression.
    """
    if where is not None and not isinstance(where, str) and not hasattr(where, "meta"):
        raise TypeError(
            f"A condition must be a text or a polars expression, not {shown(where)}: {EXAMPLE}."
        )


def _has(table: Table, name: str) -> bool:
    try:
        table.find(name)
    except DataNotFoundError:
        return False
    return True


def _compare(
    column: TableColumn, found: Column, comparison: Comparison, where: str
) -> npt.NDArray[np.bool_]:
    value: Any
    if column.kind == "number":
        value = _number(column, comparison.value, where)
    elif column.kind == "time":
        value, last = _span(comparison.value, where)
    elif column.kind == "text":
        value = comparison.value.strip("'\"")
    else:
        raise InvalidConditionError(
            f"{column.name} in {where!r} holds {HELD[column.kind]}, which have no order: compare "
            "numbers, texts or times."
        )
    compare = _OPERATORS[comparison.symbol]
    is_met = np.zeros(len(found.values), bool)
    present = found.values[found.is_present]
    if present.dtype.kind in "OU":
        is_met[found.is_present] = [bool(compare(item, value)) for item in present.tolist()]
    elif present.dtype.kind == "f":
        is_close = np.isclose(present, value, rtol=PRECISION, atol=0)
        is_met[found.is_present] = compare(np.where(is_close, value, present), value)
    elif column.kind == "time":
        is_within = (value <= present) & (present <= last)
        is_met[found.is_present] = compare(np.where(is_within, value, present), value)
    else:
        is_met[found.is_present] = compare(present, value)
    return is_met


def _number(column: TableColumn, text: str, where: str) -> bool | int | float:
    try:
        value = number_of(text)
    except ValueError as error:
        raise InvalidConditionError(f"{where!r} is not a condition: {error}") from error
    number: bool | int | float
    if is_quantity(value):
        units = unit_to_text(value.units)
        if column.units is None:
            raise InvalidConditionError(
                f"{column.name} has no unit: compare it with a plain number, not with {text}."
            )
        try:
            if units == column.units:
                number = value.magnitude
            else:
                number = float(convert(np.array(value.magnitude), units, column.units))
        except ValueError:
            raise InvalidConditionError(
                f"{column.name} is in {column.units}, and {text} cannot be converted to that."
            ) from None
        return number
    if column.units and value != 0:
        # A number without unit is a mistake that would otherwise give the wrong shots silently.
        raise InvalidConditionError(
            f"{column.name} is in {column.units}: write {text} {column.units}, or another unit."
        )
    return value


def _span(value: str, where: str) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last instant that a text may mean; two where the clock is set back."""
    text = value.strip("'\"")
    try:
        span = instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise InvalidConditionError(
            f"{text!r} in {where!r} is not a time: write it as 2026-11-22 or 2026-11-22 18:30."
        ) from error
    begin = np.datetime64(span.begin.replace(tzinfo=None), "us")
    return begin, np.datetime64(span.end.replace(tzinfo=None), "us") - np.timedelta64(1, "us")


def _rows_of_expression(table: Table, where: "polars.Expr") -> npt.NDArray[np.int64]:
    import polars

    names = where.meta.root_names()
    columns = table.read([table.find(name).name for name in names])
    frame = polars.DataFrame(
        {name: _series(name, columns[table.find(name).name], table.find(name)) for name in names}
    )
    is_met = frame.select(where.alias("is_met"))["is_met"]
    if is_met.dtype != polars.Boolean:
        raise InvalidConditionError(
            f"The expression {where} gives {is_met.dtype}, not True or False for each shot."
        )
    if len(is_met) != len(table):
        raise InvalidConditionError(f"The expression {where} names no column: {EXAMPLE}.")
    return np.flatnonzero(is_met.fill_null(False).to_numpy())


def _series(name: str, column: Column, kind: TableColumn) -> "polars.Series":
    import polars

    if column.values.dtype.kind == "O":
        return polars.Series(name, column.values.tolist(), strict=False)
    series = polars.Series(name, column.values)
    if kind.kind == "time":
        series = series.dt.replace_time_zone("UTC")
    if column.is_present.all():
        return series
    mask = polars.Series(column.is_present)
    return polars.select(polars.when(mask).then(series).alias(name)).to_series()
