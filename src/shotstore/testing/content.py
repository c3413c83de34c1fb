"""All that a session says about its storage, to be compared."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from shotstore import (
    Attempt,
    ExperimentSession,
    LostConfigurationError,
    ParameterNamespace,
    PureSequencePath,
    SequenceCollection,
    State,
    StorageManager,
)
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import here_or_committed

_Storage = TypeVar("_Storage", bound=StorageManager)


@here_or_committed
def content(session: ExperimentSession) -> dict[str, Any]:
    """Everything that can be read in a session, by path; of a folder, its creation date."""
    return content_below(session, PureSequencePath.root()) | {
        "parameters": session.get_global_parameters(),
        "devices": dict(session.default_device_configurations),
        **_notes_of_folders(session),
    }


def _notes_of_folders(session: ExperimentSession) -> dict[str, Any]:
    """The notes by the path of each folder that has one, under one name, if there are any."""
    notes = {str(path): session.paths.get_note(path) for path in session.paths.get_all_paths()}
    sequences = session.sequences.get_contained_sequences(PureSequencePath.root())
    for path in sequences:
        assert notes.pop(str(path)) == session.sequences.get_note(path)
    found = {path: note for path, note in sorted(notes.items()) if note}
    return {"notes of folders": found} if found else {}


def content_below(session: ExperimentSession, folder: PureSequencePath) -> dict[str, Any]:
    """What can be read of the paths inside a folder, which is left out of their names."""
    return {
        str(PureSequencePath.from_parts(path.parts[len(folder.parts) :])): _sequence(session, path)
        if session.sequences.is_sequence(path)
        else session.paths.get_path_creation_date(path)
        for path in sorted(session.paths.get_all_paths())
        if path.is_descendant_of(folder)
    }


def _sequence(session: ExperimentSession, path: PureSequencePath) -> dict[str, Any]:
    sequences = session.sequences
    stats = sequences.get_stats(path)
    iteration = sequences.get_iteration_configuration(path)
    found = {
        "created": session.paths.get_path_creation_date(path),
        "stats": stats,
        "iteration": iteration,
        "number of shots of the iteration": iteration.expected_number_shots(),
        "time lanes": sequences.get_time_lanes(path),
        "tags": sequences.get_tags(path),
        "note": sequences.get_note(path),
        "interruptions": sequences.get_interruptions(path),
    }
    if stats.state is not State.DRAFT:
        found["parameters"] = _global_parameters(sequences, path)
        found["devices"] = dict(sorted(sequences.get_device_configurations(path).items()))
    if stats.state is State.CRASHED:
        found["exception"] = sequences.get_exception(path)
    shots = sequences.get_shots(path)
    assert stats.number_completed_shots == len(shots)
    found["shots"] = {
        shot.index: [
            sequences.get_shot_start_time(path, shot.index),
            sequences.get_shot_end_time(path, shot.index),
            # In an order of their own: that of a storage is not promised.
            dict(sorted(sequences.get_shot_parameters(path, shot.index).items())),
            dict(sorted(sequences.get_all_shot_data(path, shot.index).items())),
            *map(_attempt, sequences.get_shot_attempts(path, shot.index)),
        ]
        for shot in shots
    }
    found["results"] = {
        shot.index: dict(sorted(sequences.get_results(path, shot.index).items())) for shot in shots
    }
    found["history of results"] = [
        (each.shot_index, each.by, dict(sorted(each.values.items())))
        for each in sequences.get_results(path, history=True)
    ]
    found["tags and notes of shots"] = {
        shot.index: (
            sequences.get_shot_tags(path, shot.index),
            sequences.get_shot_note(path, shot.index),
        )
        for shot in shots
    }
    return found


def _attempt(attempt: Attempt) -> tuple[Any, ...]:
    return (
        attempt.start_time,
        attempt.end_time,
        dict(sorted(attempt.parameters.items())),
        dict(sorted(attempt.data.items())),
    )


def _global_parameters(
    sequences: SequenceCollection, path: PureSequencePath
) -> ParameterNamespace | str:
    try:
        return sequences.get_global_parameters(path)
    except LostConfigurationError:
        return "lost"


@contextmanager
def changed(
    storage: StorageManager, at: PureSequencePath | None = None
) -> Iterator[tuple[ExperimentSession, dict[str, Any]]]:
    """Change a storage in one session; after the block the dict has what the storage holds then,
    or what is known of one of its paths.

    The session itself, a later one, and one of the storage opened anew must agree on that.
    """
    found: dict[str, Any] = {}
    with storage.session() as session:
        yield session, found
        inside = content(session)
    for after in (storage, reopened(storage)):
        assert exactly_equal(content(after), inside)
    found |= inside if at is None else inside[str(at)]


def content_after(
    storage: StorageManager, change: Callable[[ExperimentSession], object]
) -> dict[str, Any]:
    """Change a storage in one session; return what it holds then."""
    with changed(storage) as (session, found):
        change(session)
    return found


@contextmanager
def refused(
    session: ExperimentSession, error: type[Exception], match: str | None = None
) -> Iterator[None]:
    """A call that raises this error, after which the session says what it said before."""
    before = content(session)
    with pytest.raises(error, match=match):
        yield
    assert exactly_equal(content(session), before)


def reopened(storage: _Storage) -> _Storage:
    """The same storage as another process would open it."""
    again: _Storage = pickle.loads(pickle.dumps(storage))
    return again


def paths_in(content: Mapping[str, object]) -> set[str]:
    """The names of all paths in the content."""
    return {name for name in content if name.startswith("\\")}
