"""Plots of one column against another, with matplotlib."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from shotstore.analysis.pictures.points import Curve, Points, collect_points
from shotstore.analysis.tables.conditions import Where
from shotstore.analysis.tables.sources import Source
from shotstore.installing import needed
from shotstore.records.arguments import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar

COLOURS = ("#2f6db5", "#d1495b", "#3a9679", "#e08a1e", "#7d5ba6", "#5b6470", "#00a5b5", "#a8763e")
_FURTHER = ("#c2379b", "#1d2b53", "#8fae1b", "#7d1d3f")
"""Colours for more curves, which differ in their markers too: some are not far from others"""
MARKERS = "os^Dv"
_SCALE = "viridis"
_DARKEST, _BRIGHTEST = 0.0, 0.88
"""Of the scale; beyond it is too pale for a white page."""
GREY, PALE = "#6b7280", "#c3c8d0"
_MOST_AMONG_POINTS = 3
"""Curves in a legend; a longer one stands beside the points, where it hides none of them."""
_MOST_IN_COLUMN, _MOST_COLUMNS = 22, 2
"""Curves in a column of a legend, at the usual height, and columns; further curves are counted."""
_ROOM_BESIDE = 1.6
"""Inches for a column of a legend beside the points."""


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
        x: The column to the right: a parameter, a label, ``"shot_index"`` or ``"shot_start_time"``,
            of numbers, times or texts.
            The last part of a name is enough where only one ends in it. By default what the
            sequence varies.
        y: One column or several. By default the only label that is a number.
        where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
        by: A column; shots of different values of it get different colours: numbers those of a
            scale, texts each its own, and another marker where there are more than colours.
        axes: Where to draw; by default a new figure.

    Returns:
        The axes, to be changed or saved (``axes.figure.savefig``).

    Raises:
        DataNotFoundError: there is no such column, or no shot that has all that is asked for.
        InvalidConditionError: ``where`` cannot be understood.
        ColumnKindError: a column holds no numbers.
        MissingPackageError: matplotlib is not installed.
    """
    check_axes(axes)
    return draw_points(collect_points(source, x, y, where=where, by=by), axes)


def new_axes(width: float = 6.4, height: float = 4.8) -> "Axes":
    """Return the axes of a new figure, which a notebook shows.

    Args:
        width: Of the figure, in inches.
        height: Of the figure, in inches.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    with needed("A picture", "plot"):
        from matplotlib import pyplot
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def check_axes(axes: object) -> None:
    """Check that something can be drawn into; None is for a new figure.

    Raises:
        TypeError: it is not the axes of matplotlib.
    """
    if axes is not None and not (hasattr(axes, "plot") and hasattr(axes, "imshow")):
        raise TypeError(f"axes must be those of a figure of matplotlib, not {shown(axes)}.")


def draw_points(points: Points, axes: "Axes | None" = None) -> "Axes":
    """Draw points that were read before; see :func:`plot`."""
    scale = points.positions()
    count = len(points.curves)
    if axes is None:
        is_beside = scale is None and count > _MOST_AMONG_POINTS
        axes = new_axes(6.4 + _ROOM_BESIDE * _columns_of_legend(count) * is_beside)
    for number, curve in enumerate(points.curves):
        if scale is None:
            colour, marker = _style(number, count)
        else:
            colour = _on_scale(scale[number])
            marker = MARKERS[curve.series % len(MARKERS)]
        _draw_curve(axes, curve, colour, marker)
    axes.set_xlabel(points.x_label)
    axes.set_ylabel(points.y_label)
    if points.title:
        axes.set_title(points.title, loc="left", fontsize="medium", fontweight="bold")
    if points.x_is_time:
        _tell_time(axes)
    if points.x_texts:
        axes.set_xticks(range(len(points.x_texts)), points.x_texts)
    if scale is not None and len({curve.group for curve in points.curves}) > len(COLOURS):
        _tell_scale(axes, points)
    elif any(curve.label for curve in points.curves):
        _tell_curves(axes, count)
    lighten(axes)
    return axes


def add_colour_bar(axes: "Axes", scale: "ScalarMappable", **place: Any) -> "Colorbar":
    """Tell which values the colours beside it stand for; ``place`` is as matplotlib takes it."""
    bar = axes.figure.colorbar(scale, ax=axes, **place)
    bar.outline.set_visible(False)
    bar.ax.tick_params(color=PALE, labelcolor=GREY, labelsize="small")
    return bar


def lighten(axes: "Axes") -> None:
    """Let the data stand out from the frame around it."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(color=PALE, labelcolor=GREY)
    axes.grid(color="#eceef2")
    axes.set_axisbelow(True)


def _style(number: int, count: int) -> tuple[str, str]:
    """The colour and the marker of one of so many curves."""
    if count <= len(COLOURS):
        return COLOURS[number], MARKERS[0]
    colours = COLOURS + _FURTHER
    return colours[number % len(colours)], MARKERS[number % len(MARKERS)]


def _on_scale(position: float) -> str:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return to_hex(colormaps[_SCALE](_DARKEST + (_BRIGHTEST - _DARKEST) * position))


def _draw_curve(axes: "Axes", curve: Curve, colour: str, marker: str) -> None:
    means = curve.means()
    label = curve.label or None
    if means is None:
        size = 5 if len(curve.x) < 1000 else 2.5
        axes.plot(curve.x, curve.y, marker, color=colour, markersize=size, label=label)
        return
    axes.plot(curve.x, curve.y, marker, color=colour, markersize=3.5, alpha=0.25, markeredgewidth=0)
    axes.errorbar(
        means.x,
        means.mean,
        yerr=np.nan_to_num(means.error),
        fmt=marker,
        color=colour,
        markersize=5.5,
        capsize=2.5,
        label=label,
    )


def _tell_curves(axes: "Axes", count: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    shown = _MOST_IN_COLUMN * _MOST_COLUMNS - 1
    if len(labels) > shown + 1:
        handles = [*handles[:shown], *axes.plot([], [], " ")]
        labels = [*labels[:shown], f"and {len(labels) - shown} more"]
    columns = _columns_of_legend(count)
    legend = axes.legend(handles, labels, frameon=False, fontsize="small", ncols=columns)
    if count > _MOST_AMONG_POINTS:
        legend.set_loc("upper left")
        legend.set_bbox_to_anchor((1, 1))


def _columns_of_legend(count: int) -> int:
    return min(_MOST_COLUMNS, -(-count // _MOST_IN_COLUMN))


def _tell_scale(axes: "Axes", points: Points) -> None:
    """A bar of colours for the numbers that make groups, and a legend for several columns of y."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    values = [curve.value for curve in points.curves if curve.value is not None]
    shades = ListedColormap([_on_scale(place) for place in np.linspace(0, 1, 256)])
    shown = ScalarMappable(Normalize(min(values), max(values)), shades)
    add_colour_bar(axes, shown, pad=0.02).set_label(points.by_label)
    names = {curve.series: curve.label.split(", ")[0] for curve in points.curves}
    if len(names) > 1:
        for series, name in names.items():
            axes.plot([], [], MARKERS[series % len(MARKERS)], color=GREY, label=name)
        own = axes.get_legend_handles_labels()
        kept = [pair for pair in zip(*own, strict=True) if pair[1] in names.values()]
        axes.legend(*zip(*kept, strict=True), frameon=False, fontsize="small")


def _tell_time(axes: "Axes") -> None:
    """Times on the clock of this machine, also where it was put forward among them."""
    from dateutil.tz import tzlocal  # type: ignore[import-untyped]
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=tzlocal())
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=tzlocal()))
