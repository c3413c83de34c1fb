import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import Parameter, quantity
from shotstore.model.loops import arange, linspace
from shotstore.testing.exactness import exactly_equal

_floats = st.floats(-1e6, 1e6)


def magnitudes(values: Iterable[Parameter]) -> list[Any]:
    """The numbers of quantities, in the unit that each has."""
    return [value.magnitude for value in values if isinstance(value, pint.Quantity)]


def units(values: Iterable[Parameter]) -> set[object]:
    return {value.units for value in values if isinstance(value, pint.Quantity)}


@given(_floats, _floats, st.integers(1, 30))
def test_linspace_has_the_numbers_of_numpy_but_for_their_rounding(
    start: float, stop: float, num: int
) -> None:
    expected = [float(value) for value in np.linspace(start, stop, num)]
    # The step of numpy is rounded to the smallest number there is, and multiplied by up to `num`.
    rounding = 4 * np.spacing(max(abs(start), abs(stop))) + num * np.spacing(0.0)
    assert list(linspace(start, stop, num)) == pytest.approx(expected, rel=0, abs=rounding)


_decimals = st.decimals(-1000, 1000, places=3)


@given(_decimals, _decimals, st.integers(1, 30), st.sampled_from([None, "MHz", "dBm", "degC"]))
def test_linspace_begins_and_ends_as_it_is_written(
    start: Decimal, stop: Decimal, num: int, unit: str | None
) -> None:
    first, last = (
        float(number) if unit is None else quantity(float(number), unit) for number in (start, stop)
    )
    values = list(linspace(first, last, num))
    assert values[0] == first
    assert values[-1] == (last if num > 1 else first)


@given(_decimals, st.decimals("0.001", 10, places=3), st.integers(1, 30))
def test_the_values_of_a_loop_are_what_a_person_would_write(
    start: Decimal, step: Decimal, count: int
) -> None:
    written = [float(start + index * step) for index in range(count)]
    stop = start + count * step
    assert list(arange(float(start), float(stop), float(step))) == written
    assert list(linspace(float(start), float(stop - step), count)) == written
    in_other_units = arange(
        quantity(float(start), "MHz"),
        quantity(float(stop * 1000), "kHz"),
        quantity(float(step * 1000), "kHz"),
    )
    assert magnitudes(in_other_units) == written


def test_loops_over_levels_step_by_ratios() -> None:
    levels = [quantity(float(level), "dBm") for level in (-30, -20, -10)]
    found = arange(quantity(-30.0, "dBm"), quantity(0, "dBm"), quantity(10, "dB"))
    assert exactly_equal(list(found), levels)
    assert exactly_equal(list(linspace(levels[0], levels[2], 3)), levels)
    to_power = arange(quantity(-30, "dBm"), quantity(1, "mW"), quantity(10, "dB"))
    assert exactly_equal(list(to_power), levels)
    integers = arange(quantity(0, "dB"), quantity(6, "dB"), quantity(3, "dB"))
    assert exactly_equal(list(integers), [quantity(0, "dB"), quantity(3, "dB")])


@pytest.mark.parametrize(
    "step",
    [quantity(10, "dBm"), quantity(1, "mW"), 10, quantity(1, "Np"), quantity(10, "%")],
    ids=str,
)
def test_a_step_from_a_level_that_is_not_a_ratio_is_refused(step: Parameter) -> None:
    with pytest.raises(ValueError, match=r"is not a ratio that fits 'decibelmilliwatt': .* in dB"):
        arange(quantity(-30, "dBm"), quantity(0, "dBm"), step)


def test_a_loop_in_a_unit_that_has_no_differences_is_refused() -> None:
    with pytest.raises(ValueError, match="There are no steps from"):
        arange(quantity(1, "dBm / Hz"), quantity(2, "dBm / Hz"), quantity(1, "dBm / Hz"))


def test_linspace_makes_floats_of_integers() -> None:
    assert exactly_equal(list(linspace(0, 4, 3)), [0.0, 2.0, 4.0])


def test_linspace_is_in_the_unit_of_its_start() -> None:
    values = list(linspace(quantity(1, "MHz"), quantity(1500, "kHz"), 3))
    assert exactly_equal(values, [quantity(value, "MHz") for value in (1.0, 1.25, 1.5)])


