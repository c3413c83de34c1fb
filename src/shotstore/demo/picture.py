"""The picture of the simulated run: what a physicist wants to see first."""

from collections.abc import Sequence as Ordered
from pathlib import Path

import attrs
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from shotstore.demo.gas import FloatArray

_TILES_A_ROW = 6
_HALF_WIDTH = 104
"""Pixels shown on each side of the middle of a frame"""
_GAP = 4
"""Pixels between two tiles of the contact sheet"""
_CUT_ROWS = 5
_LARGEST_DENSITY = 2.2
_COLOURS = ("#4c6fb1", "#c2457a", "#ee8a3c")
_INK, _GREY = "#22262e", "#6b7280"


@attrs.frozen
class Run:
    """What is drawn: one entry a shot, in the order of the shots.

    Attributes:
        hold_times: in seconds.
        densities: optical densities, each of shape (height, width).
        atom_numbers: computed from those.
        pixel_size: edge of a pixel in the plane of the atoms, in micrometres.
    """

    hold_times: Ordered[float]
    densities: Ordered[FloatArray]
    atom_numbers: Ordered[float]
    pixel_size: float


def draw_run(run: Run, title: str, file: Path) -> None:
    """Save a PNG with the optical density of every shot, the atom numbers, and three cuts."""
    figure = Figure(figsize=(12.0, 5.7), facecolor="white")
    figure.text(0.012, 0.945, title, fontsize=14, fontweight="bold", color=_INK)
    _draw_contact_sheet(figure.add_axes((0.012, 0.03, 0.605, 0.875)), run)
    # One shot before the transition, one just after it, and the last one.
    chosen = (0, len(run.densities) // 3, len(run.densities) - 1)
    _draw_atom_numbers(figure.add_axes((0.705, 0.585, 0.28, 0.32)), run, chosen)
    _draw_cuts(figure.add_axes((0.705, 0.115, 0.28, 0.32)), run, chosen)
    figure.savefig(file, dpi=110)


def _draw_contact_sheet(axes: Axes, run: Run) -> None:
    tiles = [_halve(_middle(density)) for density in run.densities]
    height, width = tiles[0].shape
    rows = -(-len(tiles) // _TILES_A_ROW)
    sheet = np.full((rows * (height + _GAP) - _GAP, _TILES_A_ROW * (width + _GAP) - _GAP), np.nan)
    for number, (tile, hold_time) in enumerate(zip(tiles, run.hold_times, strict=True)):
        row, column = divmod(number, _TILES_A_ROW)
        top, left = row * (height + _GAP), column * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
        axes.text(left + 4, top + 5, f"{hold_time:.1f} s", color="white", fontsize=8, va="top")
    # The square root shows the thin thermal cloud beside the dense condensate.
    norm = PowerNorm(0.5, vmin=0, vmax=_LARGEST_DENSITY, clip=True)
    colour_map = colormaps["magma"].copy()
    colour_map.set_bad("white")
    axes.imshow(sheet, cmap=colour_map, norm=norm, interpolation="antialiased")
    bar = 200 / (2 * run.pixel_size)
    right, bottom = sheet.shape[1] - 5, sheet.shape[0] - 6
    axes.plot([right - bar, right], [bottom, bottom], color="white", linewidth=2)
    axes.text(right, bottom - 3, "200 µm", color="white", fontsize=8, ha="right")
    axes.set_axis_off()


def _draw_atom_numbers(axes: Axes, run: Run, chosen: tuple[int, ...]) -> None:
    thousands = np.asarray(run.atom_numbers) / 1e3
    axes.plot(run.hold_times, thousands, "o", color=_GREY, markersize=4.5)
    for shot, colour in zip(chosen, _COLOURS, strict=True):
        axes.plot(run.hold_times[shot], thousands[shot], "o", color=colour, markersize=7.5)
    axes.set_ylim(0, 1.12 * float(thousands.max()))
    axes.set_title("Atom number (thousands)", loc="left", fontsize=10, color=_INK)
    axes.set_xlabel("hold time (s)", color=_GREY)
    _lighten(axes)


def _draw_cuts(axes: Axes, run: Run, chosen: tuple[int, ...]) -> None:
    for shot, colour in zip(chosen, _COLOURS, strict=True):
        tile = _middle(run.densities[shot])
        row, _ = _centre(tile)
        cut = tile[row - _CUT_ROWS // 2 : row + _CUT_ROWS // 2 + 1].mean(axis=0)
        position = (np.arange(cut.size) - cut.size / 2) * run.pixel_size
        axes.plot(position, cut, color=colour, linewidth=1.4)
        axes.fill_between(position, cut, color=colour, alpha=0.12, linewidth=0)
    axes.set_ylim(bottom=-0.08)
    axes.set_title("Optical density through the middle", loc="left", fontsize=10, color=_INK)
    axes.set_xlabel("along the trap (µm)", color=_GREY)
    _lighten(axes)


def _middle(density: FloatArray) -> FloatArray:
    height, width = density.shape
    top, left = height // 2 - _HALF_WIDTH, width // 2 - _HALF_WIDTH
    return density[top : top + 2 * _HALF_WIDTH, left : left + 2 * _HALF_WIDTH]


def _halve(density: FloatArray) -> FloatArray:
    """The mean over each 2 by 2 pixels: about what the picture resolves, with half the noise."""
    height, width = density.shape
    blocks = density.reshape(height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float64)


def _centre(density: FloatArray) -> tuple[int, int]:
    """Row and column of the centre of gravity, to the pixel."""
    weight = np.clip(density - 0.1, 0, None)
    row, column = np.indices(density.shape)
    total = weight.sum()
    return round(float((weight * row).sum() / total)), round(float((weight * column).sum() / total))


def _lighten(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c3c8d0")
    axes.tick_params(colors=_GREY, labelsize=9)
    axes.grid(axis="y", color="#eceef2")
    axes.set_axisbelow(True)
