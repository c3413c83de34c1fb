"""Look for a crash state in which something is lost: ``python -m tests.crash.explore``.

For every scenario the transaction is recorded, each state that a crash could leave is put on the
disk, opened afresh and compared: it must hold exactly what was there before or what was there
after, the latter once the transaction was acknowledged.
"""

import argparse
import errno
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from attrs import define, field, frozen

from shotstore import CommitUncertainError
from shotstore.copy import copy_path
from shotstore.copy.transfer import transfer
from shotstore.hdf5 import HDF5StorageManager, disk
from tests.crash.failing_place import FailingPlace
from tests.crash.logical import contents
from tests.crash.recording import Image, Recording, recorded
from tests.crash.scenarios import (
    ELSEWHERE,
    FINISHED,
    RUNNING,
    SCENARIOS,
    START,
    Step,
    create,
    launch,
    populate,
    shoot,
)


@define
class Report:
    """What was looked at, and what was wrong."""

    states: int = 0
    recoveries: int = 0
    violations: list[str] = field(factory=list)
    digests: set[bytes] = field(factory=set)
    """Of all states on the disk that were looked at."""


@frozen
class Extent:
    """How much to look at."""

    sample: int | None = None
    """States of a transaction; all if None."""
    mixes: int = 4
    """Random mixes of what was not durable, at each point of time."""
    recoveries: int = 3
    """States of the recovery from each of the states."""
    seed: int = 0
    only_one: bool = False
    """Whether to stop at the first violation."""


def explore(
    name: str, act: Callable[[HDF5StorageManager], object], scratch: Path, extent: Extent
) -> Report:
    """Explore the crash states of one transaction.

    Args:
        name: For the report.
        act: Does the transaction.
        scratch: An empty directory.
        extent: How much to look at.
    """
    choice = random.Random(extent.seed)
    base, place = scratch / "base", scratch / "state"
    base.mkdir()
    storage = HDF5StorageManager(base / "store")
    populate(storage)
    prepare(act, storage)
    before = contents(storage)
    with recorded(Recording(base)) as recording:
        act(storage)
    after = contents(storage)
    report = Report()
    states = _distinct(recording, choice, extent.mixes, extent.sample)
    for count, image, was_killed in states:
        if report.violations and extent.only_one:
            break
        where = f"{name}, after {count} of {len(recording)} operations"
        is_acknowledged = count == len(recording)
        image.write(place)
        report.states += 1
        report.digests.add(image.digest())
        done = count if was_killed else 0
        recovery = recording.killed_after(done, place) if was_killed else Recording(place)
        try:
            with recorded(recovery):
                found = _look(place, [after] if is_acknowledged else [before, after])
            work_on(HDF5StorageManager(place / "store"))
            if len(recovery) > done:  # there was something to clear up
                _explore_recovery(recovery, done, place, (before, after, found), extent, report)
        except Exception as error:
            report.violations.append(f"{where}: {type(error).__name__}: {error}")
        shutil.rmtree(place)
    return report


def _explore_recovery(
    recovery: Recording,
    done: int,
    place: Path,
    contents_: tuple[Any, Any, Any],
    extent: Extent,
    report: Report,
) -> None:
    """A crash while the first one was being recovered from, ``done`` operations after which the
    recovery began. Once it has ended, somebody may have seen what it left."""
    before, after, seen = contents_
    choice = random.Random(extent.seed)
    for count, again, _ in _distinct(recovery, choice, 1, extent.recoveries, first=done):
        if again.digest() in report.digests and count < len(recovery):
            continue
        shutil.rmtree(place)
        again.write(place)
        report.recoveries += 1
        report.digests.add(again.digest())
        try:
            _look(place, [seen] if count == len(recovery) else [before, after])
        except Exception as error:
            raise AssertionError(f"then in recovery after {count - done}: {error}") from error


