"""The values of one shot, written into the datasets that its schema says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.rows import Rows
from shotstore.hdf5.shots.schemas import Schema, Schemas
from shotstore.hdf5.shots.stored_values import SPAN, Slot, Stored, encode_array


def write_values(
    datasets: Datasets,
    schemas: Schemas,
    row: int,
    schema: Schema,
    stored: Mapping[tuple[str, str], Stored],
) -> None:
    """Write the values of a shot, by section (``parameters`` or ``data``) and name, as this row."""
    tables: dict[str, dict[str, Any]] = {}
    for section, slots in (("parameters", schema.parameters), ("data", schema.data)):
        for slot in slots:
            payload = stored[section, slot.name].payload
            if slot.dataset is None:
                continue
            if slot.column is not None:
                tables.setdefault(slot.dataset, {})[slot.column] = payload
            elif slot.index is not None:
                _append_ragged(schemas.rows(slot), datasets.rows[slot.index], row, payload)
            else:
                _write_value(datasets.rows[slot.dataset], slot, row, payload)
    for table, values in tables.items():
        rows = datasets.rows[table]
        record = tuple(map(values.get, rows.dtype.names or (), rows.missing))
        rows.write(row, np.array([record], rows.dtype))


def _append_ragged(flat: Rows, spans: Rows, row: int, array: npt.NDArray[Any]) -> None:
    start = flat.length
    if len(array):
        flat.write(start, encode_array(array))
    spans.write(row, np.array([(start, len(array))], SPAN))


def _write_value(rows: Rows, slot: Slot, row: int, payload: Any) -> None:
    if slot.type == "array":
        rows.write(row, encode_array(payload)[np.newaxis])
    else:
        rows.write(row, np.array([payload], rows.dtype))
