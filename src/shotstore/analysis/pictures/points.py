"""The points of a plot: which columns, in which groups, and their means where x repeats."""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables import HELD, SEQUENCE, Kind, Source, Table, TableColumn, as_table
from shotstore.analysis.tables.conditions import Where, check_where, matching_rows
from shotstore.analysis.tables.gaps import as_floats
from shotstore.analysis.times import has_date, local_texts, zone_names
from shotstore.errors import ColumnKindError, DataNotFoundError
from shotstore.model.value_texts import pretty_unit, value_text
from shotstore.paths import PureSequencePath, common_folder
from shotstore.records.arguments import as_texts
from shotstore.records.columns import Column

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
        x: Floats, or times in UTC; of texts, their places among all texts.
        y: As many.
        series: Which of the columns of y, from 0.
        group: Which of the groups that another column makes, from 0.
        value: Of that column, where it holds numbers.
    """

    label: str
    x: npt.NDArray[Any]
    y: npt.NDArray[np.float64]
    series: int = 0
    group: int = 0
    value: float | None = None

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
    """What a plot shows; there is at least one point.

    Attributes:
        title: Of which shots.
        x_label: With the unit, or the time zone of this machine.
        y_label: Empty where there are several columns.
        curves: What belongs together.
        by_label: Of the column whose values make groups; else empty.
        x_texts: Where x is a text, all its values, in their order on the axis.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    by_label: str = ""
    x_texts: tuple[str, ...] = ()

    @property
    def x_is_time(self) -> bool:
        """Whether x is a time, in UTC."""
        return self.curves[0].x.dtype.kind == "M"

    def positions(self) -> list[float] | None:
        """Return where each curve is on the scale of the numbers that make groups, from 0 to 1;
        None where they are not numbers."""
        values = [curve.value for curve in self.curves if curve.value is not None]
        if len(values) < len(self.curves):
            return None
        low, span = min(values), max(values) - min(values)
        return [(value - low) / span if span else 0.5 for value in values]


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
        x: The column to the right, of numbers, times or texts. By default what the sequence
            varies.
        y: One column or several. By default the only label that is a number.
        where: Which shots, as :func:`~shotstore.analysis.plot` takes it.
        by: A column; shots of different values of it become different curves.

    Raises:
        DataNotFoundError: there is no such column, a default cannot be told, or no shot has a
            point.
        InvalidConditionError: ``where`` cannot be understood.
        ColumnKindError: a column is not of numbers or, for x, times or texts.
    """
    check_where(where)
    y_names = None if y is None else [y] if isinstance(y, str) else as_texts(y, "names of columns")
    table = as_table(source)
    table.check_has_rows()
    x_column = table.default_x() if x is None else table.find(x)
    if x_column is None:
        raise DataNotFoundError(f"Say what to plot as x: there is {', '.join(table.columns)}.")
    names = _default_y(table) if y_names is None else y_names
    y_columns = [column for name in names for column in table.find_all(name)]
    by_column = table.default_by() if by is None else table.find(by)
    for column in (x_column, *y_columns):
        _check_kind(column, _ON_X if column is x_column else ("number",))
    needed = {column.name for column in (x_column, *y_columns, by_column) if column is not None}
    rows = matching_rows(table, where)
    columns = table.read(needed, rows)
    _check_dates(x_column, columns[x_column.name])
    x_texts: tuple[str, ...] = ()
    if x_column.kind == "text":
        x_texts, columns[x_column.name] = _categories(columns[x_column.name])
    curves = tuple(_curves(columns, x_column, y_columns, by_column))
    if not curves:
        raise _nothing(table, columns, x_column, y_columns, where)
    x_label = _axis_label(x_column)
    if x_column.kind == "time":
        x_label += f" ({zone_names(np.concatenate([curve.x for curve in curves]))})"
    return Points(
        title=_title(_drawn(table, curves, by_column), where),
        x_label=x_label,
        y_label=_axis_label(y_columns[0]) if len(y_columns) == 1 else "",
        curves=curves,
        by_label="" if by_column is None else _axis_label(by_column),
        x_texts=x_texts,
    )


_ON_X: tuple[Kind, ...] = ("number", "time", "text")


def _categories(column: Column) -> tuple[tuple[str, ...], Column]:
    """The different texts of a column, and the places of its values among them."""
    values = np.array(column.values[column.is_present].tolist(), str)
    texts, places = np.unique(values, return_inverse=True)
    found = np.zeros(len(column.values))
    found[column.is_present] = places
    return tuple(texts.tolist()), Column(found, column.is_present)


def _drawn(table: Table, curves: tuple[Curve, ...], by_column: TableColumn | None) -> str:
    """What is drawn; of several sequences, how many have a point, where the colours tell that."""
    count = len({curve.group for curve in curves})
    is_told = by_column is not None and by_column.name == SEQUENCE
    return (
        f"{count} of {table.title}"
        if is_told and count < table.number_of_sequences
        else table.title
    )


def _title(title: str, where: "Where | None") -> str:
    return "\n".join(filter(None, (title, where if isinstance(where, str) else "")))


def _curves(
    columns: dict[str, Column],
    x_column: TableColumn,
    y_columns: list[TableColumn],
    by_column: TableColumn | None,
) -> Iterator[Curve]:
    x, has_x = _values(columns[x_column.name], x_column)
    several = len(y_columns) > 1
    everything = _Group("", np.ones(len(x), bool))
    groups = [everything] if by_column is None else _groups(columns[by_column.name], by_column)
    for series, column in enumerate(y_columns):
        y, has_y = _values(columns[column.name], column)
        for number, group in enumerate(groups):
            if (chosen := group.members & has_x & has_y).any():
                label = ", ".join(filter(None, (_axis_label(column) * several, group.text)))
                yield Curve(label, x[chosen], y[chosen], series, number, group.value)


def _values(found: Column, column: TableColumn) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Floats or times, and which of them have a place."""
    if column.kind == "time":
        return found.values, found.is_present & ~np.isnat(found.values)
    numbers = as_floats(found)
    return numbers, ~np.isnan(numbers)


