"""What there is to copy, and whether it fits into the destination."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import attrs

from shotstore.copy.report import IS_THERE, Existing
from shotstore.errors import DamagedStorageError, PathHasChildrenError, PathIsSequenceError
from shotstore.paths import PureSequencePath
from shotstore.records import state_rules
from shotstore.records.content import Setting
from shotstore.records.settings import read_settings
from shotstore.session import ExperimentSession, StorageManager
from shotstore.session.closest import naming_closest_sequence


@attrs.frozen
class Plan:
    """What to copy."""

    is_sequence: bool
    """Whether a sequence is copied by its name, and not a folder."""
    folders: dict[PureSequencePath, datetime]
    """With their creation dates: those to copy, and all above what is copied; parents first."""
    notes: dict[PureSequencePath, str]
    """Of those of the folders that have one."""
    sequences: list[PureSequencePath]
    numbers_of_shots: dict[PureSequencePath, int]
    """In these, as far as they are known before."""
    skipped: dict[PureSequencePath, str]
    """Sequences that are in the destination already, and why they are left out."""
    failed: dict[PureSequencePath, Exception]
    """Folders that cannot be looked into."""
    units: tuple[str, ...]
    """What the source defines."""
    settings: dict[Setting, Mapping[str, Any]]
    """Of the whole storage, but for units: what the next sequence is to be launched with."""


def make_plan(
    path: PureSequencePath,
    source: StorageManager,
    destination: StorageManager,
    existing: Existing,
) -> Plan:
    """Look at both storages, and change nothing.

    Raises:
        PathNotFoundError: nothing is at the path in the source.
        SequenceRunningError: the path is a sequence that is preparing or running.
        PathIsSequenceError: a sequence is in the destination where the source has a folder; or,
            with "error", where it has a sequence.
        PathHasChildrenError: a folder with something in it is in the destination where the source
            has a sequence.
    """
    with source.session() as session:
        plan = _read(path, session)
    with destination.session() as session:
        paths = session.paths.get_all_paths()
        sequences = session.sequences.get_contained_sequences(PureSequencePath.root())
    _check_shape(plan, paths, sequences)
    there = [path for path in plan.sequences if path in sequences]
    if there and existing == "error":
        raise PathIsSequenceError(
            f"{_count(there)} in the destination already, so nothing was copied. To leave what is "
            'there and copy the rest, as after a copy that was interrupted, pass existing="skip" '
            "(`--existing skip` on the command line); else delete or move it there."
        )
    return attrs.evolve(
        plan,
        sequences=[path for path in plan.sequences if path not in sequences],
        numbers_of_shots={
            path: number for path, number in plan.numbers_of_shots.items() if path not in sequences
        },
        skipped=dict.fromkeys(there, IS_THERE),
    )


def _read(path: PureSequencePath, session: ExperimentSession) -> Plan:
    with naming_closest_sequence(path, session.sequences) as collection:
        is_sequence = not path.is_root() and collection.is_sequence(path)
        if is_sequence and (state := collection.get_state(path)).is_active():
            raise state_rules.sequence_running_error(path, state, "copying")
        sequences = sorted(collection.get_contained_sequences(path))
    inside = [found for found in session.paths.get_all_paths() if found.is_descendant_of(path)]
    ends = {*sequences, PureSequencePath.root()}
    failed = _unreadable({path, *inside} - ends - {found.parent for found in inside}, session)
    folders = sorted({*path.get_ancestors(), path, *inside} - ends - {*failed})
    numbers_of_shots = {}
    for sequence in sequences:
        with suppress(DamagedStorageError):  # raised again where its turn comes
            numbers_of_shots[sequence] = collection.get_stats(sequence).number_completed_shots
    return Plan(
        is_sequence=is_sequence,
        notes={folder: note for folder in folders if (note := session.paths.get_note(folder))},
        folders={folder: session.paths.get_path_creation_date(folder) for folder in folders},
        sequences=sequences,
        numbers_of_shots=numbers_of_shots,
        skipped={},
        failed=failed,
        units=session.get_unit_definitions(),
        settings=read_settings(session._records_()) if path.is_root() else {},
    )


def _unreadable(
    folders: Iterable[PureSequencePath], session: ExperimentSession
) -> dict[PureSequencePath, Exception]:
    """Those of the folders, in which nothing was found, that cannot be looked into."""
    failed: dict[PureSequencePath, Exception] = {}
    for folder in folders:
        try:
            session.paths.get_children(folder)
        except DamagedStorageError as error:
            failed[folder] = error
    return failed


def _check_shape(
    plan: Plan, paths: set[PureSequencePath], sequences: set[PureSequencePath]
) -> None:
    """Check that folders meet folders."""
    for folder in plan.folders:
        if folder in sequences:
            raise PathIsSequenceError(
                f"{folder} is a folder in the source, and a sequence in the destination: move or "
                "delete it there. Nothing was copied."
            )
    holding = {path.parent for path in paths}
    for sequence in plan.sequences:
        if sequence in holding:
            raise PathHasChildrenError(
                f"{sequence} is a sequence in the source, and a folder that holds other paths in "
                "the destination: move or delete it there. Nothing was copied."
            )


def _count(paths: Iterable[PureSequencePath]) -> str:
    first, *others = paths
    if not others:
        return f"Sequence {first} is"
    return f"{len(others) + 1} of the sequences, such as {first}, are"