def _distinct(
    recording: Recording, choice: random.Random, mixes: int, sample: int | None, first: int = 0
) -> Iterator[tuple[int, Image, bool]]:
    """Crash states that differ, a random sample of them if there are more: after how many
    operations, what is on the disk, and whether it was a kill."""
    seen: set[tuple[bytes, bool]] = set()
    chosen: list[tuple[int, Image, bool]] = []
    total = 0
    for was_killed, states in (
        (True, recording.killed(first)),
        (False, recording.power_lost(choice, mixes, first)),
    ):
        for count, image in states:
            key = (image.digest(), count == len(recording))
            if key in seen:
                continue
            seen.add(key)
            total += 1
            if sample is None or len(chosen) < sample:
                chosen.append((count, image.copy(), was_killed))
            elif choice.randrange(total) < sample:
                chosen[choice.randrange(sample)] = (count, image.copy(), was_killed)
    choice.shuffle(chosen)
    yield from chosen


def _look(place: Path, allowed: list[Any]) -> Any:
    """What the store holds after a crash: one of what is allowed, and every shots file opens
    without us."""
    in_memory = contents(HDF5StorageManager(place / "store", read_only=True))
    storage = HDF5StorageManager(place / "store")
    found = contents(storage)
    if in_memory != found:
        raise AssertionError(f"it is read otherwise in memory: {_differ(in_memory, [found])}")
    if found not in allowed:
        raise AssertionError(f"it holds something else: {_differ(found, allowed)}")
    is_damaged = any(sequence == "damaged" for _, sequence in found["paths"].values())
    for path in (storage.root / "sequences").rglob("shots.h5"):
        with h5py.File(path) as file:
            if not is_damaged:
                file.visititems(_read)
    return found


def _read(_: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Dataset):
        item[()]


def work_on(storage: HDF5StorageManager) -> None:
    """The next transactions must work."""
    with storage.session() as session:
        path = RUNNING.root() / "next"
        create(path)(session)
        session.sequences.set_preparing(path, {}, session.get_global_parameters())
        session.sequences.set_running(path, START)
        shoot(path, 999)(session)
    with storage.session() as session:
        (shot,) = session.get_sequence(path).get_shots()
        assert shot.get_data_by_label("number") == 999


def _differ(found: dict[str, Any], allowed: list[dict[str, Any]]) -> str:
    parts = []
    for one in allowed:
        keys = [key for key in found if found[key] != one[key]]
        paths = {
            path
            for path in {*found["paths"], *one["paths"]}
            if found["paths"].get(path) != one["paths"].get(path)
        }
        parts.append(f"{keys} {sorted(paths)}")
    return " / ".join(parts)


def in_a_session(step: Step) -> Callable[[HDF5StorageManager], None]:
    """The transaction that does the step."""

    def act(storage: HDF5StorageManager) -> None:
        with storage.session() as session:
            step(session)

    return act


def restore(storage: HDF5StorageManager) -> None:
    """The transaction that brings back what `populate` has deleted."""
    storage.trash.restore(storage.trash.entries()[0])


def empty_trash(storage: HDF5StorageManager) -> None:
    """Remove what `populate` has deleted."""
    storage.trash.empty()


def recover(storage: HDF5StorageManager) -> None:
    """Save what can be read of a sequence that `damage` has spoilt."""
    storage.recover(FINISHED)


def damage(storage: HDF5StorageManager) -> None:
    """Spoil a frame of a sequence."""
    path = storage.root / "sequences" / "2026" / "finished" / "shots.h5"
    content = bytearray(path.read_bytes())
    place = content.index(np.full((16, 24), 1, np.uint16).tobytes())
    content[place] ^= 1
    path.write_bytes(content)


def make_other_store(storage: HDF5StorageManager) -> None:
    """Record a sequence in another store, beside the directory that is watched."""
    other = HDF5StorageManager(_other_place(storage))
    with other.session() as session:
        create(ELSEWHERE)(session)
        launch(ELSEWHERE)(session)
        for index in (2, 0, 1):
            shoot(ELSEWHERE, index)(session)
        session.sequences.set_finished(ELSEWHERE, START)


