"""The physics of the simulated run: rubidium cooled through its condensation.

An ideal Bose gas in a cigar-shaped harmonic trap plus a Thomas-Fermi condensate, released and
seen from the side after a time of flight. Finite-size and interaction shifts of the critical
temperature are left out. Everything here is in SI units.

Sources: [K] W. Ketterle, D. S. Durfee, D. M. Stamper-Kurn, "Making, probing and understanding
Bose-Einstein condensates", arXiv:cond-mat/9904034. [C] Y. Castin, R. Dum, Phys. Rev. Lett. 77,
5315 (1996). [E] W. Ketterle, N. J. van Druten, Adv. At. Mol. Opt. Phys. 37, 181 (1996).
"""

import math

import attrs
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

PLANCK = 6.626_070_15e-34
"""J s"""
HBAR = PLANCK / (2 * math.pi)
BOLTZMANN = 1.380_649e-23
"""J/K"""
MASS = 86.909_180_5 * 1.660_539_07e-27
"""kg, of 87Rb (D. A. Steck, "Rubidium 87 D Line Data")"""
SCATTERING_LENGTH = 98.98 * 5.291_772_1e-11
"""m, of 87Rb triplet collisions (E. van Kempen et al., Phys. Rev. Lett. 88, 093201 (2002))"""

ZETA_2 = math.pi**2 / 6
ZETA_3 = 1.202_056_903

TRUNCATION = 8.0
"""eta, the depth of the trap in units of the thermal energy: set by the evaporation rate [E]"""
COOLING_EXPONENT = 1.4
"""alpha = d ln T / d ln N: above 1, evaporation speeds itself up in a harmonic trap [E]"""
KNOWN_NUMBER, KNOWN_TEMPERATURE = 8.5e5, 450e-9
"""Atoms and K at one point of the evaporation, from which the exponent gives all others"""


@attrs.frozen
class Trap:
    """A harmonic trap with a symmetry axis; the frequencies (Hz) are without the factor 2 pi."""

    radial_frequency: float
    axial_frequency: float

    @property
    def mean_angular_frequency(self) -> float:
        """The geometric mean over the three directions, in rad/s."""
        return 2 * math.pi * math.cbrt(self.radial_frequency**2 * self.axial_frequency)


@attrs.frozen
class Gas:
    """A number of atoms at a temperature (K) in a trap."""

    number: float
    temperature: float
    trap: Trap

    @property
    def critical_temperature(self) -> float:
        """Kelvin; kTc = hbar omega (N / zeta(3))^(1/3) for the ideal gas [K]."""
        quantum = HBAR * self.trap.mean_angular_frequency
        return quantum * math.cbrt(self.number / ZETA_3) / BOLTZMANN

    @property
    def condensed_fraction(self) -> float:
        """1 - (T/Tc)^3 below the critical temperature, 0 above [K]."""
        return max(0.0, 1 - (self.temperature / self.critical_temperature) ** 3)

    @property
    def fugacity(self) -> float:
        """exp(mu / kT): 1 with a condensate, else the root of g3(z) = zeta(3) (Tc/T)^3."""
        target = ZETA_3 * (self.critical_temperature / self.temperature) ** 3
        if target >= ZETA_3:
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if bose_function_3(middle) < target else (low, middle)
        return low


def evaporate(knife_frequency: float, trap_bottom: float, trap: Trap) -> Gas:
    """The gas that is left when the radio-frequency knife has come down to this frequency.

    Atoms in F=2, m=2 leave where the field makes the knife resonant: the trap is cut at
    2 h (nu - nu_bottom), and the temperature settles at 1/eta of it. Number follows temperature
    as N ~ T^(1/alpha) [E].

    Args:
        knife_frequency: in Hz.
        trap_bottom: the frequency that is resonant at the centre of the trap, in Hz.
        trap: where the gas is held.

    Raises:
        ValueError: the knife is at or below the bottom of the trap, which then holds no atoms.
    """
    if knife_frequency <= trap_bottom:
        raise ValueError(f"The knife at {knife_frequency / 1e6:.4f} MHz empties the trap.")
    temperature = 2 * PLANCK * (knife_frequency - trap_bottom) / (TRUNCATION * BOLTZMANN)
    number = KNOWN_NUMBER * (temperature / KNOWN_TEMPERATURE) ** (1 / COOLING_EXPONENT)
    return Gas(number=number, temperature=temperature, trap=trap)


