"""Units as text, and quantities made from it.

Units are written in pint's short form (``MHz``, ``m / s ** 2``, ``Δ°C``) where that means the same
unit when it is read again, and in its long form otherwise. All quantities that shotstore returns
belong to pint's application registry, whichever registry they came from.

pint takes 0.2 s to import, so nothing here imports it before the first quantity is met.
"""

import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from shotstore.errors import UnknownUnitError
from shotstore.model.unit_definitions import give_definitions_to, knows
from shotstore.model.unit_texts import exact_unit_text, names_in

if TYPE_CHECKING:
    import numpy.typing as npt
    import pint
    from pint.facets.plain import PlainQuantity, PlainUnit
    from typing_extensions import TypeIs

_Exponents: TypeAlias = tuple[tuple[str, int | float], ...]


def is_quantity(value: object) -> "TypeIs[pint.Quantity[Any]]":
    """Whether the value is a pint quantity, of any registry. Does not import pint."""
    return isinstance(value, quantity_class())


def quantity_class() -> "type[PlainQuantity[Any]] | tuple[()]":
    """Return the class that quantities of all registries have in common, if pint is imported.

    A registry class that is made of pint's facets has a class of quantities of its own, which is
    not a ``pint.Quantity``.
    """
    # While another thread is still importing pint the module is there and its names are not.
    found: type[PlainQuantity[Any]] | tuple[()]
    found = getattr(sys.modules.get("pint.facets.plain"), "PlainQuantity", ())
    return found


def unit_to_text(unit: "PlainUnit") -> str:
    """Return the shortest text that :func:`quantity` reads as exactly this unit.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    return _text_of_unit(_application_registry(), unit_exponents(1 * unit))


def unit_text_of(value: "pint.Quantity[Any]") -> str:
    """Return what :func:`unit_to_text` makes of the unit of a quantity, in less time.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    return _text_of_unit(_application_registry(), unit_exponents(value))


@attrs.frozen
class InUnit:
    """Data with a unit, as it is stored: a quantity without pint, and without a registry.

    Attributes:
        magnitude: An int, float or complex, or an array of numbers.
        unit: Its text; empty for a dimensionless quantity.
    """

    magnitude: Any
    unit: str


def without_unit(value: Any) -> tuple[Any, str | None]:
    """Return the magnitude and the unit of a quantity, or of `InUnit`; of all else itself and
    None.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    if isinstance(value, InUnit):
        return value.magnitude, value.unit
    return (value.magnitude, unit_text_of(value)) if is_quantity(value) else (value, None)


def quantities_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data by label with quantities of the application registry in the place of `InUnit`.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    return {
        label: quantity(value.magnitude, value.unit) if isinstance(value, InUnit) else value
        for label, value in data.items()
    }


def quantity(
    magnitude: "int | float | complex | npt.NDArray[Any]", unit: str
) -> "pint.Quantity[Any]":
    """Return a quantity of the application registry; an empty ``unit`` is dimensionless.

    Raises:
        ValueError: the text is not a unit of pint's application registry.
    """
    registry = _application_registry()
    return registry.Quantity(magnitude, _parsed_unit(registry, unit))


def is_unit(text: str) -> bool:
    """Whether pint's application registry reads the text as a unit."""
    try:
        _parsed_unit(_application_registry(), text)
    except ValueError:
        return False
    return True


def similar_units(text: str) -> list[str]:
    """Return the units whose name differs from the text in upper and lower case only."""
    registry = _application_registry()
    candidates = registry.parse_unit_name(text, case_sensitive=False)
    return [unit_to_text(registry.Unit(prefix + name)) for prefix, name, _ in candidates]


