"""What `show` tells of a sequence."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from shotstore.analysis.recipes import not_readable
from shotstore.analysis.tables import SequenceTable
from shotstore.analysis.tables.variation import ParameterValues, parameter_values
from shotstore.cli.listing import Listing, listing_of, sequence_as_json, time_as_json
from shotstore.errors import UnreadableConfigurationError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    DataType,
    DeviceConfiguration,
    TimeLanes,
    UnknownDeviceConfiguration,
)
from shotstore.paths import PureSequencePath
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import Interruption
from shotstore.session import SequenceCollection
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.session import ExperimentSession


@attrs.frozen
class Description:
    """A sequence."""

    listing: Listing
    summary: SequenceSummary
    values: Mapping[str, ParameterValues]
    """By the name of the parameter; empty before the first shot."""
    data: Mapping[str, DataType]
    """By label."""
    results: Mapping[str, DataType]
    """By name."""
    tags_of_shots: dict[str, str]
    """Which shots have each tag, as a text."""
    devices: Mapping[str, str]
    """The types of the devices it was launched with, by name."""
    time_lanes: TimeLanes | None
    """None if they cannot be read here."""
    not_readable: Mapping[str, str]
    """What cannot be read here, as `shotstore.analysis.recipes` tells it."""
    error: TracebackSummary | None
    interruptions: tuple[Interruption, ...]
    """Those after which it was resumed."""
    directory: Path | None
    files: Mapping[str, int]
    """Bytes of each of its files, by name."""


def describe(session: "ExperimentSession", path: PureSequencePath) -> Description:
    """Read what there is to tell of a sequence.

    Raises:
        PathNotFoundError: nothing is at the path.
        PathIsNotSequenceError: a folder is.
        DamagedStorageError: it cannot be read.
    """
    sequences, storage = session.sequences, session.storage
    [summary] = sequences.get_summaries(path)
    is_launched = summary.state is not State.DRAFT
    devices = sequences.get_device_configurations(path) if is_launched else {}
    is_crashed = summary.state is State.CRASHED
    directory = storage.get_directory(path) if isinstance(storage, HDF5StorageManager) else None
    table = SequenceTable(session.get_sequence(path)._reader_())
    return Description(
        listing=listing_of(session, {path: summary}),
        summary=summary,
        values=parameter_values(table) if summary.number_of_shots else {},
        data=table.data,
        results=table.results,
        tags_of_shots=_tags_of_shots(table),
        devices={name: _type_of(device) for name, device in sorted(devices.items())},
        time_lanes=_time_lanes(sequences, path),
        not_readable=not_readable(table.reader),
        error=sequences.get_exception(path) if is_crashed else None,
        interruptions=sequences.get_interruptions(path),
        directory=directory,
        files=_files(directory) if directory is not None else {},
    )


def as_json(found: Description) -> dict[str, object]:
    """A description, for programs."""
    return {
        **sequence_as_json(found.summary, found.listing),
        "parameters": {name: attrs.asdict(value) for name, value in found.values.items()},
        "data": {label: _type_as_json(kind) for label, kind in found.data.items()},
        "results": {name: _type_as_json(kind) for name, kind in found.results.items()},
        "tags_of_shots": found.tags_of_shots,
        "devices": dict(found.devices),
        "not_readable": dict(found.not_readable),
        "traceback": None if found.error is None else str(found.error),
        "interruptions": [_interruption_as_json(each) for each in found.interruptions],
        "directory": None if found.directory is None else str(found.directory),
        "files": dict(found.files),
    }


def _type_as_json(kind: DataType) -> dict[str, object]:
    return {
        "kind": kind.kind,
        "dtype": None if kind.dtype is None else str(kind.dtype),
        "shape": kind.shape,
        "units": kind.units,
    }


def _tags_of_shots(table: SequenceTable) -> dict[str, str]:
    if not len(table):
        return {}
    shots = table.read(["shot_index"])["shot_index"].values.tolist()
    found: dict[str, list[str]] = {}
    for index, tags in zip(shots, table.tags(), strict=True):
        for tag in tags:
            found.setdefault(tag, []).append(str(index))
    return {
        tag: f"shot{'s' if len(indices) > 1 else ''} {', '.join(indices)}"
        for tag, indices in sorted(found.items())
    }


def _interruption_as_json(found: Interruption) -> dict[str, object]:
    return {
        "state": found.state.value,
        "stop_time": time_as_json(found.stop_time),
        "resume_time": time_as_json(found.resume_time),
        "traceback": None if found.exception is None else str(found.exception),
    }


def _time_lanes(sequences: SequenceCollection, path: PureSequencePath) -> TimeLanes | None:
    try:
        return sequences.get_time_lanes(path)
    except UnreadableConfigurationError:
        return None


def _type_of(device: DeviceConfiguration) -> str:
    if isinstance(device, UnknownDeviceConfiguration):
        return device.tag
    return type(device).__name__


def _files(directory: Path) -> dict[str, int]:
    return {
        file.name: file.stat().st_size
        for file in sorted(directory.iterdir())
        if file.is_file() and not file.name.startswith(".")
    }
