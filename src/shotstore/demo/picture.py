"""The picture of the simulated run: what a physicist wants to see first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from shotstore.analysis import plot, plot_image
from shotstore.demo.camera import Frames, optical_density
from shotstore.demo.gas import FloatArray

LABELS = ("atoms", "reference", "dark")
_HALF_WIDTH = 104
"""Pixels shown on each side of the middle of a frame"""
_CUT_ROWS = 5
_LARGEST_DENSITY = 2.2


def draw_run(
    run: Mapping[str, npt.NDArray[Any]], pixel_size: float, title: str, file: Path
) -> None:
    """Save a PNG with the optical density of every shot, the atom numbers, and three cuts.

    Args:
        run: An entry a shot: ``hold_time`` in seconds, ``atom_number``, and the frames.
        pixel_size: The edge of a pixel in the plane of the atoms, in micrometres.
        title: What the picture is called.
        file: Where it goes.
    """
    frames = zip(*(run[label] for label in LABELS), strict=True)
    density = np.stack([_middle(optical_density(Frames(*shot))) for shot in frames])
    figure = Figure(figsize=(12.0, 8.0), layout="constrained")
    figure.suptitle(title, x=0.005, ha="left", fontsize=14, fontweight="bold")
    axes = figure.subplot_mosaic([["frames", "frames"], ["numbers", "cuts"]], height_ratios=[9, 5])
    seconds, thousands = run["hold_time"], run["atom_number"] / 1e3
    shots = {"hold time (s)": seconds, "atoms (thousands)": thousands, "density": density}
    sheet = plot_image(shots, "density", caption="hold time (s)", axes=axes["frames"])
    sheet.set_anchor("W")
    sheet.set_title("Optical density", loc="left", fontsize="medium")
    # The square root shows the thin thermal cloud beside the dense condensate.
    sheet.images[0].set_norm(PowerNorm(0.5, vmin=0, vmax=_LARGEST_DENSITY, clip=True))
    plot(shots, "hold time (s)", "atoms (thousands)", axes=axes["numbers"]).set_ylim(bottom=0)
    # One shot before the transition, one just after it, and the last one.
    chosen = [0, len(density) // 3, len(density) - 1]
    pixels = np.arange(-_HALF_WIDTH, _HALF_WIDTH, 2)
    cuts = {
        "along the trap (µm)": np.tile(pixels * pixel_size, len(chosen)),
        "optical density": np.concatenate([_cut(density[shot]) for shot in chosen]),
        "hold time (s)": np.repeat(seconds[chosen], len(pixels)),
    }
    plot(cuts, "along the trap (µm)", "optical density", by="hold time (s)", axes=axes["cuts"])
    figure.savefig(file, dpi=110)


def _middle(density: FloatArray) -> FloatArray:
    top, left = (length // 2 - _HALF_WIDTH for length in density.shape)
    return density[top : top + 2 * _HALF_WIDTH, left : left + 2 * _HALF_WIDTH]


def _cut(density: FloatArray) -> FloatArray:
    """The mean of some rows through the middle, and of each two columns."""
    middle = density.shape[0] // 2
    rows = density[middle - _CUT_ROWS // 2 : middle + _CUT_ROWS // 2 + 1]
    return np.asarray(rows.mean(axis=0).reshape(-1, 2).mean(axis=1), dtype=np.float64)
