"""The grammar of texts of units: names, powers, products and quotients, and nothing else.

pint passes over what its tokenizer does not know, and so reads another unit than the text says:
``nV/√Hz`` as nV / Hz, ``a.u.`` as atomic mass units times years, ``'V`` as V.
"""

import re
import unicodedata
from collections.abc import Iterator

_LONGEST = 2000
"""Characters: pint takes seconds to find out that a much longer text is not a unit."""

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
_BEHIND_A_UNIT = frozenset({"squared", "cubed"})


def exact_unit_text(text: str) -> str:
    """Return the text with all its operators, for pint to parse.

    Raises:
        ValueError: the text is not made of names, powers, products and quotients, or has several
            readings.

    >>> exact_unit_text("kg m/s^2")
    'kg * m / s ** 2'
    """
    if len(text) > _LONGEST:
        raise ValueError(f"'{text[:40]}...' is not a unit: it has {len(text)} characters.")
    exact: list[str] = []
    has_divided = [False]  # in each open bracket
    is_behind_unit = False
    # Å may be written as A and a ring, of which pint would see the A.
    for token in _tokens(unicodedata.normalize("NFC", text)):
        is_operator = token in {"*", "/", "**", ")"}
        if token in {"+", "-"}:
            if exact[-1:] != ["**"] and exact[-2:] != ["**", "("]:
                raise _not_exact(text, f"there is a {token!r} outside an exponent")
            is_operator = True
        elif is_behind_unit and not is_operator and token not in _BEHIND_A_UNIT:
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
        is_behind_unit = token == ")" or not (is_operator or token in {"(", *_BEFORE_A_UNIT})
    return " ".join(exact)


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
        "like 'nV / Hz ** 0.5'."
    )
