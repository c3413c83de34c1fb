"""The grammar of texts of units: names, powers, products and quotients, and nothing else.

pint passes over what its tokenizer does not know, and so reads another unit than the text says:
``nV/√Hz`` as nV / Hz, ``a.u.`` as atomic mass units times years, ``'V`` as V.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_UNIT = 1000
"""Characters in the text of a unit: pint takes seconds to read one of many thousands."""

_TOKEN = re.compile(
    r"""
      (?P<name>(?:[%‰](?!\w)|Δ?°\w*|[^\W\d]\w*)(?:⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?![%‰]))
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.%‰]))
    | (?P<operator>\*\*|[-+*/^·⋅()])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\u00a0\u2009\u202f]*")
_OPERATORS = {"·": "*", "⋅": "*", "^": "**", "per": "/"}
_BEFORE_A_UNIT = frozenset({"square", "sq", "cubic"})
_AFTER_A_UNIT = frozenset({"squared", "cubed"})
_POWERS = _BEFORE_A_UNIT | _AFTER_A_UNIT


def exact_unit_text(text: str) -> str:
    """Return the text with all its operators, for pint to parse.

    Raises:
        ValueError: the text is not made of names, powers, products and quotients, or has several
            readings.

    >>> exact_unit_text("kg m/s^2")
    'kg * m / s ** 2'
    """
    if len(text) > LONGEST_UNIT:
        raise ValueError(
            f"The unit '{text[:40]}...' has {len(text)} characters. Write one of at most "
            f"{LONGEST_UNIT}."
        )
    exact: list[str] = []
    has_divided = [False]  # in each open bracket
    follows_unit = False
    # Å may be written as A and a ring, of which pint would see the A.
    for token in _tokens(unicodedata.normalize("NFC", text)):
        is_operator = token in {"*", "/", "**", ")"}
        if token in {"+", "-"}:
            if exact[-1:] != ["**"] and exact[-2:] != ["**", "("]:
                raise _not_exact(text, f"there is a {token!r} outside an exponent")
            is_operator = True
        elif follows_unit and not is_operator and token not in _AFTER_A_UNIT:
            if has_divided[-1]:
                raise _not_exact(
                    text, f"it does not say whether {token} is in the denominator: use brackets"
                )
            exact.append("*")
        if token == "(":
            has_divided.append(False)
        elif token == ")" and len(has_divided) > 1:
            has_divided.pop()
        elif token == "/":
            has_divided[-1] = True
        exact.append(token)
        follows_unit = token == ")" or not (is_operator or token in {"(", *_BEFORE_A_UNIT})
    return " ".join(exact)


_TOWER = re.compile(r"[()^]|\*\*\s*[-+\w.]+\s*\*\*|(?<!\w)[\d.][\w.]*\s*\*\*")
"""Powers of powers, and of numbers, which pint computes and may never be done with. In the units
that we write, only names have powers."""


def is_safe_unit(text: str) -> bool:
    """Whether pint reads a unit from a file in bounded time, whoever has written the file."""
    return len(text) <= LONGEST_UNIT and not ("**" in text and _TOWER.search(text))


def names_in(text: str) -> list[str]:
    """Return the names of units in a text, without their powers in superscript.

    Raises:
        ValueError: as :func:`exact_unit_text`.
    """
    words = (re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+$", "", word) for word in exact_unit_text(text).split())
    return [word for word in words if word.isidentifier() and word not in _POWERS]


def _tokens(text: str) -> Iterator[str]:
    position = _end_of_space(text, 0)
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _not_exact(text, f"{text[position]!r} means nothing there")
        yield _OPERATORS.get(found[0], found[0])
        position = _end_of_space(text, found.end())


def _end_of_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return position if space is None else space.end()


def _not_exact(text: str, reason: str) -> ValueError:
    return ValueError(
        f"{text!r} is not a unit: {reason}. Write names of units with * / ** and brackets, "
        "like 'nV / Hz ** 0.5'; a unit of your lab, of letters, digits and _, is defined with "
        "session.define_unit('arb_u = []')."
    )
