"""The simulated experiment: the parameters of a shot go in, its data come out."""

from collections.abc import Mapping

import attrs
import numpy as np

from shotstore.demo import camera, gas
from shotstore.model import Data, Parameter

_NUMBER_FLUCTUATION = 0.03
"""Relative, rms, from shot to shot"""
_POSITION_FLUCTUATION = 1.5
"""Pixels, rms, in each direction"""


class CameraError(RuntimeError):
    """The camera did not deliver the frames of a shot."""


def run_shot(
    parameters: Mapping[str, Parameter],
    noise: np.random.Generator,
    *,
    camera_is_triggered: bool = True,
) -> dict[str, Data]:
    """Cool, release and photograph the atoms.

    Args:
        parameters: of the shot, as the recipes name them.
        noise: every random number comes from it, so a shot can be run again exactly.
        camera_is_triggered: without, no frame ever comes.

    Returns:
        The frames ``atoms``, ``reference`` and ``dark``, uint16 of shape (256, 320), and the
        ``atom_number`` that they show.

    Raises:
        CameraError: no frame came.
    """
    trap = gas.Trap(
        radial_frequency=value_in(parameters, "trap.radial_frequency", "Hz"),
        axial_frequency=value_in(parameters, "trap.axial_frequency", "Hz"),
    )
    mean = gas.evaporate(
        knife_frequency=value_in(parameters, "evaporation.final_frequency", "Hz"),
        trap_bottom=value_in(parameters, "evaporation.trap_bottom", "Hz"),
        trap=trap,
    )
    cloud = attrs.evolve(mean, number=mean.number * noise.normal(1.0, _NUMBER_FLUCTUATION))

    pixel_size = value_in(parameters, "imaging.pixel_size", "m")
    detuning = value_in(parameters, "probe.detuning", "Hz")
    right, below = noise.normal(scale=_POSITION_FLUCTUATION, size=2)
    x, y = camera.pixel_positions(pixel_size, right, below)
    time_of_flight = value_in(parameters, "imaging.time_of_flight", "s")
    column_density = gas.column_density(cloud, time_of_flight, x, y)
    try:
        _wait_for_trigger(camera_is_triggered)
    except TimeoutError as error:
        raise CameraError("0 of 3 frames came: check the trigger cable") from error
    frames = camera.expose(column_density, detuning, noise)
    return {
        "atoms": frames.atoms,
        "reference": frames.reference,
        "dark": frames.dark,
        "atom_number": camera.atom_number(frames, pixel_size, detuning),
    }


def value_in(parameters: Mapping[str, Parameter], name: str, unit: str) -> float:
    """The magnitude of a parameter in a unit.

    Raises:
        TypeError: it has no unit.
    """
    parameter = parameters[name]
    if isinstance(parameter, bool | int | float | str):
        raise TypeError(f"Parameter {name} is {parameter!r} without a unit, where {unit} is needed")
    return float(parameter.to(unit).magnitude)


def _wait_for_trigger(triggered: bool) -> None:
    if not triggered:
        raise TimeoutError("no trigger edge within 2 s of the end of the time of flight")
