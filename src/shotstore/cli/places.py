"""Paths as people type them, looked up: a misspelt one is answered with the closest there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shotstore.errors import PathIsNotSequenceError, PathNotFoundError
from shotstore.paths import PureSequencePath
from shotstore.records.closest_names import closest_path

if TYPE_CHECKING:
    from shotstore import Sequence, StorageManager
    from shotstore.analysis.runs import Runs
    from shotstore.session import ExperimentSession


def find_path(session: "ExperimentSession", text: str | None) -> PureSequencePath:
    """Return the path that was typed, by default the root.

    Raises:
        InvalidPathFormatError: it is not a path.
        PathNotFoundError: nothing is there; the message names the closest path.
    """
    path = PureSequencePath.root() if text is None else PureSequencePath(text)
    if not session.paths.does_path_exists(path):
        closest = closest_path(path, session.paths.get_all_paths())
        hint = "The store is empty." if closest is None else f"The closest one is {closest}"
        raise PathNotFoundError(f"Nothing is at {path}. {hint}")
    return path


def find_sequence(session: "ExperimentSession", text: str) -> PureSequencePath:
    """Return the path of the sequence that was typed.

    Raises:
        InvalidPathFormatError: it is not a path.
        PathNotFoundError: nothing is there; the message names the closest path.
        PathIsNotSequenceError: it is a folder.
    """
    path = find_path(session, text)
    if not session.sequences.is_sequence(path):
        raise PathIsNotSequenceError(
            f"{path} is a folder, and one sequence is asked for: `shotstore ls "
            f"{typed(path)}` names what is in it."
        )
    return path


@contextmanager
def sequences_at(storage: "StorageManager", texts: list[str]) -> Iterator["Sequence | Runs"]:
    """Give the sequence that was typed; or the sequences, where there are several paths, or that of
    a folder, or a pattern.

    Raises:
        InvalidPathFormatError: a text is not a path.
        PathNotFoundError: nothing is there; the message names the closest path.
    """
    from shotstore.analysis.finding.path_patterns import has_wildcards
    from shotstore.analysis.runs import Runs

    asked = Runs.of(storage, texts[0] if len(texts) == 1 else texts)
    with storage.session() as session:
        for text in texts:
            if not has_wildcards(text):
                find_path(session, text)
        if (only := asked.only()) is not None:
            yield session.get_sequence(only)
            return
    yield asked


def typed(path: PureSequencePath) -> str:
    """Return the path as it is typed in a shell."""
    text = "/".join(path.parts)
    is_plain = all(c.isalnum() or c in "_-./+=@%,:" for c in text) and "/" not in "".join(
        path.parts
    )
    return text if is_plain and text else f"'{path}'"
