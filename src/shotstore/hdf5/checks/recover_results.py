"""Write what can still be read of a ``results.h5`` into a new one."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from shotstore.errors import DamagedStorageError
from shotstore.hdf5.checks.salvage import Salvage, SalvagedShot
from shotstore.hdf5.shots.additions import append
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.tree import Node
from shotstore.records.additions import Additions

_LONGEST_BATCH = 0.1  # seconds after which a Ctrl-C is let through
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_results(transaction: Transaction, file: Path) -> Salvage | None:
    """Open a results file as far as it goes, before it goes to the trash; None if nothing in it
    can be read."""
    try:
        return transaction.run(lambda: Salvage(file, holds_results=True))
    except (DamagedStorageError, OSError):
        return None


def rewrite_results(
    transaction: Transaction,
    node: Node,
    salvage: Salvage | None,
    rows: Mapping[int, int] | None,
    compression: str | int | None,
) -> str:
    """Write what can be read into a new file, and say what was done.

    Args:
        transaction: One that writes, in which the file went to the trash.
        node: The sequence.
        salvage: What can be read.
        rows: The row that each shot has got, by the one that it had; None if all have kept theirs.
        compression: Filter for datasets of arrays.
    """
    if salvage is None:
        return "results.h5, of which nothing could be read, went to the trash."
    launched_at = salvage.launched_at or str(node.path)
    results = transaction.write(lambda: transaction.begin_again(node, None, launched_at))
    steps, number = salvage.shots(), 0
    is_unfinished = True
    while is_unfinished:
        appended, is_unfinished = transaction.run(
            lambda: _append_some(transaction, results, steps, rows, compression)
        )
        number += appended
    return f"results.h5 was written anew, with {number} of {salvage.number_of_rows} rows."


def _append_some(
    transaction: Transaction,
    results: ShotsFile,
    steps: Iterator[SalvagedShot | None],
    rows: Mapping[int, int] | None,
    compression: str | int | None,
) -> tuple[int, bool]:
    """Write some of the rows; how many, and whether there are more."""
    deadline = monotonic() + _LONGEST_BATCH
    number = 0
    with transaction.appending():
        for salvaged in steps:
            found = None if salvaged is None else _additions(salvaged, rows)
            if found is not None:
                append(results, found, compression)
                number += 1
            if monotonic() > deadline:
                return number, True
    return number, False


def _additions(salvaged: SalvagedShot, rows: Mapping[int, int] | None) -> Additions | None:
    """What was stored, as far as it can be read; None if it is lost of which shot it is, or the
    shot is lost."""
    row = salvaged.about.get("row")
    if not isinstance(row, int) or (rows is not None and row not in rows):
        return None
    tags, note = salvaged.about.get("tags"), salvaged.about.get("note")
    return Additions(
        [row if rows is None else rows[row]],
        [salvaged.index],
        _EPOCH + timedelta(microseconds=salvaged.times[0]),
        str(salvaged.about.get("by", "")),
        {name: [value] for name, value in salvaged.data.items()},
        frozenset(filter(None, tags.split(","))) if isinstance(tags, str) else None,
        note if isinstance(note, str) else None,
    )
