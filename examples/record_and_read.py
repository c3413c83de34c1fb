"""Record a sequence of three shots, and read it back."""

from datetime import UTC, datetime

import numpy as np

from shotstore import Sequence, ShotId
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    ExecuteShot,
    LinspaceLoop,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
)

storage = HDF5StorageManager("lab")  # a directory, created if it does not exist
recipe = StepsConfiguration([LinspaceLoop("detuning", "-5 MHz", "5 MHz", 3, [ExecuteShot()])])

with storage.session() as session:
    rabi = Sequence.create(r"\2026\11\22\rabi", recipe, TimeLanes.empty(), session).path
    session.sequences.set_preparing(rabi, {}, ParameterNamespace.empty())
    session.sequences.set_running(rabi, "now")

for index, parameters in enumerate(recipe.walk({})):
    start_time = datetime.now(UTC)
    frame = np.random.default_rng().poisson(100, size=(256, 320)).astype(np.uint16)
    with storage.session() as session:  # one durable commit a shot
        session.sequences.create_shot(
            ShotId(rabi, index),
            parameters,
            {"atoms": frame, "brightness": float(frame.mean())},
            start_time,
            datetime.now(UTC),
        )

with storage.session() as session:
    session.sequences.set_finished(rabi, "now")
    for shot in Sequence(rabi, session):
        detuning = shot.get_parameters()["detuning"]
        print(shot.index, detuning, shot.get_data_by_label("brightness"))
