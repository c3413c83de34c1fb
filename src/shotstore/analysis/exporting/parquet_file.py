"""Parquet: all columns as ``Sequence.scan`` has them, in their own types.

The units are in the metadata of the file, as JSON under the key ``units``.
"""

import json
from pathlib import Path

from shotstore.analysis.exporting.job import Job
from shotstore.analysis.packages import needed
from shotstore.analysis.tables import INDEX

_GROUP = 32 * 2**20
"""Bytes"""


def write(job: Job, file: Path) -> None:
    """Write the columns, batch by batch.

    Raises:
        MissingPackageError: polars is not installed.
    """
    with needed("A .parquet file", "analysis"):
        import polars as pl
    indices = job.table.read([INDEX], job.rows)[INDEX].values
    scan = job.sequence.scan()
    if len(indices) < len(job.table):
        scan = scan.filter(pl.col(INDEX).is_in(indices.tolist()))
    metadata = {
        "sequence": str(job.sequence.path),
        "units": json.dumps(job.units(), ensure_ascii=False),
    }
    scan.select(column.name for column in job.columns).sink_parquet(
        file,
        compression="zstd",
        metadata=metadata,
        # A group is in memory as a whole; by default it has 250,000 rows.
        row_group_size=max(1, _GROUP // sum(column.row_size for column in job.columns)),
    )
