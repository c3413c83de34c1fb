"""Storages in memory with one fault each, which the suite has to find."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shotstore import PathHierarchy, PureSequencePath, SequenceCollection, ShotId
from shotstore.memory import InMemoryStorageManager
from shotstore.memory.content import Content
from shotstore.memory.path_hierarchy import InMemoryPathHierarchy
from shotstore.memory.sequence_collection import InMemorySequenceCollection
from shotstore.memory.session import InMemoryExperimentSession
from shotstore.model import (
    Data,
    IterationConfiguration,
    Parameter,
    UnknownIterationConfiguration,
)
from shotstore.testing import serializer


class LosesNaN(InMemorySequenceCollection):
    def get_shot_parameters(self, path: PureSequencePath, shot_index: int) -> dict[str, Parameter]:
        return {
            name: 0.0 if isinstance(value, float) and math.isnan(value) else value
            for name, value in super().get_shot_parameters(path, shot_index).items()
        }


class MakesIntsOfWholeFloats(InMemorySequenceCollection):
    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        return {
            label: int(value) if isinstance(value, float) and value.is_integer() else value
            for label, value in super().get_all_shot_data(path, shot_index).items()
        }


class ForgetsTheByteOrder(InMemorySequenceCollection):
    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        return {
            label: value.astype(value.dtype.newbyteorder("="))
            if isinstance(value, np.ndarray)
            else value
            for label, value in super().get_all_shot_data(path, shot_index).items()
        }


class ForgetsWhatNobodyElseCounts(InMemorySequenceCollection):
    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration:
        iteration = super().get_iteration_configuration(path)
        if isinstance(iteration, UnknownIterationConfiguration):
            return UnknownIterationConfiguration(iteration.tag, iteration.content)
        return iteration


class SortsTheShots(InMemorySequenceCollection):
    def get_shots(self, path: PureSequencePath) -> list[ShotId]:
        return sorted(super().get_shots(path))


class ChangesBeforeItChecks(InMemoryPathHierarchy):
    def move(self, source: PureSequencePath, destination: PureSequencePath) -> None:
        if destination.parent is not None and not destination.is_descendant_of(source):
            self.create_path(destination.parent)
        super().move(source, destination)


class LeavesBehindWhatIsDeep(InMemoryPathHierarchy):
    def delete_path(self, path: PureSequencePath, delete_sequences: bool = False) -> None:
        content = self._session.writing()
        deep = {
            found: content.paths[found]
            for found in content.below(path)
            if len(found.parts) > len(path.parts) + 1
        }
        super().delete_path(path, delete_sequences)
        content.paths.update(deep)


class CommitsWhatFailed(InMemoryExperimentSession):
    def __exit__(self, *_: object) -> None:
        super().__exit__(None, None, None)


class ShowsReadersWhatIsNew(InMemoryExperimentSession):
    def reading(self) -> Content:
        if not self._is_writing:
            self._base = None
        return super().reading()


class LosesUpdates(InMemoryExperimentSession):
    def _begin_writing(self) -> None:
        self._base = None
        super()._begin_writing()


FAULTS: dict[str, type[Any]] = {
    fault.__name__: fault
    for fault in (
        LosesNaN,
        MakesIntsOfWholeFloats,
        ForgetsTheByteOrder,
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
        self._fault = fault

    def session(self, *, write: bool = False) -> InMemoryExperimentSession:
        fault = FAULTS[self._fault]
        is_session = issubclass(fault, InMemoryExperimentSession)

        class Session(fault if is_session else InMemoryExperimentSession):  # type: ignore[misc]
            @property
            def paths(self) -> PathHierarchy:
                is_meant = issubclass(fault, InMemoryPathHierarchy)
                return PathHierarchy(fault(self)) if is_meant else super().paths

            @property
            def sequences(self) -> SequenceCollection:
                is_meant = issubclass(fault, InMemorySequenceCollection)
                return SequenceCollection(fault(self)) if is_meant else super().sequences

        session = super().session(write=write)
        session.__class__ = Session
        return session

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _open, (self._fault, self._arguments)


def _open(fault: str, arguments: dict[str, Any]) -> FaultyStorageManager:
    return FaultyStorageManager(fault, **arguments)
