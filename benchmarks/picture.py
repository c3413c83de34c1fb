"""The ratios as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

from benchmarks.measure import Measured

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def draw(found: Sequence[Measured], path: Path) -> None:
    """Draw a bar for each ratio, and its goal as a line; left of the goal is good."""
    rows = [(measured, goal) for measured in found for goal in measured.goals]
    figure, axes = plt.subplots(figsize=(10, 0.36 * len(rows) + 1.2), layout="constrained")
    for row, (measured, goal) in enumerate(reversed(rows)):
        # Of speeds the other way round, so that less is better everywhere.
        ratio = 1 / measured.ratio(goal) if goal.at_least else measured.ratio(goal)
        limit = 1 / goal.ratio if goal.at_least else goal.ratio
        good = measured.is_reached(goal)
        axes.barh(row, ratio, color="#4c9f70" if good else "#c8553d", height=0.6)
        axes.plot([limit, limit], [row - 0.42, row + 0.42], color="black", linewidth=2)
        axes.text(ratio * 1.03, row, f"{ratio:.2g}", va="center", fontsize=8)
    names = [f"{measured.what}, to {goal.to}" for measured, goal in reversed(rows)]
    axes.set_yticks(np.arange(len(rows)), names, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("time of shotstore / time of the other (black: the goal)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
