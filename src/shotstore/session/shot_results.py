"""Results of shots, and the tags and notes on them: stored at any time after the shots."""

from collections.abc import Collection, Mapping
from typing import Literal, overload

from shotstore.model import Data, DataSchema
from shotstore.model.scalars import check_text
from shotstore.paths import AnyPath, as_path
from shotstore.records.annotations import check_note, check_tags
from shotstore.records.arguments import as_flag, as_shot_index, as_texts
from shotstore.records.result_reader import ResultReader
from shotstore.records.result_rules import check_result_columns, check_results
from shotstore.records.values import StoredResults
from shotstore.session.shot_collection import ShotCollection


class ResultCollection(ShotCollection):
    """What a :class:`~shotstore.SequenceCollection` does with what is found for shots later."""

    def set_results(
        self, path: AnyPath, shot_index: int, results: Mapping[str, Data], *, by: str = ""
    ) -> None:
        """Store what an analysis has found for a shot: at any time after it, also while the
        sequence runs on.

        What was recorded does not change. Of a result that is stored again, the newest counts, and
        the earlier ones are kept; one that is stored as None is taken away.

        Args:
            path: The sequence.
            shot_index: The shot.
            results: Numbers, texts, arrays or other data, by name. Others that the shot has stay.
            by: What has found them, to be told later: ``"fit_cloud 1.2"``.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            ValueError: a name is that of a recorded label or parameter, or cannot be stored; or
                there are no results.
            TypeError: a value is of a type that cannot be stored, or an argument of another type.
        """
        index, found = as_shot_index(shot_index), check_results(results)
        self._writer(path).add_results([index], found, check_text(by, "by"))

    def set_many_results(self, path: AnyPath, columns: object, *, by: str = "") -> None:
        """Store what an analysis has found for many shots at once, as :meth:`set_results` does for
        one.

        Args:
            path: The sequence.
            columns: A dict of columns, or a frame of polars or pandas. Its column ``shot_index``
                says of which shots the others are, each a result by its name: an array with an
                item for each shot, or a list. None, and null in a frame, takes a result away.
            by: What has found them.

        Raises:
            ShotNotFoundError: the sequence has no shot of one of the indices.
            ValueError: there is no ``shot_index``, or a shot comes twice in it; the columns are of
                different lengths; or as for :meth:`set_results`. Nothing was stored.
            TypeError: a value is of a type that cannot be stored, or an argument of another type.
        """
        place = as_path(path)
        indices, found = check_result_columns(place, columns)
        self._writer(place).add_results(indices, found, check_text(by, "by"))

    @overload
    def get_results(
        self, path: AnyPath, shot_index: int, *, history: Literal[False] = False
    ) -> dict[str, Data]: ...

    @overload
    def get_results(
        self, path: AnyPath, shot_index: None = None, *, history: Literal[False] = False
    ) -> dict[int, dict[str, Data]]: ...

    @overload
    def get_results(
        self, path: AnyPath, shot_index: int | None = None, *, history: Literal[True]
    ) -> list[StoredResults]: ...

    def get_results(
        self, path: AnyPath, shot_index: int | None = None, *, history: bool = False
    ) -> dict[str, Data] | dict[int, dict[str, Data]] | list[StoredResults]:
        """Return the results of shots.

        Args:
            path: The sequence.
            shot_index: A shot; by default all of them.
            history: Whether to return all that was ever stored, and not only what counts.

        Returns:
            Those of the shot by name; of all shots, the same by shot index, for those that have
            some. With ``history`` a list of :class:`~shotstore.StoredResults`, in the order of
            storing.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        index = None if shot_index is None else as_shot_index(shot_index)
        reader = self._results(path)
        if as_flag(history, "history"):
            return reader.get_history(index)
        return reader.get_all_results() if index is None else reader.get_results(index)

    def remove_results(
        self, path: AnyPath, names: Collection[str], shot_index: int | None = None
    ) -> None:
        """Take results away; they stay in the history.

        Args:
            path: The sequence.
            names: Those of the results.
            shot_index: A shot; by default all that have them.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            DataNotFoundError: no shot has a result of one of the names. Nothing was changed.
            TypeError: ``names`` is a single text.
        """
        index = None if shot_index is None else as_shot_index(shot_index)
        self._writer(path).remove_results(as_texts(names, "names"), index)

    def get_result_schema(self, path: AnyPath) -> DataSchema:
        """Return the type and shape of the results that the shots have, by name."""
        return self._results(path).get_newest().types

    # Tags and notes on shots

    def get_shot_tags(self, path: AnyPath, shot_index: int) -> set[str]:
        """Return the tags of a shot.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return set(self._results(path).get_tags(as_shot_index(shot_index)))

    def set_shot_tags(self, path: AnyPath, shot_index: int, tags: Collection[str]) -> None:
        """Replace the tags of a shot, at any time after it.

        Args:
            path: The sequence.
            shot_index: The shot.
            tags: As those of a sequence, see :meth:`SequenceCollection.set_tags`.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            ValueError: one of them is not a tag.
            TypeError: one is not a text, or they are a single text.
        """
        index, checked = as_shot_index(shot_index), check_tags(tags)
        self._writer(path).annotate_shot(index, tags=checked)

    def get_shot_note(self, path: AnyPath, shot_index: int) -> str:
        """Return the note on a shot; empty if there is none.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._results(path).get_note(as_shot_index(shot_index))

    def set_shot_note(self, path: AnyPath, shot_index: int, note: str) -> None:
        """Replace the note on a shot, at any time after it.

        Args:
            path: The sequence.
            shot_index: The shot.
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            ValueError: it holds a lone surrogate.
            TypeError: it is not a text.
        """
        index, checked = as_shot_index(shot_index), check_note(note)
        self._writer(path).annotate_shot(index, note=checked)

    def _results(self, path: AnyPath) -> ResultReader:
        return self._reader(path).results
