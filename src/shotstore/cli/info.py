"""``shotstore info``: what there is to know of a store as a whole."""

import shutil
from collections import Counter
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from shotstore.cli.columns import Cell, print_facts
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json, readable_size, readable_time
from shotstore.cli.listing import time_as_json
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import JsonOption, StorageOption
from shotstore.paths import PureSequencePath
from shotstore.state import State

if TYPE_CHECKING:
    from shotstore import StorageManager
    from shotstore.hdf5 import HDF5StorageManager
    from shotstore.records.summaries import SequenceSummary


def info(
    as_json: JsonOption = False,
    store: StorageOption = None,
) -> None:
    """Tell what a store is, what is in it, how large it is, and who is writing."""
    from shotstore.analysis.recipes import readable_globals

    storage = open_to_read(store, recipes=False)
    with storage.session() as session:
        summaries = session.sequences.get_summaries(PureSequencePath.root())
        devices = sorted(session.default_device_configurations)
        parameters = readable_globals(session.get_global_parameters)
    content: dict[str, object] = {
        **_about(storage),
        **_counts(summaries),
        "default_devices": devices,
        "global_parameters": None if parameters is None else len(parameters.names()),
        "shotstore": metadata.version("shotstore"),
    }
    if as_json:
        print_json(content)
    else:
        _print(content)


def _about(storage: "StorageManager") -> dict[str, object]:
    from shotstore.hdf5 import HDF5StorageManager

    if isinstance(storage, HDF5StorageManager):
        return _about_files(storage)
    from shotstore.sql import SQLStorageManager, schema

    assert isinstance(storage, SQLStorageManager)
    return {
        "store": storage.name,
        "format": f"database, tables of version {schema.VERSION}",
        "size": storage.get_size(),
    }


def _about_files(storage: "HDF5StorageManager") -> dict[str, object]:
    found = storage.get_information()
    is_store = found.id is not None
    kind = "files" if is_store else "a directory copied out of a store, files"
    about: dict[str, object] = {
        "store": str(found.root),
        "format": f"{kind} of format version {found.format_version}",
        "size": storage.get_sizes()[PureSequencePath.root()],
        "free": shutil.disk_usage(found.root).free,
    }
    if is_store:
        entries = storage.trash.entries()
        writer = found.writer
        about |= {
            "id": found.id,
            "created": time_as_json(found.created),
            "commits": found.commits,
            "trash": {"entries": len(entries), "size": sum(entry.size for entry in entries)},
            "writing": found.is_writing,
            "writer": None
            if writer is None
            else {
                "process": writer.process,
                "program": writer.program,
                "since": time_as_json(writer.since),
            },
        }
    return about


def _counts(summaries: "list[SequenceSummary]") -> dict[str, object]:
    states = Counter(summary.state for summary in summaries)
    times = [summary.start_time for summary in summaries if summary.start_time is not None]
    return {
        "sequences": len(summaries),
        "shots": sum(summary.number_of_shots for summary in summaries),
        "states": {state.value: states[state] for state in State if states[state]},
        "running": [str(found.path) for found in summaries if found.state.is_active()],
        "first_start": time_as_json(min(times, default=None)),
        "last_start": time_as_json(max(times, default=None)),
    }


def _print(content: dict[str, Any]) -> None:
    def time(key: str) -> str:
        return readable_time(datetime.fromisoformat(content[key])) if content.get(key) else ""

    states = ", ".join(f"{number} {state}" for state, number in content["states"].items())
    trash, writer = content.get("trash", {"entries": 0}), content.get("writer")
    rows: list[tuple[str, Cell]] = [
        ("store", ((content["store"], "bold"),)),
        ("format", content["format"]),
        ("id", content.get("id") or ""),
        ("created", time("created")),
        ("sequences", f"{content['sequences']}{f': {states}' if states else ''}"),
        ("shots", str(content["shots"])),
        ("first run", time("first_start")),
        ("last run", time("last_start")),
        ("running", ", ".join(content["running"])),
        ("devices", ", ".join(content["default_devices"])),
        (
            "parameters",
            "written by another program, not readable here"
            if content["global_parameters"] is None
            else "",
        ),
        ("size", readable_size(content["size"])),
        ("free", f"{readable_size(content['free'])} on its disk" if "free" in content else ""),
        (
            "trash",
            f"{counted(trash['entries'], 'entry')}, {readable_size(trash['size'])}"
            if trash["entries"]
            else "",
        ),
        ("commits", str(content.get("commits", ""))),
    ]
    if writer:
        since = readable_time(datetime.fromisoformat(writer["since"]), seconds=True)
        who = f"process {writer['process']} ({writer['program']}), since {since}"
        rows.append(("writing", ((who, "bold cyan"),)))
    elif "writing" in content:
        rows.append(("writing", "a process" if content["writing"] else "nobody at this moment"))
    rows.append(("shotstore", content["shotstore"]))
    print_facts(new_console(), rows)
