"""The ratios as a picture."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np

from benchmarks.measure import Measured

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter


def draw(found: Sequence[Measured], path: Path) -> None:
    """Draw a bar for each ratio, from 1 on, and its goal as a line; further left is faster."""
    rows = [(measured, goal) for measured in found for goal in measured.goals]
    figure, axes = plt.subplots(figsize=(10, 0.34 * len(rows) + 1.0), layout="constrained")
    for row, (measured, goal) in enumerate(reversed(rows)):
        # Of speeds the other way round, so that less is better everywhere.
        ratio = 1 / measured.ratio(goal) if goal.at_least else measured.ratio(goal)
        limit = 1 / goal.ratio if goal.at_least else goal.ratio
        good = measured.is_reached(goal)
        axes.barh(row, ratio - 1, left=1, color="#4c9f70" if good else "#c8553d", height=0.6)
        axes.plot([limit, limit], [row - 0.4, row + 0.4], color="black", linewidth=2)
        axes.text(max(1, ratio, limit) * 1.05, row, f"{ratio:.2g}", va="center", fontsize=8)
    names = [f"{measured.what}, to {goal.to}" for measured, goal in reversed(rows)]
    axes.set_yticks(np.arange(len(rows)), [fill(name, 60) for name in names], fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.axvline(1, color="gray", linewidth=0.8)
    axes.set_xscale("log")
    axes.margins(x=0.08)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("time of shotstore / time of the other; black: the goal")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
