"""The unit of a column of several sequences: that of the first of them that has the column."""

from collections.abc import Mapping

import attrs

from shotstore.analysis.tables.names import Origin
from shotstore.analysis.tables.sequence_table import SequenceTable
from shotstore.analysis.tables.table import TableColumn
from shotstore.errors import IncompatibleUnitsError
from shotstore.paths import PureSequencePath
from shotstore.records.columns import Column, in_unit


@attrs.frozen
class Unit:
    """The unit of a column, and the sequence that it was taken from."""

    text: str | None
    sequence: PureSequencePath

    def of(self, found: Column, column: TableColumn, sequence: PureSequencePath) -> Column:
        """Return the values of a column in this unit.

        Args:
            found: The values.
            column: What they are, as their own sequence has them.
            sequence: Their own.

        Raises:
            IncompatibleUnitsError: their unit cannot be converted to this one.
        """
        if column.units == self.text:
            return found
        name, what = column.name, f"Column {column.name}"
        if column.origin is not None:
            name, what = column.origin.name, column.origin.text
        try:
            values = in_unit(what, found.values, column.units, self.text)
        except IncompatibleUnitsError as error:
            raise IncompatibleUnitsError(
                f"{what} is {_unit(self.text)} in {self.sequence} and "
                f"{_unit(column.units)} in {sequence}: read these sequences apart, or leave {name} "
                "out."
            ) from error
        return Column(values, found.is_present)


def units_of(table: SequenceTable) -> dict[Origin, Unit]:
    """Return the units of the columns of a sequence that hold something."""
    return {
        column.origin: Unit(column.units, table.reader.path)
        for column in table.columns.values()
        if column.origin is not None and not column.is_empty
    }


def in_first_unit(
    units: Mapping[Origin, Unit], found: Column, column: TableColumn, sequence: PureSequencePath
) -> Column:
    """Return the values of a column as `Unit.of` does, in the unit that is known for it."""
    unit = None if column.origin is None else units.get(column.origin)
    if unit is None or not found.is_present.any():
        return found
    return unit.of(found, column, sequence)


def _unit(text: str | None) -> str:
    return "without a unit" if text is None else f"in {text or 'a dimensionless unit'}"
