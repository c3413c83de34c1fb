"""Schemas: what the values under each name are, and the types and units of parameters."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar

import attrs

from shotstore.model.parameters import Parameter, as_plain


class _Type(Protocol):
    def merged(self, other: Any) -> Any: ...


_T = TypeVar("_T", bound=_Type)


def _copied(types: Mapping[str, Any]) -> dict[str, Any]:
    return dict(types)


@attrs.frozen(eq=False)
class Schema(Mapping[str, _T]):
    """What the values under each name are."""

    _types: Mapping[str, _T] = attrs.field(converter=_copied, factory=dict)

    def merged(self, other: Mapping[str, _T]) -> Self:
        """Return the schema of shots of both kinds: all names, each with both types merged."""
        merged = dict(self._types)
        for name, new in other.items():
            merged[name] = merged[name].merged(new) if name in merged else new
        return type(self)(merged)

    def __getitem__(self, name: str) -> _T:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


_TypeName: TypeAlias = Literal["bool", "int", "float", "text"]
_WIDTH: tuple[_TypeName, ...] = ("bool", "int", "float", "text")


@attrs.frozen
class ParameterType:
    """What the values of one parameter are.

    Attributes:
        type: Type of the value, or of the magnitude of a quantity: ``bool``, ``int``, ``float`` or
            ``text``.
        units: Text of the unit (``MHz``, empty for a dimensionless quantity), ``None`` for a plain
            number or a text.
    """

    type: _TypeName = attrs.field(validator=attrs.validators.in_(_WIDTH))
    units: str | None = None

    @classmethod
    def of(cls, value: Parameter) -> "ParameterType":
        """Return the type of a value that :func:`check_parameter` has passed."""
        number, units = as_plain(value)
        return cls(_type_name(number), units)

    def merged(self, other: "ParameterType") -> "ParameterType":
        """Return the wider one of both types (bool, int, float), with the units of the first.

        Where the units differ it is float, as what is converted from one to the other. Beside
        numbers a text remains a text, so that no column can hold both.
        """
        if "text" in (self.type, other.type):
            return ParameterType("text")
        if self.units != other.units:
            return ParameterType("float", self.units)
        return ParameterType(max(self.type, other.type, key=_WIDTH.index), self.units)


@attrs.frozen(eq=False)
class ParameterSchema(Schema[ParameterType]):
    """The type and unit of each parameter, by name. Equal to any mapping of the same content.

    >>> ParameterSchema.of({"repetition": 3})["repetition"]
    ParameterType(type='int', units=None)
    """

    @classmethod
    def of(cls, parameters: Mapping[str, Parameter]) -> "ParameterSchema":
        """Return the schema of the parameters of one shot."""
        return cls({name: ParameterType.of(value) for name, value in parameters.items()})


def _type_name(value: float | str) -> _TypeName:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    return "int" if isinstance(value, int) else "float"
