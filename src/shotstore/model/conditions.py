"""Conditions: comparisons of something with a value, and what is made of them."""

import re
from collections.abc import Iterator
from typing import TypeAlias

import attrs

from shotstore.model.expression_arithmetic import CONSTANTS
from shotstore.model.expressions import Expression
from shotstore.model.loops import increment
from shotstore.model.parameters import NumberOrQuantity, quoted
from shotstore.model.quantities import is_quantity, quantity, unit_to_text, with_magnitude
from shotstore.model.tokens import tokens

PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""

WORDS = frozenset({"and", "or", "not"})
"""What joins comparisons, and is a name in quotes only."""

_TRUTH = {"true": "True", "false": "False"}


@attrs.frozen
class Value:
    """What something is compared with.

    Attributes:
        text: As it is written, without quotes.
        is_quoted: Whether it was in quotes.
        tolerance: The text of how far it may be off.
    """

    text: str
    is_quoted: bool = False
    tolerance: str | None = None

    @classmethod
    def of(cls, text: str) -> "Value":
        """Return the value that a text stands for, with or without quotes, but no tolerance."""
        is_quoted = [token.kind for token in tokens(text)] == ["quoted", "end"]
        return cls(text.strip()[1:-1], is_quoted=True) if is_quoted else cls(text)

    def __str__(self) -> str:
        if self.is_quoted:
            return quoted(self.text)
        return self.text if self.tolerance is None else f"{self.text} +- {self.tolerance}"

    def ends(self) -> tuple[NumberOrQuantity, NumberOrQuantity]:
        """Return the lowest and the highest number or quantity that is meant.

        Raises:
            ValueError: it is not a number or quantity.
        """
        if self.is_quoted:
            raise ValueError(f"{self} is a text: numbers are written without quotes")
        middle = _number(self.text)
        if self.tolerance is None:
            return middle, middle
        tolerance = _number(self.tolerance)
        if is_quantity(tolerance) and not is_quantity(middle):
            if middle != 0:
                # Of "1e5 +- 10 %" pint makes 1e5 +- 0.1, which is hardly ever meant.
                raise ValueError(
                    f"{self.text} has no unit: write the tolerance as a number too, not as "
                    f"{self.tolerance}"
                )
            middle = quantity(0, unit_to_text(tolerance.units))  # a zero has no need of a unit
        off = increment(tolerance, middle, "A tolerance")
        if off < 0:
            raise ValueError(f"a tolerance must not be negative, as {self.tolerance} is")
        if is_quantity(middle):
            low, high = middle.magnitude - off, middle.magnitude + off
            return with_magnitude(low, middle), with_magnitude(high, middle)
        return middle - off, middle + off


@attrs.frozen
class Comparison:
    """Something by name, compared with a value.

    Attributes:
        name: As it is written, without quotes.
        symbol: ``<``, ``<=``, ``>``, ``>=``, ``=`` or ``!=``, with the name to its left.
        value: What is to its right.
    """

    name: str
    symbol: str
    value: Value

    def __str__(self) -> str:
        is_plain = looks_like_a_name(self.name) and self.name not in WORDS
        return f"{self.name if is_plain else quoted(self.name)} {self.symbol} {self.value}"


@attrs.frozen
class Not:
    """What is met where a condition is not."""

    part: "Condition"

    def __str__(self) -> str:
        return f"not {self.part}" if isinstance(self.part, Or) else f"not ({self.part})"


@attrs.frozen
class And:
    """What is met where all parts are; of none, everywhere."""

    parts: "tuple[Condition, ...]"

    def __str__(self) -> str:
        return " and ".join(map(str, self.parts))


@attrs.frozen
class Or:
    """What is met where one of the parts is."""

    parts: "tuple[Condition, ...]"

    def __str__(self) -> str:
        return f"({' or '.join(map(str, self.parts))})"


Condition: TypeAlias = Comparison | Not | And | Or


def comparisons_in(condition: Condition) -> Iterator[Comparison]:
    """Yield the comparisons of a condition from left to right."""
    match condition:
        case Comparison():
            yield condition
        case Not(part):
            yield from comparisons_in(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from comparisons_in(part)


def looks_like_a_name(text: str) -> bool:
    """Return whether a parameter may be meant, with ``*`` and ``?`` for other characters."""
    if text in CONSTANTS or text in _TRUTH:
        return False
    return all(part.isidentifier() for part in re.sub(r"[*?]", "_", text).split("."))


def _number(text: str) -> NumberOrQuantity:
    try:
        return Expression(_TRUTH.get(text, text)).evaluate_number({})
    except ValueError as error:
        if not looks_like_a_name(text):
            raise
        raise ValueError(
            f"{text!r} is neither a number nor a unit: a text is written in quotes, like "
            f"{quoted(text)}, and a name is compared with a value, not with another name"
        ) from error
