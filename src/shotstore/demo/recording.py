"""How a control program records: one durable commit for each shot.

It uses nothing but the public interface of shotstore.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shotstore import Sequence, ShotId, StorageManager, TracebackSummary
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
    path = recipe.path
    with storage.session() as session:
        Sequence.create(path, recipe.iteration, recipe.time_lanes, session)
    if not recipe.is_launched:
        return
    with storage.session() as session:
        session.sequences.set_preparing(path, DEVICES, PARAMETERS)
    with storage.session() as session:
        session.sequences.set_running(path, "now")
    try:
        for index, parameters in enumerate(recipe.iteration.walk(PARAMETERS.evaluate())):
            start_time = datetime.now(UTC)
            data = run_shot(
                parameters,
                np.random.default_rng([_SEED, index]),
                camera_is_triggered=index != recipe.crashes_at,
            )
            end_time = datetime.now(UTC)
            with storage.session() as session:
                session.sequences.create_shot(
                    ShotId(path, index), parameters, data, start_time, end_time
                )
            on_shot(index + 1)
    except CameraError as error:
        with storage.session() as session:
            summary = TracebackSummary.from_exception(error)
            session.sequences.set_crashed(path, summary, "now")
    else:
        with storage.session() as session:
            session.sequences.set_finished(path, "now")
