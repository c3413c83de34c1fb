"""What differs between shots, and what is the same in all of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables.table import Table
from shotstore.errors import IncompatibleUnitsError
from shotstore.model.value_texts import number_text, texts_text
from shotstore.records.columns import Column
from shotstore.records.summaries import SequenceSummary

_PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""


@attrs.frozen
class ParameterValues:
    """What shots have of a parameter."""

    low: bool | int | float | str
    high: bool | int | float | str
    count: int
    """How many different values; floats that differ by rounding alone are the same."""
    units: str | None
    in_shots: int
    """How many shots have it."""
    of_shots: int
    """How many shots there are."""
    texts: tuple[str, ...] = ()
    """Where they are texts, the different ones."""

    @classmethod
    def of(cls, column: Column, units: str | None) -> "ParameterValues | None":
        """Return what is in a column of numbers or texts; None if that is nothing, or NaN alone."""
        values = column.values[column.is_present]
        values = values[values == values]
        different = _different(values)
        if not different:
            return None
        return cls(
            low=different[0],
            high=different[-1],
            count=len(different),
            units=units,
            in_shots=len(values),
            of_shots=len(column.is_present),
            texts=tuple(each for each in different if isinstance(each, str)),
        )

    def is_constant(self) -> bool:
        """Return whether it is the same in all shots."""
        return self.count == 1 and self.in_shots == self.of_shots

    def __str__(self) -> str:
        units = f" {self.units}" if self.units else ""
        is_in_all = self.in_shots == self.of_shots
        only = "" if is_in_all else f" (in {self.in_shots} of {self.of_shots} shots)"
        if self.texts:
            return f"{texts_text(self.texts)}{only}"
        if self.count == 1:
            return f"{number_text(self.low)}{units}{only}"
        low, high = number_text(self.low), number_text(self.high)
        return f"{low} to {high}{units} ({self.count} values){only}"


def parameter_values(
    table: Table, names: Iterable[str] | None = None, rows: npt.NDArray[np.int64] | None = None
) -> dict[str, ParameterValues]:
    """Return what shots have of some parameters, by name.

    Those that none of them has are left out, and those whose units are of different dimensions.

    Args:
        table: The shots.
        names: Of the parameters; those that the table does not have are left out. By default all.
        rows: Which shots; by default all.
    """
    columns = table.columns_of_parameters()
    if names is not None:
        columns = {name: columns[name] for name in names if name in columns}
    try:
        found = table.read([column.name for column in columns.values()], rows)
    except IncompatibleUnitsError:
        if len(columns) == 1:
            return {}
        parts = (parameter_values(table, [name], rows) for name in columns)
        return {name: values for part in parts for name, values in part.items()}
    known = {
        name: ParameterValues.of(found[column.name], column.units)
        for name, column in columns.items()
    }
    return {name: values for name, values in known.items() if values is not None}


def varied_texts(summary: SequenceSummary, values: Mapping[str, ParameterValues]) -> dict[str, str]:
    """Return what differs between the shots, or is to: ranges for people, by name.

    Args:
        summary: Of the sequence.
        values: What its shots have, as :func:`parameter_values` returns it.
    """
    varied = {name: str(planned) for name, planned in summary.varied.items()}
    for name, found in values.items():
        planned = summary.varied.get(name)
        if planned is None:
            if not found.is_constant():
                varied[name] = str(found)
        elif planned.count is None:
            # It is computed from what is varied: the values tell more than the expression.
            varied[name] = f"{found}: {planned}"
        elif found.count != planned.count or found.in_shots < found.of_shots:
            varied[name] += f"; in the shots {found}"
    return varied


def constant_texts(
    summary: SequenceSummary, values: Mapping[str, ParameterValues]
) -> dict[str, str]:
    """Return what is the same in all shots, or is to be: values for people, by name.

    Args:
        summary: Of the sequence.
        values: What its shots have, as :func:`parameter_values` returns it.
    """
    planned = {name: str(found) for name, found in summary.declared.items()}
    recorded = {name: str(found) for name, found in values.items() if found.is_constant()}
    varied = varied_texts(summary, values)
    return {
        name: text for name, text in sorted({**planned, **recorded}.items()) if name not in varied
    }


def _different(values: npt.NDArray[Any]) -> list[Any]:
    """The different values, increasing; none of them is NaN."""
    if values.dtype.kind == "O":
        return sorted(set(values.tolist()))
    different = np.unique(values)
    if different.dtype.kind == "f":
        is_same = np.isclose(different[1:], different[:-1], rtol=_PRECISION, atol=0)
        different = different[np.r_[True, ~is_same][: len(different)]]
    return list(different.tolist())
