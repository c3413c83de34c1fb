"""Recording: one transaction a shot, and many shots in one."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from time import perf_counter

from benchmarks.measure import Goal, Measured, Work, in_turns
from benchmarks.peers import PlainH5py, Zarr, commit_one, committing, databases, files, launched
from benchmarks.shots import (
    RUN,
    fill,
    parameters,
    record,
    small,
    time_tags,
    with_frames,
)
from shotstore import StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import OpenEnded


def one_shot_with_frames(directory: Path, scale: float) -> Measured:
    """Commit one shot with two frames, each in a transaction of its own."""
    first = with_frames(0)
    ours, plain = launched(files(directory)), PlainH5py(directory / "plain.h5", first)
    frames = Zarr(directory / "frames.zarr", first)

    def by_hand(turn: int) -> None:
        plain.append(turn, with_frames(turn))
        plain.commit()

    with databases(directory) as stores:
        works: dict[str, Work] = {
            "shotstore": committing(ours, with_frames),
            "plain h5py": by_hand,
            "zarr (frames alone)": lambda turn: frames.append(with_frames(turn)),
            **{name: committing(store, with_frames) for name, store in recording(stores).items()},
        }
        measured = in_turns(
            "commit one shot with frames",
            works,
            int(200 * scale),
            Goal("plain h5py", 1.25),
            Goal("SQLite", 0.6),
        )
    plain.close()
    return measured


def one_small_shot(directory: Path, scale: float) -> Measured:
    """Commit one shot with 40 parameters and a trace, each in a transaction of its own."""
    ours, plain = launched(files(directory)), PlainH5py(directory / "plain.h5", small(0))

    def by_hand(turn: int) -> None:
        plain.append(turn, small(turn))
        plain.commit()

    with databases(directory) as stores:
        works: dict[str, Work] = {
            "shotstore": committing(ours, small),
            "plain h5py": by_hand,
            **{name: committing(store, small) for name, store in recording(stores).items()},
        }
        measured = in_turns(
            "commit one small shot",
            works,
            int(300 * scale),
            Goal("plain h5py", 1),
            Goal("SQLite", 0.5),
        )
    plain.close()
    return measured


def save_in_a_block(directory: Path, scale: float) -> Measured:
    """Save a small shot in the block of `storage.record`, and by hand in a session of its own."""
    store, by_hand = files(directory), launched(HDF5StorageManager(directory / "by hand"))
    with store.record(RUN, OpenEnded()) as run:
        works: dict[str, Work] = {
            "shotstore": lambda turn: run.save(small(turn), parameters=parameters(turn)),
            "by hand": committing(by_hand, small),
        }
        return in_turns("save a small shot", works, int(300 * scale), Goal("by hand", 1.1))


def beside_a_busy_disk(directory: Path, scale: float) -> Measured:
    """Commit a small shot while another process writes and syncs 1 MB/s on the same disk."""
    ours, plain = launched(files(directory)), PlainH5py(directory / "plain.h5", small(0))

    def by_hand(turn: int) -> None:
        plain.append(turn, small(turn))
        plain.commit()

    with another_writer(directory / "others"):
        works: dict[str, Work] = {"shotstore": committing(ours, small), "plain h5py": by_hand}
        measured = in_turns(
            "commit one small shot on a busy disk",
            works,
            int(300 * scale),
            Goal("plain h5py", 1.2),
        )
    plain.close()
    return measured


@contextmanager
def another_writer(path: Path) -> Iterator[None]:
    """Another process that writes to the same disk."""
    context = get_context("forkserver")
    stop, begun = context.Event(), context.Event()
    child = context.Process(target=write_and_sync, args=(path, stop, begun), daemon=True)
    child.start()
    begun.wait()
    try:
        yield
    finally:
        stop.set()
        child.join()


def write_and_sync(path: Path, stop: Event, begun: Event) -> None:
    """Append 100 kB ten times a second, and sync each."""
    pause = threading.Event()
    with path.open("wb") as file:
        while not stop.is_set():
            file.write(bytes(100_000))
            file.flush()
            os.fsync(file.fileno())
            begun.set()
            pause.wait(0.1)


def many_small_shots(directory: Path, scale: float) -> Measured:
    """Commit 500 small shots in one transaction; the time is that of one shot."""
    count = 500
    ours, plain = launched(files(directory)), PlainH5py(directory / "plain.h5", small(0))

    def by_hand(turn: int) -> None:
        for index in range(turn * count, (turn + 1) * count):
            plain.append(index, small(index))
        plain.commit()

    with databases(directory) as stores:
        works: dict[str, Work] = {
            "shotstore": filling(ours, count),
            "plain h5py": by_hand,
            **{name: filling(store, count) for name, store in recording(stores).items()},
        }
        measured = in_turns(
            "500 small shots in one transaction",
            works,
            max(3, int(6 * scale)),
            Goal("plain h5py", 2),
            Goal("SQLite", 0.3),
            warm_up=1,
            per_turn=count,
        )
    plain.close()
    return measured


def recording(stores: Mapping[str, StorageManager]) -> dict[str, StorageManager]:
    """The storages, each with a running sequence."""
    return {name: launched(store) for name, store in stores.items()}


def filling(storage: StorageManager, count: int) -> Work:
    """Record so many small shots in one transaction, each turn."""

    def fill_at_once(turn: int) -> None:
        with storage.session() as session:
            for index in range(turn * count, (turn + 1) * count):
                record(session, index, small(index))

    return fill_at_once


def late_in_a_long_run(directory: Path, scale: float) -> Measured:
    """Commit a small shot around shot 20,000, and around shot 200."""
    stores = {}
    for name, first in (("shotstore", 20_000), ("around shot 200", 200)):
        stores[name] = launched(HDF5StorageManager(directory / name))
        fill(stores[name], 0, first, small)
    works = {
        name: lambda turn, store=store, first=first: commit_one(store, first + turn, small(turn))
        for (name, store), first in zip(stores.items(), (20_000, 200), strict=True)
    }
    return in_turns(
        "commit a small shot around shot 20,000",
        works,
        int(200 * scale),
        Goal("around shot 200", 1.2),
    )


def beside_readers(directory: Path, scale: float) -> Measured:
    """Commit a small shot while eight processes poll and scan all the time, and alone."""
    storage, goal = launched(files(directory)), Goal("alone", 3, percentile=95)
    times = beside_and_alone(storage, lambda _: readers(storage), max(10, int(70 * scale)))
    return Measured("commit a small shot beside 8 readers", times, (goal,))


def beside_and_alone(
    storage: HDF5StorageManager,
    others: Callable[[int], AbstractContextManager[object]],
    count: int,
    pause: float = 0.0,
) -> dict[str, list[float]]:
    """How long small commits take beside others, and alone, three times in turns.

    Args:
        storage: It has a running sequence without shots.
        others: Lets them be at work in a block; the argument is the index of the next shot.
        count: Of the commits at a time, besides three to warm up.
        pause: Seconds between two of them.
    """
    times: dict[str, list[float]] = {"shotstore": [], "alone": []}
    index = 0
    for _ in range(3):
        for who in times:
            with others(index) if who == "shotstore" else nobody():
                found = seconds_of_commits(storage, index, count, pause)
            times[who] += found[3:]
            index += len(found)
    return times


def seconds_of_commits(
    storage: HDF5StorageManager, first: int, count: int, pause: float = 0.0
) -> list[float]:
    """How long small commits take, one after the other; there are three more, to warm up."""
    times, waiting = [], threading.Event()
    for index in range(first, first + 3 + count):
        waiting.wait(pause)
        start = perf_counter()
        commit_one(storage, index, small(index))
        times.append(perf_counter() - start)
    return times


def beside_reading_threads(directory: Path, scale: float) -> Measured:
    """Commit a small shot beside 16 threads of the same process that read all the time, and one."""
    times: dict[str, list[float]] = {"shotstore": [], "beside one thread": []}
    storage = launched(HDF5StorageManager(directory / "store"))
    fill(storage, 0, 20, small)
    index = 20
    for _ in range(3):
        for who, count in (("shotstore", 16), ("beside one thread", 1)):
            with reading_threads(storage, count):
                found = seconds_of_commits(storage, index, max(5, int(30 * scale)))
            times[who] += found[3:]
            index += len(found)
    return Measured(
        "commit a small shot beside 16 reading threads", times, (Goal("beside one thread", 5),)
    )


@contextmanager
def reading_threads(storage: HDF5StorageManager, count: int) -> Iterator[None]:
    """Threads that read all the time."""
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with storage.session() as session:
                session.sequences.get_stats(RUN)
                shots = session.sequences.get_shots(RUN)
                session.sequences.get_all_shot_data(RUN, shots[-1].index)

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def nobody() -> Iterator[None]:
    """Without readers."""
    yield


@contextmanager
def readers(storage: HDF5StorageManager) -> Iterator[None]:
    """Eight processes that read all the time."""
    context = get_context("forkserver")
    stop, ready = context.Event(), [context.Event() for _ in range(8)]
    children = [
        context.Process(target=poll, args=(storage, stop, begun, number % 2 == 0), daemon=True)
        for number, begun in enumerate(ready)
    ]
    for child in children:
        child.start()
    for begun in ready:
        begun.wait()
    try:
        yield
    finally:
        stop.set()
        for child in children:
            child.join()


def poll(storage: HDF5StorageManager, stop: Event, begun: Event, scans: bool) -> None:
    """Look at the state and the newest shot, or at the parameters of all shots, again and again."""
    pause = threading.Event()
    while not stop.is_set():
        with storage.session() as session:
            sequences = session.sequences
            sequences.get_stats(RUN)
            shots = sequences.get_shots(RUN)
            if scans and shots:
                sequences.get_columns(RUN, parameters=["detuning", "plain.p3"])
            elif shots:
                sequences.get_all_shot_data(RUN, shots[-1].index)
        begun.set()
        pause.wait(0.02)  # a display that draws fifty times a second


def time_tags_of_any_length(directory: Path, scale: float) -> Measured:
    """Commit a shot of about 1,000 time tags around shot 5,000, and around shot 50."""
    stores = {}
    for name, first in (("shotstore", 5_000), ("around shot 50", 50)):
        stores[name] = launched(HDF5StorageManager(directory / name))
        fill(stores[name], 0, first, time_tags)
    works = {
        name: lambda turn, store=store, first=first: commit_one(
            store, first + turn, time_tags(first + turn)
        )
        for (name, store), first in zip(stores.items(), (5_000, 50), strict=True)
    }
    return in_turns(
        "commit a shot of time tags around shot 5,000",
        works,
        int(200 * scale),
        Goal("around shot 50", 1.2),
    )


def many_scalars(directory: Path, scale: float) -> Measured:
    """Commit a shot with 500 labels that are numbers, and one with 5."""
    works = {}
    for name, count in (("shotstore", 500), ("5 labels", 5)):
        storage = launched(HDF5StorageManager(directory / name))

        def commit(turn: int, storage: HDF5StorageManager = storage, count: int = count) -> None:
            data = {f"counter {number}": float(turn + number) for number in range(count)}
            commit_one(storage, turn, data)

        works[name] = commit
    return in_turns(
        "commit a shot with 500 scalar labels",
        works,
        int(150 * scale),
        Goal("5 labels", 3),
    )


ALL = [
    one_shot_with_frames,
    one_small_shot,
    save_in_a_block,
    beside_a_busy_disk,
    many_small_shots,
    late_in_a_long_run,
    beside_readers,
    beside_reading_threads,
    time_tags_of_any_length,
    many_scalars,
]
