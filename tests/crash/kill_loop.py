"""Kill a recorder and a mover again and again on one store: ``python -m tests.crash.kill_loop``.

The two work at the same time and are killed by SIGKILL at random instants. For some of the time
readers and a follower are beside them, which live longer, so that who comes next is not alone. This
process, which outlives them all, has noted what they announced and what they acknowledged, and
compares it with what a fresh process then finds in the store.
"""

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field

from shotstore import (
    PathNotFoundError,
    PureSequencePath,
    Sequence,
    Shot,
    ShotId,
    State,
    TransactionConflictError,
)
from shotstore.hdf5 import HDF5StorageManager, membership
from shotstore.testing.exactness import exactly_equal
from tests.crash.scenarios import START, create

SHOTS_OF_A_SEQUENCE = 12
_ROUNDS_BESIDE = 6
"""For so many there is nobody beside; then, for as many, there are readers and a follower."""

Say = Callable[..., None]


def record(root: Path, seed: int, say: Say) -> None:
    """Record sequences, one after the other, one or a few shots in a session."""
    choice = random.Random(seed)
    membership._PAUSE = choice.choice([0.005, 0.05, 1])
    storage = HDF5StorageManager(root)
    while True:
        with storage.session() as session:
            running = session.sequences.get_sequences_in_state(State.RUNNING)
            path = min(running, default=None)
        if path is None:
            path = PureSequencePath.from_parts(["new", f"run-{seed}-{choice.getrandbits(40)}"])
            say("try create", path)
            with storage.session(write=True) as session:
                create(path)(session)
                session.sequences.set_preparing(path, {}, session.get_global_parameters())
                session.sequences.set_running(path, START)
            say("created", path)
        with storage.session() as session:
            shots = len(Sequence(path, session))
        if shots >= SHOTS_OF_A_SEQUENCE:
            with storage.session(write=True) as session:
                session.sequences.set_finished(path, START)
            continue
        indices = range(shots, shots + choice.choice([1, 1, 3]))
        say("try shots", path, *indices)
        with storage.session(write=True) as session:
            for index in indices:
                session.sequences.create_shot(
                    ShotId(path, index),
                    {"index": index},
                    {"frame": frame(path, index), "name": path.parts[-1]},
                    START,
                    START,
                )
        say("shots", path, *indices)


def move(root: Path, seed: int, say: Say) -> None:
    """Move and delete sequences that have finished, and bring them back."""
    choice = random.Random(seed)
    storage = HDF5StorageManager(root)
    while True:
        with storage.session() as session:
            finished = sorted(session.sequences.get_sequences_in_state(State.FINISHED))
        entries = storage.trash.entries()
        if entries and choice.random() < 0.5:
            say("try move", entries[0].path, entries[0].path)
            storage.trash.restore(entries[0])
        elif finished:
            path = choice.choice(finished)
            target = PureSequencePath.from_parts([f"folder-{choice.randrange(5)}", path.parts[-1]])
            try:
                with storage.session(write=True) as session:
                    if choice.random() < 0.2:
                        say("try delete", path, path)
                        session.paths.delete_path(path, delete_sequences=True)
                    elif target != path:
                        say("try move", path, target)
                        session.paths.move(path, target)
            except TransactionConflictError:
                continue
            say("moved")


def read(root: Path, seed: int, say: Say) -> None:
    """Look at everything again and again: of no sequence there are ever fewer shots."""
    choice = random.Random(seed)
    storage = HDF5StorageManager(root, read_only=bool(seed % 2))
    seen: dict[str, int] = {}
    while True:
        with storage.session() as session:
            for path in session.sequences.get_contained_sequences(PureSequencePath.root()):
                try:
                    shots = Sequence(path, session).get_shots()
                    if shots:
                        check_frame(path, choice.choice(shots), say)
                except (PathNotFoundError, TransactionConflictError):  # moved away
                    continue
                if len(shots) < seen.get(path.parts[-1], 0):
                    say("failed", f"{path} has {len(shots)} shots, and had {seen[path.parts[-1]]}")
                seen[path.parts[-1]] = len(shots)


