"""What is added to shots after they were recorded: results of an analysis, tags and notes.

All of it is kept as it was stored, one addition after the other, and the newest counts. An addition
belongs to a recorded row, the k-th shot that was recorded.
"""

import abc
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.model import Data, DataSchema, DataType
from shotstore.records.columns import Column, missing

Numbers: TypeAlias = npt.NDArray[np.int64]
"""Rows of shots, or of additions: their places in the order in which they were stored."""

ResultColumn: TypeAlias = npt.NDArray[Any] | Sequence[Data]
"""The values of one result, one for each of some shots: an array whose items are of one type and
shape along its first dimension, or data as `shotstore.model.check_data` returns it."""


@attrs.frozen(eq=False)
class Additions:
    """What is stored at once, of shots each of which comes once."""

    rows: Sequence[int]
    """Those of the shots."""
    indices: Sequence[int]
    """Those of the shots."""
    time: datetime
    """When, in UTC."""
    by: str = ""
    """By what."""
    results: Mapping[str, ResultColumn] = attrs.field(factory=dict)
    """By name; None takes a result away."""
    tags: frozenset[str] | None = None
    """All that each of the shots has from then on; None where that does not change."""
    note: str | None = None
    """That on each of the shots from then on; None where it does not change."""

    def results_of(self, place: int) -> dict[str, Data]:
        """Return what is stored of one of the shots."""
        return {name: _item(column[place]) for name, column in self.results.items()}


def _item(value: Any) -> Data:
    plain: Data = value.item() if isinstance(value, np.generic) else value
    return plain


class StoredAddition(abc.ABC):
    """An addition, to be read inside the job that has found it."""

    @property
    @abc.abstractmethod
    def row(self) -> int:
        """That of its shot."""

    @property
    @abc.abstractmethod
    def index(self) -> int:
        """That of its shot."""

    @property
    @abc.abstractmethod
    def time(self) -> datetime:
        """When it was stored, in UTC."""

    @property
    @abc.abstractmethod
    def by(self) -> str:
        """By what it was stored."""

    @property
    @abc.abstractmethod
    def tags(self) -> frozenset[str] | None:
        """All tags that the shot has from then on; None where it stores none."""

    @property
    @abc.abstractmethod
    def note(self) -> str | None:
        """The note on the shot from then on; None where it stores none."""

    @property
    @abc.abstractmethod
    def types(self) -> Mapping[str, DataType]:
        """What its results are, by name; ``none`` where one was taken away."""

    @abc.abstractmethod
    def results(self, names: Collection[str]) -> dict[str, Data]:
        """Return some of its results, which belong to the caller."""


@attrs.frozen(eq=False)
class AdditionIndex:
    """Which additions there are of a sequence, and what they are about."""

    rows: Numbers
    """The row of the shot of each addition."""
    results: Mapping[str, tuple[Numbers, npt.NDArray[np.bool_]]]
    """By name, the additions that store or take away this result, and which of them store it."""
    tags: Numbers
    """The additions that store tags."""
    notes: Numbers
    """The additions that store a note."""

    @classmethod
    def of(cls, additions: Sequence[StoredAddition]) -> "AdditionIndex":
        """Return the index of additions that are known one by one."""
        found: dict[str, list[tuple[int, bool]]] = {}
        for number, addition in enumerate(additions):
            for name, kind in addition.types.items():
                found.setdefault(name, []).append((number, kind.kind != "none"))
        return cls(
            np.array([addition.row for addition in additions], np.int64),
            {
                name: (
                    np.array([number for number, _ in each], np.int64),
                    np.array([is_stored for _, is_stored in each], bool),
                )
                for name, each in found.items()
            },
            _numbers(addition.tags is not None for addition in additions),
            _numbers(addition.note is not None for addition in additions),
        )

    def newest(self, rows: Collection[int]) -> "NewestAdditions":
        """Return what counts of the shots in some rows."""
        counts = np.zeros(max(rows, default=-1) + 1, bool)
        counts[list(rows)] = True
        results = {}
        for name, (numbers, is_stored) in self.results.items():
            newest = self._newest(numbers, counts)
            is_there = np.zeros(len(self.rows), bool)
            is_there[numbers] = is_stored
            newest[(newest >= 0) & ~is_there[newest]] = -1
            if (newest >= 0).any():
                results[name] = newest
        return NewestAdditions(
            results, self._newest(self.tags, counts), self._newest(self.notes, counts)
        )

    def _newest(self, numbers: Numbers, counts: npt.NDArray[np.bool_]) -> Numbers:
        newest = np.full(len(counts), -1, np.int64)
        rows = self.rows[numbers]
        is_seen = rows < len(counts)
        is_seen[is_seen] = counts[rows[is_seen]]
        newest[rows[is_seen]] = numbers[is_seen]  # of a row that comes twice, the last one stays
        return newest


@attrs.frozen(eq=False)
class NewestAdditions:
    """The number of the addition that counts, for each row of the shots; -1 where there is none."""

    results: Mapping[str, Numbers]
    """By name; those that at least one shot has."""
    tags: Numbers
    notes: Numbers


@attrs.frozen(eq=False)
class NewestResults:
    """The results that count, and where they are."""

    additions: NewestAdditions
    types: DataSchema
    row_of: Mapping[int, int]
    """The row that counts of each shot, by its index."""

    def rows(self, indices: npt.NDArray[np.int64]) -> Numbers:
        """Return the rows of the shots of these indices."""
        return np.array([self.row_of[index] for index in indices.tolist()], np.int64)


def spread(column: Column, is_present: npt.NDArray[np.bool_]) -> Column:
    """Return the values of some shots as a column of all of them.

    Args:
        column: The values of those that have one.
        is_present: Which those are.
    """
    if is_present.all():
        return column
    values = column.values
    everyone: npt.NDArray[Any] = np.empty((len(is_present), *values.shape[1:]), values.dtype)
    everyone[is_present] = values
    everyone[~is_present] = None if values.dtype.kind == "O" else missing(values.dtype)
    has_one = np.zeros(len(is_present), bool)
    has_one[is_present] = column.is_present
    return Column(everyone, has_one)


def _numbers(flags: Iterator[bool]) -> Numbers:
    return np.flatnonzero(np.array(list(flags), bool)).astype(np.int64)
