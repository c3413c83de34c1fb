"""Work on many sequences: listing, looking, creating, moving, copying; and starting Python."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import attrs

from benchmarks.measure import Goal, Measured, Work, in_turns
from benchmarks.peers import databases, files, launched
from benchmarks.shots import RUN, TIME_LANES, fill, launch, recipe, with_frames
from shotstore import PureSequencePath, ShotId, StorageManager
from shotstore.hdf5 import HDF5StorageManager

_ROOT = PureSequencePath.root()

_LIST = """
import sys
from shotstore import PureSequencePath
from shotstore.hdf5 import HDF5StorageManager
with HDF5StorageManager(sys.argv[1]).session() as session:
    from time import perf_counter
    start = perf_counter()
    found = session.sequences.get_summaries(PureSequencePath.root())
    assert len(found) == int(sys.argv[2])
    print(perf_counter() - start)
"""

_PARSE = """
import json, sys
from pathlib import Path
from time import perf_counter
start = perf_counter()
found = [json.loads(path.read_bytes()) for path in Path(sys.argv[1]).rglob("sequence.json")]
assert len(found) == int(sys.argv[2])
print(perf_counter() - start)
"""


_COPY = """
import re, sys
from pathlib import Path
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
source, destination = map(HDF5StorageManager, sys.argv[1:3])
copy_path(sys.argv[3], source, destination, progress=False)
print(re.search(r"VmHWM: *(\\d+)", Path("/proc/self/status").read_text().replace("\\t", " "))[1])
"""


def list_in_a_new_process(directory: Path, scale: float) -> Measured:
    """List 2,000 sequences with state and progress, in a new process; without Python's start."""
    count = int(2000 * scale)
    storage = _with_sequences(directory, count)

    times: dict[str, list[float]] = {"shotstore": [], "parsing the documents": []}
    for _ in range(9):
        times["shotstore"].append(_run(_LIST, storage.root, count))
        times["parsing the documents"].append(_run(_PARSE, storage.root, count))
    return Measured(
        f"list {count:,} sequences, new process", times, (Goal("parsing the documents", 2),)
    )


def list_again(directory: Path, scale: float) -> Measured:
    """List 2,000 sequences again in one process, and for the first time."""
    count = int(2000 * scale)
    root = _with_sequences(directory, count).root
    times: dict[str, list[float]] = {"shotstore": [], "the first time": []}
    for _ in range(7):
        storage = HDF5StorageManager(root)
        for who in ("the first time", "shotstore"):
            start = perf_counter()
            with storage.session() as session:
                assert len(session.sequences.get_summaries(_ROOT)) == count
            times[who].append(perf_counter() - start)
    return Measured(f"list {count:,} sequences again", times, (Goal("the first time", 0.15),))


def find_by_what_was_measured(directory: Path, scale: float) -> Measured:
    """Find, in a store of 2,000 runs that was just opened, by what was measured, and by state."""
    count = int(2000 * scale)
    storage = files(directory)
    for first in range(0, count, 100):
        with storage.session() as session:
            for number in range(first, min(first + 100, count)):
                path = PureSequencePath(rf"\2026\{number // 100:02}\s{number}")
                launch(session, path)
                now = datetime.now(UTC)
                measured = {"atom_number": 100.0 * number}
                session.sequences.create_shot(ShotId(path, 0), {}, measured, now, now)
                session.sequences.set_finished(path, "now")
    storage.close()
    times: dict[str, list[float]] = {"shotstore": [], "by state": []}
    for _ in range(7):
        for who in times:
            opened = HDF5StorageManager(storage.root)
            start = perf_counter()
            if who == "shotstore":
                assert len(opened.find(where=f"atom_number >= {50 * count}")) == count // 2
            else:
                assert len(opened.find(state="finished")) == count
            times[who].append(perf_counter() - start)
    return Measured(
        f"find by what was measured, {count:,} sequences", times, (Goal("by state", 1.2),)
    )


