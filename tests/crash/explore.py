"""Look for a crash state in which something is lost: ``python -m tests.crash.explore``.

For every scenario the transaction is recorded, each state that a crash could leave is put on the
disk, opened afresh and compared: it must hold exactly what was there before or what was there
after, the latter once the transaction was acknowledged.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
from attrs import define, field

from shotstore.hdf5 import HDF5StorageManager
from tests.crash.logical import contents
from tests.crash.recording import Image, Recording, recorded
from tests.crash.scenarios import RUNNING, SCENARIOS, START, Step, create, populate, shoot


@define
class Report:
    """How many states were looked at, and what was wrong in which."""

    states: int = 0
    recoveries: int = 0
    violations: list[str] = field(factory=list)


def explore(
    name: str,
    act: Callable[[HDF5StorageManager], object],
    scratch: Path,
    *,
    sample: int | None,
    mixes: int,
    seed: int,
    only_one: bool = False,
) -> Report:
    """Explore the crash states of one transaction.

    Args:
        name: For the report.
        act: Does the transaction.
        scratch: An empty directory.
        sample: How many states to look at; all if None.
        mixes: Random mixes for each point of time.
        seed: Of everything that is random.
        only_one: Whether to stop at the first violation.
    """
    choice = random.Random(seed)
    base = scratch / "base"
    base.mkdir()
    storage = HDF5StorageManager(base / "store")
    populate(storage)
    before = contents(storage)
    with recorded(Recording(base)) as recording:
        act(storage)
    after = contents(storage)
    report = Report()
    for count, image, was_killed in _distinct(recording, choice, mixes, sample):
        if report.violations and only_one:
            break
        report.states += 1
        is_acknowledged = count == len(recording)
        allowed = [after] if is_acknowledged else [before, after]
        place = scratch / "state"
        where = f"{name}, after {count} of {len(recording)} operations"
        image.write(place)
        try:
            done = count if was_killed else 0
            recovery = recording.killed_after(done, place) if was_killed else Recording(place)
            with recorded(recovery):
                problem = _problem(place / "store", allowed, _look)
            problem = problem or _problem(
                place / "store", allowed, lambda storage, _: work_on(storage)
            )
            if problem is not None:
                report.violations.append(f"{where}: {problem}")
            elif len(recovery) > done:  # there was something to clear up
                _explore_recovery(recovery, done, place, allowed, where, choice, report)
        finally:
            shutil.rmtree(place)
    return report


def _explore_recovery(
    recovery: Recording,
    done: int,
    place: Path,
    allowed: list[Any],
    where: str,
    choice: random.Random,
    report: Report,
) -> None:
    """A crash while the first one was being recovered from."""
    for count, again, _ in _distinct(recovery, choice, mixes=1, sample=3, first=done):
        shutil.rmtree(place)
        again.write(place)
        report.recoveries += 1
        problem = _problem(place / "store", allowed, _look)
        if problem is not None:
            report.violations.append(f"{where}, then in recovery after {count - done}: {problem}")


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


def _problem(
    root: Path, allowed: list[Any], check: Callable[[HDF5StorageManager, list[Any]], str | None]
) -> str | None:
    """What is wrong with a store after a crash, or None."""
    try:
        return check(HDF5StorageManager(root), allowed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _look(storage: HDF5StorageManager, allowed: list[Any]) -> str | None:
    """It must hold what it should, and every shots file must open without us."""
    found = contents(storage)
    if found not in allowed:
        return f"it holds neither what was before nor what was after: {_differ(found, allowed)}"
    for path in (storage.root / "sequences").rglob("shots.h5"):
        with h5py.File(path) as file:
            file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)
    return None


def work_on(storage: HDF5StorageManager) -> str | None:
    """The next transaction must work."""
    with storage.session() as session:
        path = RUNNING.root() / "next"
        create(path)(session)
        session.sequences.set_preparing(path, {}, session.get_global_parameters())
        session.sequences.set_running(path, START)
        shoot(path, 999)(session)
    with storage.session() as session:
        (shot,) = session.get_sequence(path).get_shots()
        return None if shot.get_data_by_label("number") == 999 else "the next shot is lost"


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


TRANSACTIONS: dict[str, Callable[[HDF5StorageManager], object]] = {
    **{name: in_a_session(step) for name, step in SCENARIOS.items()},
    "restore from trash": restore,
    "empty trash": empty_trash,
}


def main() -> int:
    """Explore everything and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, help="states of each transaction (default: all)")
    parser.add_argument("--mixes", type=int, default=4, help="random mixes at each point of time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="a part of the name of a transaction")
    arguments = parser.parse_args()
    total = Report()
    for name, act in TRANSACTIONS.items():
        if arguments.only and arguments.only not in name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            report = explore(
                name,
                act,
                Path(scratch),
                sample=arguments.sample,
                mixes=arguments.mixes,
                seed=arguments.seed,
            )
        total.states += report.states
        total.recoveries += report.recoveries
        total.violations += report.violations
        print(
            f"{report.states:6} states, {report.recoveries:5} in recovery, "
            f"{len(report.violations):3} violations: {name}",
            flush=True,
        )
    for violation in total.violations[:50]:
        print(violation)
    print(f"{total.states + total.recoveries} crash states, {len(total.violations)} violations")
    return bool(total.violations)


if __name__ == "__main__":
    sys.exit(main())