def with_magnitude(magnitude: int | float, like: "pint.Quantity[Any]") -> "pint.Quantity[Any]":
    """Return a quantity of the application registry in the unit of ``like``, of any registry.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    registry = _application_registry()
    exponents = unit_exponents(like)
    _text_of_unit(registry, exponents)  # an error for an unknown unit
    return registry.Quantity(magnitude, _unit_of(registry, exponents))


def convert(values: "npt.NDArray[Any]", old: str, new: str) -> "npt.NDArray[Any]":
    """Return magnitudes in another unit, as floats of 64 bits or, as they were, complex numbers.

    Raises:
        ValueError: a text is not a unit, or the units are of different dimensions.
    """
    import pint

    registry = _application_registry()
    target = _parsed_unit(registry, new)
    try:
        kind = complex if values.dtype.kind == "c" else float
        converted = registry.Quantity(values.astype(kind), _parsed_unit(registry, old)).m_as(target)
    except pint.PintError as error:
        raise ValueError(f"{old} cannot be converted to {new}: {error}") from error
    return converted


def unit_exponents(value: "PlainQuantity[Any]") -> _Exponents:
    """Return the long names of the units that make up the unit of a quantity, with exponents."""
    return _plain_exponents(tuple(cast("Iterable[tuple[str, float]]", value.unit_items())))


@lru_cache(maxsize=1024)
def _plain_exponents(units: tuple[tuple[str, float], ...]) -> _Exponents:
    # Exponents may be Fraction or Decimal, which no text gives back.
    return tuple(
        (name, int(exponent) if exponent == int(exponent) else float(exponent))
        for name, exponent in units
    )


def _application_registry() -> "pint.UnitRegistry[Any]":
    import pint

    # The registry itself, not pint's stand-in for it: the caches must notice another one being set.
    registry: pint.UnitRegistry[Any] = pint.get_application_registry().get()
    give_definitions_to(registry)
    return registry


@lru_cache(maxsize=1024)
def _unit_of(registry: "pint.UnitRegistry[Any]", exponents: _Exponents) -> "pint.Unit":
    return registry.Unit(registry.UnitsContainer(dict(exponents)))


@lru_cache(maxsize=1024)
def _text_of_unit(registry: "pint.UnitRegistry[Any]", exponents: _Exponents) -> str:
    unit = _unit_of(registry, exponents)
    candidates = []
    for form in ("~D", "D"):
        try:
            candidates.append(format(unit, form))
        except Exception:  # pint raises all sorts of errors for a unit it does not know
            continue
    # pint writes six digits of an exponent, and those in the locale's way.
    candidates.append(
        " * ".join(
            name if exponent == 1 else f"{name} ** {exponent!r}" for name, exponent in exponents
        )
    )
    for text in candidates:
        try:
            if dict(unit_exponents(1 * _parsed_unit(registry, text))) == dict(exponents):
                return text
        except ValueError:
            continue
    raise _not_defined(registry, candidates[-1])


@lru_cache(maxsize=1024)
def _parsed_unit(registry: "pint.UnitRegistry[Any]", text: str) -> "pint.Unit":
    exact = exact_unit_text(text)
    try:
        # Without as_delta, which reads "degC * m" as a difference of temperatures.
        return registry.parse_units(exact, as_delta=False)
    except Exception as error:  # pint lets AssertionError and TokenError out for broken text
        raise _not_defined(registry, text) from error


def _not_defined(registry: "pint.UnitRegistry[Any]", text: str) -> UnknownUnitError:
    try:
        unknown = [name for name in names_in(text) if not knows(registry, name)]
    except ValueError:
        unknown = []
    name = unknown[0] if unknown else text
    found = registry.parse_unit_name(name, case_sensitive=False)
    close = [prefix + unit for prefix, unit, _ in found]
    close = close or get_close_matches(name, dir(registry), n=2, cutoff=0.8)
    hint = f" (did you mean {' or '.join(map(repr, close))}?)" if unknown and close else ""
    return UnknownUnitError(
        f"The unit '{text}' is not defined in pint's application registry{hint}. If it is a unit "
        f"of your lab, define it once for the store: session.define_unit('{name} = ...')."
    )
