"""The points of a plot: which columns, in which groups, and their means where x repeats."""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.conditions import Where, matching_rows
from shotstore.analysis.sources import Source, as_table
from shotstore.analysis.tables import HELD, INDEX, Kind, Table, TableColumn, number_values
from shotstore.errors import ColumnKindError, DataNotFoundError
from shotstore.session import Sequence
from shotstore.session.columns import Column

_PRECISION = 1e-9
"""Of the range: values of x that are closer were meant to be the same."""


@attrs.frozen(eq=False)
class Means:
    """The mean of y at each value of x.

    Attributes:
        x: The values, increasing.
        mean: Of y.
        error: Standard error of the mean, NaN where there is one point only.
        count: Number of points.
    """

    x: npt.NDArray[Any]
    mean: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class Curve:
    """Points that belong together.

    Attributes:
        label: What they are, for a legend.
        x: Floats, or times in UTC.
        y: As many.
    """

    label: str
    x: npt.NDArray[Any]
    y: npt.NDArray[np.float64]

    def means(self) -> Means | None:
        """Return the means of y, or None where no x repeats."""
        order = np.argsort(self.x, kind="stable")
        x, y = self.x[order], self.y[order]
        if len(x) < 2:
            return None
        steps = np.diff(x)
        first = np.r_[True, steps > (x[-1] - x[0]) * _PRECISION]
        if first.all():
            return None
        starts = np.flatnonzero(first)
        count = np.diff(np.r_[starts, len(x)])
        mean = np.add.reduceat(y, starts) / count
        squares = np.add.reduceat((y - np.repeat(mean, count)) ** 2, starts)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(squares / (count - 1) / count)
        return Means(x[starts], mean, np.where(count > 1, error, np.nan), count)


@attrs.frozen(eq=False)
class Points:
    """What a plot shows; there is at least one point."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]

    @property
    def x_is_time(self) -> bool:
        """Whether x is a time, in UTC."""
        return self.curves[0].x.dtype.kind == "M"


def collect_points(
    source: Source,
    x: str | None = None,
    y: str | Iterable[str] | None = None,
    *,
    where: "Where | None" = None,
    by: str | None = None,
) -> Points:
    """Read the points of a plot, and nothing else.

    Args:
        source: A sequence, a polars frame, or arrays by name.
        x: The column to the right. By default what the sequence varies.
        y: One column or several. By default the only label that is a number.
        where: Which shots, as :func:`~shotstore.analysis.plot` takes it.
        by: A column; shots of different values of it become different curves.

    Raises:
        DataNotFoundError: there is no such column, a default cannot be told, or no shot has a
            point.
        InvalidConditionError: ``where`` cannot be understood.
        ColumnKindError: a column is not of numbers or, for x, times.
    """
    table = as_table(source)
    table.check_has_rows()
    if x is not None:
        x_column = table.find(x)
    elif isinstance(source, Sequence):
        x_column = table.columns[default_x(source, table)]
    else:
        raise DataNotFoundError(f"Say what to plot as x: there is {', '.join(table.columns)}.")
    names = _default_y(table) if y is None else [y] if isinstance(y, str) else list(y)
    y_columns = [column for name in names for column in table.find_all(name)]
    by_column = None if by is None else table.find(by)
    for column in (x_column, *y_columns):
        _check_kind(column, ("number", "time") if column is x_column else ("number",))
    needed = {column.name for column in (x_column, *y_columns, by_column) if column is not None}
    rows = matching_rows(table, where)
    columns = table.read(needed, rows)
    curves = tuple(_curves(columns, x_column, y_columns, by_column))
    if not curves:
        chosen = f" that meets {where!r}" if isinstance(where, str) else ""
        raise DataNotFoundError(
            f"{table.title or 'The table'} has no shot{chosen} with {x_column.name} and "
            f"{' or '.join(column.name for column in y_columns)}: there is nothing to plot."
        )
    return Points(
        title=_title(table.title, where),
        x_label=_axis_label(x_column),
        y_label=_axis_label(y_columns[0]) if len(y_columns) == 1 else "",
        curves=curves,
    )


def default_x(source: Sequence, table: Table) -> str:
    """Return the column that a sequence varies, at best in its loops, and something with a unit."""
    [summary] = source.session.sequences.get_summaries(source.path)
    others = sorted(source.get_local_parameters())
    names = [name for name in dict.fromkeys((*summary.varied, *others)) if name in table.columns]
    read = table.read(names)
    varied = [name for name in names if len(np.unique(number_values(read[name]))) > 1]
    in_loops = [name for name in varied if name in summary.varied] or varied
    with_unit = [name for name in in_loops if table.columns[name].units]
    return next(iter(with_unit or in_loops), INDEX)


def pretty_unit(units: str | None) -> str:
    """Return a unit as it is printed: ``m/s²``."""
    if not units:
        return ""
    from shotstore.model.quantities import quantity

    try:
        return format(quantity(1, units).units, "~P")
    except ValueError:  # a unit that only the lab knows
        return units


def value_text(value: object, units: str | None = None) -> str:
    """Return a value with its unit, in as few digits as tell it."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    unit = pretty_unit(units)
    return f"{text} {unit}" if unit else text


def _title(title: str, where: "Where | None") -> str:
    return "\n".join(filter(None, (title, where if isinstance(where, str) else "")))


def _curves(
    columns: dict[str, Column],
    x_column: TableColumn,
    y_columns: list[TableColumn],
    by_column: TableColumn | None,
) -> Iterator[Curve]:
    found = columns[x_column.name]
    x = found.values if x_column.kind == "time" else number_values(found)
    several = len(y_columns) > 1
    for column in y_columns:
        y = number_values(columns[column.name])
        is_there = (
            found.is_present & ~np.isnan(y) & ~np.isnat(x)
            if x_column.kind == "time"
            else (~np.isnan(x) & ~np.isnan(y))
        )
        if by_column is None:
            groups = [("", is_there)]
        else:
            groups = list(_groups(columns[by_column.name], by_column))
        for text, members in groups:
            if (chosen := members & is_there).any():
                label = ", ".join(filter(None, (_axis_label(column) if several else "", text)))
                yield Curve(label, x[chosen], y[chosen])


def _groups(column: Column, kind: TableColumn) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    _check_kind(kind, ("number", "text", "time"))
    values = np.array(column.values[column.is_present].tolist())
    for value in np.unique(values):
        members = column.is_present.copy()
        members[column.is_present] = values == value
        yield f"{kind.name} = {value_text(value.item(), kind.units)}", members


def _check_kind(column: TableColumn, kinds: tuple[Kind, ...]) -> None:
    if column.kind not in kinds:
        wanted = " or ".join(f"{kind}s" for kind in kinds)
        hint = f": plot_image (--image {column.name}) draws it" if column.is_image else ""
        raise ColumnKindError(f"{column.name} holds {HELD[column.kind]}, not {wanted}{hint}.")


def _axis_label(column: TableColumn) -> str:
    unit = "UTC" if column.kind == "time" else pretty_unit(column.units)
    return f"{column.name} ({unit})" if unit else column.name


def _default_y(table: Table) -> list[str]:
    """The only label that is a number, or the parts of it."""
    columns = [
        column for column in table.columns.values() if column.kind == "number" and column.is_label
    ]
    if len({column.origin.name for column in columns if column.origin is not None}) == 1:
        return [column.name for column in columns]
    names = ", ".join(column.name for column in columns)
    which = names or "none that is a number; compute one, and plot that"
    raise DataNotFoundError(f"Say what to plot as y; {table.title or 'the table'} has {which}.")
