"""What analysis reads: one sequence, or what is known of all sequences of a storage.

A reader belongs to a session, and reads when it is asked. People hand over a `Sequence`, or a
storage; each gives its reader by a method called ``_reader_``, so that analysis need not know them.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import attrs

from shotstore.model import (
    Data,
    DataSchema,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
)
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.stored_paths import StoredPaths
from shotstore.records.stored_sequences import StoredSequences
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import SequenceStats
from shotstore.tracebacks import TracebackSummary


@attrs.frozen(eq=False)
class SequenceReader:
    """One sequence of a session.

    Each method does what that of :class:`~shotstore.SequenceCollection` says, and what it is given
    has been checked.
    """

    path: PureSequencePath
    _sequences: StoredSequences

    def get_stats(self) -> SequenceStats:
        return self._sequences.get_stats(self.path)

    def get_summary(self) -> SequenceSummary:
        for summary in self._sequences.get_summaries(self.path):
            if summary.path == self.path:
                return summary
        raise path_rules.path_is_not_sequence_error(self.path)

    def get_exception(self) -> TracebackSummary:
        return self._sequences.get_exception(self.path)

    # The recipe

    def get_iteration_configuration(self) -> IterationConfiguration:
        return self._sequences.get_iteration_configuration(self.path)

    def get_time_lanes(self) -> TimeLanes:
        return self._sequences.get_time_lanes(self.path)

    def get_global_parameters(self) -> ParameterNamespace:
        return self._sequences.get_global_parameters(self.path)

    # One shot

    def get_shot_start_time(self, index: int) -> datetime:
        return self._sequences.get_shot_start_time(self.path, index)

    def get_shot_end_time(self, index: int) -> datetime:
        return self._sequences.get_shot_end_time(self.path, index)

    def get_shot_parameters(self, index: int) -> dict[str, Parameter]:
        return self._sequences.get_shot_parameters(self.path, index)

    def get_all_shot_data(self, index: int) -> dict[str, Data]:
        return self._sequences.get_all_shot_data(self.path, index)

    # All shots

    def get_parameter_schema(self) -> ParameterSchema:
        return self._sequences.get_parameter_schema(self.path)

    def get_data_schema(self) -> DataSchema:
        return self._sequences.get_data_schema(self.path)

    def has_wide_integers(self) -> bool:
        """Return whether an integer beyond 64 bits is among the parameters and numbers."""
        return self._sequences.has_wide_integers(self.path)

    def get_structures(self, labels: Collection[str]) -> dict[str, list[Structure]]:
        """Return the structures that the data under some labels has, each once, by label.

        They are in the order of the shots that have them. Shots without data under a label count
        for nothing.
        """
        return self._sequences.get_structures(self.path, labels)

    def get_columns(
        self,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        return self._sequences.get_columns(
            self.path, parameters=parameters, labels=labels, rows=rows
        )


@attrs.frozen(eq=False)
class StorageReader:
    """All sequences of a session.

    Each method does what that of the session, or of its collections, says.
    """

    _sequences: StoredSequences
    _paths: StoredPaths
    get_global_parameters: Callable[[], ParameterNamespace]

    def get_sequence(self, path: PureSequencePath) -> SequenceReader:
        """Return the reader of a sequence, which need not exist before it is asked."""
        return SequenceReader(path, self._sequences)

    def get_all_paths(self) -> set[PureSequencePath]:
        return self._paths.get_all_paths()

    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        return self._sequences.get_contained_sequences(path)

    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        return self._sequences.get_sequences_with_text(path, text)

    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        return self._sequences.get_summaries(path)


class ReadableSequence(Protocol):
    """A :class:`~shotstore.Sequence`."""

    def _reader_(self) -> SequenceReader:
        """Return its reader.

        Raises:
            PathNotFoundError: nothing is at the path; a note names the closest sequence.
            PathIsNotSequenceError: a folder is.
        """
        ...


class ReadableSession(Protocol):
    """An :class:`~shotstore.ExperimentSession`."""

    def _reader_(self) -> StorageReader: ...


class ReadableStorage(Protocol):
    """A :class:`~shotstore.StorageManager`."""

    def session(self) -> AbstractContextManager[ReadableSession]: ...