@attrs.frozen(eq=False)
class _Group:
    text: str
    members: npt.NDArray[np.bool_]
    value: float | None = None


def _groups(column: Column, kind: TableColumn) -> list[_Group]:
    _check_kind(kind, ("number", "text", "time"))
    is_present = column.is_present
    if kind.kind == "time":
        is_present = is_present & ~np.isnat(column.values)
        values = column.values[is_present]
    else:
        values = np.array(column.values[is_present].tolist())
    different = np.unique(values)
    paths = _short_paths(different.tolist()) if kind.name == SEQUENCE else {}
    groups = []
    for value in different:
        members = is_present.copy()
        members[is_present] = values == value
        if kind.kind == "time":
            text = local_texts(np.array([value]))[0]
        else:
            plain = value.item() if isinstance(value, np.generic) else value
            text = value_text(plain, kind.units)
        position = float(value) if kind.kind == "number" else None
        text = paths.get(text) or f"{kind.name} = {text}"
        groups.append(_Group(text, members, position))
    return groups


def _short_paths(texts: list[str]) -> dict[str, str]:
    """The paths of sequences without the folders that all of them are in; none if they are none."""
    if not all(PureSequencePath.is_valid_path(text) for text in texts):
        return {}
    paths = {text: PureSequencePath(text) for text in texts}
    above = common_folder(paths.values())
    return {text: "\\".join(path.parts[len(above.parts) :]) for text, path in paths.items()}


def _check_dates(column: TableColumn, found: Column) -> None:
    if column.kind != "time":
        return
    times = found.values[found.is_present & ~np.isnat(found.values)]
    if not (is_known := has_date(times)).all():
        raise ColumnKindError(
            f"{column.name} has the time {times[~is_known][0]}, and a plot knows the years 1 to "
            "9999: choose other shots with a condition."
        )


def _nothing(
    table: Table,
    columns: dict[str, Column],
    x_column: TableColumn,
    y_columns: list[TableColumn],
    where: "Where | None",
) -> DataNotFoundError:
    """The error that says why there is no point."""
    chosen = f" that meets {where!r}" if isinstance(where, str) else ""
    names = [column.name for column in y_columns]
    what = table.what
    for column in (x_column, *y_columns):
        found = columns[column.name]
        if found.is_present.any() and not _values(found, column)[1].any():
            nothing = "NaT" if column.kind == "time" else "NaN"
            among = f" of the shots that meet {where!r}" if chosen else ""
            return DataNotFoundError(
                f"All values of {column.name} in {what}{among} are {nothing}: there is nothing to "
                "plot."
            )
    return DataNotFoundError(
        f"{what} has no shot{chosen} with {x_column.name} and {' or '.join(names)}: there is "
        "nothing to plot."
    )


def _check_kind(column: TableColumn, kinds: tuple[Kind, ...]) -> None:
    if column.kind not in kinds:
        wanted = " or ".join(f"{kind}s" for kind in kinds)
        hint = f": plot_image (--image {column.name}) draws it" if column.is_image else ""
        raise ColumnKindError(f"{column.name} holds {HELD[column.kind]}, not {wanted}{hint}.")


def _axis_label(column: TableColumn) -> str:
    unit = pretty_unit(column.units)
    return f"{column.name} ({unit})" if unit else column.name


def _default_y(table: Table) -> list[str]:
    """The only label that is a number, or the parts of it; without any, the only result."""
    measured = [
        column
        for column in table.columns.values()
        if column.kind == "number" and column.is_measured
    ]
    columns = [column for column in measured if not column.is_result] or measured
    if len({column.origin.name for column in columns if column.origin is not None}) == 1:
        return [column.name for column in columns]
    names = ", ".join(column.name for column in columns)
    of_what = table.what
    if names:
        raise DataNotFoundError(f"Say what to plot as y; {of_what} has {names}.")
    images = [column.name for column in table.columns.values() if column.is_image]
    hint = f": plot_image (--image {images[0]}) draws its frames" if images else ""
    raise DataNotFoundError(f"No label of {of_what} is a number that could be plotted as y{hint}.")