def column_density(gas: Gas, time_of_flight: float, x: FloatArray, y: FloatArray) -> FloatArray:
    """Atoms per square metre along the line of sight, after free expansion.

    Args:
        gas: what was released.
        time_of_flight: seconds since the trap was switched off.
        x: positions along the trap's axis in metres, shape (width,).
        y: positions across it in metres, shape (height,).

    Returns:
        Shape (height, width).
    """
    condensed = gas.number * gas.condensed_fraction
    thermal = _thermal_column(gas, gas.number - condensed, time_of_flight, x, y)
    if condensed < 1:
        return thermal
    return thermal + _condensate_column(gas.trap, condensed, time_of_flight, x, y)


def thomas_fermi_radii(trap: Trap, number: float, time_of_flight: float) -> tuple[float, float]:
    """Axial and radial half-lengths (m) of an expanding condensate.

    In the trap R = sqrt(2 mu / m) / omega with mu = (hbar omega / 2) (15 N a / a_ho)^(2/5) [K];
    the expansion of a cigar scales them by the first terms in omega_z / omega_r [C]. The radial
    direction flies apart faster: a long condensate turns into a wide one, a thermal cloud never.
    """
    omega = trap.mean_angular_frequency
    oscillator_length = math.sqrt(HBAR / (MASS * omega))
    mu = 0.5 * HBAR * omega * (15 * number * SCATTERING_LENGTH / oscillator_length) ** 0.4
    speed = math.sqrt(2 * mu / MASS)
    radial, axial = 2 * math.pi * trap.radial_frequency, 2 * math.pi * trap.axial_frequency
    tau, ratio = radial * time_of_flight, axial / radial
    radial_scale = math.sqrt(1 + tau**2)
    axial_scale = 1 + ratio**2 * (tau * math.atan(tau) - math.log(radial_scale))
    return axial_scale * speed / axial, radial_scale * speed / radial


def bose_function_2(z: FloatArray) -> FloatArray:
    """The sum over k of z^k / k^2, for z from 0 to 1.

    It converges slowly towards 1, where Euler's reflection
    g2(z) = pi^2/6 - ln(z) ln(1-z) - g2(1-z) leads back to small arguments.
    """
    small = np.where(z > 0.5, 1 - z, z)
    power = np.ones_like(z)
    series = np.zeros_like(z)
    for k in range(1, 41):
        power = power * small
        series += power / k**2
    upper = np.clip(z, 0.5, 1 - 1e-16)
    return np.where(z > 0.5, ZETA_2 - np.log(upper) * np.log1p(-upper) - series, series)


def bose_function_3(z: float) -> float:
    """The sum over k of z^k / k^3, for z from 0 to 1, to about 1e-7."""
    k = np.arange(1, 2001)
    return float(np.sum(z**k / k**3))


def _thermal_column(
    gas: Gas, number: float, time_of_flight: float, x: FloatArray, y: FloatArray
) -> FloatArray:
    """N g2(z exp(-x^2/2sx^2 - y^2/2sy^2)) / (2 pi sx sy g3(z)): a Bose-enhanced gaussian [K]."""
    width_x, width_y = (
        math.sqrt(BOLTZMANN * gas.temperature / MASS * (1 / omega**2 + time_of_flight**2))
        for omega in (
            2 * math.pi * gas.trap.axial_frequency,
            2 * math.pi * gas.trap.radial_frequency,
        )
    )
    fugacity = gas.fugacity
    exponent = (x[np.newaxis, :] / width_x) ** 2 / 2 + (y[:, np.newaxis] / width_y) ** 2 / 2
    peak = number / (2 * math.pi * width_x * width_y * bose_function_3(fugacity))
    return peak * bose_function_2(fugacity * np.exp(-exponent))


def _condensate_column(
    trap: Trap, number: float, time_of_flight: float, x: FloatArray, y: FloatArray
) -> FloatArray:
    """5 N / (2 pi Rx Ry) max(0, 1 - x^2/Rx^2 - y^2/Ry^2)^(3/2): a parabola seen from a side [K]."""
    radius_x, radius_y = thomas_fermi_radii(trap, number, time_of_flight)
    inside = 1 - (x[np.newaxis, :] / radius_x) ** 2 - (y[:, np.newaxis] / radius_y) ** 2
    peak = 5 * number / (2 * math.pi * radius_x * radius_y)
    return np.asarray(peak * np.clip(inside, 0, None) ** 1.5, dtype=np.float64)
