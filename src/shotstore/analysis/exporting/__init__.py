"""Write the shots of a sequence to files that other programs read."""

from shotstore.analysis.exporting.formats import FORMATS, Exported, export, write_file

__all__ = ["FORMATS", "Exported", "export", "write_file"]