def _other_place(storage: HDF5StorageManager) -> Path:
    return storage.root.parent.parent / "other"


def copy_files(storage: HDF5StorageManager) -> None:
    """Copy a sequence from another store, as files."""
    other = HDF5StorageManager(_other_place(storage), read_only=True)
    copy_path(ELSEWHERE, other, storage, progress=False)


def copy_shot_by_shot(storage: HDF5StorageManager) -> None:
    """Copy the same through the interfaces, as it comes from a database."""
    other = HDF5StorageManager(_other_place(storage), read_only=True)
    with (
        other.session() as source,
        storage.receiving() as receive,
        receive(ELSEWHERE) as destination,
    ):
        transfer(ELSEWHERE, source, destination, lambda _: None)


def keep_back(step: Step, place: str) -> Callable[[HDF5StorageManager], None]:
    """The transaction that does the step, and cannot change a place once it is committed."""

    def act(storage: HDF5StorageManager) -> None:
        record = disk.observe
        failing = FailingPlace(storage.root / place, errno.EIO)

        def observe(operation: disk.Operation) -> None:
            failing.change(operation)
            if record is not None:
                record(operation)

        disk.observe = observe
        try:
            with suppress(CommitUncertainError):
                in_a_session(step)(storage)
        finally:
            disk.observe = record

    return act


PREPARATIONS: dict[Callable[[HDF5StorageManager], object], Callable[[HDF5StorageManager], None]] = {
    recover: damage,
    copy_files: make_other_store,
    copy_shot_by_shot: make_other_store,
}


def prepare(act: Callable[[HDF5StorageManager], object], storage: HDF5StorageManager) -> None:
    """Make what a transaction needs besides a store that is populated."""
    if act in PREPARATIONS:
        PREPARATIONS[act](storage)


"""What is done to the populated store, or beside it, before a transaction that needs it."""

TRANSACTIONS: dict[str, Callable[[HDF5StorageManager], object]] = {
    **{name: in_a_session(step) for name, step in SCENARIOS.items()},
    "restore from trash": restore,
    "empty trash": empty_trash,
    "recover": recover,
    "copy files from another store": copy_files,
    "copy shot by shot": copy_shot_by_shot,
    "keep back a shot": keep_back(SCENARIOS["shoot and annotate"], "sequences/2026/running"),
    "keep back a part": keep_back(SCENARIOS["several sequences"], "sequences/2026/crashed"),
    "keep back where it goes": keep_back(SCENARIOS["several sequences"], "sequences/drafts/c"),
}


def main() -> int:
    """Explore everything and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Extent()
    parser.add_argument("--sample", type=int, help="states of a transaction (default: all)")
    for option, what in (
        ("mixes", "random mixes of what was not durable, at each point of time"),
        ("recoveries", "states of the recovery from each state"),
        ("seed", "of everything that is random"),
    ):
        parser.add_argument(
            f"--{option}", type=int, default=getattr(default, option), help=f"{what} (%(default)s)"
        )
    parser.add_argument("--only", default="", help="a part of the name of a transaction")
    options = vars(parser.parse_args())
    only = options.pop("only")
    total = Report()
    for name, act in TRANSACTIONS.items():
        if only not in name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            report = explore(name, act, Path(scratch), Extent(**options))
        total.states += report.states
        total.recoveries += report.recoveries
        total.violations += report.violations
        total.digests |= report.digests
        print(
            f"{report.states:6} states, {report.recoveries:5} in recovery, "
            f"{len(report.violations):3} violations: {name}",
            flush=True,
        )
    for violation in total.violations[:50]:
        print(violation)
    print(
        f"{total.states + total.recoveries} crash states, {len(total.digests)} of them distinct, "
        f"{len(total.violations)} violations"
    )
    return bool(total.violations)


if __name__ == "__main__":
    sys.exit(main())
