"""Whether a document tells from where to where what was measured lies, as the shots and their
results do: sequences are found by what it tells."""

from contextlib import suppress

from shotstore.errors import PathError, StorageError
from shotstore.hdf5.checks.findings import typed
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.hdf5.records import HDF5Records
from shotstore.hdf5.store import Store
from shotstore.hdf5.transaction import Transaction
from shotstore.model import DefaultSerializer
from shotstore.paths import PureSequencePath
from shotstore.records.measured import Measured
from shotstore.records.measuring import find_measured
from shotstore.records.owner import current_owner
from shotstore.records.sequence_reader import SequenceReader


def find_wrong_ranges(store: Store, path: PureSequencePath, directory: str) -> list[Finding]:
    """Compare those of a sequence that is sound otherwise, in a transaction of its own."""
    transaction = Transaction(store, current_owner())
    try:
        with suppress(PathError, StorageError):  # moved, or changed again, meanwhile
            if true_ranges(HDF5Records(transaction), path) is not None:
                return [
                    Finding(
                        "damage",
                        store.root / directory / SEQUENCE_DOCUMENT,
                        "It tells wrongly from where to where what was measured lies, so a search "
                        "by that may miss the sequence: it was edited, or a file was restored "
                        "without the others.",
                        f"`shotstore recover {typed(path)}` mends it.",
                        path,
                    )
                ]
    finally:
        transaction.rollback()
    return []


def true_ranges(records: HDF5Records, path: PureSequencePath) -> Measured | None:
    """Return what the document of a sequence should tell; None if it does, or tells nothing."""
    reader = SequenceReader(path, records, DefaultSerializer())
    told = reader.get_record().measured
    found = None if told is None else find_measured(reader)
    return None if found == told else found
