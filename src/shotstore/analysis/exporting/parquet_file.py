"""Parquet: all columns as ``Sequence.scan`` has them, in their own types.

The units are in the metadata of the file, as JSON under the key ``units``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import INDEX, SEQUENCE, SequenceTable
from shotstore.analysis.tables.gaps import is_rounded
from shotstore.installing import needed

if TYPE_CHECKING:
    import polars as pl

_GROUP = 32 * 2**20
"""Bytes"""


def write(job: Job, file: Path) -> None:
    """Write the columns, batch by batch.

    Raises:
        MissingPackageError: polars is not installed.
    """
    with needed("A .parquet file", "scan"):
        from polars import selectors

    scan = _scan(job)
    metadata = {"units": json.dumps(job.units(), ensure_ascii=False)}
    if job.path is not None:
        metadata["sequence"] = job.path
    _note_what_is_rounded(job, scan.collect_schema())
    # By name, for polars takes "*" and "^a.*$" for many columns.
    scan.select(selectors.by_name([column.name for column in job.columns])).sink_parquet(
        file,
        compression="zstd",
        metadata=metadata,
        # A group is in memory as a whole; by default it has 250,000 rows.
        row_group_size=max(1, _GROUP // job.table.row_size(column.name for column in job.columns)),
    )


def _scan(job: Job) -> "pl.LazyFrame":
    import polars as pl

    from shotstore.analysis.scanning import scan_runs, scan_sequence

    if isinstance(job.table, SequenceTable):
        scan = scan_sequence(job.table.reader)
        if len(job.rows) == len(job.table):
            return scan
        indices = job.table.read([INDEX], job.rows)[INDEX].values
        return scan.filter(pl.col(INDEX).is_in(indices.tolist()))
    # Others may have recorded more of them meanwhile.
    shots = job.table.frame([SEQUENCE, INDEX])[job.rows]
    chosen = shots.to_struct("shots").implode()
    return scan_runs(job.table.runs()).filter(pl.struct(SEQUENCE, INDEX).is_in(chosen))


def _note_what_is_rounded(job: Job, schema: "pl.Schema") -> None:
    has_wide = len(job.rows) and any(reader.has_wide_integers() for reader in job.table.readers())
    for column in job.columns:
        if column.dtype is not None and column.dtype.kind == "f" and column.dtype.itemsize > 8:
            job.note(column, f"is float64 there, and {column.dtype} in the store")
            continue
        may_be = has_wide and column.kind == "number" and schema[column.name].is_float()
        if may_be and is_rounded(job.read(column)):
            job.note(column, "holds integers that are rounded there, to floats of 64 bits")
