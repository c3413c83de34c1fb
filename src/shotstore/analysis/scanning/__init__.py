"""Shots as polars LazyFrames."""

from shotstore.installing import needed

with needed("A scan", "scan"):
    import polars  # noqa: F401 - the modules below import it as well

from shotstore.analysis.scanning.scan import scan_runs, scan_sequence

__all__ = ["scan_runs", "scan_sequence"]
