"""What a storage holds: values that are never changed, only replaced."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np

from shotstore.model import Data, DataSchema, DataType
from shotstore.model.quantities import InUnit
from shotstore.paths import PureSequencePath
from shotstore.records.additions import Additions, StoredAddition
from shotstore.records.content import LaunchRecord, SequenceRecord, Setting, ShotRecord


class Addition(StoredAddition):
    """See `StoredAddition`."""

    def __init__(self, additions: Additions, place: int) -> None:
        """One of what was stored at once."""
        self._additions = attrs.evolve(additions, results={})
        self._place = place
        self._results: dict[str, Data] = copied(additions.results_of(place))

    @property
    def row(self) -> int:
        return self._additions.rows[self._place]

    @property
    def index(self) -> int:
        return self._additions.indices[self._place]

    @property
    def time(self) -> datetime:
        return self._additions.time

    @property
    def by(self) -> str:
        return self._additions.by

    @property
    def tags(self) -> frozenset[str] | None:
        return self._additions.tags

    @property
    def note(self) -> str | None:
        return self._additions.note

    @property
    def types(self) -> Mapping[str, DataType]:
        return DataSchema.of(self._results)

    def results(self, names: Collection[str]) -> dict[str, Data]:
        return {name: copied(self._results[name]) for name in names}


@attrs.frozen
class Folder:
    """A path that holds others."""

    created: datetime
    note: str = ""


@attrs.frozen
class Sequence:
    """A sequence with its shots, and their indices, in the order they were recorded."""

    record: SequenceRecord
    launch: LaunchRecord | None = None
    shots: tuple[tuple[int, ShotRecord], ...] = ()
    additions: tuple[Addition, ...] = ()
    """What was added to them later, in the order of storing."""


@attrs.define
class Content:
    """Everything in a storage."""

    paths: dict[PureSequencePath, Folder | Sequence] = attrs.field(
        factory=lambda: {PureSequencePath.root(): Folder(datetime.min.replace(tzinfo=UTC))}
    )
    settings: dict[Setting, Mapping[str, Any]] = attrs.field(factory=dict)

    def copy(self) -> "Content":
        """Return a content that is changed without changing this one."""
        return Content(self.paths.copy(), self.settings.copy())


def copied(value: Any) -> Any:
    """Return a copy of data that shares nothing with it."""
    if isinstance(value, list):
        return [copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(copied(item) for item in value)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, InUnit):
        return attrs.evolve(value, magnitude=copied(value.magnitude))
    if isinstance(value, np.ndarray) and value.itemsize:
        return value.copy()
    # Of an array without room for its items a copy would have some.
    return value
