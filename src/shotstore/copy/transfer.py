"""Copy one sequence: its files as they are, or shot by shot through the interfaces that all
storages have."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from shotstore.copy.as_stored import global_parameters_of, without_decoding
from shotstore.model import Data
from shotstore.paths import PureSequencePath
from shotstore.records import state_rules
from shotstore.records.values import SequenceStats
from shotstore.session import ExperimentSession
from shotstore.state import State

if TYPE_CHECKING:
    from shotstore.hdf5 import HDF5ExperimentSession


def copy_sequence(
    path: PureSequencePath,
    source: ExperimentSession,
    destination: ExperimentSession,
    show: Callable[[int, int], object],
) -> None:
    """Create a sequence with all that it has, at the same path, in the way that takes least time.

    Args:
        path: The sequence; nothing, or an empty folder, is there in the destination.
        source: What is read in it is of one moment.
        destination: Where to create it.
        show: Called now and then with the number of shots, and of bytes, that were copied by now.

    Raises:
        SequenceRunningError: the sequence is preparing or running.
        Exception: what the two storages raise.
    """
    if _is_of_files(source) and _is_of_files(destination):
        number = source.sequences.get_stats(path).number_completed_shots
        destination.copy_files(path, source, lambda size, whole: show(number * size // whole, size))
        return
    shots = size = 0

    def count(size_of_one: int) -> None:
        nonlocal shots, size
        shots, size = shots + 1, size + size_of_one
        show(shots, size)

    transfer(path, source, destination, count)


def transfer(
    path: PureSequencePath,
    source: ExperimentSession,
    destination: ExperimentSession,
    on_shot: Callable[[int], object],
) -> None:
    """Do the same shot by shot: only one is in memory at a time.

    Args:
        path: As for `copy_sequence`; so are the source and the destination.
        on_shot: Called with the number of bytes of each shot.
    """
    stats = source.sequences.get_stats(path)
    if stats.state.is_active():
        raise state_rules.sequence_running_error(path, stats.state, "copying")
    with without_decoding(source, destination):
        _create(path, source, destination)
        if stats.state is not State.DRAFT:
            _launch(path, source, destination)
    if stats.state.has_ended():
        _run(path, source, destination, stats, on_shot)
    destination.paths.update_creation_date(path, source.paths.get_path_creation_date(path))


def create_folders(
    folders: Mapping[PureSequencePath, datetime], destination: ExperimentSession
) -> None:
    """Create those that do not exist, with their creation dates; the parents come first."""
    for folder in folders:
        for created in destination.paths.create_path(folder):
            if created in folders:
                destination.paths.update_creation_date(created, folders[created])


def _create(
    path: PureSequencePath, source: ExperimentSession, destination: ExperimentSession
) -> None:
    iteration = source.sequences.get_iteration_configuration(path)
    destination.sequences.create(path, iteration, source.sequences.get_time_lanes(path))
    destination.sequences.set_tags(path, source.sequences.get_tags(path))
    destination.sequences.set_note(path, source.sequences.get_note(path))


def _launch(
    path: PureSequencePath, source: ExperimentSession, destination: ExperimentSession
) -> None:
    destination.sequences.set_preparing(
        path,
        source.sequences.get_device_configurations(path),
        global_parameters_of(source, path),
    )


def _run(
    path: PureSequencePath,
    source: ExperimentSession,
    destination: ExperimentSession,
    stats: SequenceStats,
    on_shot: Callable[[int], object],
) -> None:
    start, stop = stats.start_time, stats.stop_time
    if stop is None:
        # One that was recovered, or edited by hand, may lack it; no storage ends one without.
        stop = start or source.paths.get_path_creation_date(path)
    if start is not None or stats.state is not State.CRASHED:
        destination.sequences.set_running(path, stop if start is None else start)
        _copy_shots(path, source, destination, on_shot)
    match stats.state:
        case State.FINISHED:
            destination.sequences.set_finished(path, stop)
        case State.INTERRUPTED:
            destination.sequences.set_interrupted(path, stop)
        case State.CRASHED:
            destination.sequences.set_crashed(path, source.sequences.get_exception(path), stop)


def _copy_shots(
    path: PureSequencePath,
    source: ExperimentSession,
    destination: ExperimentSession,
    on_shot: Callable[[int], object],
) -> None:
    sequences = source.sequences
    for shot in sequences.get_shots(path):
        parameters = sequences.get_shot_parameters(path, shot.index)
        data = sequences.get_all_shot_data(path, shot.index)
        destination.sequences.create_shot(
            shot,
            parameters,
            data,
            sequences.get_shot_start_time(path, shot.index),
            sequences.get_shot_end_time(path, shot.index),
        )
        on_shot(8 * len(parameters) + _size(data.values()))


def _size(values: Iterable[Data]) -> int:
    return sum(map(_size_of_one, values))


def _size_of_one(value: Any) -> int:
    match value:
        case np.ndarray():
            return value.nbytes
        case str() | bytes():
            return len(value)
        case list() | tuple():
            return _size(value)
        case dict():
            return _size(value.values())
    return 8


def _is_of_files(session: ExperimentSession) -> "TypeGuard[HDF5ExperimentSession]":
    from shotstore.hdf5 import HDF5ExperimentSession

    return isinstance(session, HDF5ExperimentSession)
