"""What a store holds, read through the public interface, in a form that compares."""

from typing import Any

import numpy as np

from shotstore import DamagedStorageError, PureSequencePath, Sequence, State
from shotstore.hdf5 import HDF5StorageManager


def contents(storage: HDF5StorageManager) -> dict[str, Any]:
    """Everything that a user can read in the store and its trash."""
    with storage.session() as session:
        globals_ = session.get_global_parameters()
        devices = dict(session.default_device_configurations)
        paths: dict[str, Any] = {}
        for path in session.paths.get_all_paths():
            created = session.paths.get_path_creation_date(path)
            is_sequence = session.sequences.is_sequence(path)
            try:
                paths[str(path)] = (created, _sequence(session, path) if is_sequence else None)
            except DamagedStorageError:
                paths[str(path)] = (created, "damaged")
    trash = sorted((str(e.path), e.reason, e.deleted) for e in storage.trash.entries())
    return {"paths": paths, "globals": globals_, "devices": devices, "trash": trash}


def _sequence(session: Any, path: PureSequencePath) -> dict[str, Any]:
    sequence = Sequence(path, session)
    stats = session.sequences.get_stats(path)
    found = {
        "stats": stats,
        "iteration": sequence.get_iteration_configuration(),
        "time lanes": sequence.get_time_lanes(),
        "tags": sequence.get_tags(),
        "note": sequence.get_note(),
        "shots": {},
    }
    if stats.state is not State.DRAFT:
        found["globals"] = sequence.get_global_parameters()
        found["devices"] = dict(sequence.get_device_configurations())
    if stats.state is State.CRASHED:
        found["exception"] = sequence.get_traceback_summary()
    for shot in sequence.get_shots():
        found["shots"][shot.index] = (
            shot.get_start_time(),
            shot.get_end_time(),
            shot.get_parameters(),
            {label: _comparable(value) for label, value in shot.get_data().items()},
        )
    return found


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return value
