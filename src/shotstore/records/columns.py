"""Many shots at once: an array for each parameter and label, rather than a dict for each shot."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.errors import IncompatibleUnitsError
from shotstore.model import Data, DataType, ParameterType
from shotstore.model.parameters import PlainParameter
from shotstore.model.quantities import convert, without_unit
from shotstore.records.content import ShotRecord

ShotRows: TypeAlias = range | Sequence[int] | npt.NDArray[np.integer[Any]]
"""Which shots: their places in the order in which they were recorded, from 0."""

NUMBER_DTYPES = {"bool": np.dtype(bool), "int": np.dtype(np.int64), "float": np.dtype(np.float64)}
"""The types of columns of numbers."""
LARGEST_BATCH = 16 * 2**20
"""Bytes of columns that are read at once, at the most."""
_USUAL_SIZE = 4096  # bytes, where a schema does not tell


@attrs.frozen(eq=False)
class Column:
    """The values of a parameter, or the data under a label, of many shots."""

    values: npt.NDArray[Any]
    """Of shape (number of shots, ...). Where numpy has no type that fits them all, objects."""
    is_present: npt.NDArray[np.bool_]
    """Whether each shot has a value other than None. Where not, ``values`` holds NaN, 0 or None."""


@attrs.frozen(eq=False)
class ShotColumns:
    """Some parameters and labels of many shots."""

    shot_index: npt.NDArray[np.int64]
    start_time: npt.NDArray[np.datetime64]
    """In UTC, in microseconds."""
    end_time: npt.NDArray[np.datetime64]
    """In UTC, in microseconds."""
    parameters: Mapping[str, Column]
    data: Mapping[str, Column]


def time_column(times: Sequence[datetime]) -> npt.NDArray[np.datetime64]:
    """Return aware times as an array."""
    return np.array([utc_time(time) for time in times], "datetime64[us]")


def utc_time(time: datetime) -> np.datetime64:
    """Return an aware time as numpy has it: in UTC, in microseconds."""
    offset = time.utcoffset()
    assert offset is not None
    # In numpy, since the first and the last hours of the calendar have no UTC in Python.
    return np.datetime64(time.replace(tzinfo=None), "us") - np.timedelta64(offset, "us")


def parameter_column(
    name: str, kind: ParameterType, found: Sequence[PlainParameter | None]
) -> Column:
    """Return a parameter as an array, in the type and unit that the schema gives it.

    Args:
        found: That of each shot, or None where it does not have the parameter.

    Raises:
        IncompatibleUnitsError: one has a unit that cannot be converted, or is a text beside
            numbers.
    """
    magnitudes: list[Any] = [None if each is None else each[0] for each in found]
    if kind.type == "text":
        if any(not isinstance(each, str | None) for each in magnitudes):
            raise IncompatibleUnitsError(
                f"Parameter {name} is a text and a number in different shots: read these shots "
                "apart."
            )
        return objects(magnitudes)
    column = number_column(kind.type, magnitudes)
    units = [None if each is None else each[1] for each in found]
    return _in_one_unit(f"Parameter {name}", column, units, kind.units)


def _in_one_unit(what: str, column: Column, units: Sequence[str | None], new: str | None) -> Column:
    """A column, those values of which are converted whose unit is another one."""
    by_unit: dict[str | None, list[int]] = {}
    for row in np.flatnonzero(column.is_present).tolist():
        by_unit.setdefault(units[row], []).append(row)
    for old in by_unit.keys() - {new}:
        rows = by_unit[old]
        column.values[rows] = in_unit(what, column.values[rows], old, new)
    return column


def in_unit(
    what: str, values: npt.NDArray[Any], old: str | None, new: str | None
) -> npt.NDArray[Any]:
    """Return the values of a column in another unit.

    Args:
        what: The parameter or label, which begins the message of an error.
        values: Numbers or arrays, None where there is none.
        old: Their unit.
        new: The other one.

    Raises:
        IncompatibleUnitsError: the units are of different dimensions, or there is no unit on one
            side.
    """
    if old == new:
        return values
    try:
        if old is None or new is None:
            raise ValueError("a plain number has no unit")
        if not any(isinstance(value, np.ndarray) for value in _objects_in(values)):
            return convert(values, old, new)
        arrays = [value if value is None else convert(value, old, new) for value in values]
        return objects(arrays).values
    except ValueError as error:
        units = " and ".join(
            "a plain number" if unit is None else f"in {unit or 'a dimensionless unit'}"
            for unit in (new, old)
        )
        raise IncompatibleUnitsError(
            f"{what} is {units} in different shots ({error}): read these shots apart."
        ) from error


def _objects_in(values: npt.NDArray[Any]) -> Iterable[Any]:
    return values if values.dtype.kind == "O" else ()


def columns_of(
    indices: Sequence[int],
    shots: Sequence[ShotRecord],
    parameters: Mapping[str, ParameterType],
    labels: Mapping[str, DataType],
    places: "Places | None" = None,
) -> ShotColumns:
    """Return the columns of shots that are known one by one, in the types of these schemas.

    Raises:
        IncompatibleUnitsError: a parameter or label has a unit that cannot be converted.
    """
    return ShotColumns(
        shot_index=np.array(indices, np.int64),
        start_time=time_column([shot.start_time for shot in shots]),
        end_time=time_column([shot.end_time for shot in shots]),
        parameters={
            name: parameter_column(name, kind, [shot.parameters.get(name) for shot in shots])
            for name, kind in parameters.items()
        },
        data={
            label: data_column(
                label, kind, [shot.data.get(label) for shot in shots], (places or {}).get(label)
            )
            for label, kind in labels.items()
        },
    )


def number_column(kind: str, numbers: Sequence[bool | int | float | None]) -> Column:
    """Return numbers as an array.

    Args:
        kind: The widest type among them: "bool", "int" or "float".
        numbers: None where a shot has none.
    """
    is_present = np.array([number is not None for number in numbers], bool)
    filled = [missing(NUMBER_DTYPES[kind]) if number is None else number for number in numbers]
    try:
        return Column(np.array(filled, NUMBER_DTYPES[kind]), is_present)
    except OverflowError:  # an int beyond 64 bits or, among floats, beyond them
        return objects(numbers)


def data_column(
    label: str, kind: DataType, values: Sequence[Data], place: npt.NDArray[Any] | None = None
) -> Column:
    """Return the data under a label as an array, of the type and unit that the schema gives it.

    Args:
        label: The label, for messages.
        kind: Its type in all shots.
        values: None too where a shot has no data under the label.
        place: Where they go, if they are arrays of one shape, as `places_for` makes it.

    Raises:
        IncompatibleUnitsError: one has a unit that cannot be converted.
    """
    split = [without_unit(value) for value in values]
    magnitudes: list[Any] = [magnitude for magnitude, _ in split]
    if kind.kind == "json":
        return objects(
            [m if unit is None else {"magnitude": m, "units": unit} for m, unit in split]
        )
    if kind.kind in NUMBER_DTYPES:
        column = number_column(kind.kind, magnitudes)
    elif kind.is_fixed_array():
        column = _stacked(kind, magnitudes, place)
    else:
        column = objects(magnitudes)
    return _in_one_unit(f"Data {label!r}", column, [unit for _, unit in split], kind.units)


def _stacked(kind: DataType, values: Sequence[Any], place: npt.NDArray[Any] | None) -> Column:
    """Arrays of one shape."""
    column = _place_for(kind, len(values)) if place is None else place
    is_present = np.array([value is not None for value in values], bool)
    for row in np.flatnonzero(is_present).tolist():
        column[row] = values[row]
    column[~is_present] = missing(column.dtype)
    return Column(column, is_present)


Places: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""Where the values of each label go whose data are arrays of one shape: an array of shape (number
of shots, ...), in the type of the schema, in which anything may stand."""


