"""Flip single bits all over a ``shots.h5``, and read everything each time.

The reading is done by a process of its own, which says before each flip which bit it is about to
flip. So a hang or a crash of the interpreter is noticed, and known by its bit. Try more of them
than the tests do:

    python -m tests.damage.flip --count 20000
    python -m tests.damage.flip --every-byte
"""

import argparse
import multiprocessing
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
from attrs import field, frozen

from shotstore import DamagedStorageError
from shotstore.hdf5 import HDF5StorageManager
from tests.damage import specimen

PATIENCE = 10
"""Seconds for one flip. A read takes milliseconds, so what takes longer is a hang."""

MEMORY = 4 * 2**30
"""Bytes of addresses that reading may take."""

RIGHT, REFUSED, WRONG, CRASHED, HUNG = "right", "refused", "wrong", "crashed", "hung"

Damage = Callable[[Path, int], None]


@frozen
class Report:
    """What came of all flips."""

    size: int
    """Of the file, in bytes."""
    outcomes: Counter[str] = field(factory=Counter)
    failures: list[str] = field(factory=list)
    """One line for each flip that was neither right nor refused."""
    seconds: float = 0

    def __str__(self) -> str:
        tried = self.outcomes.total()
        counts = ", ".join(
            f"{self.outcomes[kind]} {kind}" for kind in (RIGHT, REFUSED, WRONG, CRASHED, HUNG)
        )
        lines = [f"{tried} bits of {8 * self.size} flipped, {self.seconds:.0f} s: {counts}"]
        return "\n".join([*lines, *self.failures])


def metadata_bytes(path: Path) -> list[int]:
    """The bytes of an HDF5 file that are not in the chunks of its datasets."""
    is_data = bytearray(path.stat().st_size)

    def mark(_: str, found: object) -> None:
        if isinstance(found, h5py.Dataset):
            for number in range(found.id.get_num_chunks()):
                chunk = found.id.get_chunk_info(number)
                end = chunk.byte_offset + chunk.size
                is_data[chunk.byte_offset : end] = b"\1" * chunk.size

    with h5py.File(path) as file:
        file.visititems(mark)
    return [offset for offset, data in enumerate(is_data) if not data]


def sample(path: Path, count: int, seed: int) -> list[int]:
    """Bits, three quarters of them in metadata, without repeats."""
    chance = random.Random(seed)
    metadata = metadata_bytes(path)
    data = sorted(set(range(path.stat().st_size)) - set(metadata))
    chosen = {8 * offset + chance.randrange(8) for offset in _draw(chance, metadata, 3 * count // 4)}
    chosen |= {8 * offset + chance.randrange(8) for offset in _draw(chance, data, count // 4)}
    return sorted(chosen)


def every_byte(path: Path, seed: int) -> list[int]:
    """A bit of every byte."""
    chance = random.Random(seed)
    return [8 * offset + chance.randrange(8) for offset in range(path.stat().st_size)]


def _draw(chance: random.Random, offsets: Sequence[int], count: int) -> Iterator[int]:
    for _ in range(count):
        yield chance.choice(offsets)


def flip(store: Path, bits: Sequence[int], report: Report, progress: bool = False) -> None:
    """Flip each bit of the specimen in ``store``, one at a time; add what came of it to a report.

    The process that reads is started again after a crash or a hang, and goes on with the next bit.
    """
    context = multiprocessing.get_context("spawn")
    position = 0
    while position < len(bits):
        ours, theirs = context.Pipe()
        reader = context.Process(
            target=_read_flipped, args=(theirs, store, bits[position:]), daemon=True
        )
        reader.start()
        theirs.close()
        try:
            while position < len(bits):
                if not ours.poll(PATIENCE):
                    _add(report, HUNG, bits[position], "nothing for so long")
                    break
                outcome, why = ours.recv()
                _add(report, outcome, bits[position], why)
                position += 1
                if progress and position % 1000 == 0:
                    print(f"{position} of {len(bits)}", file=sys.stderr)
        except EOFError:
            reader.join(PATIENCE)
            _add(report, CRASHED, bits[position], f"exit code {reader.exitcode}")
        position += position < len(bits)
        reader.kill()
        reader.join()
        ours.close()


def _add(report: Report, outcome: str, bit: int, why: str) -> None:
    report.outcomes[outcome] += 1
    if outcome not in (RIGHT, REFUSED):
        report.failures.append(f"bit {bit % 8} of byte {bit // 8}: {outcome}: {why}")


def _read_flipped(parent: Connection, store: Path, bits: Sequence[int]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    path = specimen.shots_file(store)
    whole = path.read_bytes()
    storage = specimen.open_store(store, read_only=True)
    wanted = specimen.reads()
    with storage.session() as session:
        expected = specimen.outcomes(session, wanted)
    for bit in bits:
        offset, mask = bit // 8, 1 << bit % 8
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(bytes([whole[offset] ^ mask]))
        try:
            parent.send(_judge(storage, wanted, expected))
        finally:
            with path.open("r+b") as file:
                file.seek(offset)
                file.write(whole[offset : offset + 1])


def _judge(
    storage: HDF5StorageManager, wanted: dict[str, Any], expected: dict[str, object]
) -> tuple[str, str]:
    try:
        with storage.session() as session:
            found = specimen.outcomes(session, wanted)
    except DamagedStorageError:
        return REFUSED, ""
    except BaseException as error:
        return WRONG, f"{type(error).__name__}: {error}"
    refused = [name for name, value in found.items() if value == specimen.REFUSED]
    wrong = [name for name in found if name not in refused and found[name] != expected[name]]
    if wrong:
        return WRONG, f"{wrong[0]} is {found[wrong[0]]!r:.200}"
    return (REFUSED, refused[0]) if refused else (RIGHT, "")


def main() -> int:
    """Flip as many bits as the command line says; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="how many bits to flip")
    parser.add_argument("--every-byte", action="store_true", help="flip a bit of every byte")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="shotstore-flip-"))
    try:
        store = root / "store"
        specimen.create_store(store)
        path = specimen.shots_file(store)
        bits = (
            every_byte(path, options.seed)
            if options.every_byte
            else sample(path, options.count, options.seed)
        )
        report = Report(path.stat().st_size)
        begin = time.monotonic()
        with suppress(KeyboardInterrupt):
            flip(store, bits, report, progress=True)
        print(report, f"\nin {time.monotonic() - begin:.0f} s")
    finally:
        shutil.rmtree(root)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
