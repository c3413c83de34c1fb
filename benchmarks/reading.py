"""Reading: one label of all shots, shot by shot, parameters, and scans."""

import os
from collections.abc import Callable
from pathlib import Path
from time import process_time

import h5py
import numpy as np
import polars as pl

from benchmarks.measure import Goal, Measured, Work, in_turns
from benchmarks.peers import PlainH5py, files, launched, sqlite
from benchmarks.shots import RUN, fill, small, with_frames
from shotstore import DataId, ShotId, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data

_MATCHES = 9.85  # MHz: one of a hundred shots has more


def one_label_as_an_array(directory: Path, scale: float) -> Measured:
    """Read all frames of a label, of 400 shots."""
    storage, plain = _both(directory, int(400 * scale), with_frames)
    same = storage.get_directory(RUN) / "shots.h5"

    def ours(_: int) -> None:
        with storage.session() as session:
            session.sequences.get_columns(RUN, labels=["atoms"])

    def by_hand(path: Path) -> Work:
        def read(_: int) -> None:
            with h5py.File(path) as file:
                file["data/atoms"][:]

        return read

    return in_turns(
        "one label of all shots, as one array",
        {
            "shotstore": ours,
            "plain h5py": by_hand(plain),
            "plain h5py, the same file": by_hand(same),
        },
        7,
        Goal("plain h5py", 1, at_least=True),
        Goal("plain h5py, the same file", 2.5, at_least=True),
        warm_up=1,
    )


def one_frame_shot_by_shot(directory: Path, scale: float) -> Measured:
    """Read one frame of one shot after the other."""
    count = int(300 * scale)
    storage, plain = _both(directory, count, with_frames)
    with storage.session() as session, h5py.File(plain) as file:
        dataset = file["data/atoms"]
        return in_turns(
            "one frame of one shot, shot by shot",
            {
                "shotstore": lambda turn: session.sequences.get_shot_data_by_label(
                    DataId(ShotId(RUN, turn % count), "atoms")
                ),
                "plain h5py": lambda turn: dataset[turn % count],
            },
            count,
            Goal("plain h5py", 1.5),
        )


def one_frame_in_a_session_of_its_own(directory: Path, scale: float) -> Measured:
    """Read one frame of one shot after the other, each in a session."""
    count = int(300 * scale)
    storage, database = launched(files(directory)), launched(sqlite(directory))
    for each in (storage, database):
        fill(each, 0, count, with_frames)
        with each.session() as session:
            session.sequences.set_finished(RUN, "now")

    def reading(storage: StorageManager) -> Work:
        def read(turn: int) -> None:
            with storage.session() as session:
                session.sequences.get_shot_data_by_label(DataId(ShotId(RUN, turn % count), "atoms"))

        return read

    return in_turns(
        "one frame of one shot, in a session of its own",
        {"shotstore": reading(storage), "SQLite": reading(database)},
        count,
        Goal("SQLite", 1),
    )


def parameters_of_many_shots(directory: Path, scale: float) -> Measured:
    """Read the 40 parameters of 10,000 shots."""
    storage, plain = _both(directory, int(10_000 * scale), small)

    def as_frame(_: int) -> None:
        with storage.session() as session:
            names = list(session.sequences.get_parameter_schema(RUN))
            session.sequences.get_columns(RUN, parameters=names)

    def by_hand(_: int) -> None:
        with h5py.File(plain) as file:
            file["parameters"][:]

    return in_turns(
        "parameters of 10,000 shots, as arrays",
        {"shotstore": as_frame, "plain h5py": by_hand},
        20,
        Goal("plain h5py", 1.2),
    )


def scan_with_a_filter(directory: Path, scale: float) -> Measured:
    """Scan three parameters and a filter over many shots with frames, frames of the matches."""
    count = int(10_000 * scale)
    storage, plain = _both(directory, count, with_frames)
    with h5py.File(plain) as file:
        rows = np.flatnonzero(file["parameters"]["detuning"] > _MATCHES)

    def ours(_: int) -> None:
        frame = storage.scan(RUN).select("detuning", "plain.p1", "united.q2", "atoms")
        found = frame.filter(pl.col("detuning") > _MATCHES).collect()
        assert len(found) == len(rows)

    def by_hand(_: int) -> None:
        with h5py.File(plain) as file:
            table = file["parameters"].fields(["detuning", "plain.p1", "united.q2"])[:]
            assert (table["detuning"] > _MATCHES).sum() == len(rows)
            frames = [file["data/atoms"][row] for row in rows]
            assert len(frames) == len(rows)

    return in_turns(
        f"scan of 3 parameters and a filter over {count:,} shots, frames of the matches",
        {"shotstore": ours, "plain h5py": by_hand},
        10,
        Goal("plain h5py", 1.2),
        warm_up=1,
    )


def scan_of_many_labels(directory: Path, scale: float) -> Measured:
    """Scan 40 shots with 1,148 numbers each, as an array of tweezers makes them."""
    count = int(1_148 * scale)

    def counts(index: int) -> dict[str, Data]:
        return {f"tweezer {number}": index + number / 7 for number in range(count)}

    storage = launched(files(directory))
    fill(storage, 0, 40, counts)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")
    [path] = directory.rglob("shots.h5")

    def ours(_: int) -> None:
        assert storage.scan(RUN).collect().shape == (40, 4 + 40 + count)

    def by_hand(_: int) -> None:
        with h5py.File(path) as file:
            for name, dataset in file.items():
                if name.startswith(("shots", "parameters", "scalars")):
                    dataset[:]

    return in_turns(
        f"scan of 40 shots with {count:,} labels",
        {"shotstore": ours, "plain h5py": by_hand},
        10,
        Goal("plain h5py", 3),
        warm_up=1,
        note="plain h5py reads all of the same file",
    )


def follow_a_long_run(directory: Path, scale: float) -> Measured:
    """Follow a run: the processor's time for a shot around shot 100,000, and around shot 1,000."""
    storage = launched(files(directory))
    display = HDF5StorageManager(directory / "store", read_only=True)
    shots = display.follow(RUN, poll=0)
    times: dict[str, list[float]] = {}
    last = -1
    for who, first in (("around shot 1,000", 1_000), ("shotstore", 100_000)):
        first = max(last + 2, int(first * scale))
        fill(storage, last + 1, first, small)
        while last < first - 1:
            last = next(shots).index
        times[who] = []
        for index in range(first, first + max(5, int(50 * scale))):
            fill(storage, index, index + 1, small)
            start = process_time()
            shot = next(shots)
            shot.get_parameters()
            shot.get_data()
            times[who].append(process_time() - start)
            last = shot.index
    return Measured(
        "follow a run: processor's time for a shot around shot 100,000",
        {who: times[who] for who in ("shotstore", "around shot 1,000")},
        (Goal("around shot 1,000", 1.2),),
    )


def _both(
    directory: Path, count: int, make: Callable[[int], dict[str, Data]]
) -> tuple[HDF5StorageManager, Path]:
    """A store with so many shots, and a file made by hand with the same."""
    storage = launched(files(directory))
    fill(storage, 0, count, make)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")
    path = directory / "plain.h5"
    plain = PlainH5py(path, make(0), sync=False)
    for index in range(count):
        plain.append(index, make(index))
    plain.commit()
    plain.close()
    os.sync()
    return storage, path


ALL = [
    one_label_as_an_array,
    one_frame_shot_by_shot,
    one_frame_in_a_session_of_its_own,
    parameters_of_many_shots,
    scan_with_a_filter,
    scan_of_many_labels,
    follow_a_long_run,
]
