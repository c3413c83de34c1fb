"""The polars types of the columns of shots.

Inside this package ``Object`` stands for values that no single type holds. They become JSON text.
"""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from shotstore.model import Data, DataType, ParameterType
from shotstore.model.structures import Structure, structure_of

TIME = pl.Datetime("us", "UTC")
MIXED = pl.Object()

_MOST_FIELDS = 256
"""More keys than that are values themselves, and no columns."""
_NUMBERS: dict[np.dtype[Any], pl.DataType] = {
    np.dtype(bool): pl.Boolean(),
    **{np.dtype(f"i{size}"): getattr(pl, f"Int{8 * size}")() for size in (1, 2, 4, 8)},
    **{np.dtype(f"u{size}"): getattr(pl, f"UInt{8 * size}")() for size in (1, 2, 4, 8)},
    # polars has a Float16 only from some version on.
    np.dtype("f2"): getattr(pl, "Float16", pl.Float32)(),
    np.dtype("f4"): pl.Float32(),
    np.dtype("f8"): pl.Float64(),
}
_NUMPY = {number: dtype for dtype, number in _NUMBERS.items()}
_OF_KIND = {
    "none": pl.Null(),
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "wide int": pl.Int128(),
    "huge int": pl.Float64(),
    "float": pl.Float64(),
    "text": pl.String(),
    "bytes": pl.Binary(),
    "time": TIME,
}
_WIDTHS = {"Y": "us", "M": "us", "W": "us", "D": "us", "h": "us", "m": "us", "s": "us"}
_UNITS = ("ms", "us", "ns")


def type_of_parameter(kind: ParameterType) -> pl.DataType:
    """Return the type of a parameter whose integers fit 64 bits."""
    return _OF_KIND[kind.type]


def type_of_data(kind: DataType) -> pl.DataType | None:
    """Return the type of the data under a label, whose integers fit 64 bits; None if only the
    values tell."""
    if kind.kind == "json":
        return None
    if kind.dtype is None:
        return _OF_KIND[kind.kind]
    return _type_of_array(kind.dtype, kind.shape or ())


def type_of_values(values: Iterable[Data]) -> pl.DataType:
    """Return the type that holds all values: structs and lists as they nest."""
    return type_of_structures(dict.fromkeys(map(structure_of, values)))


def type_of_structures(structures: Iterable[Structure]) -> pl.DataType:
    """Return the type that holds values of all these structures."""
    nothing: pl.DataType = pl.Null()
    return functools.reduce(merged, map(_type_of_structure, structures), nothing)


def merged(first: pl.DataType, second: pl.DataType) -> pl.DataType:
    """Return the type that holds the values of both."""
    if first == second or isinstance(second, pl.Null):
        return first
    if isinstance(first, pl.Null):
        return second
    if isinstance(first, pl.Struct) and isinstance(second, pl.Struct):
        return _merged_structs(first, second)
    if isinstance(first, pl.List | pl.Array) and isinstance(second, pl.List | pl.Array):
        return _merged_lists(first, second)
    for kind in (pl.Datetime, pl.Duration):
        if isinstance(first, kind) and isinstance(second, kind):
            if getattr(first, "time_zone", None) != getattr(second, "time_zone", None):
                return MIXED
            unit = max(first.time_unit, second.time_unit, key=_UNITS.index)
            return kind(unit)
    if _is_number(first) and _is_number(second):
        return _merged_numbers(first, second)
    return MIXED


def of_floats(dtype: pl.DataType) -> pl.DataType:
    """Return the type of the same numbers, or arrays of numbers, in another unit."""
    if isinstance(dtype, pl.List):
        return pl.List(of_floats(inner_type(dtype)))
    if isinstance(dtype, pl.Array):
        return pl.Array(of_floats(inner_type(dtype)), dtype.size)
    return pl.Float64() if _is_number(dtype) else dtype


def in_polars(dtype: pl.DataType) -> pl.DataType:
    """Return the type that the column has in the end."""
    if isinstance(dtype, pl.Struct):
        fields = [pl.Field(field.name, in_polars(_instance(field.dtype))) for field in dtype.fields]
        return pl.Struct(fields) if fields else pl.String()
    if isinstance(dtype, pl.List):
        return pl.List(in_polars(inner_type(dtype)))
    if isinstance(dtype, pl.Array):
        return pl.Array(in_polars(inner_type(dtype)), dtype.size)
    return pl.String() if dtype == MIXED else dtype


