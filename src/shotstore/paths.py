"""Places in the tree of sequences."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Self, TypeAlias, TypeVar

import attrs

from shotstore.errors import InvalidPathFormatError

LONGEST_NAME = 255
"""Bytes of a name: what file systems hold, so that everything can be kept as files."""

_P = TypeVar("_P", bound="PureSequencePath")

_SEPARATOR = "\\"
_SLASH = "/"


@attrs.frozen(order=True, init=False, repr=False)
class PureSequencePath:
    r"""A place in the tree, such as ``\2026\11\22\rabi``; the root is ``\``.

    It is a value: nothing has to exist there, and names are compared code point by code point.
    Paths are ordered by their names, so a folder comes right before what it holds.

    As text, the names are joined by backslashes or, where none of them holds a slash, by slashes;
    a separator in front may be left out, and a slash may end them. ``\2026\rabi``, ``2026\rabi``,
    ``2026/rabi`` and ``/2026/rabi/`` are one path, and ``\a/b`` is one name.

    A name is made of characters that can be seen, letters, digits, marks, punctuation and symbols
    of any script, and of spaces, except as its first character; a backslash is none of them.
    """

    parts: tuple[str, ...]
    """The names from below the root to this path; empty for the root."""

    def __init__(self, path: "str | PureSequencePath") -> None:
        r"""Parse a path.

        Args:
            path: The names, joined by backslashes or slashes; a path is taken as it is.

        Raises:
            InvalidPathFormatError: the text is not a valid path.
            TypeError: ``path`` is neither a text nor a path.
        """
        parts = path.parts if isinstance(path, PureSequencePath) else _parse(path)
        object.__setattr__(self, "parts", parts)

    @classmethod
    def root(cls) -> Self:
        r"""Return the root, ``\``."""
        return path_of_checked(cls, ())

    @classmethod
    def from_parts(cls, parts: Iterable[str]) -> Self:
        """Return the path with these names, from below the root down.

        Raises:
            InvalidPathFormatError: one of them is not a valid name.
            TypeError: ``parts`` is a single text, or holds something that is not a text.
        """
        if isinstance(parts, str):
            raise TypeError(f"parts must be several names, not the text {parts!r}.")
        parts = tuple(parts)
        for name in parts:
            _check_name(name)
        return path_of_checked(cls, parts)

    @staticmethod
    def is_valid_name(name: str) -> bool:
        """Return whether the text can be one name of a path."""
        return _what_is_wrong(name) is None

    @staticmethod
    def is_valid_path(path: str) -> bool:
        """Return whether the text can be parsed as a path."""
        try:
            _parse(path)
        except InvalidPathFormatError:
            return False
        return True

    @property
    def name(self) -> str | None:
        """The last name of the path, or None for the root."""
        return self.parts[-1] if self.parts else None

    @property
    def parent(self) -> Self | None:
        """The path that holds this one, or None for the root."""
        return path_of_checked(type(self), self.parts[:-1]) if self.parts else None

    def is_root(self) -> bool:
        """Return whether this is the root."""
        return not self.parts

    def get_ancestors(self) -> list[Self]:
        """Return every path that holds this one, from the root down to the parent.

        The path itself is not among them, so those of the root are empty.
        """
        return [path_of_checked(type(self), self.parts[:depth]) for depth in range(len(self.parts))]

    def is_descendant_of(self, other: "PureSequencePath") -> bool:
        """Return whether this path is inside the other one; no path is inside itself."""
        depth = len(other.parts)
        return len(self.parts) > depth and self.parts[:depth] == other.parts

    def __truediv__(self, name: str) -> Self:
        r"""Return the path of this name inside this one.

        Raises:
            InvalidPathFormatError: it is not one valid name (``\`` separates names, ``/`` is a
                character like any other).
        """
        if not isinstance(name, str):
            return NotImplemented
        _check_name(name)
        return path_of_checked(type(self), (*self.parts, name))

    def __str__(self) -> str:
        return _SEPARATOR + _SEPARATOR.join(self.parts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def path_of_checked(kind: type[_P], names: Iterable[str]) -> _P:
    """Return the path of these names, which are those of a path that was checked before: a listing
    makes thousands of them."""
    path = kind.__new__(kind)
    object.__setattr__(path, "parts", tuple(names))
    return path


AnyPath: TypeAlias = PureSequencePath | str
"""A path, or the text of one: taken everywhere."""


def as_path(path: AnyPath) -> PureSequencePath:
    """Return the path that is meant.

    Raises:
        InvalidPathFormatError: the text is not a valid path.
        TypeError: it is neither a text nor a path.
    """
    return path if isinstance(path, PureSequencePath) else PureSequencePath(path)


def split_names(text: str) -> list[str]:
    """Return the names in the text of a path, whatever they are; none for the root.

    With a backslash in it, a slash is a character of a name.
    """
    if text in (_SEPARATOR, _SLASH):
        return []
    if _SEPARATOR in text:
        return text.removeprefix(_SEPARATOR).split(_SEPARATOR)
    # Shells complete the name of a folder with a slash.
    return text.removeprefix(_SLASH).removesuffix(_SLASH).split(_SLASH)


def _parse(path: str) -> tuple[str, ...]:
    if not isinstance(path, str):
        raise TypeError(f"A path must be a str or a PureSequencePath, not {path!r}.")
    names = split_names(path)
    for name in names:
        if reason := _what_is_wrong(name):
            raise InvalidPathFormatError(f"Path {path!r} is not valid: {reason}.")
    return tuple(names)


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"A name must be a str, not {name!r}.")
    if reason := _what_is_wrong(name):
        raise InvalidPathFormatError(f"{name!r} is not a valid name: {reason}.")


@lru_cache(maxsize=65536)
def _what_is_wrong(name: str) -> str | None:
    if not name:
        return "a name is empty (write it as 2026/rabi, with one separator between two names)"
    if name.startswith(" "):
        return f"the name {name!r} starts with a space"
    if _SEPARATOR in name:
        return f"the name {name!r} contains a backslash, which separates names"
    # Printable are the categories L, M, N, P and S of Unicode, and the space.
    for character in name:
        if not character.isprintable():
            return (
                f"the name {name!r} contains {character!r}; allowed are letters, digits, "
                "punctuation, symbols and spaces, and no other characters"
            )
    return None


def common_folder(paths: Iterable[PureSequencePath]) -> PureSequencePath:
    """Return the lowest folder that everything at these paths is in."""
    common: list[str] = []
    for names in zip(*(path.parts[:-1] for path in paths), strict=False):
        if len(set(names)) > 1:
            break
        common.append(names[0])
    return PureSequencePath.from_parts(common)