def test_linspace_of_temperatures() -> None:
    values = list(linspace(quantity(20, "degC"), quantity(295.15, "K"), 3))
    assert magnitudes(values) == pytest.approx([20, 21, 22])
    assert units(values) == {quantity(1, "degC").units}


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(-9, 9).filter(bool))
def test_arange_of_integers_is_a_range(start: int, stop: int, step: int) -> None:
    values = arange(start, stop, step)
    assert exactly_equal(list(values), list(range(start, stop, step)))
    assert values.count == len(range(start, stop, step))


@given(
    st.integers(-(10**6), 10**6),
    st.integers(0, 10**4),
    st.integers(1, 10**4),
    st.sampled_from([0.1, 0.01, 1e-6, 0.3, 7.7, 1e-3, -0.1]),
)
def test_arange_never_includes_its_stop(first: int, count: int, jump: int, scale: float) -> None:
    # Each factor is exact, each product is rounded, as it is when written as decimals.
    start, step, stop = first * scale, jump * scale, (first + count * jump) * scale
    values = arange(start, stop, step)
    assert values.count == count


@pytest.mark.parametrize(
    ("start", "stop", "step", "count"),
    [
        (1, 1.3, 0.1, 3),
        (0, 1, 0.1, 10),
        (0, 0.3, 0.1, 3),
        (0, 0.31, 0.1, 4),
        (0.0, 1e-20, 1, 1),
        (384e12, 384e12 + 5e3, 1e3, 5),
        (0, 1, -0.1, 0),
        (1, 0, -0.25, 4),
        (0, 0, 1.5, 0),
    ],
)
def test_arange_counts_steps(start: float, stop: float, step: float, count: int) -> None:
    values = list(arange(start, stop, step))
    assert len(values) == count
    assert values == pytest.approx([start + index * step for index in range(count)])
    if values:
        assert type(values[0]) is type(start + step)


def test_arange_is_in_the_unit_of_its_start() -> None:
    values = arange(quantity(1, "MHz"), quantity(1300, "kHz"), quantity(100.0, "kHz"))
    assert magnitudes(values) == pytest.approx([1, 1.1, 1.2])
    assert units(values) == {quantity(1, "MHz").units}


def test_arange_of_integers_in_one_unit_stays_integer() -> None:
    values = list(arange(quantity(0, "ms"), quantity(30, "ms"), quantity(10, "ms")))
    assert exactly_equal(values, [quantity(value, "ms") for value in (0, 10, 20)])


@pytest.mark.parametrize("step", [quantity(1, "delta_degC"), quantity(1, "K")], ids=str)
def test_arange_of_temperatures_steps_by_a_difference(step: Parameter) -> None:
    values = arange(quantity(20, "degC"), quantity(22, "degC"), step)
    assert magnitudes(values) == pytest.approx([20, 21])


def test_a_plain_number_fits_a_dimensionless_unit() -> None:
    values = list(linspace(0, quantity(50, "%"), 3))
    assert exactly_equal(values, [0.0, 0.25, 0.5])


def test_a_huge_loop_is_not_enumerated() -> None:
    values = arange(0, 10**30, 1)
    assert values.count == 10**30
    assert next(iter(values)) == 0


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ((0, 1, 0), "step of a loop is zero"),
        ((0.0, 1.0, -0.0), "step of a loop is zero"),
        ((0, 1, quantity(1, "m")), "step .* does not fit"),
        ((quantity(0, "m"), 1, quantity(1, "m")), "stop .* does not fit 'meter'"),
        ((quantity(0, "m"), quantity(1, "s"), quantity(1, "m")), "stop .* does not fit 'meter'"),
        ((0, math.inf, 1), "not a finite number"),
        ((0, 1, math.nan), "not a finite number"),
        ((False, 1, 1), "not a finite number"),
        ((0.0, 1e300, 1e-300), "too small"),
    ],
    ids=str,
)
def test_bounds_that_do_not_make_a_loop_are_a_value_error(
    bounds: tuple[Parameter, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        arange(*bounds)


def test_a_step_that_is_a_temperature_is_refused() -> None:
    # It would be a step of 274.15 K.
    with pytest.raises(ValueError, match=r"step .* does not fit 'delta_degree_Celsius'"):
        arange(quantity(20, "degC"), quantity(30, "degC"), quantity(1, "degC"))
