"""Storages in memory with one fault each, which the suite has to find."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import evolve

from shotstore import ExperimentSession, PathHierarchy
from shotstore.memory import InMemoryStorageManager
from shotstore.memory.records import InMemoryRecords, InMemoryShot
from shotstore.memory.transaction import InMemoryTransaction
from shotstore.memory.tree import Place
from shotstore.model import Data
from shotstore.model.parameters import PlainParameter
from shotstore.model.quantities import without_unit
from shotstore.paths import AnyPath, as_path
from shotstore.records.content import SequenceRecord, ShotRecord
from shotstore.records.stored_shot import StoredShot
from shotstore.testing import serializer


class ChangesShots(InMemoryRecords):
    """Not a fault by itself: what is read of a shot goes through its methods."""

    def find_attempts(self, node: Place, index: int) -> Sequence[StoredShot]:
        return [self._changed(shot) for each, shot in node.sequence.shots if each == index]

    def _changed(self, shot: ShotRecord) -> StoredShot:
        parameters = {name: self.number(value) for name, value in shot.parameters.items()}
        data = {label: self.datum(value) for label, value in shot.data.items()}
        return InMemoryShot(evolve(shot, parameters=parameters, data=data))

    def number(self, number: PlainParameter) -> PlainParameter:
        return number

    def datum(self, value: Data) -> Data:
        return value


class LosesNaN(ChangesShots):
    def number(self, number: PlainParameter) -> PlainParameter:
        magnitude, unit = number
        is_nan = isinstance(magnitude, float) and math.isnan(magnitude)
        return (0.0, None) if unit is None and is_nan else number


class MakesIntsOfWholeFloats(ChangesShots):
    def datum(self, value: Data) -> Data:
        return int(value) if isinstance(value, float) and value.is_integer() else value


class ForgetsTheByteOrder(ChangesShots):
    def datum(self, value: Data) -> Data:
        if isinstance(value, np.ndarray):
            return value.astype(value.dtype.newbyteorder("="))
        return value


class ForgetsTheUnitOfWhatWasMeasured(ChangesShots):
    def datum(self, value: Data) -> Data:
        magnitude: Data = without_unit(value)[0]
        return magnitude


class ForgetsWhatNobodyElseCounts(InMemoryRecords):
    def read_record(self, node: Place) -> SequenceRecord:
        record = super().read_record(node)
        is_known = isinstance(record.iteration, dict) and record.iteration["type"] == "steps"
        return record if is_known else evolve(record, expected_number_of_shots=None)


class SortsTheShots(InMemoryRecords):
    def shot_indices(self, node: Place) -> Sequence[int]:
        return sorted(super().shot_indices(node))


class LeavesBehindWhatIsDeep(InMemoryRecords):
    def delete(self, node: Place) -> None:
        paths = self.transaction.content.paths
        below = {path: paths[path] for path in paths if path.is_descendant_of(node.path)}
        super().delete(node)
        for path in below:
            if path.parent != node.path:
                kept = {above: below[above] for above in path.get_ancestors() if above in below}
                paths.update({node.path: node.content, **kept, path: below[path]})


class ChangesBeforeItChecks(PathHierarchy):
    def move(self, source: AnyPath, destination: AnyPath) -> None:
        old, new = as_path(source), as_path(destination)
        if new.parent is not None and not new.is_descendant_of(old):
            self.create_path(new.parent)
        super().move(old, new)


class CommitsWhatFailed(InMemoryTransaction):
    def rollback(self) -> None:
        if self._is_writing and self._base is not None:
            self.memory.content = self.content
        super().rollback()


class ShowsReadersWhatIsNew(InMemoryTransaction):
    def _look(self) -> None:
        if not self._is_writing:
            self._base = None
        super()._look()


class LosesUpdates(InMemoryTransaction):
    def begin_writing(self) -> None:
        if not self._is_writing:
            self._base = None
        super().begin_writing()


FAULTS: dict[str, type[Any]] = {
    fault.__name__: fault
    for fault in (
        LosesNaN,
        MakesIntsOfWholeFloats,
        ForgetsTheByteOrder,
        ForgetsTheUnitOfWhatWasMeasured,
        ForgetsWhatNobodyElseCounts,
        SortsTheShots,
        ChangesBeforeItChecks,
        LeavesBehindWhatIsDeep,
        CommitsWhatFailed,
        ShowsReadersWhatIsNew,
        LosesUpdates,
    )
}


class FaultyStorageManager(InMemoryStorageManager):
    """A storage whose sessions, or parts of them, are of one of these classes."""

    def __init__(self, fault: str, **arguments: Any) -> None:
        super().__init__(**{"serializer": serializer(), **arguments})
        self._name_of_fault = fault
        self._fault = FAULTS[fault]

    def session(self, *, write: bool = False) -> ExperimentSession:
        session = super().session(write=write)
        if issubclass(self._fault, PathHierarchy):
            session.__class__ = type("Session", (_FaultyPaths,), {"fault": self._fault})
        return session

    def _begin(self) -> InMemoryRecords:
        records = super()._begin()
        if issubclass(self._fault, InMemoryTransaction | InMemoryRecords):
            is_transaction = issubclass(self._fault, InMemoryTransaction)
            faulty = records.transaction if is_transaction else records
            faulty.__class__ = self._fault
        return records

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _open, (self._name_of_fault, self._arguments)


class _FaultyPaths(ExperimentSession):
    fault: type[PathHierarchy]

    @property
    def paths(self) -> PathHierarchy:
        return self.fault(self._records_())


def _open(fault: str, arguments: dict[str, Any]) -> FaultyStorageManager:
    return FaultyStorageManager(fault, **arguments)
