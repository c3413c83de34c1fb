"""Storing what an analysis has found: of many shots at once, and shot by shot beside a recorder."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import h5py
import numpy as np

from benchmarks.commits import beside_and_alone
from benchmarks.measure import Goal, Measured, in_turns
from benchmarks.peers import files, launched
from benchmarks.shots import RUN, fill
from shotstore import ShotNotFoundError
from shotstore.hdf5 import HDF5StorageManager

_COLUMNS = ("fraction", "temperature", "width", "height", "chi_squared")
_TRACE = 64
_PAUSE = 1 / 30
"""Seconds between two shots, as an experiment has them."""


def results_of_many_shots(directory: Path, scale: float) -> Measured:
    """Store five numbers and a short trace of each of 10,000 shots at once, and by hand."""
    count = max(100, int(10_000 * scale))
    storage = launched(files(directory))
    fill(storage, 0, count, lambda index: {"counts": index})
    indices = np.arange(count)
    generator = np.random.default_rng(1)
    columns = {name: generator.random(count) for name in _COLUMNS}
    columns["trace"] = generator.random((count, _TRACE))
    path = directory / "plain.h5"
    plain = h5py.File(path, "w", libver="v110")
    for name, values in {"shot_index": indices, **columns}.items():
        shape, chunk = values.shape[1:], max(1, 4096 // values[0].nbytes)
        plain.create_dataset(
            name, (0, *shape), values.dtype, maxshape=(None, *shape), chunks=(chunk, *shape)
        )
    descriptor = os.open(path, os.O_RDWR)

    def set_results(turn: int) -> None:
        with storage.session() as session:
            shots = {"shot_index": indices, **columns}
            session.sequences.set_many_results(RUN, shots, by=f"fit {turn}")

    def by_hand(turn: int) -> None:
        for name, values in {"shot_index": indices, **columns}.items():
            plain[name].resize((turn + 1) * count, axis=0)
            plain[name][turn * count :] = values
        plain.flush()
        os.fsync(descriptor)

    measured = in_turns(
        "store results of 10,000 shots at once",
        {"shotstore": set_results, "plain h5py": by_hand},
        max(3, int(10 * scale)),
        Goal("plain h5py", 2),
        warm_up=1,
    )
    plain.close()
    os.close(descriptor)
    return measured


def beside_an_analysis(directory: Path, scale: float) -> Measured:
    """Commit 30 small shots a second while another process stores a result of each, and alone."""
    storage, goal = launched(files(directory)), Goal("alone", 1.5, percentile=95)
    times = beside_and_alone(
        storage, lambda index: analysis(storage, index), max(10, int(100 * scale)), _PAUSE
    )
    return Measured("commit a small shot beside an analysis", times, (goal,))


@contextmanager
def analysis(storage: HDF5StorageManager, first: int) -> Iterator[None]:
    """Another process that stores a result of each shot, from this one on, as it comes."""
    context = get_context("forkserver")
    stop, begun = context.Event(), context.Event()
    child = context.Process(target=find, args=(storage, first, stop, begun), daemon=True)
    child.start()
    begun.wait()
    try:
        yield
    finally:
        stop.set()
        child.join()


def find(storage: HDF5StorageManager, first: int, stop: Event, begun: Event) -> None:
    """Store a result of each shot once it is there."""
    index, pause = first, threading.Event()
    while not stop.is_set():
        begun.set()
        try:
            with storage.session() as session:
                session.sequences.set_results(RUN, index, {"fraction": index / 7}, by="a fit")
            index += 1
        except ShotNotFoundError:
            pause.wait(0.002)


ALL = [results_of_many_shots, beside_an_analysis]
