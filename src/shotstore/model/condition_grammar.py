"""The grammar of conditions: text to a tree, of comparisons of something with a value.

::

    condition  = all {("or" | "|") all}
    all        = one {("and" | "&") one}
    one        = {"not"} ("(" condition ")" | comparison)
    comparison = operand symbol operand | operand order operand order operand
    symbol     = order | "=" | "==" | "!=" | "≠"
    order      = "<" | "<=" | "≤" | ">" | ">=" | "≥"
    operand    = quoted | words ["±" words | "+-" words]

Words are whatever is written up to the next of these signs: an expression, a time, the name of a
column, or a text that needs no quotes. What they are depends on what there is to compare.
"""

from collections.abc import Callable

import attrs

from shotstore.errors import InvalidConditionError
from shotstore.model.conditions import (
    WORDS,
    And,
    Comparison,
    Condition,
    Not,
    Or,
    Value,
    looks_like_a_name,
)
from shotstore.model.tokens import Token, excerpt, misplaced, tokens

EXAMPLE = 'write something like "detuning > 5 MHz and hold_time <= 2 s"'

_MAXIMUM_DEPTH = 50
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SYMBOLS = frozenset({*_TURNED, "=", "!="})
_KINDS = {"==": "=", "≤": "<=", "≥": ">=", "≠": "!="}
"""Of symbols that are written in another way."""
_ENDS = frozenset({*_SYMBOLS, *WORDS, "±"})
"""The kinds of tokens at which an operand ends."""


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


class _Parser:
    def __init__(self, text: str, is_known: Callable[[str], bool]) -> None:
        self._text = text
        self._is_known = is_known
        self._tokens = _tokens(text)
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
        while self._token.kind == "or":
            self._index += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Condition:
        parts = self._one()
        while self._token.kind == "and":
            self._index += 1
            parts += self._one()
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> list[Condition]:
        is_negated = False
        while self._token.kind == "not":
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
        if self._token.kind != "±":
            return Value(text)
        self._index += 1
        return Value(text, tolerance=self._words())

    def _words(self) -> str:
        """Read up to what ends an operand, and return it."""
        first, depth = self._index, 0
        while (kind := self._token.kind) != "end":
            if not depth and (kind in _ENDS or kind == ")"):
                break
            if kind in _ENDS or kind == "quoted":
                raise self._misplaced(self._token)
            depth += {"(": 1, ")": -1}.get(kind, 0)
            self._index += 1
        if depth or self._index == first:
            raise self._misplaced(self._token)
        return self._text[self._tokens[first].position : self._tokens[self._index - 1].end]

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _misplaced(self, token: Token) -> InvalidConditionError:
        return self._error(misplaced(token))

    def _error(self, reason: str) -> InvalidConditionError:
        return InvalidConditionError(
            f"{excerpt(self._text)} is not a condition, as it {reason}: {EXAMPLE}."
        )


def _tokens(text: str) -> list[Token]:
    """The tokens of a text, in which symbols, ``and``, ``or``, ``not`` and ``±`` are of kinds of
    their own, however they are written."""
    found: list[Token] = []
    for token in tokens(text):
        if (
            token.kind == "-"
            and found
            and found[-1].kind == "+"
            and found[-1].end == token.position
        ):
            found[-1] = Token("±", "+-", found[-1].position)
        elif token.kind == "name" and token.text in WORDS:
            found.append(attrs.evolve(token, kind=token.text))
        else:
            kind = {"&": "and", "|": "or"}.get(token.kind[0]) or _KINDS.get(token.kind, token.kind)
            found.append(attrs.evolve(token, kind=kind))
    return found


def _groups(found: list[Token]) -> set[int]:
    """The indices of the brackets around conditions; the others are those of expressions."""
    opened: list[int] = []
    groups: set[int] = set()
    for index, token in enumerate(found):
        if token.kind == "(":
            opened.append(index)
        elif token.kind == ")" and opened:
            opened.pop()
        elif token.kind in _ENDS and token.kind != "±":
            groups.update(opened)
            opened.clear()
    return groups


def _may_be_name(side: Value) -> bool:
    return not side.is_quoted and side.tolerance is None and looks_like_a_name(side.text)
