r"""Patterns of paths, such as ``\2026\*\rabi*``."""

import re
from functools import cached_property

import attrs

from shotstore.errors import InvalidPathFormatError
from shotstore.paths import PureSequencePath, split_names

_ANY_NAMES = r"(?:\\[^\\]+)*"
_WILDCARDS = {"*": r"[^\\]*", "?": r"[^\\]"}


def has_wildcards(text: str) -> bool:
    """Return whether a text stands for whatever it matches."""
    return any(wildcard in text for wildcard in _WILDCARDS)


@attrs.frozen(slots=False)
class PathPattern:
    r"""Which paths of sequences are asked for.

    In a name, ``*`` stands for any characters and ``?`` for one; the name ``**`` stands for any
    number of names. A sequence that it matches is meant, and all in a folder that it matches. The
    names are separated by backslashes, or by slashes where there is no backslash. With a single
    name, sequences or folders of this name are meant wherever they are.

    Attributes:
        names: The names of the pattern.
        is_anywhere: Whether they may be below any folder, and not only below the root.
        has_wildcards: Whether there is a wildcard among them.
    """

    names: tuple[str, ...]
    is_anywhere: bool
    has_wildcards: bool

    @classmethod
    def parse(cls, text: "str | PureSequencePath") -> "PathPattern":
        """Return the pattern that a text stands for; a path stands for itself and all in it.

        Raises:
            InvalidPathFormatError: without a wildcard, it is not a path; with one, a name in it is
                empty.
            TypeError: it is neither a text nor a path.
        """
        if isinstance(text, str) and has_wildcards(text):
            names, is_pattern = tuple(split_names(text)), True
            if "" in names:
                raise InvalidPathFormatError(f"A name in the pattern {text!r} is empty.")
        else:
            names, is_pattern = PureSequencePath(text).parts, False
        is_anywhere = isinstance(text, str) and not {"\\", "/"}.intersection(text)
        return cls(names, is_anywhere, is_pattern)

    @property
    def base(self) -> PureSequencePath:
        """The longest path that all are at or inside.

        Raises:
            InvalidPathFormatError: no path can have one of its names.
        """
        if self.is_anywhere:
            return PureSequencePath.root()
        parts = []
        for name in self.names:
            if self.has_wildcards and has_wildcards(name):
                break
            parts.append(name)
        return PureSequencePath.from_parts(parts)

    def __str__(self) -> str:
        begin = "" if self.is_anywhere else "\\"
        return begin + "\\".join(self.names)

    def matches(self, path: PureSequencePath) -> bool:
        """Return whether a sequence at the path is asked for."""
        return self._expression.fullmatch(str(path)) is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        begin = _ANY_NAMES if self.is_anywhere else ""
        return re.compile(begin + "".join(map(self._translated, self.names)) + _ANY_NAMES)

    def _translated(self, name: str) -> str:
        if not self.has_wildcards:
            return r"\\" + re.escape(name)
        if name == "**":
            return _ANY_NAMES
        return r"\\" + "".join(_WILDCARDS.get(each) or re.escape(each) for each in name)
