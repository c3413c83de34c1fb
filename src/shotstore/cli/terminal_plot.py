"""Points in a terminal: the dots of Braille letters, eight in the place of each."""

import math
from collections.abc import Iterator
from typing import Self

import attrs
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.text import Text

from shotstore.analysis.pictures.frames import colours
from shotstore.analysis.pictures.points import Curve, Points
from shotstore.analysis.times import local_texts
from shotstore.cli.formats import printable

_COLOURS = ("cyan", "red", "green", "yellow", "magenta", "blue")
_FURTHER = ("dark_orange", "orchid", "spring_green2", "dodger_blue1", "grey70", "tan")
"""For more curves, where a terminal has 256 colours"""
_DARKEST, _BRIGHTEST = 90, 230
"""Of the 256 colours of a scale: those that stand out from black and from white"""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a Braille letter, by row and column of the dot (Unicode, chapter 21.1)."""
_BRAILLE = 0x2800
_WIDEST, _HIGHEST = 100, 24
_TICKS = 6
_MINUTE, _DAY = 60, 86400

_Floats = npt.NDArray[np.float64]


def print_points(points: Points, console: Console) -> None:
    """Print points with axes around them, in the size of the terminal.

    Where x repeats, there are the means and their standard errors alone.
    """
    width, height = min(console.width, _WIDEST), 18
    if console.is_terminal:
        height = max(8, min(console.height - 8, _HIGHEST))
    for line in _lines(points, width, height):
        console.print(line, soft_wrap=True)


def _lines(points: Points, width: int, height: int) -> Iterator[Text]:
    curves = [_Shown.of(curve) for curve in points.curves]
    tints = _tints(points)
    x_axis = _Axis.around(np.concatenate([curve.x for curve in curves]))
    ends = [curve.y + sign * curve.error for curve in curves for sign in (-1, 1)]
    y_axis = _Axis.around(np.concatenate(ends))
    labels = y_axis.labels()
    margin = max(len(label) for _, label in labels) + 1
    canvas = _Canvas(max(10, width - margin - 1), height)
    for number, shown in enumerate(curves):
        for x, y, error in zip(shown.x, shown.y, shown.error, strict=True):
            low, high = y_axis.part(y - error), y_axis.part(y + error)
            canvas.draw(x_axis.part(x), low, high, tints[number])
    for title in points.title.splitlines():
        yield Text(title, style="bold")
    if points.y_label:
        yield Text(" " * margin + points.y_label, style="dim")
    by_row = {canvas.row(y_axis.part(tick)): label for tick, label in labels}
    for row in range(height):
        label = by_row.get(row, "")
        yield Text.assemble((f"{label:>{margin}}{'┤' if label else '│'}", "dim"), canvas.line(row))
    ticks = _times(x_axis) if points.x_is_time else x_axis.labels()
    if points.x_texts:
        ticks = [(float(place), printable(text)) for place, text in enumerate(points.x_texts)]
    yield from _below(x_axis, ticks, margin, canvas.width)
    yield Text(" " * (margin + 1) + points.x_label.center(canvas.width).rstrip(), style="dim")
    legend = [
        Text.assemble(("● ", tint), curve.label)
        for curve, tint in zip(points.curves, tints, strict=True)
        if curve.label
    ]
    if points.positions() is not None and len(legend) > len(_COLOURS):
        values = np.array([curve.value for curve in points.curves])
        legend = [legend[values.argmin()], legend[values.argmax()]]
        legend.insert(1, Text(f"  {len(points.curves) - 2} between them, in the colours between"))
    yield from legend


def _tints(points: Points) -> list[str]:
    """A colour for each curve; those of numbers are on a scale."""
    positions = points.positions()
    if positions is None:
        tints = _COLOURS + _FURTHER
        return [tints[number % len(tints)] for number in range(len(points.curves))]
    scale = colours()[_DARKEST:_BRIGHTEST]
    return [
        "#{:02x}{:02x}{:02x}".format(*scale[round(place * (len(scale) - 1))]) for place in positions
    ]


def _below(
    axis: "_Axis", ticks: list[tuple[float, str]], margin: int, width: int
) -> Iterator[Text]:
    """The line of the x axis, and the numbers or times below it."""
    rule, text = ["─"] * width, [" "] * (margin + 1 + width)
    end = -1
    for tick, label in ticks:
        place = min(width - 1, int(axis.part(tick) * width))
        start = max(0, min(margin + 1 + place - len(label) // 2, len(text) - len(label)))
        if start > end:
            rule[place] = "┬"
            text[start : start + len(label)] = label
            end = start + len(label)
    yield Text(" " * margin + "└" + "".join(rule), style="dim")
    yield Text("".join(text).rstrip(), style="dim")


@attrs.frozen(eq=False)
class _Shown:
    """The points of a curve that are drawn; times are seconds since 1970."""

    x: _Floats
    y: _Floats
    error: _Floats

    @classmethod
    def of(cls, curve: Curve) -> Self:
        means = curve.means()
        if means is None:
            return cls(_floats(curve.x), curve.y, np.zeros(len(curve.y)))
        return cls(_floats(means.x), means.mean, np.nan_to_num(means.error))


def _floats(x: npt.NDArray[np.generic]) -> _Floats:
    if x.dtype.kind == "M":
        return x.astype("M8[us]").astype(np.int64) / 1e6
    return x.astype(np.float64)


@attrs.frozen
class _Axis:
    """A range of numbers, and the round numbers in it."""

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: _Floats) -> Self:
        """An axis with some space around the values."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if low == high:
            low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
        space = 0.04 * (high - low)
        low, high = low - space, high + space
        rough = (high - low) / _TICKS
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
        return cls(low, high, step)

    def part(self, value: float) -> float:
        """Where a value is, from 0 at the low end to 1 at the high one."""
        return (value - self.low) / (self.high - self.low)

    def labels(self) -> list[tuple[float, str]]:
        """The round numbers, and their texts."""
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        ticks = [number * self.step for number in range(first, last + 1)]
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        largest = max(map(abs, ticks), default=0)
        if largest >= 1e6 or self.step < 1e-4:
            return [(tick, f"{tick:.4g}") for tick in ticks]
        return [(tick, f"{tick:.{digits}f}") for tick in ticks]


