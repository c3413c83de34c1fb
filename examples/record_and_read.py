"""Record a sequence of three shots, and read it back."""

import numpy as np

from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration

storage = HDF5StorageManager("lab")  # a directory, created if it does not exist
recipe = StepsConfiguration([LinspaceLoop("detuning", "-5 MHz", "5 MHz", 3, [ExecuteShot()])])

with storage.record(r"\2026\11\22\rabi", recipe) as run:
    for _ in run:  # the parameters of each shot that is still to be taken
        frame = np.random.default_rng().poisson(100, size=(256, 320)).astype(np.uint16)
        run.save(atoms=frame, brightness=float(frame.mean()))  # one durable commit a shot

with storage.session() as session:
    for shot in session.get_sequence(run.path):
        detuning = shot.get_parameters()["detuning"]
        print(shot.index, detuning, shot.get_data_by_label("brightness"))
