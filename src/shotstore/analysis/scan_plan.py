"""Which columns a scan has, in which types and units: looked up before it is collected."""

from collections.abc import Iterable, Mapping
from functools import partial

import attrs

from shotstore.analysis.column_names import Origin, name_columns, origins
from shotstore.analysis.column_types import (
    TIME,
    in_polars,
    merged,
    type_of_data,
    type_of_parameter,
    type_of_structures,
    type_of_values,
)
from shotstore.analysis.recipes import parameters_before_shots
from shotstore.installing import needed
from shotstore.model import DataSchema, ParameterSchema
from shotstore.paths import PureSequencePath
from shotstore.records.columns import ShotRows
from shotstore.session.sequence_collection import SequenceCollection

with needed("A scan", "scan"):
    import polars as pl

_BATCH = 4096  # shots


@attrs.frozen
class Unit:
    """The unit of a parameter, and the sequence that it was taken from."""

    text: str | None
    sequence: PureSequencePath


@attrs.frozen
class Plan:
    """The columns of a scan, beside the fixed ones."""

    origins: Mapping[str, Origin]
    types: Mapping[Origin, pl.DataType]
    """As `column_types` makes them."""
    units: Mapping[str, Unit]
    """Of the parameters, by name."""

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


def plan_sequence(sequences: SequenceCollection, path: PureSequencePath) -> Plan:
    """Return the columns of one sequence. Before its first shot they are what its recipe says, if
    it can be evaluated.

    The types of lists and dicts are read off their values, all of them, and so are those of
    integers where one is beyond 64 bits.
    """
    count = sequences.get_stats(path).number_completed_shots
    read = sequences.get_parameter_schema if count else partial(parameters_before_shots, sequences)
    parameters = read(path)
    data = sequences.get_data_schema(path)
    types = {at: _known_type(at, parameters, data) for at in origins(parameters, data)}
    open_labels = [label for label, kind in data.items() if type_of_data(kind) is None]
    wide = count > 0 and sequences.has_wide_integers(path)
    integers = [at for at, dtype in types.items() if dtype == pl.Int64()] if wide else []
    if integers:
        types |= _types_of_integers(sequences, path, integers, count)
    if open_labels:
        for label, structures in sequences.get_structures(path, open_labels).items():
            types[Origin("label", label)] = type_of_structures(structures)
    units = {name: Unit(kind.units, path) for name, kind in parameters.items()}
    return Plan(name_columns(types), types, units)


def joined_plan(plans: Iterable[Plan]) -> Plan:
    """Return the columns that any of the sequences has, in the units of the first that has each."""
    types: dict[Origin, pl.DataType] = {}
    units: dict[str, Unit] = {}
    for plan in plans:
        for origin, dtype in plan.types.items():
            types[origin] = merged(types[origin], dtype) if origin in types else dtype
        for name, unit in plan.units.items():
            if name in units and units[name].text != unit.text:
                types[Origin("parameter", name)] = pl.Float64()
            units.setdefault(name, unit)
    in_order = sorted(types, key=lambda origin: origin.kind == "label")
    return Plan(name_columns(in_order), types, units)


def _known_type(origin: Origin, parameters: ParameterSchema, data: DataSchema) -> pl.DataType:
    """The type as far as the schemas tell."""
    if origin.kind == "parameter":
        return type_of_parameter(parameters[origin.name])
    return type_of_data(origin.type_of(data[origin.name])) or pl.Null()


def _types_of_integers(
    sequences: SequenceCollection, path: PureSequencePath, asked: list[Origin], count: int
) -> dict[Origin, pl.DataType]:
    names = {kind: [at.name for at in asked if at.kind == kind] for kind in ("parameter", "label")}
    types: dict[Origin, pl.DataType] = {at: pl.Null() for at in asked}
    for start in range(0, count, _BATCH):
        rows: ShotRows = range(start, min(start + _BATCH, count))
        found = sequences.get_columns(
            path, parameters=names["parameter"], labels=names["label"], rows=rows
        )
        for at in asked:
            column = (found.parameters if at.kind == "parameter" else found.data)[at.name]
            values = column.values[column.is_present]
            dtype = type_of_values(values) if values.dtype.kind == "O" else pl.Int64()
            types[at] = merged(types[at], dtype)
    return types
