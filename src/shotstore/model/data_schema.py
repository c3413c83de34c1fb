"""Data schemas: the type and shape of the data under each label of a sequence."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np

from shotstore.model.data import Data
from shotstore.model.dtypes import MOST_DIMENSIONS
from shotstore.model.quantities import without_unit
from shotstore.model.schema import Schema

DataKind: TypeAlias = Literal["none", "bool", "int", "float", "text", "array", "json"]

_KINDS_OF_NUMBERS = frozenset("buifc")
"""What numpy calls the kinds of types whose common type is a number"""
_NUMBERS: tuple[DataKind, ...] = ("bool", "int", "float")


@attrs.frozen
class DataType:
    """What the data under one label is.

    Attributes:
        kind: ``bool``, ``int``, ``float``, ``text`` and ``array`` for data that is one of these in
            all shots, ``none`` where it is None in all of them. A complex number is an ``array``
            of no dimensions. ``json`` for everything else: lists, tuples and dicts, bytes, aware
            datetimes, texts with a NUL character, and labels whose data is of different kinds. In
            columns a quantity of such a label is a dict of its ``magnitude`` and its ``units``.
        dtype: Type of the items of an array.
        shape: Shape of an array, with None for a length that differs between shots. The first
            length counts as such where it is 0.
        units: Text of the unit of numbers or arrays that are quantities (``MHz``, empty for
            dimensionless ones), as for parameters; None where they are not.
    """

    kind: DataKind
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | None, ...] | None = None
    units: str | None = None

    @classmethod
    def of(cls, value: Data) -> "DataType":
        """Return the type of a value that :func:`check_data` has passed."""
        magnitude, units = without_unit(value)
        kind = cls._of_plain(magnitude)
        return kind if units is None else kind.in_units(units)

    @classmethod
    def _of_plain(cls, value: Data) -> "DataType":
        if value is None:
            return cls("none")
        if isinstance(value, bool):
            return cls("bool")
        if isinstance(value, int):
            return cls("int")
        if isinstance(value, float):
            return cls("float")
        if isinstance(value, complex):
            return cls.of_array(np.dtype(np.complex128), ())
        if isinstance(value, str):
            return cls("json" if "\0" in value else "text")
        if isinstance(value, np.ndarray) and value.ndim <= MOST_DIMENSIONS:
            return cls.of_array(value.dtype, value.shape)
        return cls("json")

    @classmethod
    def of_array(cls, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> "DataType":
        """Return the type of an array."""
        return cls("array", dtype, (shape[0] or None, *shape[1:]) if shape else ())

    def in_units(self, units: str | None) -> "DataType":
        """Return the type of quantities with such magnitudes; None stands for no unit."""
        return self if self.kind == "json" else attrs.evolve(self, units=units)

    def is_fixed_array(self) -> bool:
        """Whether it is an array of the same shape in all shots."""
        return self.shape is not None and None not in self.shape

    def merged(self, other: "DataType") -> "DataType":
        """Return the type of data that is of this or of the other type, in the units of this one.

        Where the units differ it is float, as what is converted from one to the other.
        """
        if self == other or other.kind == "none":
            return self
        if self.kind == "none":
            return other
        if self.kind in _NUMBERS and other.kind in _NUMBERS:
            if self.units != other.units:
                return DataType("float", units=self.units)
            return max(self, other, key=lambda found: _NUMBERS.index(found.kind))
        if self.shape is None or other.shape is None or len(self.shape) != len(other.shape):
            return DataType("json")
        assert self.dtype is not None
        assert other.dtype is not None
        # numpy makes texts of numbers beside texts, and times of numbers beside times.
        kinds = {self.dtype.kind, other.dtype.kind}
        if len(kinds) > 1 and not kinds <= _KINDS_OF_NUMBERS:
            return DataType("json")
        try:
            dtype = (
                self.dtype if self.dtype == other.dtype else np.result_type(self.dtype, other.dtype)
            )
            if self.units != other.units:
                dtype = np.result_type(dtype, np.float64)
        except TypeError:
            return DataType("json")
        shape = (a if a == b else None for a, b in zip(self.shape, other.shape, strict=True))
        return DataType("array", dtype, tuple(shape), self.units)


@attrs.frozen(eq=False)
class DataSchema(Schema[DataType]):
    """The type of the data under each label, by label. Equal to any mapping of the same content.

    >>> DataSchema.of({"atoms": np.zeros((2, 3), "u2"), "number": 1.5})["atoms"].shape
    (2, 3)
    """

    @classmethod
    def of(cls, data: Mapping[str, Data]) -> "DataSchema":
        """Return the schema of the data of one shot."""
        return cls({label: DataType.of(value) for label, value in data.items()})
