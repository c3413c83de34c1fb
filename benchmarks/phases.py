"""Where the time of shotstore goes: ``python -m benchmarks.phases``.

What each part takes is wall time, its waiting for the disk included; parts lie inside one another.
"""

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

from benchmarks.measure import Work
from benchmarks.peers import committing, files, launched
from benchmarks.shots import RUN, fill, small, with_frames
from shotstore import DataId, PureSequencePath, ShotId
from shotstore.hdf5 import HDF5StorageManager, commits, disk, net_effect, rounds
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.log.log_file import LogFile
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots import checksums, chunks, rows
from shotstore.hdf5.shots.columns import ColumnReader
from shotstore.hdf5.shots.schemas import Schemas
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.transaction import Transaction

_PARTS: list[tuple[Any, str, str]] = [
    (Transaction, "write", "changing the session, all of it"),
    (Locks, "acquire_write", "  taking the write lock, naming the writer"),
    (commits.Commits, "finish", "  looking for what a killed process left"),
    (ShotsFile, "append", "  recording the shot"),
    (Schemas, "find", "    finding its schema"),
    (rows.Rows, "write", "    writing rows through HDF5"),
    (rows, "as_stored", "      copying and checking frames"),
    (Transaction, "commit", "committing, all of it"),
    (ShotsFile, "flush", "  HDF5's flush"),
    (net_effect, "prepare", "  working out what changes"),
    (commits, "dump", "  the record"),
    (commits.Commits, "_check", "  whether all can be done"),
    (LogFile, "append", "  writing it into the log, durably"),
    (commits, "carry_out", "  doing what it says"),
    (rounds.Rounds, "checkpoint", "  a checkpoint"),
    (disk.File, "write", "  writing to files"),
    (disk.File, "sync", "  syncing files"),
    (disk.File, "sync_data", "  syncing the log"),
    (disk, "sync_directory", "  syncing directories"),
    (ShotsFile, "open", "opening shots.h5"),
    (ColumnReader, "read", "reading columns"),
    (rows.Rows, "read", "  reading rows"),
    (chunks.Chunks, "read_into", "    reading chunks past HDF5"),
    (HDF5FileObject, "read_at", "      from the file"),
    (checksums.Checksums, "fit", "      checking them"),
    (Transaction, "run", "on a thread of ours, all of it"),
]


def main() -> None:
    """Run the works, and print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phases", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--scale", type=float, default=1, help="more or less turns")
    arguments = parser.parse_args()
    works: list[Callable[[Path], Iterator[tuple[str, Work, int]]]] = [_commits, _reading, _looking]
    for make in works:
        directory = Path(tempfile.mkdtemp(prefix="phases-", dir=arguments.directory))
        try:
            for what, work, turns in make(directory):
                _print(what, work, max(1, int(turns * arguments.scale)))
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _commits(directory: Path) -> Iterator[tuple[str, Work, int]]:
    for what, make in (("one small shot", small), ("one shot with frames", with_frames)):
        storage = launched(HDF5StorageManager(directory / what))
        yield f"commit {what}", committing(storage, make), 200


def _reading(directory: Path) -> Iterator[tuple[str, Work, int]]:
    shots = 200
    storage = launched(files(directory))
    fill(storage, 0, shots, with_frames)

    def array(_: int) -> None:
        with storage.session() as session:
            session.sequences.get_columns(RUN, labels=["atoms"])

    yield f"read the frames of {shots} shots as one array", array, 7
    with storage.session() as session:
        yield (
            "read one frame",
            lambda turn: session.sequences.get_shot_data_by_label(
                DataId(ShotId(RUN, turn % shots), "atoms")
            ),
            200,
        )

    def parameters(_: int) -> None:
        with storage.session() as session:
            names = list(session.sequences.get_parameter_schema(PureSequencePath(r"\many")))
            session.sequences.get_columns(PureSequencePath(r"\many"), parameters=names)

    with storage.session() as session:
        session.sequences.set_interrupted(RUN, "now")
        session.paths.move(RUN, PureSequencePath(r"\frames"))
    launched(storage)
    fill(storage, 0, 10_000, small)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")
        session.paths.move(RUN, PureSequencePath(r"\many"))
    yield "read the 40 parameters of 10,000 shots", parameters, 10


def _looking(directory: Path) -> Iterator[tuple[str, Work, int]]:
    storage = launched(files(directory))

    def look(_: int) -> None:
        with storage.session() as session:
            session.sequences.get_state(RUN)

    yield "look at the state of one sequence", look, 300


def _print(what: str, work: Work, turns: int) -> None:
    for turn in range(3):
        work(turn)
    with _timing() as spent:
        times = []
        for turn in range(3, turns + 3):
            start = perf_counter()
            work(turn)
            times.append(perf_counter() - start)
    print(f"\n{what}: {mean(times) * 1e3:.3f} ms")
    for _, _, label in _PARTS:
        if label in spent:
            print(f"{spent[label] / turns * 1e3:9.3f}  {label}")


@contextmanager
def _timing() -> Iterator[dict[str, float]]:
    """Add up what the parts take in the block."""
    spent = defaultdict[str, float](float)
    undo = []
    for owner, name, label in _PARTS:
        original = owner.__dict__[name]
        setattr(owner, name, _timed(original, label, spent))
        undo.append((owner, name, original))
    try:
        yield spent
    finally:
        for owner, name, original in undo:
            setattr(owner, name, original)


def _timed(original: Any, label: str, spent: dict[str, float]) -> Any:
    is_class_method = isinstance(original, classmethod)
    function = original.__func__ if is_class_method else original

    def timed(*arguments: Any, **options: Any) -> Any:
        start = perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[label] += perf_counter() - start

    return classmethod(timed) if is_class_method else timed


if __name__ == "__main__":
    main()
