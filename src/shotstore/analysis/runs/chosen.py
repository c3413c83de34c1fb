r"""Which sequences are meant: by their paths, by folders, by patterns, or as they were found."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Protocol, Self, TypeAlias

import attrs

from shotstore.analysis.finding.path_patterns import PathPattern
from shotstore.errors import PathError, PathNotFoundError
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import shown
from shotstore.records.closest_names import note_closest_path
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.storage_reader import ReadableStorage, StorageReader


class _WithPath(Protocol):
    """A :class:`~shotstore.SequenceSummary` or a :class:`~shotstore.Sequence`."""

    @property
    def path(self) -> PureSequencePath: ...


AnyRun: TypeAlias = str | PureSequencePath | _WithPath
AnyRuns: TypeAlias = AnyRun | Iterable[AnyRun]
"""A path of a sequence or of a folder with all that is in it, a pattern as for `find`, something
that was found; or several of these."""


_MOST_AT_ONCE = 50
"""Sequences that are looked at in one session, which keeps their files open"""


@attrs.frozen
class Runs:
    """Sequences of a storage, which are looked up when they are asked for.

    Attributes:
        storage: Where they are.
        is_one: Whether one path is meant, not several and no pattern.
    """

    storage: ReadableStorage
    _asked: tuple[PureSequencePath | PathPattern, ...]
    is_one: bool

    @classmethod
    def of(cls, storage: ReadableStorage, asked: AnyRuns) -> Self:
        """Return the sequences that are meant.

        Raises:
            PathNotFoundError: the list of them is empty.
            InvalidPathFormatError: a text is not a path or a pattern.
            TypeError: something is neither of these.
        """
        if isinstance(asked, str | PureSequencePath) or hasattr(asked, "path"):
            only = _one(asked)
            return cls(storage, (only,), isinstance(only, PureSequencePath))
        if not isinstance(asked, Iterable):
            raise _not_a_run_error(asked)
        several = tuple(map(_one, asked))
        if not several:
            raise PathNotFoundError(
                "No sequence is asked for, the list of them is empty: if it was found, look for it "
                "with other conditions."
            )
        return cls(storage, several, is_one=False)

    def paths(self) -> list[PureSequencePath]:
        """Return their paths, in order, each once.

        Raises:
            PathNotFoundError: nothing is at a path, or no sequence matches a pattern.
        """
        with self.storage.session() as session:
            reader = session._reader_()
            found = {path for asked in self._asked for path in _found(reader, asked)}
        return sorted(found, key=attrgetter("parts"))

    def only(self) -> PureSequencePath | None:
        """Return the path of the sequence, where one path is meant, which is not a folder's.

        Raises:
            PathNotFoundError: as `paths` does.
        """
        paths = self.paths()
        return paths[0] if self.is_one and list(self._asked) == paths else None

    def readers(self) -> Iterator[SequenceReader]:
        """Yield the readers of those that are there, each to be used before the next is asked for.

        One that was moved or deleted since the paths were listed is left out.
        """
        for reader in in_sessions(self.storage, self.paths()):
            try:
                reader.get_stats()
            except PathError:
                continue
            yield reader


def in_sessions(
    storage: ReadableStorage, paths: Sequence[PureSequencePath]
) -> Iterator[SequenceReader]:
    """Yield the readers of sequences, each to be used before the next is asked for."""
    for start in range(0, len(paths), _MOST_AT_ONCE):
        with storage.session() as session:
            for path in paths[start : start + _MOST_AT_ONCE]:
                yield session._reader_().get_sequence(path)


def _one(asked: object) -> PureSequencePath | PathPattern:
    asked = getattr(asked, "path", asked)
    if isinstance(asked, PureSequencePath):
        return asked
    if not isinstance(asked, str):
        raise _not_a_run_error(asked)
    pattern = PathPattern.parse(asked)
    return pattern if pattern.has_wildcards else PureSequencePath(asked)


def _not_a_run_error(value: object) -> TypeError:
    return TypeError(
        "Sequences are asked for by a path, a pattern, what find has returned, or a list of these, "
        f"not {shown(value)}."
    )


def _found(
    reader: StorageReader, asked: PureSequencePath | PathPattern
) -> Iterator[PureSequencePath]:
    if isinstance(asked, PureSequencePath):
        try:
            yield from reader.get_contained_sequences(asked)
        except PathNotFoundError as error:
            note_closest_path(error, asked, lambda: _all(reader))
            raise
        return
    found = []
    with suppress(PathNotFoundError):
        found = [each for each in reader.get_contained_sequences(asked.base) if asked.matches(each)]
    if not found:
        raise PathNotFoundError(
            f"No sequence matches '{asked}': * is any text in a name, ** any number of names."
        )
    yield from found


def _all(reader: StorageReader) -> set[PureSequencePath]:
    return reader.get_contained_sequences(PureSequencePath.root())
