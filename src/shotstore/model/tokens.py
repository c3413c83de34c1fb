"""What the texts of expressions and conditions are made of.

Python's own tokenizer is not used: it normalises names (``µ`` becomes another letter), and what it
accepts would have to be restricted again.
"""

import re
from collections.abc import Iterator

import attrs

_SIGNS = "°%‰"
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<number>([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)
    | (?P<superscript>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<quoted>(?<!\w)('[^']*'|"[^"]*"))
    | (?P<operator>\*\*|[-+*/^(),]|[<>=!]=|[<>=≤≥≠]|&+|\|+|±)
    """,
    re.VERBOSE,
)


@attrs.frozen
class Token:
    """A piece of a text.

    Attributes:
        kind: ``"number"``, ``"superscript"``, ``"name"``, ``"quoted"``, ``"other"`` for a character
            that means nothing, ``"end"``, or the operator itself.
        text: As it is written.
        position: Of its first character, from 0 on.
    """

    kind: str
    text: str
    position: int

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.position + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Yield what a text is made of, without its spaces, and an ``"end"``.

    Names are identifiers joined by dots, unit signs (``%``, ``‰``) and names with a degree sign
    (``°C``).
    """
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            end = _end_of_name(text, position)
            kind = "name" if end > position else "other"
            token = Token(kind, text[position : max(end, position + 1)], position)
        else:
            kind = match.lastgroup or ""
            token = Token(match[0] if kind == "operator" else kind, match[0], position)
        if token.kind != "space":
            yield token
        position = token.end
    yield Token("end", "", position)


def excerpt(text: str) -> str:
    """Return the text as an error message shows it, quoted and not too long."""
    return repr(text if len(text) <= 200 else text[:200] + "...")


def misplaced(token: Token) -> str:
    """Return what an error message says of a token that has no meaning where it is."""
    place = "ends too early" if token.kind == "end" else f"has an unexpected {excerpt(token.text)}"
    return f"{place} at character {token.position + 1}"


def _end_of_name(text: str, start: int) -> int:
    # Character by character: no class of the re module matches all that identifiers may hold.
    end = start
    while end < len(text):
        character = text[end]
        if character == "." and end > start and _begins_name(text[end + 1 : end + 2]):
            end += 2
        elif _begins_name(character) or (end > start and ("a" + character).isidentifier()):
            end += 1
        else:
            break
    return end


def _begins_name(character: str) -> bool:
    return character.isidentifier() or (character != "" and character in _SIGNS)
