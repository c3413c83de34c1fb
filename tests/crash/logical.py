"""What a store holds, read through the public interface, in a form that compares."""

from hashlib import sha256
from typing import Any

import numpy as np

from shotstore import DamagedStorageError, PureSequencePath, Sequence, State
from shotstore.hdf5 import HDF5StorageManager


def contents(
    storage: HDF5StorageManager, known: dict[bytes, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Everything that a user can read in the store and its trash.

    Args:
        storage: Of the store.
        known: What was read of sequences before, by what is in their files. Only for a store of
            which the files hold everything.
    """
    with storage.session() as session:
        globals_ = session.get_global_parameters()
        devices = dict(session.default_device_configurations)
        paths: dict[str, Any] = {}
        for path in session.paths.get_all_paths():
            created = session.paths.get_path_creation_date(path)
            is_sequence = session.sequences.is_sequence(path)
            try:
                found: object = session.paths.get_note(path) or None
                if is_sequence:
                    found = _known_sequence(session, path, known)
                paths[str(path)] = (created, found)
            except DamagedStorageError:
                paths[str(path)] = (created, "damaged")
    trash = sorted((str(e.path), e.reason, e.deleted) for e in storage.trash.entries())
    return {"paths": paths, "globals": globals_, "devices": devices, "trash": trash}


def _known_sequence(
    session: Any, path: PureSequencePath, known: dict[bytes, dict[str, Any]] | None
) -> dict[str, Any]:
    if known is None:
        return _sequence(session, path)
    place = session.storage.root.joinpath("sequences", *path.parts)
    files = sha256()
    for file in sorted(place.iterdir()):
        files.update(sha256(file.read_bytes()).digest())
    if files.digest() not in known:
        known[files.digest()] = _sequence(session, path)
    return known[files.digest()]


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
            shot.get_tags(),
            shot.get_note(),
        )
    found["results"] = [
        (
            each.shot_index,
            each.by,
            {name: _comparable(value) for name, value in each.values.items()},
        )
        for each in sequence.get_results(history=True)
    ]
    return found


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return value