def _times(axis: _Axis) -> list[tuple[float, str]]:
    """Moments at equal distances, on the clock of this machine."""
    span = axis.high - axis.low
    form = "%H:%M" if span < 2 * _DAY else "%m-%d %H:%M"
    if span < 10 * _MINUTE:
        form = "%H:%M:%S" if span > _TICKS else "%H:%M:%S.%f"
    ticks = np.linspace(axis.low, axis.high, _TICKS)[1:-1].tolist()
    times = np.array([round(tick * 1e6) for tick in ticks], "M8[us]")
    texts = local_texts(times, form)
    # Microseconds to hundredths.
    return [
        (tick, text[:-4] if "." in text else text) for tick, text in zip(ticks, texts, strict=True)
    ]


class _Canvas:
    """Dots, two by four in each place of a letter; a letter has one colour, that of the last."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self._height = height
        self._letters = np.zeros((height, width), np.int64)
        self._colours = np.full((height, width), "", dtype=object)

    def draw(self, x: float, low: float, high: float, colour: str) -> None:
        """Draw a point of two by two dots, and a line through it from ``low`` to ``high``; all from
        0 to 1."""
        column = min(int(x * 2 * self.width), 2 * self.width - 2)
        top, bottom = self._dot(high), self._dot(low)
        for row in range(top, bottom + 1):
            self._set(row, column, colour)
        for row in ((top + bottom) // 2, (top + bottom) // 2 + 1):
            for beside in (column, column + 1):
                self._set(min(row, 4 * self._height - 1), beside, colour)

    def row(self, y: float) -> int:
        """The line of letters at a height from 0 to 1."""
        return self._dot(y) // 4

    def line(self, row: int) -> Text:
        """The letters of a line, the first of which is the top."""
        text = Text()
        for bits, colour in zip(self._letters[row], self._colours[row], strict=True):
            text.append(chr(_BRAILLE + bits) if bits else " ", style=colour)
        text.rstrip()
        return text

    def _dot(self, y: float) -> int:
        return min(max(int((1 - y) * 4 * self._height), 0), 4 * self._height - 1)

    def _set(self, row: int, column: int, colour: str) -> None:
        if 0 <= column < 2 * self.width:
            self._letters[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
            self._colours[row // 4, column // 2] = colour
