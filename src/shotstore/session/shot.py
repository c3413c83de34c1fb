"""A shot, as an object to work with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Literal, overload

import attrs

from shotstore.model import Data, Parameter
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import as_flag, as_shot_index, shown
from shotstore.records.values import Attempt, DataId, ShotId, StoredResults
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

    @property
    def attempts(self) -> list[Attempt]:
        """How the shot was recorded before it was taken again, the first attempt first; empty for
        most shots. All else that is read of the shot is of the last one, which is not among
        these."""
        with self._sequences() as sequences:
            return sequences.get_shot_attempts(self.sequence_path, self.index)

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

    # What is found later

    def set_results(self, results: Mapping[str, Data], *, by: str = "") -> None:
        """Store what an analysis has found for the shot: at any time after it, also while the
        sequence runs on.

        What was recorded does not change. Of a result that is stored again, the newest counts, and
        the earlier ones are kept; one that is stored as None is taken away.

        Args:
            results: Numbers, texts, arrays or other data, by name. Others that the shot has stay.
            by: What has found them, to be told later: ``"fit_cloud 1.2"``.

        Raises:
            ValueError: a name is that of a recorded label or parameter, or cannot be stored; or
                there are no results.
            TypeError: a value is of a type that cannot be stored, or an argument of another type.
        """
        with self._sequences() as sequences:
            sequences.set_results(self.sequence_path, self.index, results, by=by)

    @overload
    def get_results(self, *, history: Literal[False] = False) -> dict[str, Data]: ...

    @overload
    def get_results(self, *, history: Literal[True]) -> list[StoredResults]: ...

    def get_results(self, *, history: bool = False) -> dict[str, Data] | list[StoredResults]:
        """Return the results of the shot that count, by name.

        Args:
            history: Whether to return all that was ever stored instead, as a list of
                :class:`~shotstore.StoredResults` in the order of storing.
        """
        with self._sequences() as sequences:
            path, index = self.sequence_path, self.index
            if as_flag(history, "history"):
                return sequences.get_results(path, index, history=True)
            return sequences.get_results(path, index)

    def remove_results(self, names: Collection[str]) -> None:
        """Take results of the shot away, by their names; they stay in the history.

        Raises:
            DataNotFoundError: it has no result of one of the names. Nothing was changed.
            TypeError: ``names`` is a single text.
        """
        with self._sequences() as sequences:
            sequences.remove_results(self.sequence_path, names, self.index)

    def get_tags(self) -> set[str]:
        """Return the tags of the shot."""
        with self._sequences() as sequences:
            return sequences.get_shot_tags(self.sequence_path, self.index)

    def set_tags(self, tags: Collection[str]) -> None:
        """Replace the tags of the shot, at any time after it.

        Args:
            tags: As those of a sequence, see :meth:`Sequence.set_tags`.

        Raises:
            ValueError: one of them is not a tag.
            TypeError: one is not a text, or they are a single text.
        """
        with self._sequences() as sequences:
            sequences.set_shot_tags(self.sequence_path, self.index, tags)

    def add_tag(self, tag: str) -> None:
        """Give the shot a tag, which it may have already: ``shot.add_tag("bad")``.

        Raises:
            ValueError: it is not a tag.
            TypeError: it is not a text.
        """
        self.set_tags([*self.get_tags(), tag])

    def remove_tag(self, tag: str) -> None:
        """Take a tag from the shot, if it has it.

        Raises:
            TypeError: it is not a text.
        """
        self.set_tags(self.get_tags() - {check_text(tag, "A tag")})

    def get_note(self) -> str:
        """Return the note on the shot; empty if there is none."""
        with self._sequences() as sequences:
            return sequences.get_shot_note(self.sequence_path, self.index)

    def set_note(self, note: str) -> None:
        """Replace the note on the shot, at any time after it.

        Args:
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            ValueError: it holds a lone surrogate.
            TypeError: it is not a text.
        """
        with self._sequences() as sequences:
            sequences.set_shot_note(self.sequence_path, self.index, note)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.sequence)!r}, {self.index})"

    def _repr_html_(self) -> str:
        from shotstore.analysis.pictures.cards import shot_html

        return shot_html(repr(self), self.sequence._reading(), self.index)

    def _sequences(self) -> AbstractContextManager[SequenceCollection]:
        return naming_closest_sequence(self.sequence_path, self.sequence.session.sequences)
