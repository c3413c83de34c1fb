"""Plots of one column against another, with matplotlib."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from shotstore.analysis.conditions import Where
from shotstore.analysis.packages import needed
from shotstore.analysis.points import Curve, Points, collect_points
from shotstore.analysis.sources import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#2f6db5", "#d1495b", "#3a9679", "#e08a1e", "#7d5ba6", "#5b6470", "#00a5b5", "#a8763e")
_GREY = "#6b7280"
_MOST_AMONG_POINTS = 3
"""Curves in a legend; a longer one stands beside the points, where it hides none of them."""


def plot(
    source: Source,
    x: str | None = None,
    y: str | Iterable[str] | None = None,
    *,
    where: "Where | None" = None,
    by: str | None = None,
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw columns against each other: a point for each shot.

    Where x repeats, the shots are faint, and the mean of each x stands out with its standard error.

    Args:
        source: A sequence, a polars frame, or a dict of arrays: so what was computed is drawn too.
        x: The column to the right: a parameter, a label, ``"shot_index"`` or ``"shot_start_time"``.
            The last part of a name is enough where only one ends in it. By default what the
            sequence varies.
        y: One column or several. By default the only label that is a number.
        where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
        by: A column; shots of different values of it get different colours.
        axes: Where to draw; by default a new figure.

    Returns:
        The axes, to be changed or saved (``axes.figure.savefig``).

    Raises:
        DataNotFoundError: there is no such column, or no shot that has all that is asked for.
        InvalidConditionError: ``where`` cannot be understood.
        ColumnKindError: a column holds no numbers.
        MissingPackageError: matplotlib is not installed.
    """
    return draw_points(collect_points(source, x, y, where=where, by=by), axes)


def new_axes(width: float = 6.4, height: float = 4.8) -> "Axes":
    """Return the axes of a new figure, which a notebook shows.

    Args:
        width: Of the figure, in inches.
        height: Of the figure, in inches.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    with needed("A picture", "analysis"):
        from matplotlib import pyplot
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def draw_points(points: Points, axes: "Axes | None" = None) -> "Axes":
    """Draw points that were read before; see :func:`plot`."""
    axes = new_axes() if axes is None else axes
    for number, curve in enumerate(points.curves):
        _draw_curve(axes, curve, COLOURS[number % len(COLOURS)])
    axes.set_xlabel(points.x_label)
    axes.set_ylabel(points.y_label)
    if points.title:
        axes.set_title(points.title, loc="left", fontsize="medium", fontweight="bold")
    if points.x_is_time:
        _tell_time(axes)
    if any(curve.label for curve in points.curves):
        legend = axes.legend(frameon=False, fontsize="small")
        if len(points.curves) > _MOST_AMONG_POINTS:
            legend.set_loc("upper left")
            legend.set_bbox_to_anchor((1, 1))
    lighten(axes)
    return axes


def lighten(axes: "Axes") -> None:
    """Let the data stand out from the frame around it."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c3c8d0")
    axes.tick_params(color="#c3c8d0", labelcolor=_GREY)
    axes.grid(color="#eceef2")
    axes.set_axisbelow(True)


def _draw_curve(axes: "Axes", curve: Curve, colour: str) -> None:
    means = curve.means()
    if means is None:
        size = 5 if len(curve.x) < 1000 else 2.5
        axes.plot(curve.x, curve.y, "o", color=colour, markersize=size, label=curve.label or None)
        return
    axes.plot(curve.x, curve.y, "o", color=colour, markersize=3.5, alpha=0.25, markeredgewidth=0)
    axes.errorbar(
        means.x,
        means.mean,
        yerr=np.nan_to_num(means.error),
        fmt="o",
        color=colour,
        markersize=5.5,
        capsize=2.5,
        label=curve.label or None,
    )


def _tell_time(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