def follow(root: Path, _: int, say: Say) -> None:
    """Follow one running sequence after the other: no shot is missed or repeated."""
    storage = HDF5StorageManager(root)
    while True:
        with storage.session() as session:
            running = session.sequences.get_sequences_in_state(State.RUNNING)
        for path in running:
            with suppress(PathNotFoundError, TransactionConflictError):  # moved, once ended
                for expected, shot in enumerate(storage.follow(path, poll=0.005)):
                    if shot.index != expected:
                        say("failed", f"shot {shot.index} of {path} came in place of {expected}")
                    check_frame(path, shot, say)


def check_frame(path: PureSequencePath, shot: Shot, say: Say) -> None:
    """Say so if a shot is not what was recorded."""
    if not exactly_equal(shot.get_data_by_label("frame"), frame(path, shot.index)):
        say("failed", f"shot {shot.index} of {path} is not what was recorded")


def frame(path: PureSequencePath, index: int) -> np.ndarray:
    """What the shot must hold, wherever its sequence is."""
    number = sum(path.parts[-1].encode()) + index
    return np.full((40, 50), number % 2**16, np.uint16)


@define
class Oracle:
    """What was announced and acknowledged, by the names of sequences, which no move changes."""

    tried: dict[str, set[int]] = field(factory=dict)
    acknowledged: dict[str, set[int]] = field(factory=dict)
    maybe: set[str] = field(factory=set)
    acknowledgements: int = 0
    failures: list[str] = field(factory=list)

    def note(self, line: str) -> None:
        """Take in what a process says."""
        what, *words = json.loads(line)
        if what == "failed":
            self.failures += words
            return
        name = PureSequencePath(words[0]).parts[-1] if words else ""
        self.acknowledgements += not what.startswith("try")
        if what == "try create":
            self.maybe.add(name)
        elif what == "created":
            self.acknowledged[name] = set()
        elif what == "try shots":
            self.tried.setdefault(name, set()).update(words[1:])
        elif what == "shots":
            self.acknowledged.setdefault(name, set()).update(words[1:])

    def compare(self, found: dict[str, list[int]]) -> list[str]:
        """What is wrong with the sequences that were found and their shots."""
        wrong = [f"{name} is lost" for name in self.acknowledged.keys() - found.keys()]
        wrong += [f"{name} came from nowhere" for name in found.keys() - self.maybe]
        for name, indices in found.items():
            lost = self.acknowledged.get(name, set()) - set(indices)
            extra = set(indices) - self.tried.get(name, set())
            if lost or extra or len(set(indices)) != len(indices):
                wrong.append(f"{name} has lost {lost} and has {extra} too many")
        return wrong


def look(root: Path, _: int, say: Say) -> None:
    """Say which sequences there are, in the tree and in the trash, and check every shot."""
    storage = HDF5StorageManager(root)
    found: dict[str, list[int]] = {}
    wrong: list[str] = []
    with storage.session() as session:
        for path in session.sequences.get_contained_sequences(PureSequencePath.root()):
            if path.parts[-1] in found:
                wrong.append(f"{path} is there twice")
            found[path.parts[-1]] = []
            for shot in Sequence(path, session).get_shots():
                found[path.parts[-1]].append(shot.index)
                data = shot.get_data()
                if not exactly_equal(data["frame"], frame(path, shot.index)):
                    wrong.append(f"shot {shot.index} of {path} is not what was recorded")
    for entry in storage.trash.entries():
        content = root / ".shotstore" / "trash" / entry.id / "content"
        archive = HDF5StorageManager(content, read_only=True)
        with archive.session() as session:
            (path,) = session.sequences.get_contained_sequences(PureSequencePath.root())
            if entry.path.parts[-1] in found:
                wrong.append(f"{entry.path} is there and in the trash")
            found[entry.path.parts[-1]] = [
                shot.index for shot in Sequence(path, session).get_shots()
            ]
    say("found", found, wrong)


