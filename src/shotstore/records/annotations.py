"""What people write on a sequence: tags, to find it by, and a note."""

import unicodedata
from collections.abc import Collection

from shotstore.model.scalars import check_text

_LONGEST_TAG = 100
_BREAKS = {"Cc", "Zl", "Zp"}
"""Categories of the characters that end or garble a line."""


def check_tags(tags: Collection[str]) -> frozenset[str]:
    """Return the tags, plain texts.

    Raises:
        TypeError: they are a single text, whose characters would be taken for tags, or one of them
            is not a text.
        ValueError: one is not a tag; see `check_tag`.
    """
    if isinstance(tags, str):
        raise TypeError(f"Several tags were expected, not one: write [{tags!r}].")
    return frozenset(map(check_tag, tags))


def check_tag(tag: str) -> str:
    """Return the tag, a plain text.

    Raises:
        TypeError: it is not a text.
        ValueError: it is empty, longer than 100 characters, begins or ends with a space, or holds
            a comma, a control character, a line break or a lone surrogate.
    """
    plain = check_text(tag, "A tag")
    if not plain:
        raise ValueError("A tag must not be empty.")
    if len(plain) > _LONGEST_TAG:
        raise ValueError(
            f"A tag has up to {_LONGEST_TAG} characters, and {plain[:40]!r}... has {len(plain)}: "
            "write what is longer into the note."
        )
    if plain != plain.strip():
        raise ValueError(f"A tag must not begin or end with a space: {plain!r}.")
    if "," in plain or any(unicodedata.category(character) in _BREAKS for character in plain):
        raise ValueError(
            f"A tag must not hold a comma, a control character or a line break: {plain!r}. Several "
            "tags are given one by one."
        )
    return plain


def check_note(note: str) -> str:
    """Return the note, a plain text.

    Raises:
        TypeError: it is not a text.
        ValueError: it holds a lone surrogate.
    """
    return check_text(note, "A note")
