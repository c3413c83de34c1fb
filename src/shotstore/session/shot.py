"""A shot, as an object to work with."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from shotstore.model import Data, Parameter
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import as_shot_index, shown
from shotstore.records.values import DataId, ShotId
from shotstore.session.closest import naming_closest_sequence
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    from shotstore.session.sequence import Sequence


@attrs.frozen(repr=False)
class Shot:
    """A shot of a sequence.

    To build one reads nothing, and it keeps no data: each method asks the session of the sequence,
    and raises :class:`~shotstore.ShotNotFoundError` if the sequence has no shot of this index.
    """

    sequence: Sequence = attrs.field()
    index: int = attrs.field(converter=as_shot_index)
    """The place of the shot in the iteration of its sequence, from 0."""

    @sequence.validator
    def _check_sequence(self, attribute: object, sequence: object) -> None:
        del attribute
        if not hasattr(type(sequence), "get_shot"):
            raise TypeError(f"A Shot is of a Sequence, not of {shown(sequence)}.")

    @property
    def sequence_path(self) -> PureSequencePath:
        """The path of the sequence."""
        return self.sequence.path

    def get_start_time(self) -> datetime:
        """Return when the shot began, in UTC."""
        with self._sequences() as sequences:
            return sequences.get_shot_start_time(self.sequence_path, self.index)

    def get_end_time(self) -> datetime:
        """Return when the shot ended, in UTC."""
        with self._sequences() as sequences:
            return sequences.get_shot_end_time(self.sequence_path, self.index)

    def get_parameters(self) -> dict[str, Parameter]:
        """Return the parameters of the shot, by name."""
        with self._sequences() as sequences:
            return sequences.get_shot_parameters(self.sequence_path, self.index)

    def get_data(self) -> dict[str, Data]:
        """Return all data of the shot, by label, in the types and shapes that were stored."""
        with self._sequences() as sequences:
            return sequences.get_all_shot_data(self.sequence_path, self.index)

    def get_data_by_label(self, label: str) -> Data:
        """Return the data of the shot under one label.

        Raises:
            DataNotFoundError: it has none; the message names close labels.
        """
        with self._sequences() as sequences:
            return sequences.get_shot_data_by_label(
                DataId(ShotId(self.sequence_path, self.index), label)
            )

    def get_data_by_labels(self, labels: Collection[str]) -> dict[str, Data]:
        """Return the data of the shot under some labels, by label; the rest is not read.

        Raises:
            DataNotFoundError: it has no data under one or more of them; the message names them
                all, and close ones.
            TypeError: ``labels`` is a single text.
        """
        with self._sequences() as sequences:
            return sequences.get_shot_data_by_labels(self.sequence_path, self.index, labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.sequence)!r}, {self.index})"

    def _repr_html_(self) -> str:
        from shotstore.analysis.pictures.cards import shot_html

        return shot_html(repr(self), self.sequence._reading(), self.index)

    def _sequences(self) -> AbstractContextManager[SequenceCollection]:
        return naming_closest_sequence(self.sequence_path, self.sequence.session.sequences)