def run(root: Path, rounds: int, seed: int) -> tuple[Oracle, list[str]]:
    """Kill ``rounds`` times; return what was promised, and what was broken of it."""
    choice = random.Random(seed)
    oracle = Oracle()
    beside: list[tuple[int, int]] = []
    try:
        for number in range(rounds):
            if number % _ROUNDS_BESIDE == 0:
                end(beside)
                works = (read, read, follow) if number % (2 * _ROUNDS_BESIDE) else ()
                beside = [start(work, root, number + n) for n, work in enumerate(works)]
            wrong = kill_once(root, choice, oracle)
            listen(beside, oracle.note, 0)
            wrong += oracle.failures
            if wrong:
                return oracle, [f"round {number}: {problem}" for problem in wrong]
    finally:
        end(beside)
    return oracle, []


def kill_once(root: Path, choice: random.Random, oracle: Oracle) -> list[str]:
    """Let a recorder and a mover work, and kill them; return what is wrong then."""
    workers = [start(work, root, choice.getrandbits(30)) for work in (record, move)]
    if choice.random() < 0.8:  # the others may be killed while they open the store
        select.select([recorder for _, recorder in workers[:1]], [], [])
    listen(workers, oracle.note, choice.uniform(0.02, 0.4))
    end(workers, oracle.note)
    answers: list[str] = []
    listen([start(look, root, 0)], answers.append, None)
    what, *answer = json.loads(answers[0])
    if what == "failed":
        return [f"the store cannot be read: {answer[0]}"]
    found, wrong = answer
    return [*wrong, *oracle.compare(found)]


def end(workers: list[tuple[int, int]], note: Callable[[str], None] = print) -> None:
    """Kill the processes, and take in what they have said."""
    for pid, _ in workers:
        os.kill(pid, signal.SIGKILL)
    listen(workers, note, None)


def start(work: Callable[[Path, int, Say], None], root: Path, seed: int) -> tuple[int, int]:
    """Work in a child process; its id, and where it can be listened to."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return pid, read_end
    try:
        os.close(read_end)

        def say(*words: Any) -> None:
            plain = [str(word) if isinstance(word, PureSequencePath) else word for word in words]
            os.write(write_end, json.dumps(plain).encode() + b"\n")

        try:
            work(root, seed, say)
        except Exception:
            say("failed", traceback.format_exc())
    finally:
        os._exit(0)


def listen(
    workers: list[tuple[int, int]], note: Callable[[str], None], seconds: float | None
) -> None:
    """Take in what the processes say, for some time or until they have ended."""
    rests = {descriptor: b"" for _, descriptor in workers}
    deadline = None if seconds is None else _clock() + seconds
    while rests:
        timeout = None if deadline is None else max(0, deadline - _clock())
        ready, _, _ = select.select(list(rests), [], [], timeout)
        if not ready:
            break
        for descriptor in ready:
            content = os.read(descriptor, 1 << 20)
            *lines, rests[descriptor] = (rests[descriptor] + content).split(b"\n")
            for line in lines:
                note(line.decode())
            if not content:
                del rests[descriptor]
    if deadline is None:
        for pid, descriptor in workers:
            os.waitpid(pid, 0)
            os.close(descriptor)


def _clock() -> float:
    return time.monotonic()


def main() -> int:
    """Run the loop and print what was promised, and what was broken of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        oracle, wrong = run(Path(scratch) / "store", arguments.rounds, arguments.seed)
    shots = sum(map(len, oracle.acknowledged.values()))
    print(
        f"{2 * arguments.rounds} processes killed, {oracle.acknowledgements} acknowledgements, "
        f"{len(oracle.acknowledged)} sequences with {shots} shots, {len(wrong)} violations"
    )
    for problem in wrong:
        print(problem)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
