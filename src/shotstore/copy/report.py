"""What is said of a copy: how far it is, what became of it."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs

from shotstore.errors import StorageError
from shotstore.paths import PureSequencePath

Existing: TypeAlias = Literal["error", "skip"]

IS_THERE = "it is in the destination already"
"""Why a sequence is skipped, as a clause."""

_MOST_NAMED = 3


@attrs.frozen
class CopyProgress:
    """How far a copy is."""

    sequences: int
    """That are done with, copied or not."""
    all_sequences: int
    shots: int
    all_shots: int
    size: int
    """Bytes that were copied."""


Progress: TypeAlias = Callable[[CopyProgress], object]


@attrs.frozen
class Copied:
    """What a copy has done."""

    sequences: tuple[PureSequencePath, ...]
    """That were copied."""
    shots: int
    """In them."""
    size: int
    """Bytes in their shots: of the files, where files were copied; else of the values, an array
    counted as it is in memory."""
    skipped: Mapping[PureSequencePath, str]
    """Sequences that were left out, with the reason as a clause: they are in the destination
    already, they are running, or they were moved or deleted meanwhile."""
    failed: Mapping[PureSequencePath, Exception]
    """Sequences that could not be copied, and folders that could not be looked into, and why."""


class IncompleteCopyError(StorageError):
    """Some sequences of a folder could not be copied; all others were."""

    def __init__(self, copied: Copied) -> None:
        """``copied`` is what was done, with at least one failure."""
        self.copied = copied
        """What was copied, and what was not."""
        failed = list(copied.failed.items())
        reasons = [f"{path}: {error}" for path, error in failed[:_MOST_NAMED]]
        if len(failed) > _MOST_NAMED:
            reasons.append(f"... and {len(failed) - _MOST_NAMED} more, in the error's `copied`")
        super().__init__(
            f"{len(failed)} of {len(failed) + len(copied.sequences)} sequences could not be "
            f"copied, all others were. {' '.join(reasons)}"
        )

    def __reduce__(self) -> tuple[type["IncompleteCopyError"], tuple[Copied]]:
        return type(self), (self.copied,)
