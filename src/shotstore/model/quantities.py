"""Units as text, and quantities made from it.

Units are written in pint's short form (``MHz``, ``m / s ** 2``, ``Δ°C``) where that means the same
unit when it is read again, and in its long form otherwise. All quantities that shotstore returns
belong to pint's application registry, whichever registry they came from.

pint takes 0.2 s to import, so nothing here imports it before the first quantity is met.
"""

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint
    from pint.facets.plain import PlainUnit
    from typing_extensions import TypeIs

_Exponents = tuple[tuple[str, int | float], ...]


def is_quantity(value: object) -> "TypeIs[pint.Quantity[Any]]":
    """Whether the value is a pint quantity, of any registry. Does not import pint."""
    # While another thread is still importing pint the module is there and its names are not.
    return isinstance(value, getattr(sys.modules.get("pint"), "Quantity", ()))


def unit_to_text(unit: "PlainUnit") -> str:
    """Return the shortest text that :func:`quantity` reads as exactly this unit.

    Raises:
        ValueError: pint's application registry has no such unit.
    """
    exponents = (1 * unit).to_tuple()[1]
    return _text_of_unit(_application_registry(), _normalised(exponents))


def quantity(magnitude: int | float, unit: str) -> "pint.Quantity[Any]":
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
    exponents = _normalised(like.to_tuple()[1])
    _text_of_unit(registry, exponents)
    return registry.Quantity(magnitude, _unit_of(registry, exponents))


def _application_registry() -> "pint.UnitRegistry[Any]":
    import pint

    # The registry itself, not pint's stand-in for it: the caches must notice another one being set.
    registry: pint.UnitRegistry[Any] = pint.get_application_registry().get()  # type: ignore[no-untyped-call]
    return registry


def _normalised(exponents: Any) -> _Exponents:
    # Exponents may be Fraction or Decimal, which no text gives back.
    return tuple(
        (name, int(exponent) if exponent == int(exponent) else float(exponent))
        for name, exponent in exponents
    )


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
            if dict((1 * _parsed_unit(registry, text)).to_tuple()[1]) == dict(exponents):
                return text
        except ValueError:
            continue
    raise ValueError(
        f"The unit '{candidates[-1]}' is not defined in pint's application registry: define it "
        "there, or make your own registry the one with pint.set_application_registry()."
    )


@lru_cache(maxsize=1024)
def _parsed_unit(registry: "pint.UnitRegistry[Any]", text: str) -> "pint.Unit":
    try:
        # Without as_delta, which reads "degC * m" as a difference of temperatures.
        return registry.parse_units(text, as_delta=False)
    except Exception as error:  # pint lets AssertionError and TokenError out for broken text
        raise ValueError(
            f"The unit '{text}' is not defined in pint's application registry. If your lab defines "
            "it, import that definition, or add it with "
            "pint.get_application_registry().define('... = ...')."
        ) from error
