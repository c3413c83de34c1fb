"""What the simulated experiment runs: its parameters, devices, time lanes and three sequences."""

import attrs

from shotstore import PureSequencePath
from shotstore.model import (
    AnalogTimeLane,
    CameraTimeLane,
    DeviceConfiguration,
    DigitalTimeLane,
    ExecuteShot,
    LinspaceLoop,
    ParameterNamespace,
    StepsConfiguration,
    TakePicture,
    TimeLanes,
    VariableDeclaration,
)


@attrs.frozen
class CameraConfiguration(DeviceConfiguration):
    """The camera below the cell: exposure in microseconds, gain in electrons a count."""

    exposure: float
    gain: float


@attrs.frozen
class SynthesizerConfiguration(DeviceConfiguration):
    """The source of the radio-frequency knife: output power in dBm."""

    power: float


@attrs.frozen
class Recipe:
    """One sequence of the demo."""

    path: PureSequencePath
    time_lanes: TimeLanes
    iteration: StepsConfiguration
    is_launched: bool = True
    crashes_at: int | None = None
    """The shot in which the camera stops answering."""


PARAMETERS = ParameterNamespace.from_mapping(
    {
        "trap": {"radial_frequency": "120 Hz", "axial_frequency": "20 Hz"},
        "evaporation": {
            "trap_bottom": "1 MHz",
            "start_frequency": "1.033 MHz",
            "time_constant": "2.9 s",
        },
        "probe": {"detuning": "7 MHz", "exposure": "60 us"},
        "imaging": {"time_of_flight": "24 ms", "pixel_size": "3.4 um"},
    }
)

DEVICES: dict[str, DeviceConfiguration] = {
    "camera": CameraConfiguration(exposure=60.0, gain=1.5, remote_server="imaging-pc"),
    "knife": SynthesizerConfiguration(power=18.0),
}

_TIME_LANES = TimeLanes(
    step_names=["evaporate", "expand", "atoms", "wait", "reference", "wait again", "dark"],
    step_durations=[
        "evaporation.hold_time",
        "imaging.time_of_flight",
        "probe.exposure",
        "0.3 s",
        "probe.exposure",
        "0.3 s",
        "probe.exposure",
    ],
    lanes={
        "knife": DigitalTimeLane([(True, 1), (False, 6)]),
        "coils": AnalogTimeLane([("18 A", 1), ("0 A", 6)]),
        "probe": DigitalTimeLane([(False, 2), (True, 1), (False, 1), (True, 1), (False, 2)]),
        "camera": CameraTimeLane(
            [
                (None, 2),
                (TakePicture("atoms"), 1),
                (None, 1),
                (TakePicture("reference"), 1),
                (None, 1),
                (TakePicture("dark"), 1),
            ]
        ),
    },
)

# The knife comes down exponentially, and is switched off after the hold time.
_KNIFE = VariableDeclaration(
    "evaporation.final_frequency",
    "evaporation.trap_bottom + (evaporation.start_frequency - evaporation.trap_bottom)"
    " * exp(-evaporation.hold_time / evaporation.time_constant)",
)
_COLD = [VariableDeclaration("evaporation.hold_time", "3.4 s"), _KNIFE]

EVAPORATION = Recipe(
    path=PureSequencePath(r"\rubidium\evaporation"),
    time_lanes=_TIME_LANES,
    iteration=StepsConfiguration(
        [LinspaceLoop("evaporation.hold_time", "0 s", "4.6 s", 24, [_KNIFE, ExecuteShot()])]
    ),
)
EXPANSION = Recipe(
    path=PureSequencePath(r"\rubidium\expansion"),
    time_lanes=_TIME_LANES,
    iteration=StepsConfiguration(
        [*_COLD, LinspaceLoop("imaging.time_of_flight", "6 ms", "28 ms", 12, [ExecuteShot()])]
    ),
    crashes_at=7,
)
PROBE_RESONANCE = Recipe(
    path=PureSequencePath(r"\rubidium\calibration\probe_resonance"),
    time_lanes=_TIME_LANES,
    iteration=StepsConfiguration(
        [*_COLD, LinspaceLoop("probe.detuning", "-15 MHz", "15 MHz", 31, [ExecuteShot()])]
    ),
    is_launched=False,
)
RECIPES = (EVAPORATION, EXPANSION, PROBE_RESONANCE)
