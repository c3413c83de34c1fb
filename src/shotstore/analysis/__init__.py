"""Look at what was recorded: pictures, and files for other programs.

Nothing here imports matplotlib or polars before it is needed.
"""

from shotstore.analysis.exporting import export
from shotstore.analysis.pictures.images import plot_image
from shotstore.analysis.pictures.plots import plot

__all__ = ["export", "plot", "plot_image"]
