"""Look for a crash state in which something is lost: ``python -m tests.crash.explore``.

Transactions are recorded, one or several in a row; each state that a crash could leave is put on
the disk, opened afresh and compared. It must hold what the last transaction that was acknowledged
has left, or what the next one has.

A state is opened alone; after a kill also beside another process, which has kept the store open;
and after a viewer that opens every shots file for writing and closes it, as HDFView does. Where the
store had something to finish, that is crashed again in the same way.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext, suppress
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
from attrs import define, field, frozen

from shotstore import DamagedStorageError, StorageError
from shotstore.hdf5 import HDF5StorageManager, worker
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.log.record import LogRecord
from tests.checkpoints import without_pauses
from tests.crash.logical import contents
from tests.crash.machine import small_log, somebody_beside, started
from tests.crash.recording import Crash, Recording, recorded, sampled
from tests.crash.scenarios import RUNNING, START, create, populate, shoot
from tests.crash.transactions import RUNS, Act, Run, prepare

FIRST_START, NEXT_START = 1, 2
"""Of the machine."""

_SAMPLE = 16
"""States of a transaction that are looked at if nothing else is said."""


@define
class Report:
    """What was looked at, and what was wrong."""

    states: int = 0
    looks: int = 0
    """How often one of them was opened."""
    recoveries: int = 0
    violations: list[str] = field(factory=list)
    digests: set[bytes] = field(factory=set)
    """Of all states on the disk that were looked at."""

    def add(self, other: "Report") -> None:
        """Take in what was found elsewhere."""
        self.states += other.states
        self.looks += other.looks
        self.recoveries += other.recoveries
        self.violations += other.violations
        self.digests |= other.digests


@frozen
class Extent:
    """How much to look at."""

    sample: int | None = None
    """States of a transaction; all if None."""
    mixes: int = 4
    """Random mixes of what was not durable, at each point of time."""
    recoveries: int = 6
    """States of the recovery from each of the states."""
    seed: int = 0
    only_one: bool = False
    """Whether to stop at the first violation."""
    only: Callable[[Crash], bool] = lambda _: True
    """Which crashes of a transaction to look at."""
    machine_tells: bool = True
    """Whether the system tells when it was started."""


class Look(Enum):
    """How a state is opened."""

    ALONE = "opened alone"
    BESIDE = "opened beside another process"
    VIEWED = "opened after a viewer"
    VIEWED_BESIDE = "opened after a viewer, beside another process"

    @property
    def is_viewed(self) -> bool:
        """Whether another program has opened the shots files for writing."""
        return self in (Look.VIEWED, Look.VIEWED_BESIDE)

    @property
    def is_beside(self) -> bool:
        """Whether the store has been open all the time."""
        return self in (Look.BESIDE, Look.VIEWED_BESIDE)


def explore(name: str, acts: Act | Sequence[Act] | Run, scratch: Path, extent: Extent) -> Report:
    """Explore the crash states of one transaction, or of several in a row.

    Args:
        name: For the report.
        acts: Do the transactions.
        scratch: An empty directory.
        extent: How much to look at.
    """
    if not isinstance(acts, Run):
        acts = Run([*acts] if isinstance(acts, Sequence) else [acts])
    with (
        without_pauses(),
        small_log(acts.blocks, acts.most),
        started(FIRST_START if extent.machine_tells else 0),
    ):
        # Each call of a session would otherwise wait for a thread of its own.
        return worker.run(_Exploration(name, acts, scratch, extent).run)


class _Exploration:
    def __init__(self, name: str, run: Run, scratch: Path, extent: Extent) -> None:
        self._name = name
        self._run = run
        self._base, self._place = scratch / "base", scratch / "state"
        self._extent = extent
        self._choice = random.Random(extent.seed)
        self._report = Report()
        self._acknowledged: list[tuple[int, Any]] = []
        """After how many operations each transaction was, and what the store held then."""
        self._has_frames = False
        """Whether any of them has data that lies in its file alone."""

    def run(self) -> Report:
        extent, report = self._extent, self._report
        try:
            recording = self._record()
        except StorageError as error:
            report.violations.append(f"{self._name}, without a crash: {error}")
            return report
        for crash in sampled(recording, self._choice, extent.mixes, extent.sample):
            if not extent.only(crash):
                continue
            report.states += 1
            report.digests.add(crash.image.digest())
            for look in self._looks(crash):
                if report.violations and extent.only_one:
                    return report
                report.looks += 1
                try:
                    self._look_at(crash, look)
                except Exception as error:
                    report.violations.append(
                        f"{self._name}, {'killed' if crash.was_killed else 'power lost'} after "
                        f"{crash.count} of {len(recording)} operations, {look.value}: "
                        f"{type(error).__name__}: {error}"
                    )
                finally:
                    shutil.rmtree(self._place, ignore_errors=True)
        return report

    def _record(self) -> Recording:
        self._base.mkdir()
        storage = HDF5StorageManager(self._base / "store")
        populate(storage)
        for act in self._run.acts:
            prepare(act, storage)
        storage.close()
        self._acknowledged = [(0, contents(storage))]
        commit = Commits.commit

        def watch(commits: Commits, record: LogRecord, files: Any) -> None:
            self._has_frames |= any(each.has_tail for each in record.patches)
            commit(commits, record, files)

        with (
            recorded(Recording(self._base)) as recording,
            patch.object(Commits, "commit", watch),
        ):
            for act in self._run.acts:
                act(storage)
                content = contents(storage)  # by now, what was uncertain is not
                self._acknowledged.append((len(recording), content))
        storage.close()
        return recording

    def _allowed(self, count: int) -> list[Any]:
        """What the store may hold after so many operations."""
        number = max(n for n, (end, _) in enumerate(self._acknowledged) if end <= count)
        is_idle = self._acknowledged[number][0] == count
        last = number + 1 if is_idle else number + 2
        return [content for _, content in self._acknowledged[number:last]]

    def _looks(self, crash: Crash) -> list[Look]:
        choice = self._choice
        if crash.was_killed:
            viewed = choice.choice([Look.VIEWED, Look.VIEWED_BESIDE])
            return [Look.ALONE, Look.BESIDE, viewed]
        return [Look.ALONE, Look.VIEWED] if choice.random() < 0.2 else [Look.ALONE]

    def _look_at(self, crash: Crash, look: Look) -> None:
        place, store = self._place, self._place / "store"
        crash.image.write(place)
        if look.is_viewed:
            open_in_a_viewer(store)
        is_same_machine = crash.was_killed and not look.is_viewed
        done = crash.count if is_same_machine else 0
        recovery = (
            crash.recording.killed_after(done, place) if is_same_machine else Recording(place)
        )
        allowed = self._allowed(crash.count)
        may_be_lost = look.is_viewed and self._has_frames
        with (
            self._machine(restarted=not crash.was_killed),
            somebody_beside(store) if look.is_beside else nullcontext(),
        ):
            with recorded(recovery):
                found = look_into(store, allowed, may_be_lost=may_be_lost)
            if found is not None:
                work_on(store)
        if found is not None and len(recovery) > done:  # there was something to clear up
            self._crash_again(recovery, crash, look, allowed, found)

    def _machine(self, *, restarted: bool) -> Any:
        if not self._extent.machine_tells:
            return started(0)
        return started(NEXT_START) if restarted else started(FIRST_START)

    def _crash_again(
        self, recovery: Recording, first: Crash, look: Look, allowed: list[Any], seen: Any
    ) -> None:
        """A crash while the first one was being recovered from. Once that has ended, somebody may
        have seen what it left."""
        extent, report = self._extent, self._report
        done = first.count if first.was_killed and not look.is_viewed else 0
        may_be_lost = look.is_viewed and self._has_frames
        choice = random.Random(extent.seed)
        for crash in sampled(recovery, choice, 1, extent.recoveries, first=done):
            image = crash.image
            if image.digest() in report.digests and crash.count < len(recovery):
                continue
            shutil.rmtree(self._place)
            image.write(self._place)
            report.recoveries += 1
            report.digests.add(image.digest())
            try:
                with self._machine(restarted=not (first.was_killed and crash.was_killed)):
                    has_ended = crash.count == len(recovery)
                    look_into(
                        self._place / "store",
                        [seen] if has_ended else allowed,
                        may_be_lost=may_be_lost,
                    )
            except Exception as error:
                raise AssertionError(
                    f"then in recovery, {'killed' if crash.was_killed else 'power lost'} after "
                    f"{crash.count - done} of {len(recovery) - done}: {error}"
                ) from error


def open_in_a_viewer(root: Path) -> None:
    """Open all shots files for writing and close them, as HDFView does."""
    for path in (root / "sequences").rglob("shots.h5"):
        with suppress(OSError), h5py.File(path, "r+"):  # it cannot open what is half-changed
            pass


def look_into(root: Path, allowed: list[Any], *, may_be_lost: bool = False) -> Any:
    """What the store holds after a crash: one of what is allowed, and every shots file opens
    without us. None if a part of it is lost, which the store says, and which ``may_be_lost``."""
    try:
        with closing(HDF5StorageManager(root, read_only=True)) as reader:
            in_memory = contents(reader)
        with closing(HDF5StorageManager(root)) as storage:
            is_whole = not any(root.joinpath(".shotstore", "held").glob("*"))
            found = contents(storage, _known if is_whole else None)
    except DamagedStorageError:
        if may_be_lost:
            return None
        raise
    if may_be_lost and (_is_damaged(found) or _is_damaged(in_memory)):
        for each in (found, in_memory):
            if not any(_is_part_of(each, one) for one in allowed):
                raise AssertionError(f"it holds something else: {_differ(each, allowed)}")
        return None
    if in_memory != found:
        raise AssertionError(f"it is read otherwise in memory: {_differ(in_memory, [found])}")
    if found not in allowed:
        raise AssertionError(f"it holds something else: {_differ(found, allowed)}")
    if not _is_damaged(found):
        for path in (root / "sequences").rglob("shots.h5"):
            _read_natively(path)
    return found


def _read_natively(path: Path) -> None:
    digest = sha256(path.read_bytes()).digest()
    if digest not in _readable:
        with h5py.File(path) as file:
            file.visititems(_read)
        _readable.add(digest)


_known: dict[bytes, dict[str, Any]] = {}
"""What was read of sequences, by what is in their files."""

_readable: set[bytes] = set()
"""Files that h5py has read."""


def _is_damaged(found: dict[str, Any]) -> bool:
    return any(sequence == "damaged" for _, sequence in found["paths"].values())


def _is_part_of(found: dict[str, Any], allowed: dict[str, Any]) -> bool:
    """Whether what is found is what is allowed, but for what is said to be damaged."""
    if (
        found | {"paths": 0} != allowed | {"paths": 0}
        or found["paths"].keys() != allowed["paths"].keys()
    ):
        return False
    return all(
        sequence == "damaged" or (created, sequence) == allowed["paths"][path]
        for path, (created, sequence) in found["paths"].items()
    )


def _read(_: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Dataset):
        item[()]


def work_on(root: Path | HDF5StorageManager) -> None:
    """The next transactions must work."""
    storage = root if isinstance(root, HDF5StorageManager) else HDF5StorageManager(root)
    with storage.session() as session:
        path = RUNNING.root() / "next"
        create(path)(session)
        session.sequences.set_preparing(path, {}, session.get_global_parameters())
        session.sequences.set_running(path, START)
        shoot(path, 999)(session)
    with storage.session() as session:
        (shot,) = session.get_sequence(path).get_shots()
        assert shot.get_data_by_label("number") == 999
    if storage is not root:
        storage.close()


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


def main() -> int:
    """Explore everything and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Extent(sample=_SAMPLE)
    for option, what in (
        ("sample", "states of a transaction, three times as many of several in a row; 0: all"),
        ("mixes", "random mixes of what was not durable, at each point of time"),
        ("recoveries", "states of the recovery from each state"),
        ("seed", "of everything that is random"),
    ):
        parser.add_argument(
            f"--{option}", type=int, default=getattr(default, option), help=f"{what} (%(default)s)"
        )
    parser.add_argument("--only", default="", help="a part of the name of a transaction")
    options = vars(parser.parse_args())
    only, sample = options.pop("only"), options.pop("sample")
    total = Report()
    start = time.monotonic()
    for name, run in RUNS.items():
        if only not in name:
            continue
        extent = Extent(sample=sample * (3 if name.endswith("in a row") else 1) or None, **options)
        with tempfile.TemporaryDirectory() as scratch:
            report = explore(name, run, Path(scratch), extent)
        total.add(report)
        print(
            f"{time.monotonic() - start:6.0f} s: {report.states:6} states, {report.looks:6} looks, "
            f"{report.recoveries:5} in recovery, {len(report.violations):3} violations: {name}",
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
