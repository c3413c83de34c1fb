"""What `verify` and `recover` have to say."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen

from shotstore.paths import PureSequencePath

Progress: TypeAlias = Callable[[int, int], object]
"""Called now and then with the bytes, or shots, that are done, and how many there are."""

_MOST_LISTED = 12


@frozen
class Finding:
    """Something in a store that is not as shotstore would have left it."""

    severity: Literal["damage", "note"]
    """``damage``: something was lost, or cannot be read or reached. ``note``: nothing was lost."""
    file: Path
    """The file or directory that it is about."""
    problem: str
    """What was found, in a sentence."""
    remedy: str
    """What to do about it, in a sentence."""
    path: PureSequencePath | None = None
    """The path in the store that it is about."""


@frozen
class Report:
    """What `HDF5StorageManager.verify` has found."""

    root: Path
    findings: list[Finding] = field(factory=list)
    sequences: int = 0
    """How many sequences were read."""
    shots: int = 0
    """How many shots were read."""
    size: int = 0
    """How many bytes of ``shots.h5`` files were read."""

    @property
    def is_damaged(self) -> bool:
        """Whether any of the findings is damage."""
        return any(finding.severity == "damage" for finding in self.findings)


@frozen
class Recovered:
    """What `HDF5StorageManager.recover` has done to a sequence."""

    path: PureSequencePath
    repairs: tuple[str, ...] = ()
    """What was done, in sentences; nothing if nothing was damaged."""
    number_of_shots: int | None = None
    """How many shots the sequence has, if anything was done."""
    lost_shots: int = 0
    """How many shots could not be read at all."""
    incomplete_shots: Mapping[int, tuple[str, ...]] = field(factory=dict)
    """Which parameters and data of a shot could not be read, by its index."""
    lost_configuration: tuple[str, ...] = ()
    """The parts of the launch configuration that could not be read."""
    trash_entry: str | None = None
    """The entry of the trash that holds the damaged files."""


def listed(numbers: Iterable[int]) -> str:
    """Numbers for a sentence, the first of them if there are many: "3, 4, 7 and 20 more"."""
    numbers = list(numbers)
    first, more = numbers[:_MOST_LISTED], len(numbers) - _MOST_LISTED
    text = ", ".join(map(str, first))
    return f"{text} and {more} more" if more > 0 else text
