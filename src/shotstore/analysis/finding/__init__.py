"""Find sequences, and tell why none was found."""

from shotstore.analysis.finding.find import Where, find
from shotstore.analysis.finding.unknown_names import unknown_names

__all__ = ["Where", "find", "unknown_names"]
