"""Finding out from where to where what was measured lies, when a sequence ends, and again where
results of it are stored later."""

from collections.abc import Collection, Mapping

from shotstore.errors import IncompatibleUnitsError, StorageError
from shotstore.records.columns import Column
from shotstore.records.measured import Measured, measured_of, number_labels
from shotstore.records.sequence_reader import SequenceReader


def find_measured(reader: SequenceReader) -> Measured | None:
    """Return from where to where the numbers under each label, and among the results, lie, as the
    record keeps it; None if that cannot be read."""
    try:
        kinds = reader.get_data_schema()
        data = measured_of(_columns_in_one_unit(reader, number_labels(kinds)), kinds)
        return {**reader.results.find_measured(), **data}
    except (StorageError, OSError):
        return None


def measured_with_results(
    reader: SequenceReader, measured: Measured, names: Collection[str]
) -> Measured | None:
    """Return what the record is to keep once results of some names were stored or taken away; None
    if that cannot be read."""
    try:
        # A label that came after a result of its name is what counts.
        changed = set(names).difference(reader.get_data_schema())
        found = reader.results.find_measured(changed)
    except (StorageError, OSError):
        return None
    return {**{name: ends for name, ends in measured.items() if name not in changed}, **found}


def _columns_in_one_unit(reader: SequenceReader, labels: Collection[str]) -> Mapping[str, Column]:
    """The columns of labels, but of those whose units differ in dimension."""
    if not labels:
        return {}
    try:
        return reader.get_columns(labels=labels).data
    except IncompatibleUnitsError:
        if len(labels) == 1:
            return {}
    parts = [_columns_in_one_unit(reader, [label]) for label in labels]
    return {label: column for part in parts for label, column in part.items()}
