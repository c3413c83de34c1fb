"""The simulation behind `shotstore demo` against what its formulas must give."""

import math

import attrs
import numpy as np
import pytest

from shotstore.demo import camera, gas

TRAP = gas.Trap(radial_frequency=120.0, axial_frequency=20.0)
PIXEL = 3.4e-6
TIME_OF_FLIGHT = 24e-3
DETUNING = 7e6


def cold_gas(temperature_over_critical: float, number: float = 4e5) -> gas.Gas:
    critical = gas.Gas(number, 1.0, TRAP).critical_temperature
    return gas.Gas(number, temperature_over_critical * critical, TRAP)


def seen(cloud: gas.Gas, time_of_flight: float = TIME_OF_FLIGHT) -> gas.FloatArray:
    x, y = camera.pixel_positions(PIXEL, 0.0, 0.0)
    return gas.column_density(cloud, time_of_flight, x, y)


@pytest.mark.parametrize("ratio", [1.4, 1.02, 0.98, 0.7, 0.3])
def test_the_column_density_holds_every_atom(ratio: float) -> None:
    cloud = cold_gas(ratio, number=2e5)
    step = 2 * PIXEL
    x = np.arange(-600, 600, dtype=np.float64) * step
    total = gas.column_density(cloud, TIME_OF_FLIGHT, x, x).sum() * step**2
    assert total == pytest.approx(cloud.number, rel=1e-3)


def test_the_condensate_appears_at_the_critical_temperature() -> None:
    assert cold_gas(1.001).condensed_fraction == 0
    assert cold_gas(0.5).condensed_fraction == pytest.approx(1 - 0.5**3)
    assert cold_gas(1.001).fugacity == pytest.approx(1, abs=0.01)
    assert cold_gas(0.5).fugacity == 1


def test_critical_temperature_is_that_of_the_literature() -> None:
    # kTc = 0.94 hbar omega N^(1/3), for example in Dalfovo et al., Rev. Mod. Phys. 71, 463 (1999).
    omega = TRAP.mean_angular_frequency
    expected = 0.94 * gas.HBAR * omega * 4e5 ** (1 / 3) / gas.BOLTZMANN
    assert cold_gas(1).critical_temperature == pytest.approx(expected, rel=1e-3)


def test_a_released_condensate_turns_over_and_a_thermal_cloud_becomes_round() -> None:
    axial, radial = gas.thomas_fermi_radii(TRAP, 2e5, 0.0)
    assert axial / radial == pytest.approx(120 / 20)
    axial, radial = gas.thomas_fermi_radii(TRAP, 2e5, TIME_OF_FLIGHT)
    assert radial > 1.5 * axial

    image = seen(cold_gas(1.4), time_of_flight=0.1)
    middle = image.max()
    wide = np.count_nonzero(image[camera.HEIGHT // 2] > 0.8 * middle)
    high = np.count_nonzero(image[:, camera.WIDTH // 2] > 0.8 * middle)
    assert wide == pytest.approx(high, rel=0.02)


def test_bose_functions_have_their_known_values() -> None:
    values = gas.bose_function_2(np.array([0.0, 0.5, 1.0]))
    expected = [0.0, math.pi**2 / 12 - math.log(2) ** 2 / 2, math.pi**2 / 6]
    np.testing.assert_allclose(values, expected, atol=1e-12)
    assert gas.bose_function_3(1.0) == pytest.approx(gas.ZETA_3, abs=1e-6)


def test_evaporation_speeds_itself_up() -> None:
    before, after = gas.evaporate(1.030e6, 1e6, TRAP), gas.evaporate(1.015e6, 1e6, TRAP)
    assert after.number < before.number
    assert before.temperature == pytest.approx(2 * after.temperature)
    # The phase-space density is N / T^3 in a harmonic trap.
    assert after.number / after.temperature**3 > 4 * before.number / before.temperature**3


def test_a_knife_below_the_bottom_of_the_trap_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.9990 MHz empties the trap"):
        gas.evaporate(0.999e6, 1e6, TRAP)


@pytest.mark.parametrize("ratio", [1.3, 0.9, 0.4])
def test_the_frames_show_the_atoms_that_were_there(ratio: float) -> None:
    cloud = cold_gas(ratio)
    frames = camera.expose(seen(cloud), DETUNING, np.random.default_rng(7))
    for frame in attrs.astuple(frames):
        assert frame.dtype == np.uint16
        assert frame.shape == (256, 320)
    measured = camera.atom_number(frames, PIXEL, DETUNING)
    assert measured == pytest.approx(cloud.number, rel=0.06)


def test_noise_is_that_of_photons_and_of_the_readout() -> None:
    dark_gas = np.zeros((camera.HEIGHT, camera.WIDTH))
    noise = np.random.default_rng(1)
    frames = [camera.expose(dark_gas, DETUNING, noise) for _ in range(25)]
    dark = np.stack([frame.dark for frame in frames]).astype(float)
    expected = math.hypot(camera.READ_NOISE / camera.ELECTRONS_PER_COUNT, 1 / math.sqrt(12))
    assert dark.std(axis=0).mean() == pytest.approx(expected, rel=0.05)
    assert dark.mean() == pytest.approx(camera.OFFSET, abs=0.5)


def test_the_same_seed_gives_the_same_frames() -> None:
    first, second = (
        camera.expose(seen(cold_gas(0.5)), DETUNING, np.random.default_rng(3)) for _ in range(2)
    )
    for one, other in zip(attrs.astuple(first), attrs.astuple(second), strict=True):
        np.testing.assert_array_equal(one, other)
