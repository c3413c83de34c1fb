"""Flip single bits all over a ``shots.h5``, and read everything each time.

Try more of them than the tests do, or a bit of every byte:

    python -m tests.damage.flip --count 20000
    python -m tests.damage.flip --every-byte
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import h5py
from attrs import field, frozen

from tests.damage import specimen
from tests.damage.reader import CRASHED, HUNG, REFUSED, RIGHT, WRONG, Outcome, Reader


@frozen
class Report:
    """What came of all flips."""

    size: int
    """Of the file, in bytes."""
    outcomes: Counter[str] = field(factory=Counter)
    failures: list[str] = field(factory=list)
    """One line for each flip that was neither right nor refused."""

    def add(self, bit: int, outcome: Outcome) -> None:
        """Note what came of a flip."""
        self.outcomes[outcome.kind] += 1
        if not outcome.is_safe:
            place = f"bit {bit % 8} of byte {bit // 8}"
            self.failures.append(f"{place}: {outcome.kind}: {outcome.why}")

    def __str__(self) -> str:
        counts = ", ".join(
            f"{self.outcomes[kind]} {kind}" for kind in (RIGHT, REFUSED, WRONG, CRASHED, HUNG)
        )
        tried = f"{self.outcomes.total()} of {8 * self.size} bits flipped: {counts}"
        return "\n".join([tried, *self.failures])


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
    """Bits drawn at random, three of four in metadata."""
    chance = random.Random(seed)
    metadata = metadata_bytes(path)
    data = sorted(set(range(path.stat().st_size)) - set(metadata))
    offsets = [
        *chance.choices(metadata, k=count - count // 4),
        *chance.choices(data, k=count // 4),
    ]
    return [8 * offset + chance.randrange(8) for offset in offsets]


def every_byte(path: Path, seed: int) -> list[int]:
    """A bit of every byte, in random order."""
    chance = random.Random(seed)
    bits = [8 * offset + chance.randrange(8) for offset in range(path.stat().st_size)]
    chance.shuffle(bits)
    return bits


def flip(store: Path, bits: Iterable[int], report: Report, *, progress: bool = False) -> None:
    """Flip bits of the specimen in ``store``, one at a time; add what came of it to a report."""
    path = specimen.shots_file(store)
    whole = path.read_bytes()
    with Reader(store) as reader:
        for number, bit in enumerate(bits, start=1):
            offset = bit // 8
            _write(path, offset, whole[offset] ^ 1 << bit % 8)
            report.add(bit, reader.read())
            _write(path, offset, whole[offset])
            if progress and number % 1000 == 0:
                print(report, file=sys.stderr, flush=True)
    assert path.read_bytes() == whole, "reading has changed the file"


def _write(path: Path, offset: int, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes([byte]))


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
        bits = every_byte(path, options.seed)
        if not options.every_byte:
            bits = sample(path, options.count, options.seed)
        report = Report(path.stat().st_size)
        begin = time.monotonic()
        with suppress(KeyboardInterrupt):
            flip(store, bits, report, progress=True)
        print(report)
        print(f"in {time.monotonic() - begin:.0f} s")
    finally:
        shutil.rmtree(root)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