def places_for(labels: Mapping[str, DataType], count: int) -> Places:
    """Return places for the values of so many shots."""
    return {
        label: _place_for(kind, count) for label, kind in labels.items() if kind.is_fixed_array()
    }


def _place_for(kind: DataType, count: int) -> npt.NDArray[Any]:
    shape = (length for length in kind.shape or () if length is not None)
    return np.empty((count, *shape), kind.dtype)


def objects(values: Sequence[Any]) -> Column:
    """Return a column of Python objects, None where a shot has none."""
    column = np.empty(len(values), object)
    for row, value in enumerate(values):  # numpy would make arrays of lists and of arrays
        column[row] = value
    return Column(column, np.array([value is not None for value in values], bool))


def missing(dtype: np.dtype[Any]) -> Any:
    """Return what stands where a value is missing: NaN, not a time, or zero."""
    if dtype.kind in "fc":
        return np.nan
    if dtype.kind in "mM":
        return np.array("NaT", dtype)
    return np.zeros((), dtype)[()]


def joined(parts: Iterable[ShotColumns], count: int, places: Places) -> ShotColumns:
    """Return the columns of all parts, one after the other: of ``count`` shots in all.

    Each part is let go before the next one is asked for, so that there are no two copies of all.

    Args:
        places: Where the values of some labels stand already, of all parts.
    """
    arrays: dict[tuple[str, ...], npt.NDArray[Any]] = {
        ("data", label, "values"): place for label, place in places.items()
    }
    start = 0
    for part in parts:
        if len(part.shot_index) == count:
            return part
        stop = start + len(part.shot_index)
        for key, new in _arrays(part):
            if key[0] == "data" and key[1] in places and key[2] == "values":
                continue
            if key not in arrays:
                arrays[key] = np.empty((count, *new.shape[1:]), new.dtype)
            array = arrays[key]
            if new.dtype.kind == "O" and array.dtype.kind != "O":
                array = arrays[key] = array.astype(object)
            array[start:stop] = new
        start = stop

    def columns(section: str) -> dict[str, Column]:
        names = [key[1] for key in arrays if key[0] == section and key[2] == "values"]
        return {
            name: Column(arrays[section, name, "values"], arrays[section, name, "is_present"])
            for name in names
        }

    return ShotColumns(
        shot_index=arrays["shot_index",],
        start_time=arrays["start_time",],
        end_time=arrays["end_time",],
        parameters=columns("parameters"),
        data=columns("data"),
    )


def _arrays(columns: ShotColumns) -> Iterator[tuple[tuple[str, ...], npt.NDArray[Any]]]:
    for name in ("shot_index", "start_time", "end_time"):
        yield (name,), getattr(columns, name)
    for section in ("parameters", "data"):
        for name, column in getattr(columns, section).items():
            yield (section, name, "values"), column.values
            yield (section, name, "is_present"), column.is_present


def row_size(labels: Iterable[DataType]) -> int:
    """Return about how many bytes a shot has under these labels."""
    size = 256
    for kind in labels:
        if kind.dtype is not None and kind.is_fixed_array():
            size += kind.dtype.itemsize * math.prod(length or 0 for length in kind.shape or ())
        else:
            size += _USUAL_SIZE
    return size
