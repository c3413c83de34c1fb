"""What people put tags and notes on: a path, or a shot of a sequence, typed as ``PATH#17``."""

from typing import TYPE_CHECKING

import attrs

from shotstore.cli.places import find_path, find_sequence
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.session import ExperimentSession

SHOT_HELP = "A sequence, such as 2026/rabi, or a shot of it, such as '2026/rabi#17'"


@attrs.frozen
class Noted:
    """A folder, a sequence or a shot."""

    path: PureSequencePath
    index: int | None = None
    """That of a shot."""

    def __str__(self) -> str:
        return str(self.path) if self.index is None else f"{self.path}#{self.index}"

    def get_tags(self, session: "ExperimentSession") -> set[str]:
        """Return its tags."""
        if self.index is None:
            return session.sequences.get_tags(self.path)
        return session.sequences.get_shot_tags(self.path, self.index)

    def set_tags(self, session: "ExperimentSession", tags: set[str]) -> None:
        """Replace its tags."""
        if self.index is None:
            session.sequences.set_tags(self.path, tags)
        else:
            session.sequences.set_shot_tags(self.path, self.index, tags)

    def get_note(self, session: "ExperimentSession") -> str:
        """Return the note on it."""
        if self.index is None:
            return session.paths.get_note(self.path)
        return session.sequences.get_shot_note(self.path, self.index)

    def set_note(self, session: "ExperimentSession", note: str) -> None:
        """Replace the note on it."""
        if self.index is None:
            session.paths.set_note(self.path, note)
        else:
            session.sequences.set_shot_note(self.path, self.index, note)


def find_noted(session: "ExperimentSession", text: str, *, may_be_folder: bool = False) -> Noted:
    """Return what was typed. A path whose name ends in such a number is that path.

    Raises:
        InvalidPathFormatError: it is not a path.
        PathNotFoundError: nothing is there; the message names the closest path.
        PathIsNotSequenceError: it is a folder, and none is meant, or a shot of one.
        ShotNotFoundError: the sequence has no such shot.
    """
    before, _, number = text.rpartition("#")
    is_shot = number.isascii() and number.isdigit() and before != ""
    if is_shot and not _exists(session, text):
        found = Noted(find_sequence(session, before), int(number))
        found.get_note(session)
        return found
    return Noted(find_path(session, text) if may_be_folder else find_sequence(session, text))


def _exists(session: "ExperimentSession", text: str) -> bool:
    return session.paths.does_path_exists(PureSequencePath(text))
