"""Copy one sequence: its files as they are, or its records as each storage gives and takes them.

Recipes and configurations are passed on as JSON, so neither storage needs to know their classes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from attrs import evolve

from shotstore.model import Data, check_data
from shotstore.model.parameters import check_parameter_name
from shotstore.model.quantities import InUnit
from shotstore.paths import PureSequencePath
from shotstore.records import state_rules
from shotstore.records.addition_copies import copy_additions
from shotstore.records.content import LaunchRecord, SequenceRecord, ShotRecord
from shotstore.records.stored_records import AnyRecords
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
        on_shot: Called with the number of bytes of each shot that counts.
    """
    theirs, ours = source._records_(), destination._records_()
    record, launch = theirs.transaction.read(lambda: _read(path, theirs))
    ours.transaction.write(lambda: _create(path, ours, record, launch))
    if launch is not None:
        attempts: Counter[int] = Counter()
        indices = theirs.transaction.read(lambda: theirs.recorded_indices(theirs.tree.get(path)))
        takes = Counter(indices)
        for index in indices:
            shot = theirs.transaction.read(
                partial(_read_shot, path, theirs, index, attempts[index])
            )
            ours.transaction.write(
                partial(_append_shot, path, ours, index, shot, again=attempts[index] > 0)
            )
            attempts[index] += 1
            if attempts[index] == takes[index]:
                on_shot(8 * len(shot.parameters) + _size(shot.data.values()))
        copy_additions(path, theirs, ours)
        ours.transaction.write(lambda: _end(path, ours, record))
    ours.transaction.write(lambda: ours.set_creation_date(ours.tree.get(path), record.created))


def create_folders(
    folders: Mapping[PureSequencePath, datetime],
    notes: Mapping[PureSequencePath, str],
    destination: ExperimentSession,
) -> None:
    """Create those that do not exist, with their creation dates and notes; the parents come
    first."""
    for folder in folders:
        for created in destination.paths.create_path(folder):
            if created in folders:
                destination.paths.update_creation_date(created, folders[created])
            if created in notes:
                destination.paths.set_note(created, notes[created])


def _read(
    path: PureSequencePath, records: AnyRecords
) -> tuple[SequenceRecord, LaunchRecord | None]:
    node = records.tree.get_sequence(path)
    record = records.read_record(node)
    if record.state.is_active():
        raise state_rules.sequence_running_error(path, record.state, "copying")
    return record, None if record.state is State.DRAFT else records.read_launch(node)


def _create(
    path: PureSequencePath,
    records: AnyRecords,
    record: SequenceRecord,
    launch: LaunchRecord | None,
) -> None:
    """Create a sequence that takes shots, or a draft, if it was not launched."""
    records.create_sequence(path, record.for_any_storage().as_draft())
    if launch is not None:
        node = records.tree.get(path)
        records.launch(node, evolve(records.read_record(node), state=State.RUNNING), launch)


def _read_shot(path: PureSequencePath, records: AnyRecords, index: int, attempt: int) -> ShotRecord:
    shot = records.find_attempts(records.tree.get(path), index)[attempt]
    start, end = shot.times()
    parameters = {check_parameter_name(name): value for name, value in shot.parameters().items()}
    return ShotRecord(start, end, parameters, check_data(shot.data(shot.labels())))


def _append_shot(
    path: PureSequencePath, records: AnyRecords, index: int, shot: ShotRecord, *, again: bool
) -> None:
    records.append_shot(records.tree.get(path), index, shot, again=again)


def _end(path: PureSequencePath, records: AnyRecords, record: SequenceRecord) -> None:
    """Give the copy, whose shots are complete, what else the record says."""
    node = records.tree.get(path)
    ended = evolve(
        records.read_record(node),
        state=record.state,
        start_time=record.start_time,
        stop_time=record.stop_time,
        number_of_shots=records.count_shots(node),
        exception=record.exception,
        interruptions=record.interruptions,
        measured=record.measured,
    )
    records.change_record(node, ended)


def _size(values: Iterable[Data]) -> int:
    return sum(map(_size_of_one, values))


def _size_of_one(value: Any) -> int:
    match value:
        case InUnit():
            return _size_of_one(value.magnitude)
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
