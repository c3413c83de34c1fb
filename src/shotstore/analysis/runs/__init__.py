"""Several sequences as one table: which they are, what their columns are called, in which units."""

from shotstore.analysis.runs.chosen import AnyRuns, Runs

__all__ = ["AnyRuns", "Runs"]
