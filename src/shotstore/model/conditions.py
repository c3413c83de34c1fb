"""The grammar of conditions: text to a tree, of comparisons of something with a value.

::

    condition  = all {("or" | "|") all}
    all        = one {("and" | "&") one}
    one        = {"not"} ("(" condition ")" | comparison)
    comparison = operand symbol operand | operand order operand order operand
    symbol     = order | "=" | "==" | "!="
    order      = "<" | "<=" | ">" | ">="
    operand    = quoted | words ["±" words | "+-" words]

Words are whatever is written up to the next of these signs: an expression, a time, the name of a
column, or a text that needs no quotes. What they are depends on what there is to compare.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs

from shotstore.errors import InvalidConditionError
from shotstore.model.expression_arithmetic import CONSTANTS
from shotstore.model.expressions import Expression
from shotstore.model.loops import increment
from shotstore.model.parameters import Parameter
from shotstore.model.quantities import is_quantity, quantity, unit_to_text, with_magnitude
from shotstore.model.tokens import Token, misplaced, shown, tokens

EXAMPLE = 'write something like "detuning > 5 MHz and hold_time <= 2 s"'
PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""

_MAXIMUM_DEPTH = 50
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SYMBOLS = frozenset({*_TURNED, "=", "==", "!="})
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

    def __str__(self) -> str:
        return self.text if self.tolerance is None else f"{self.text} +- {self.tolerance}"

    def ends(self) -> tuple[Parameter, Parameter]:
        """Return the lowest and the highest number or quantity that is meant.

        Raises:
            ValueError: it is not a number or quantity.
        """
        if self.is_quoted:
            raise ValueError(f"{self.text!r} is a text: numbers are written without quotes")
        middle = _number(self.text)
        if self.tolerance is None:
            return middle, middle
        tolerance = _number(self.tolerance)
        if is_quantity(tolerance) and not is_quantity(middle) and middle == 0:
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


@attrs.frozen
class Not:
    """What is met where a condition is not."""

    part: "Condition"


@attrs.frozen
class And:
    """What is met where all parts are; of none, everywhere."""

    parts: "tuple[Condition, ...]"


@attrs.frozen
class Or:
    """What is met where one of the parts is."""

    parts: "tuple[Condition, ...]"


Condition: TypeAlias = Comparison | Not | And | Or


def parse_condition(text: str, is_known: Callable[[str], bool] = lambda _: False) -> Condition:
    """Return the tree of a condition.

    Args:
        text: See the grammar above.
        is_known: Whether there is something of a name. Of the two sides of a comparison it is the
            one that is known, or where neither is, the one that looks like a name.

    Raises:
        InvalidConditionError: the text is not a condition. The message shows where.
    """
    return _Parser(text, is_known).parse()


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


def _number(text: str) -> Parameter:
    return Expression(_TRUTH.get(text, text)).evaluate({})


class _Parser:
    def __init__(self, text: str, is_known: Callable[[str], bool]) -> None:
        self._text = text
        self._is_known = is_known
        self._tokens = list(tokens(text))
        self._groups = _groups(self._tokens)
        self._index = 0
        self._depth = 0

    def parse(self) -> Condition:
        condition = self._any()
        if self._token.kind != "end":
            raise self._misplaced(self._token)
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._word() == "or":
            self._index += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Condition:
        parts = self._one()
        while self._word() == "and":
            self._index += 1
            parts += self._one()
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> list[Condition]:
        is_negated = False
        while self._word() == "not":
            self._index += 1
            is_negated = not is_negated
        is_group = self._index in self._groups
        parts = [self._group()] if is_group else self._comparisons()
        if not is_negated:
            return parts
        return [Not(parts[0] if len(parts) == 1 else And(tuple(parts)))]

    def _group(self) -> Condition:
        if self._depth == _MAXIMUM_DEPTH:  # before Python's stack is exhausted
            raise self._error(f"is nested more than {_MAXIMUM_DEPTH} deep")
        self._depth += 1
        self._index += 1
        condition = self._any()
        if self._token.kind != ")":
            raise self._misplaced(self._token)
        self._index += 1
        self._depth -= 1
        return condition

    def _comparisons(self) -> list[Condition]:
        left = self._operand()
        first = self._symbol()
        right = self._operand()
        if self._token.kind not in _SYMBOLS:
            name, symbol, value = (
                (right, _TURNED.get(first.kind, first.kind), left)
                if self._is_turned(left, right)
                else (left, first.kind, right)
            )
            return [self._comparison(name, symbol, value)]
        second = self._symbol()
        if not (first.kind in _TURNED and second.kind in _TURNED):
            raise self._misplaced(second)
        high = self._operand()
        return [
            self._comparison(right, _TURNED[first.kind], left),
            self._comparison(right, second.kind, high),
        ]

    def _comparison(self, name: Value, symbol: str, value: Value) -> Comparison:
        symbol = "=" if symbol == "==" else symbol
        if name.tolerance is not None:
            raise self._error(f"has a tolerance of {name.text!r}, which is not a value")
        if value.tolerance is not None and symbol not in ("=", "!="):
            raise self._error(f"has {value} after {symbol}: a tolerance goes with = or !=")
        return Comparison(name.text, symbol, value)

    def _is_turned(self, left: Value, right: Value) -> bool:
        known = [self._is_known(side.text) for side in (left, right)]
        if all(known):
            return left.is_quoted and not right.is_quoted
        if any(known):
            return known[1]
        return _may_be_name(right) and not _may_be_name(left)

    def _symbol(self) -> Token:
        token = self._token
        if token.kind not in _SYMBOLS:
            raise self._misplaced(token)
        self._index += 1
        return token

    def _operand(self) -> Value:
        first = self._token
        if first.kind == "quoted":
            self._index += 1
            return Value(first.text[1:-1], is_quoted=True)
        if first.text in ("'", '"'):
            raise self._error(f"has a quote at character {first.position + 1} that is not closed")
        text = self._words()
        plus, minus = self._token, self._tokens[min(self._index + 1, len(self._tokens) - 1)]
        if not _is_tolerance(plus, minus):
            return Value(text)
        self._index += 1 if plus.kind == "±" else 2
        return Value(text, tolerance=self._words())

    def _words(self) -> str:
        """Read up to what ends an operand, and return it."""
        first, depth = self._index, 0
        while True:
            token = self._token
            follower = self._tokens[min(self._index + 1, len(self._tokens) - 1)]
            ends = token.kind in _SYMBOLS or self._word() or _is_tolerance(token, follower)
            if token.kind == "end" or (ends and not depth) or (token.kind == ")" and not depth):
                break
            if ends or token.kind == "quoted":
                raise self._misplaced(token)
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            self._index += 1
        if depth or self._index == first:
            raise self._misplaced(self._token)
        return self._text[self._tokens[first].position : self._tokens[self._index - 1].end]

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _word(self) -> str | None:
        return _word(self._token)

    def _misplaced(self, token: Token) -> InvalidConditionError:
        return self._error(misplaced(token))

    def _error(self, reason: str) -> InvalidConditionError:
        return InvalidConditionError(
            f"{shown(self._text)} is not a condition, as it {reason}: {EXAMPLE}."
        )


def _groups(found: list[Token]) -> set[int]:
    """The indices of the brackets around conditions; the others are those of expressions."""
    opened: list[int] = []
    groups: set[int] = set()
    for index, token in enumerate(found):
        if token.kind == "(":
            opened.append(index)
        elif token.kind == ")" and opened:
            opened.pop()
        elif token.kind in _SYMBOLS or _word(token):
            groups.update(opened)
            opened.clear()
    return groups


def _word(token: Token) -> str | None:
    """What joins or turns comparisons."""
    if token.kind == "name" and token.text in ("and", "or", "not"):
        return token.text
    return {"&": "and", "|": "or"}.get(token.kind[:1])


def _is_tolerance(token: Token, follower: Token) -> bool:
    is_plus_minus = token.kind == "+" and follower.kind == "-" and follower.position == token.end
    return token.kind == "±" or is_plus_minus


def _may_be_name(side: Value) -> bool:
    return not side.is_quoted and side.tolerance is None and looks_like_a_name(side.text)
