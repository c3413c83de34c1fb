"""Conditions on shots, as people type them: ``detuning > 5 MHz and hold_time <= 2 s``."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables import HELD, Table, TableColumn
from shotstore.errors import DataNotFoundError, InvalidConditionError
from shotstore.model import Expression
from shotstore.model.quantities import convert, is_quantity, unit_to_text
from shotstore.session.columns import Column

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
_PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SPLIT = re.compile(r"(<=|>=|==|!=|<|>|=)")
_AND = re.compile(r"\s+and\s+|\s*&+\s*")
_EXAMPLE = 'write something like "detuning > 5 MHz and hold_time <= 2 s"'


@attrs.frozen
class _Comparison:
    column: TableColumn
    symbol: str
    value: str


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
    if where is None:
        return np.arange(len(table))
    if not isinstance(where, str):
        return _rows_of_expression(table, where)
    is_met = np.ones(len(table), bool)
    comparisons = _parse(table, where)
    columns = table.read({comparison.column.name for comparison in comparisons})
    for comparison in comparisons:
        is_met &= _compare(comparison, columns[comparison.column.name], where)
    return np.flatnonzero(is_met)


def _parse(table: Table, where: str) -> list[_Comparison]:
    comparisons: list[_Comparison] = []
    for part in _AND.split(where.strip()):
        pieces = [piece.strip() for piece in _SPLIT.split(part)]
        if len(pieces) not in (3, 5) or not all(pieces):
            raise InvalidConditionError(f"{where!r} is no condition on shots: {_EXAMPLE}.")
        if len(pieces) == 5:
            low, first, name, second, high = pieces
            if first not in _TURNED or second not in _TURNED:
                raise InvalidConditionError(f"{where!r} is no condition on shots: {_EXAMPLE}.")
            column = table.find(name)
            comparisons.append(_Comparison(column, _TURNED[first], low))
            comparisons.append(_Comparison(column, second, high))
        else:
            comparisons.append(_comparison(table, *pieces))
    return comparisons


def _comparison(table: Table, left: str, symbol: str, right: str) -> _Comparison:
    try:
        return _Comparison(table.find(left), symbol, right)
    except DataNotFoundError as error:
        try:
            return _Comparison(table.find(right), _TURNED.get(symbol, symbol), left)
        except DataNotFoundError:
            raise error from None


def _compare(comparison: _Comparison, column: Column, where: str) -> npt.NDArray[np.bool_]:
    kind = comparison.column.kind
    value: Any
    if kind == "number":
        value = _number(comparison, where)
    elif kind == "time":
        value = _time(comparison, where)
    elif kind == "text":
        value = comparison.value.strip("'\"")
    else:
        raise InvalidConditionError(
            f"{comparison.column.name} in {where!r} holds {HELD[kind]}, which have no "
            "order: compare numbers, texts or times."
        )
    compare = _OPERATORS[comparison.symbol]
    is_met = np.zeros(len(column.values), bool)
    present = column.values[column.is_present]
    if present.dtype.kind in "OU":
        is_met[column.is_present] = [bool(compare(found, value)) for found in present.tolist()]
    elif present.dtype.kind == "f":
        is_close = np.isclose(present, value, rtol=_PRECISION, atol=0)
        is_met[column.is_present] = compare(np.where(is_close, value, present), value)
    else:
        is_met[column.is_present] = compare(present, value)
    return is_met


def _number(comparison: _Comparison, where: str) -> bool | int | float:
    column, text = comparison.column, comparison.value
    try:
        value = Expression({"true": "True", "false": "False"}.get(text, text)).evaluate({})
    except ValueError as error:
        raise InvalidConditionError(f"{where!r} is no condition on shots: {error}") from error
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


def _time(comparison: _Comparison, where: str) -> np.datetime64:
    text = comparison.value.strip("'\"")
    try:
        time = datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise InvalidConditionError(
            f"{text!r} in {where!r} is no time: write it as 2026-11-22 or 2026-11-22 18:30."
        ) from error
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


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
        raise InvalidConditionError(f"The expression {where} names no column: {_EXAMPLE}.")
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
