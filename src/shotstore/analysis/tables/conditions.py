"""Which shots meet a condition, a text or a polars expression."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.periods import period
from shotstore.analysis.tables import HELD, Table, TableColumn
from shotstore.errors import DataNotFoundError, InvalidConditionError
from shotstore.model.condition_grammar import EXAMPLE, parse_condition
from shotstore.model.conditions import (
    PRECISION,
    And,
    Comparison,
    Condition,
    Not,
    Or,
    Value,
    comparisons_in,
)
from shotstore.model.parameters import NumberOrQuantity, as_plain
from shotstore.model.ranges import in_units, is_plain_zero
from shotstore.records.arguments import shown
from shotstore.records.columns import Column

if TYPE_CHECKING:
    import polars

TAG = "tag"
"""What a condition calls the tags of a shot, unless a column has this name."""

Where: TypeAlias = "str | polars.Expr"
"""Which shots: a text such as ``"detuning > 5 MHz"``, or a polars expression."""

_Flags: TypeAlias = npt.NDArray[np.bool_]


@attrs.frozen
class _Answer:
    """Which shots meet a condition, and which do not; one without a value does neither."""

    is_met: _Flags
    is_not_met: _Flags


_MEETING: dict[str, Callable[[_Flags, _Flags], _Flags]] = {
    "<": lambda is_below, _: is_below,
    "<=": lambda _, is_above: ~is_above,
    ">": lambda _, is_above: is_above,
    ">=": lambda is_below, _: ~is_below,
    "=": lambda is_below, is_above: ~(is_below | is_above),
    "!=": lambda is_below, is_above: is_below | is_above,
}
"""Of what is below or above all that is meant, what meets a comparison."""


def matching_rows(table: Table, where: "Where | None") -> npt.NDArray[np.int64]:
    """Return the rows of a table that meet a condition; only the columns in it are read.

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
    tagged = TAG if not _has(table, TAG) else None
    condition = parse_condition(where, lambda name: name == tagged or _has(table, name))
    columns = {
        each.name: table.find(each.name)
        for each in comparisons_in(condition)
        if each.name != tagged
    }
    values = table.read({column.name for column in columns.values()})
    now = datetime.now(UTC)

    def compare(comparison: Comparison) -> _Answer:
        if comparison.name == tagged:
            return _compare_tags(table.tags(), comparison)
        column = columns[comparison.name]
        try:
            return _compare(column, values[column.name], comparison, now)
        except ValueError as error:
            reason = str(error).rstrip(".")
            raise InvalidConditionError(f"'{comparison}' cannot be answered: {reason}.") from error

    return np.flatnonzero(_answer(condition, compare).is_met)


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


def _answer(condition: Condition, compare: Callable[[Comparison], _Answer]) -> _Answer:
    match condition:
        case Comparison():
            return compare(condition)
        case Not(part):
            answer = _answer(part, compare)
            return _Answer(answer.is_not_met, answer.is_met)
        case And(parts):
            answers = [_answer(part, compare) for part in parts]
            return _Answer(
                np.logical_and.reduce([answer.is_met for answer in answers]),
                np.logical_or.reduce([answer.is_not_met for answer in answers]),
            )
        case Or(parts):
            return _answer(Not(And(tuple(map(Not, parts)))), compare)


def _compare_tags(tags: Sequence[Collection[str]], comparison: Comparison) -> _Answer:
    """Which shots have a tag; each of them has it or not."""
    if comparison.symbol not in ("=", "!=") or comparison.value.tolerance is not None:
        raise InvalidConditionError(
            f"'{comparison}' cannot be answered: a shot has a tag or not, so write {TAG} = "
            f"{comparison.value.text}."
        )
    has = np.array([comparison.value.text in each for each in tags], bool)
    return _Answer(has, ~has) if comparison.symbol == "=" else _Answer(~has, has)


def _compare(column: TableColumn, found: Column, comparison: Comparison, now: datetime) -> _Answer:
    low, high = _ends(column, comparison.value, now)
    is_present = found.is_present & (found.values == found.values)  # neither NaN nor NaT
    present = found.values[is_present]
    if present.dtype.kind == "f":
        for end in (low, high):
            present = np.where(np.isclose(present, end, rtol=PRECISION, atol=0), end, present)
    if present.dtype.kind in "OU":
        items = present.tolist()
        is_below = np.array([item < low for item in items], bool)
        is_above = np.array([item > high for item in items], bool)
    else:
        is_below, is_above = present < low, present > high
    is_met, is_not_met = np.zeros((2, len(is_present)), bool)
    is_met[is_present] = _MEETING[comparison.symbol](is_below, is_above)
    is_not_met[is_present] = ~is_met[is_present]
    return _Answer(is_met, is_not_met)


def _ends(column: TableColumn, value: Value, now: datetime) -> tuple[Any, Any]:
    """The lowest and the highest value of a column that are meant."""
    if column.kind == "number":
        low, high = value.ends()
        return _number(column, low, value), _number(column, high, value)
    if column.kind not in ("time", "text"):
        raise ValueError(
            f"{column.name} holds {HELD[column.kind]}, which have no order: compare numbers, texts "
            "or times"
        )
    if value.tolerance is not None:
        raise ValueError(f"{column.name} holds {HELD[column.kind]}, which have no tolerance")
    if column.kind == "text":
        return value.text, value.text
    span = period(value.text, now)
    begin, end = (np.datetime64(time.replace(tzinfo=None), "us") for time in (span.begin, span.end))
    return begin, end - np.timedelta64(1, "us")


def _number(column: TableColumn, number: NumberOrQuantity, value: Value) -> bool | int | float:
    """The number in the unit of the column."""
    magnitude, units = as_plain(number)
    if units is None and column.units and not is_plain_zero(magnitude, column.units):
        # A number without unit is a mistake that would otherwise give the wrong shots silently.
        raise ValueError(
            f"{column.name} is in {column.units}: write {value} {column.units}, or another unit"
        )
    if units is not None and column.units is None:
        raise ValueError(
            f"{column.name} has no unit: compare it with a plain number, not with {value}"
        )
    converted = magnitude if units is None else in_units(magnitude, units, column.units)
    if converted is None:
        raise ValueError(
            f"{column.name} is in {column.units}, and {value} cannot be converted to that"
        )
    return converted


def _rows_of_expression(table: Table, where: "polars.Expr") -> npt.NDArray[np.int64]:
    import polars

    names = {name: table.find(name).name for name in where.meta.root_names()}
    if not names:
        raise InvalidConditionError(f"The expression {where} names no column: {EXAMPLE}.")
    read = table.frame(set(names.values()))
    frame = read.select(read[column].alias(name) for name, column in names.items())
    is_met = frame.select(where.alias("is_met"))["is_met"]
    if is_met.dtype != polars.Boolean:
        raise InvalidConditionError(
            f"The expression {where} gives {is_met.dtype}, not True or False for each shot."
        )
    if len(is_met) != len(table):
        raise InvalidConditionError(
            f"The expression {where} does not give True or False for each shot: {EXAMPLE}."
        )
    return np.flatnonzero(is_met.fill_null(False).to_numpy())
