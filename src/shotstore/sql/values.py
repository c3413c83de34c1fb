"""What the columns of a shot hold: its parameters and data as JSON, its arrays as bytes."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.model import (
    JSON,
    Data,
    DataSchema,
    DataType,
    ParameterSchema,
    ParameterType,
    data_from_json,
    data_to_json,
)
from shotstore.model.dtypes import MOST_DIMENSIONS, dump_dtype, load_dtype
from shotstore.model.parameters import PlainParameter, plain_parameter_to_json
from shotstore.model.quantities import InUnit, without_unit

LARGEST_PART = 64 * 2**20
"""Bytes of an array in one row: both databases refuse a value of 1 GB."""


@attrs.frozen
class EncodedData:
    """The data of a shot."""

    document: dict[str, JSON]
    """By label; an array is ``{"array": {"dtype": ..., "shape": ...}}``, which no other data is,
    with a ``unit`` if it has one."""
    arrays: dict[int, npt.NDArray[Any]]
    """By the position of their label in the document."""

    def parts(self) -> Iterator[tuple[int, int, memoryview]]:
        """Yield position, number of the part, and bytes of each part of each array."""
        for position, array in self.arrays.items():
            if array.nbytes:
                content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
                for part, start in enumerate(range(0, content.size, LARGEST_PART)):
                    yield position, part, content[start : start + LARGEST_PART].data


def encode_parameters(parameters: Mapping[str, PlainParameter]) -> dict[str, JSON]:
    """The parameters of a shot, in their order, as `parameter_to_json` writes them."""
    return {name: plain_parameter_to_json(*plain) for name, plain in parameters.items()}


def encode_parameter_schema(schema: ParameterSchema) -> JSON:
    """The schema as a list, which keeps the order of the names."""
    return [[name, kind.type, kind.units] for name, kind in schema.items()]


def decode_parameter_schema(content: list[Any]) -> ParameterSchema:
    """The inverse of `encode_parameter_schema`.

    Raises:
        ValueError, TypeError: it has not made this.
    """
    return ParameterSchema({name: ParameterType(kind, units) for name, kind, units in content})


def encode_data_schema(schema: DataSchema) -> JSON:
    """The schema as a list, which keeps the order of the labels."""
    return [
        [
            label,
            kind.kind,
            None if kind.dtype is None else dump_dtype(kind.dtype),
            None if kind.shape is None else list(kind.shape),
            kind.units,
        ]
        for label, kind in schema.items()
    ]


def decode_data_schema(content: list[Any]) -> DataSchema:
    """The inverse of `encode_data_schema`.

    Raises:
        ValueError, TypeError: it has not made this.
    """
    return DataSchema(
        {
            label: DataType(
                kind,
                None if dtype is None else load_dtype(dtype),
                None if shape is None else tuple(shape),
                units,
            )
            for label, kind, dtype, shape, units in content
        }
    )


def schema_of_data(document: Mapping[str, JSON]) -> DataSchema:
    """What `DataSchema.of` says of the data that `encode_data` has made a document of.

    Raises:
        ValueError, TypeError, LookupError: it has not made this.
    """
    return DataSchema({label: type_in_document(content) for label, content in document.items()})


def encode_data(data: Mapping[str, Data]) -> EncodedData:
    """The data as `check_data` returns it."""
    document: dict[str, JSON] = {}
    arrays: dict[int, npt.NDArray[Any]] = {}
    for position, (label, value) in enumerate(data.items()):
        magnitude, unit = without_unit(value)
        if isinstance(magnitude, np.ndarray):
            arrays[position] = magnitude
            array: dict[str, JSON] = {
                "dtype": dump_dtype(magnitude.dtype),
                "shape": list(magnitude.shape),
            }
            document[label] = {"array": array if unit is None else array | {"unit": unit}}
        else:
            document[label] = data_to_json(value)
    return EncodedData(document, arrays)


def array_positions(document: Mapping[str, JSON], labels: Collection[str]) -> dict[int, str]:
    """Those of the labels whose data is an array with items, by the positions of these."""
    return {
        position: label
        for position, (label, content) in enumerate(document.items())
        if label in labels and (described := _array(content)) is not None and described.size
    }


def type_in_document(content: JSON) -> DataType:
    """What a value is, as far as its document tells, which is all but the items of arrays.

    Raises:
        ValueError, TypeError, LookupError: it was not `encode_data` that made this.
    """
    described = _array(content)
    if described is None:
        return DataType.of(data_from_json(content))
    if len(described.shape) > MOST_DIMENSIONS:
        return DataType("json")
    return DataType.of_array(described.dtype, described.shape).in_units(described.unit)


def decode_data(
    document: Mapping[str, JSON], labels: Collection[str], contents: Mapping[str, bytes]
) -> dict[str, Data]:
    """The data under the labels; ``contents`` are the bytes of the arrays among it.

    Raises:
        ValueError, TypeError, LookupError: it was not `encode_data` that made this.
    """
    data: dict[str, Data] = {}
    for label in labels:
        described = _array(document[label])
        if described is None:
            data[label] = data_from_json(document[label])
            continue
        size = described.size
        content = contents[label] if size else b""
        if len(content) != size:
            raise ValueError(f"the array {label!r} has {len(content)} bytes instead of {size}")
        # A copy, which can be written to. Not numpy.zeros, which makes items of one byte where the
        # type has none.
        array: npt.NDArray[Any] = np.ndarray(described.shape, described.dtype)
        if size:
            array.reshape(-1).view(np.uint8)[:] = np.frombuffer(content, np.uint8)
        data[label] = array if described.unit is None else InUnit(array, described.unit)
    return data


@attrs.frozen
class _Array:
    """What the document says of an array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    unit: str | None

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def _array(content: JSON) -> _Array | None:
    match content:
        case {"array": {"dtype": str(dtype), "shape": list(shape), **rest}}:
            lengths = tuple(int(length) for length in shape)  # type: ignore[arg-type]
            unit = rest.get("unit")
            return _Array(load_dtype(dtype), lengths, None if unit is None else str(unit))
    return None