def state_of_one(directory: Path, scale: float) -> Measured:
    """Look at the state of one sequence, in a session of its own."""
    storage = _with_sequences(directory, 100)
    path = PureSequencePath(r"\2026\00\s7")
    document = storage.root / "sequences" / "2026" / "00" / "s7" / "sequence.json"

    def ours(_: int) -> None:
        with storage.session() as session:
            session.sequences.get_state(path)

    return in_turns(
        "state of one sequence",
        {"shotstore": ours, "parsing the document": lambda _: json.loads(document.read_bytes())},
        int(500 * scale),
        Goal("parsing the document", 4),
    )


def create_many(directory: Path, scale: float) -> Measured:
    """Create 100 sequences in one transaction."""
    ours = files(directory)

    def creating(storage: StorageManager) -> Work:
        def create(turn: int) -> None:
            with storage.session() as session:
                for number in range(100):
                    path = PureSequencePath(rf"\{turn}\s{number}")
                    session.sequences.create(path, recipe(10), TIME_LANES)

        return create

    with databases(directory) as stores:
        return in_turns(
            "create 100 sequences in one transaction",
            {
                "shotstore": creating(ours),
                **{name: creating(store) for name, store in stores.items()},
            },
            max(5, int(15 * scale)),
            Goal("SQLite", 0.5),
        )


def move_a_folder(directory: Path, scale: float) -> Measured:
    """Move a folder of 1,000 sequences, and one of a single one."""
    storage = files(directory)
    with storage.session() as session:
        for folder, count in (("many", int(1000 * scale)), ("one", 1)):
            for number in range(count):
                path = PureSequencePath(rf"\{folder}\0\s{number}")
                session.sequences.create(path, recipe(10), TIME_LANES)

    def move(folder: str, turn: int) -> None:
        with storage.session() as session:
            session.paths.move(
                PureSequencePath(rf"\{folder}\{turn}"), PureSequencePath(rf"\{folder}\{turn + 1}")
            )

    return in_turns(
        "move a folder of 1,000 sequences",
        {
            "shotstore": lambda turn: move("many", turn),
            "moving one": lambda turn: move("one", turn),
        },
        20,
        Goal("moving one", 1.5),
    )


def copy_a_large_sequence(directory: Path, scale: float) -> Measured:
    """Copy a sequence of 4 GB to another store."""
    storage = launched(HDF5StorageManager(directory / "store"))
    fill(storage, 0, int(4000 * scale), with_frames)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")
    os.sync()
    lies = storage.root.joinpath("sequences", *RUN.parts)

    peaks = []

    def ours(turn: int) -> None:
        peaks.append(_run(_COPY, storage.root, directory / f"copy {turn}", RUN))

    def by_cp(turn: int) -> None:
        subprocess.run(["cp", "-r", lies, directory / f"cp {turn}"], check=True)
        subprocess.run(["sync", "-f", directory / f"cp {turn}"], check=True)

    measured = in_turns(
        f"copy a sequence of {4 * scale:.2g} GB",
        {"shotstore": ours, "cp -r with sync": by_cp},
        3,
        Goal("cp -r with sync", 1.3),
        warm_up=0,
    )
    measured = attrs.evolve(measured, note=f"peak memory {max(peaks) / 1024:.0f} MiB")
    for path in (*directory.glob("copy *"), *directory.glob("cp *")):
        shutil.rmtree(path)
    return measured


def import_the_library(directory: Path, scale: float) -> Measured:
    """Start Python and import shotstore, or h5py."""
    del directory, scale

    def start(module: str) -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    return in_turns(
        "import shotstore",
        {"shotstore": lambda _: start("shotstore"), "h5py": lambda _: start("h5py")},
        15,
        Goal("h5py", 1.5),
    )


def _with_sequences(directory: Path, count: int) -> HDF5StorageManager:
    storage = files(directory)
    with storage.session() as session:
        for number in range(count):
            path = PureSequencePath(rf"\2026\{number // 100:02}\s{number}")
            session.sequences.create(path, recipe(10), TIME_LANES)
    return storage


def _run(code: str, *arguments: object) -> float:
    """Run a program of Python; the number that it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


ALL = [
    list_in_a_new_process,
    list_again,
    find_by_what_was_measured,
    state_of_one,
    create_many,
    move_a_folder,
    copy_a_large_sequence,
    import_the_library,
]
