from fractions import Fraction
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import quantity, unit_to_text
from shotstore.model.quantities import convert, is_unit
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import UNITS

registry = pint.get_application_registry()


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("megahertz", "MHz"),
        ("meter / second ** 2", "m / s ** 2"),
        ("degC", "°C"),
        ("delta_degC", "Δ°C"),
        ("dimensionless", ""),
        ("percent", "%"),
    ],
)
def test_a_unit_is_written_in_short_form(unit: str, text: str) -> None:
    assert unit_to_text(registry.Unit(unit)) == text


@given(st.sampled_from(UNITS), st.sampled_from(UNITS), st.fractions(-3, 3))
def test_a_compound_unit_is_read_as_it_was_written(
    left: str, right: str, exponent: Fraction
) -> None:
    unit = registry.Unit(left) * registry.Unit(right) ** float(exponent)
    again = quantity(1.5, unit_to_text(unit))
    assert exactly_equal(again, registry.Quantity(1.5, unit))


def test_an_offset_unit_in_a_product_stays_one() -> None:
    unit = registry.degC * registry.meter
    assert quantity(1, unit_to_text(unit)).units == unit


def test_an_exponent_that_pint_would_round_survives() -> None:
    unit = registry.meter ** Fraction(1, 3)
    assert unit_to_text(unit) == "meter ** 0.3333333333333333"


def test_a_unit_that_only_another_registry_knows_is_refused() -> None:
    other: pint.UnitRegistry[Any] = pint.UnitRegistry()
    other.define("recoil = 2 kHz")
    with pytest.raises(ValueError, match=r"'recoil' is not defined .* define it"):
        unit_to_text(other.Unit("recoil"))


@pytest.mark.parametrize("text", ["nonsense", "m +", "(", "'a'", "3 m"])
def test_a_text_that_is_not_a_unit_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a unit|defined)|60000 characters"):
        quantity(1, text)


def test_quantities_follow_a_change_of_the_application_registry() -> None:
    before = registry.get()
    own: pint.UnitRegistry[Any] = pint.UnitRegistry()
    own.define("recoil = 2 kHz")
    pint.set_application_registry(own)
    try:
        assert quantity(1, "recoil").to("kHz").magnitude == 2
        assert quantity(1, "MHz").units == own.MHz
    finally:
        pint.set_application_registry(before)
    with pytest.raises(ValueError, match="recoil"):
        quantity(1, "recoil")


@pytest.mark.parametrize(
    "text",
    [
        *("nV/√Hz", "a.u.", "!MHz", "mm?", "'V", "V'", "$", "m$", "€", "m,s", "m:s", "m;s", "m#s"),
        *("m//s", "m=s", "m<s", "~m", "@m", "m@s", "m&s", "{m}", "m`", "m\0", "m\n", "m\ns"),
        *(
            ".m",
            "m.",
            "m..s",
            "+m",
            "m - s",
            "%m",
            "m%",
            "m\u200b",
            "m\u0301",
            "m/s s",
            "m" * 60_000,
        ),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_a_text_that_pint_would_read_as_another_unit_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a unit|defined)|60000 characters"):
        quantity(1, text)
    with pytest.raises(ValueError, match=r"is not (a unit|defined)|60000 characters"):
        convert(np.ones(1), "m", text)
    assert not is_unit(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("nV/Hz^0.5", "nanovolt / hertz ** 0.5"),
        ("kg m² s⁻²", "kilogram * meter ** 2 / second ** 2"),
        ("µm·s^-1", "micrometer / second"),
        ("J/(K mol)", "joule / kelvin / mole"),
        ("V per square m", "volt / meter ** 2"),
        ("m ** (-1/2)", "1 / meter ** 0.5"),
        ("A\u030a", "angstrom"),
        ("G\u00a0/\u202fcm", "gauss / centimeter"),
        ("‰", "permille"),
    ],
)
def test_the_ways_of_writing_a_unit_are_read(text: str, same: str) -> None:
    assert quantity(1, text).units == registry.Unit(same)


def test_each_name_that_pint_knows_is_read_as_pint_reads_it() -> None:
    # pint itself cannot read the name of the Rydberg constant with its sign for infinity.
    names = [name for name in registry.get()._units if name.replace("°", "d").isidentifier()]
    assert len(names) > 500
    for name in names:
        assert quantity(1, name).units == registry.parse_units(name, as_delta=False)


@given(
    st.sampled_from(UNITS), st.sampled_from("!?$'`~@#&|,;:=<>\\{}√€\u200b\n\0"), st.integers(0, 9)
)
def test_a_character_that_means_nothing_in_a_unit_is_never_passed_over(
    unit: str, character: str, position: int
) -> None:
    with pytest.raises(ValueError, match="means nothing there"):
        quantity(1, unit[:position] + character + unit[position:])
