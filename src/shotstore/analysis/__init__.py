"""Look at what was recorded: pictures, and files for other programs.

Nothing here imports matplotlib or polars before it is needed.
"""

from shotstore.analysis.exporting import export
from shotstore.analysis.images import plot_image
from shotstore.analysis.plots import plot

__all__ = ["export", "plot", "plot_image"]
