from fractions import Fraction

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import quantity, unit_to_text
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
    other = pint.UnitRegistry()
    other.define("recoil = 2 kHz")
    with pytest.raises(ValueError, match=r"'recoil' is not defined .* define it"):
        unit_to_text(other.Unit("recoil"))


@pytest.mark.parametrize("text", ["nonsense", "m +", "(", "'a'", "3 m"])
def test_a_text_that_is_no_unit_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not defined"):
        quantity(1, text)


def test_quantities_follow_a_change_of_the_application_registry() -> None:
    before = registry.get()
    own = pint.UnitRegistry()
    own.define("recoil = 2 kHz")
    pint.set_application_registry(own)
    try:
        assert quantity(1, "recoil").to("kHz").magnitude == 2
        assert quantity(1, "MHz").units == own.MHz
    finally:
        pint.set_application_registry(before)
    with pytest.raises(ValueError, match="recoil"):
        quantity(1, "recoil")
