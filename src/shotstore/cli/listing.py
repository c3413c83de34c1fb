"""How sequences and folders are listed: by `ls`, `tree` and `find`, for people and for programs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from shotstore.cli.columns import Cell, Column, Piece
from shotstore.cli.formats import (
    counted,
    progress,
    readable_size,
    readable_time,
    time_span,
)
from shotstore.errors import PathError, SequenceStateError, StorageError
from shotstore.model.value_texts import duration_text
from shotstore.paths import PureSequencePath
from shotstore.records.summaries import SequenceSummary
from shotstore.state import State

if TYPE_CHECKING:
    from shotstore.hdf5 import Unseen
    from shotstore.model import JSON, ParameterRange
    from shotstore.session import ExperimentSession, SequenceStats, StorageManager

STATE_STYLES = {
    State.DRAFT: "dim",
    State.PREPARING: "yellow",
    State.RUNNING: "bold cyan",
    State.FINISHED: "green",
    State.INTERRUPTED: "yellow",
    State.CRASHED: "bold red",
}
COLUMNS = (
    Column("STATE"),
    Column("SHOTS", is_right=True, rank=1),
    Column("DATE", rank=2),
    Column("TOOK", is_right=True, rank=5),
    Column("SIZE", is_right=True, rank=4),
    Column("TAGS", rank=3, is_cut=True),
    Column("NOTE", rank=6, is_cut=True),
)
"""All but the first one, in which the names are."""


@attrs.frozen
class Listing:
    """What is listed of a store."""

    summaries: Mapping[PureSequencePath, SequenceSummary]
    """By path; sequences that are damaged are missing."""
    sizes: Mapping[PureSequencePath, int]
    """Bytes of each folder and sequence; empty for databases, which do not tell."""
    errors: Mapping[PureSequencePath, str]
    """What sequences have crashed with, on one line."""
    inside: Mapping[PureSequencePath, Sequence[SequenceSummary]]
    """The sequences inside each folder, at any depth."""


def read_listing(session: "ExperimentSession", path: PureSequencePath) -> Listing:
    """Read what is listed of the sequences at and below a path."""
    summaries = {found.path: found for found in session.sequences.get_summaries(path)}
    return listing_of(session, summaries, path)


def listing_of(
    session: "ExperimentSession",
    summaries: Mapping[PureSequencePath, SequenceSummary],
    path: PureSequencePath | None = None,
) -> Listing:
    """Read what is listed of some sequences, those at and below ``path`` if one is given."""
    inside: defaultdict[PureSequencePath, list[SequenceSummary]] = defaultdict(list)
    for place, summary in summaries.items():
        for folder in place.get_ancestors():
            inside[folder].append(summary)
    if path is not None:
        sizes = sizes_below(session.storage, path)
    else:
        sizes = {}
        for place in summaries:
            sizes |= sizes_below(session.storage, place)
    return Listing(summaries, sizes, read_errors(session, summaries), inside)


def read_errors(
    session: "ExperimentSession", summaries: Mapping[PureSequencePath, SequenceSummary]
) -> dict[PureSequencePath, str]:
    """Read what those that crashed have crashed with, on one line each."""
    errors = {}
    for path, summary in summaries.items():
        if summary.state is State.CRASHED:
            try:
                error = session.sequences.get_exception(path)
            except (StorageError, SequenceStateError, OSError):
                continue  # damaged: that is for `verify` to tell
            errors[path] = _first_line(error.headline)
    return errors


def sizes_below(storage: "StorageManager", path: PureSequencePath) -> dict[PureSequencePath, int]:
    """Return the bytes of each folder and sequence at and below a path, where files tell."""
    from shotstore.hdf5 import HDF5StorageManager

    if isinstance(storage, HDF5StorageManager):
        with suppress(PathError):  # moved away since the session began
            return storage.get_sizes(path)
    return {}


def unseen_below(storage: "StorageManager", path: PureSequencePath) -> "list[Unseen]":
    """Return what lies on the disk at and below a path and is not shown; nothing for databases."""
    from shotstore.hdf5 import HDF5StorageManager

    if isinstance(storage, HDF5StorageManager):
        with suppress(PathError):  # moved away since the session began
            return storage.get_unseen(path)
    return []


def unseen_cells(unseen: "Unseen") -> tuple[Cell, ...]:
    """The cells of what is not shown, all but its name."""
    state = "unreadable" if unseen.path is not None else "not shown"
    return (((state, "dim"),), "", "", "", "", "", ((unseen.why, "dim"),))


def unseen_as_json(unseen: "Unseen") -> "dict[str, JSON]":
    """What is not shown, for programs."""
    return {
        "path": None if unseen.path is None else str(unseen.path),
        "kind": "unseen",
        "directory": str(unseen.directory),
        "why": unseen.why,
    }


def path_cells(path: PureSequencePath, listing: Listing, *, is_sequence: bool) -> tuple[Cell, ...]:
    """The cells of a path, all but its name; of a sequence that is not among the summaries, that it
    is damaged."""
    if path in listing.summaries:
        return sequence_cells(listing.summaries[path], listing)
    return _damaged_cells(path, listing) if is_sequence else _folder_cells(path, listing)


def path_as_json(
    path: PureSequencePath, listing: Listing, *, is_sequence: bool
) -> "dict[str, JSON]":
    """The same, for programs."""
    if path in listing.summaries:
        return sequence_as_json(listing.summaries[path], listing)
    return _damaged_as_json(path, listing) if is_sequence else _folder_as_json(path, listing)


def sequence_cells(summary: SequenceSummary, listing: Listing) -> tuple[Cell, ...]:
    """The cells of a sequence, all but its name."""
    error = listing.errors.get(summary.path)
    note: Cell = ((error, "red"),) if error and not summary.note else _first_line(summary.note)
    span = time_span(summary)
    is_draft = summary.state is State.DRAFT
    date = readable_time(summary.start_time or summary.created)
    return (
        state_pieces(summary),
        ((progress(summary), "dim" if is_draft else ""),),
        ((date, "dim" if summary.start_time is None else ""),),
        "" if span is None else duration_text(span),
        _size(summary.path, listing),
        ((", ".join(sorted(summary.tags)), "magenta"),),
        note,
    )


def state_pieces(found: "SequenceSummary | SequenceStats") -> tuple[Piece, ...]:
    """The state of a sequence and, if it runs, whether its recorder is gone."""
    state = (found.state.value, STATE_STYLES[found.state])
    return (state, (", recorder gone", "bold red")) if found.recorder == "gone" else (state,)


def _folder_cells(path: PureSequencePath, listing: Listing) -> tuple[Cell, ...]:
    inside, size = listing.inside.get(path, ()), _size(path, listing)
    if not inside:
        return ((("empty", "dim"),), "", "", "", size, "", "")
    active = sum(summary.state.is_active() for summary in inside)
    state: tuple[Piece, ...] = ((counted(len(inside), "sequence"), ""),)
    if active:
        state = (*state, (f", {active} active", STATE_STYLES[State.RUNNING]))
    latest = max(summary.start_time or summary.created for summary in inside)
    shots = str(sum(summary.number_of_shots for summary in inside))
    return (state, shots, readable_time(latest), "", size, "", "")


def _damaged_cells(path: PureSequencePath, listing: Listing) -> tuple[Cell, ...]:
    state = (("damaged", "bold red"),)
    return (state, "", "", "", _size(path, listing), "", (("see `shotstore verify`", "red"),))


def sequence_as_json(summary: SequenceSummary, listing: Listing) -> "dict[str, JSON]":
    """A sequence, for programs."""
    return {
        "path": str(summary.path),
        "kind": "sequence",
        "state": summary.state.value,
        "recorder": summary.recorder,
        "created": time_as_json(summary.created),
        "start_time": time_as_json(summary.start_time),
        "stop_time": time_as_json(summary.stop_time),
        "number_of_shots": summary.number_of_shots,
        "expected_number_of_shots": summary.expected_number_of_shots,
        "size": listing.sizes.get(summary.path),
        "tags": [*sorted(summary.tags)],
        "note": summary.note,
        "varied": _ranges_as_json(summary.varied),
        "declared": _ranges_as_json(summary.declared),
        "error": listing.errors.get(summary.path),
    }


def _folder_as_json(path: PureSequencePath, listing: Listing) -> "dict[str, JSON]":
    inside = listing.inside.get(path, ())
    return {
        "path": str(path),
        "kind": "folder",
        "number_of_sequences": len(inside),
        "number_of_shots": sum(summary.number_of_shots for summary in inside),
        "size": listing.sizes.get(path),
    }


def _damaged_as_json(path: PureSequencePath, listing: Listing) -> "dict[str, JSON]":
    return {
        "path": str(path),
        "kind": "sequence",
        "state": "damaged",
        "size": listing.sizes.get(path),
    }


def time_as_json(time: datetime | None) -> str | None:
    """A time, for programs: ISO 8601, in UTC."""
    return None if time is None else time.isoformat()


def _ranges_as_json(ranges: "Mapping[str, ParameterRange]") -> "JSON":
    return {name: attrs.asdict(found) for name, found in ranges.items()}


def _size(path: PureSequencePath, listing: Listing) -> str:
    size = listing.sizes.get(path)
    return "" if size is None else readable_size(size)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] + (" …" if len(lines) > 1 else "") if lines else ""
