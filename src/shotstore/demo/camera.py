"""The camera of the simulated run: from a cloud of atoms to three frames, and back to a number.

Absorption imaging: the probe beam with the atoms in its way, the beam alone (*reference*), and no
light at all (*dark*). What a camera adds is here too: shot noise, offset and read noise, and
interference fringes that move between two exposures, which no division removes entirely.
Everything is in SI units.

Source: W. Ketterle, D. S. Durfee, D. M. Stamper-Kurn, "Making, probing and understanding
Bose-Einstein condensates", arXiv:cond-mat/9904034, section 3.
"""

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from shotstore.demo.gas import FloatArray

Frame = NDArray[np.uint16]

HEIGHT, WIDTH = 256, 320
SIDE = 16
"""Columns at the left and at the right of a frame that no atom reaches"""
WAVELENGTH = 780.241e-9
"""m, of the D2 line of 87Rb (D. A. Steck, "Rubidium 87 D Line Data")"""
LINEWIDTH = 6.0666e6
"""Hz, full width at half maximum of that line (Steck)"""

PEAK_ELECTRONS = 4000.0
"""Photo-electrons in the brightest pixel of one exposure"""
ELECTRONS_PER_COUNT = 1.5
READ_NOISE = 7.0
"""Electrons, rms"""
OFFSET = 312.0
"""Counts that the camera gives without light"""
BEAM_RADIUS = 290.0
"""Pixels, 1/e^2 of the intensity"""


@attrs.frozen
class Frames:
    """The three exposures of one shot, each of shape (HEIGHT, WIDTH), in counts."""

    atoms: Frame
    reference: Frame
    dark: Frame


def cross_section(detuning: float) -> float:
    """Square metres a two-level atom takes out of a weak probe: (3 lambda^2 / 2 pi) / (1 + 4 d^2).

    Args:
        detuning: of the probe from the resonance, in Hz; d is in linewidths.
    """
    resonant = 3 * WAVELENGTH**2 / (2 * math.pi)
    return resonant / (1 + 4 * (detuning / LINEWIDTH) ** 2)


def pixel_positions(pixel_size: float, right: float, below: float) -> tuple[FloatArray, FloatArray]:
    """Distances in metres of the pixels' columns (WIDTH,) and rows (HEIGHT,) from the cloud.

    Args:
        pixel_size: edge of a pixel in the plane of the atoms, in metres.
        right: of the middle of the frame is the cloud, in pixels.
        below: of the middle of the frame is the cloud, in pixels.
    """
    columns = np.arange(WIDTH, dtype=np.float64) - (WIDTH - 1) / 2 - right
    rows = np.arange(HEIGHT, dtype=np.float64) - (HEIGHT - 1) / 2 - below
    return columns * pixel_size, rows * pixel_size


def expose(column_density: FloatArray, detuning: float, noise: np.random.Generator) -> Frames:
    """Take the three frames of a shot.

    Args:
        column_density: atoms per square metre, shape (HEIGHT, WIDTH).
        detuning: of the probe, in Hz.
        noise: every random number comes from it, so a shot can be taken again exactly.
    """
    transmission = np.exp(-cross_section(detuning) * column_density)
    with_atoms = _beam(noise) * transmission
    return Frames(
        atoms=_read_out(with_atoms, noise),
        reference=_read_out(_beam(noise), noise),
        dark=_read_out(np.zeros((HEIGHT, WIDTH)), noise),
    )


def optical_density(frames: Frames) -> FloatArray:
    """-ln((atoms - dark) / (reference - dark)), shape (HEIGHT, WIDTH), levelled to 0 at the sides.

    A pixel without light counts as one count, so the logarithm stays finite. The median over the
    sides, where there are no atoms, takes out a drift of the probe power between two exposures.
    """
    dark = frames.dark.astype(np.float64)
    transmitted = np.clip(frames.atoms - dark, 1, None)
    incident = np.clip(frames.reference - dark, 1, None)
    density = -np.log(transmitted / incident)
    sides = np.hstack([density[:, :SIDE], density[:, -SIDE:]])
    return np.asarray(density - np.median(sides), dtype=np.float64)


def atom_number(frames: Frames, pixel_size: float, detuning: float) -> float:
    """Atoms in the frame: the sum of the optical density times pixel area over cross section."""
    total = float(np.sum(optical_density(frames)))
    return total * pixel_size**2 / cross_section(detuning)


def _beam(noise: np.random.Generator) -> FloatArray:
    """Electrons per pixel of one exposure: a gaussian beam, fringes, and a drifting power."""
    row, column = np.indices((HEIGHT, WIDTH), dtype=np.float64)
    distance = np.hypot(column - 0.54 * WIDTH, row - 0.44 * HEIGHT)
    beam = np.exp(-2 * (distance / BEAM_RADIUS) ** 2)
    # One window makes straight fringes, a grain of dust on another one rings; vibrations shift
    # both a little from exposure to exposure.
    straight = np.cos(0.19 * column + 0.11 * row + noise.normal(scale=0.05))
    from_dust = np.hypot(column - 238, row - 171)
    rings = np.cos(0.012 * from_dust**2 + noise.normal(scale=0.05)) * np.exp(-from_dust / 22)
    power = noise.normal(loc=1.0, scale=0.01)
    return PEAK_ELECTRONS * power * beam * (1 + 0.045 * straight + 0.10 * rings)


def _read_out(electrons: FloatArray, noise: np.random.Generator) -> Frame:
    """Counts of shape (HEIGHT, WIDTH): Poisson noise of the light, gaussian noise of the readout.

    The columns of the sensor have slightly different offsets, the same in every frame.
    """
    columns = np.random.default_rng(0).normal(scale=1.5, size=WIDTH)
    detected = noise.poisson(electrons) + noise.normal(scale=READ_NOISE, size=electrons.shape)
    counts = np.rint(OFFSET + columns + detected / ELECTRONS_PER_COUNT)
    return np.clip(counts, 0, np.iinfo(np.uint16).max).astype(np.uint16)
