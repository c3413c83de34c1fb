"""The columns of shots: what they are called, what they hold, and what stands in their gaps."""

from shotstore.analysis.tables.sequence_table import SequenceTable
from shotstore.analysis.tables.sources import Source, as_table
from shotstore.analysis.tables.table import (
    END,
    HELD,
    INDEX,
    SEQUENCE,
    START,
    Kind,
    Table,
    TableColumn,
)

__all__ = [
    "END",
    "HELD",
    "INDEX",
    "SEQUENCE",
    "START",
    "Kind",
    "SequenceTable",
    "Source",
    "Table",
    "TableColumn",
    "as_table",
]
