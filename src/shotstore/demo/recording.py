"""How a control program records: one durable commit for each shot.

It uses nothing but the public interface of shotstore.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from shotstore import Sequence, StorageManager
from shotstore.demo.experiment import CameraError, run_shot
from shotstore.demo.recipes import (
    DEVICES,
    PARAMETERS,
    CameraConfiguration,
    Recipe,
    SynthesizerConfiguration,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer

_SEED = 20261122


def open_store(directory: Path) -> StorageManager:
    """Create the store, with the parameters and devices that all its sequences start from."""
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    serializer.register_device_configuration(SynthesizerConfiguration)
    storage = HDF5StorageManager(directory, serializer=serializer)
    with storage.session() as session:
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)
    return storage


def record(storage: StorageManager, recipe: Recipe, on_shot: Callable[[int], object]) -> None:
    """Create a sequence and, unless it is to stay a draft, run it to its end or its crash.

    Args:
        storage: where to.
        recipe: the sequence.
        on_shot: called after each shot that is safely on the disk, with the number of shots so far.
    """
    if not recipe.is_launched:
        with storage.session() as session:
            Sequence.create(recipe.path, recipe.iteration, recipe.time_lanes, session)
        return
    run = storage.record(
        recipe.path,
        recipe.iteration,
        time_lanes=recipe.time_lanes,
        devices=DEVICES,
        global_parameters=PARAMETERS,
    )
    with suppress(CameraError), run:
        for index, parameters in enumerate(run):
            data = run_shot(
                parameters,
                np.random.default_rng([_SEED, index]),
                camera_is_triggered=index != recipe.crashes_at,
            )
            run.save(data)
            on_shot(index + 1)