def inner_type(dtype: pl.List | pl.Array) -> pl.DataType:
    """Return the type of the items of a list."""
    return _instance(dtype.inner)


def field_types(dtype: pl.Struct) -> dict[str, pl.DataType]:
    """Return the types of the fields of a struct, by name."""
    return {field.name: _instance(field.dtype) for field in dtype.fields}


def time_unit(dtype: np.dtype[Any]) -> str | None:
    """Return the unit that polars has for times of this type; None if it has none as fine."""
    unit, count = np.datetime_data(dtype)
    if unit in _WIDTHS:
        return _WIDTHS[unit]
    return unit if unit in _UNITS and count else None


def _type_of_structure(structure: Structure) -> pl.DataType:
    if isinstance(structure, str):
        return _OF_KIND[structure]
    match structure:
        case "array", dtype, dimensions:
            return _type_of_array(dtype, (None,) * dimensions)
        case "list", items:
            inner = type_of_structures(items)
            return MIXED if inner == MIXED else pl.List(inner)
        case _, items:
            return _struct({key: _type_of_structure(item) for key, item in items})
    raise AssertionError(structure)


def _type_of_array(dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> pl.DataType:
    inner = _type_of_item(dtype)
    if inner == MIXED:
        return MIXED
    lengths = list(shape)
    fixed: list[int] = []
    while lengths and lengths[-1] is not None:
        fixed.insert(0, lengths.pop())  # type: ignore[arg-type]
    if fixed:
        inner = pl.Array(inner, tuple(fixed))
    for _ in lengths:
        inner = pl.List(inner)
    return inner


def _type_of_item(dtype: np.dtype[Any]) -> pl.DataType:
    native = dtype.newbyteorder("=")
    if native in _NUMBERS:
        return _NUMBERS[native]
    if dtype.names is not None:
        fields = {name: _type_of_array(*_field(dtype, name)) for name in dtype.names}
        return MIXED if MIXED in fields.values() else _struct(fields)
    match dtype.kind:
        case "c":
            return pl.Array(pl.Float32() if dtype.itemsize == 8 else pl.Float64(), 2)
        case "f":
            return pl.Float64()
        case "U":
            return pl.String()
        case "S":
            return pl.Binary()
        case "M" | "m":
            unit = time_unit(dtype)
            if unit is not None:
                return (pl.Datetime if dtype.kind == "M" else pl.Duration)(unit)  # type: ignore[arg-type]
    return MIXED


def _field(dtype: np.dtype[Any], name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    assert dtype.fields is not None
    field = dtype.fields[name][0]
    return (field, ()) if field.subdtype is None else field.subdtype


def _merged_structs(first: pl.Struct, second: pl.Struct) -> pl.DataType:
    fields = field_types(first)
    for name, dtype in field_types(second).items():
        fields[name] = merged(fields[name], dtype) if name in fields else dtype
    return _struct(fields)


def _struct(fields: dict[str, pl.DataType]) -> pl.DataType:
    return pl.Struct(fields) if len(fields) <= _MOST_FIELDS else MIXED


def _merged_lists(first: pl.List | pl.Array, second: pl.List | pl.Array) -> pl.DataType:
    inner = merged(inner_type(first), inner_type(second))
    if inner == MIXED:
        return MIXED
    if isinstance(first, pl.Array) and isinstance(second, pl.Array) and first.size == second.size:
        # polars holds arrays in a list, but lists in an array badly.
        return pl.List(inner) if isinstance(inner, pl.List) else pl.Array(inner, first.size)
    return pl.List(inner)


def _merged_numbers(first: pl.DataType, second: pl.DataType) -> pl.DataType:
    if pl.Int128() in (first, second):
        is_float = first.is_float() or second.is_float()
        return pl.Float64() if is_float else pl.Int128()
    return _NUMBERS[np.result_type(_NUMPY[first], _NUMPY[second])]


def _is_number(dtype: pl.DataType) -> bool:
    return dtype in _NUMPY or dtype == pl.Int128()


def _instance(dtype: object) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[return-value]
