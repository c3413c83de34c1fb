"""Which columns a scan has, in which types and units: looked up before it is collected."""

from collections.abc import Iterable, Mapping

import attrs
import numpy as np
import polars as pl

from shotstore.analysis.scanning.types import (
    TIME,
    in_polars,
    merged,
    of_floats,
    type_of_data,
    type_of_parameter,
    type_of_structures,
    type_of_values,
)
from shotstore.analysis.tables import SequenceTable
from shotstore.analysis.tables.names import Origin, name_joined
from shotstore.analysis.tables.units import Unit, units_of
from shotstore.records.sequence_reader import SequenceReader


@attrs.frozen
class Plan:
    """The columns of a scan, beside the fixed ones."""

    origins: Mapping[str, Origin]
    types: Mapping[Origin, pl.DataType]
    """As `column_types` makes them."""
    units: Mapping[Origin, Unit]
    """Of those that hold something."""

    def schema(self) -> pl.Schema:
        """Return what polars is told."""
        fixed: dict[str, pl.DataType] = {
            "sequence": pl.String(),
            "shot_index": pl.Int64(),
            "shot_start_time": TIME,
            "shot_end_time": TIME,
        }
        return pl.Schema(
            fixed | {name: in_polars(self.types[at]) for name, at in self.origins.items()}
        )


def plan_sequence(reader: SequenceReader) -> Plan:
    """Return the columns of one sequence. Before its first shot they are what its recipe says, if
    it can be evaluated.

    The types of lists and dicts are read off their values, all of them, and so are those of
    integers where one is beyond 64 bits.
    """
    table = SequenceTable(reader, unpack=False)
    columns = {name: at.origin for name, at in table.columns.items() if at.origin is not None}
    types = {at: known_type(at, table) or pl.Null() for at in columns.values()}
    integers = {
        name: at for name, at in columns.items() if types[at] == pl.Int64() and at.kind != "result"
    }
    if integers and reader.has_wide_integers():
        types |= _types_of_values(table, integers)
    unknown = {name: at for name, at in columns.items() if known_type(at, table) is None}
    open_labels = [at.name for at in unknown.values() if at.kind == "label"]
    if open_labels:
        for label, structures in reader.get_structures(open_labels).items():
            types[Origin("label", label)] = type_of_structures(structures)
    results = {name: at for name, at in columns.items() if at.kind == "result"}
    if open_results := {
        name: at for name, at in results.items() if name in unknown or types[at] == pl.Int64()
    }:
        types |= _types_of_values(table, open_results)
    return Plan(columns, types, units_of(table))


def joined_plan(plans: Iterable[Plan]) -> Plan:
    """Return the columns that any of the sequences has, in the units of the first that has each."""
    types: dict[Origin, pl.DataType] = {}
    units: dict[Origin, Unit] = {}
    for plan in plans:
        for origin, dtype in plan.types.items():
            types[origin] = merged(types[origin], dtype) if origin in types else dtype
        for origin, unit in plan.units.items():
            if units.setdefault(origin, unit).text != unit.text:
                types[origin] = of_floats(types[origin])
    return Plan(name_joined(types), types, units)


def known_type(origin: Origin, table: SequenceTable) -> pl.DataType | None:
    """Return the type that the schemas tell, where integers fit 64 bits; None if only the values
    tell it."""
    if origin.kind == "parameter":
        return type_of_parameter(table.parameters[origin.name])
    if origin.kind == "annotation":
        return pl.String()
    schema = table.data if origin.kind == "label" else table.results
    return type_of_data(origin.type_of(schema[origin.name]))


def _types_of_values(
    table: SequenceTable, columns: Mapping[str, Origin]
) -> dict[Origin, pl.DataType]:
    types: dict[Origin, pl.DataType] = {at: pl.Null() for at in columns.values()}
    for batch in table.batches(columns, np.arange(len(table))):
        for name, at in columns.items():
            values = batch[name].values[batch[name].is_present]
            dtype = type_of_values(values) if values.dtype.kind == "O" else pl.Int64()
            types[at] = merged(types[at], dtype)
    return types
