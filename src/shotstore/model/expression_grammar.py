"""The grammar of expressions: text to a tree.

::

    sum      = product {("+" | "-") product}
    product  = signed {("*" | "/") signed | power}        power: a factor without a sign between
    signed   = {"+" | "-"} power
    power    = atom [("**" | "^") signed | superscript]
    atom     = number | text | name | function "(" sum {"," sum} ")" | "(" sum ")"

A text is in quotes, single or double ones.

A factor that follows another one without a sign, as in ``10 MHz``, multiplies. It cannot be a
number, so that ``1 000`` is an error and not zero, and there can be none after a division: to some
``1 / 2 s`` is half a second, to others half a hertz.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias, Union

import attrs

from shotstore.model.expression_arithmetic import FUNCTIONS
from shotstore.model.tokens import Token, excerpt, misplaced, tokens

_MAXIMUM_DEPTH = 50
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")

_SUM, _PRODUCT, _POWER = 1, 2, 3
_BINDINGS: Mapping[str, int] = {
    **dict.fromkeys(["+", "-"], _SUM),
    **dict.fromkeys(["*", "/", "name", "("], _PRODUCT),
    **dict.fromkeys(["**", "^", "superscript"], _POWER),
}
"""How strongly a token between two operands holds them together."""

Node: TypeAlias = Union["Number", "Text", "Name", "Chain", "Call"]


@attrs.frozen
class Number:
    """A number."""

    value: int | float


@attrs.frozen
class Text:
    """A text, without its quotes."""

    value: str


@attrs.frozen
class Name:
    """A variable, constant or unit."""

    text: str


@attrs.frozen
class Chain:
    """Operands joined from left to right; one for all, so that no long text is a deep tree.

    Attributes:
        first: The operand at the left.
        rest: The others, each after its operator: ``+``, ``-``, ``*``, ``/`` or ``**``.
    """

    first: Node
    rest: tuple[tuple[str, Node], ...]


@attrs.frozen
class Call:
    """A function of arguments."""

    function: str
    arguments: tuple[Node, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Return the tree of an expression.

    Raises:
        ValueError: the text is not an expression. The message shows where.
    """
    return _Parser(text).parse()


def names_in(node: Node) -> Iterator[str]:
    """Yield all names in a tree but those of functions."""
    match node:
        case Name(text):
            yield text
        case Chain(first, rest):
            yield from names_in(first)
            for _, operand in rest:
                yield from names_in(operand)
        case Call(_, arguments):
            for argument in arguments:
                yield from names_in(argument)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._depth = 0

    def parse(self) -> Node:
        node = self._expression(_SUM)
        if self._token.kind != "end":
            raise self._misplaced(self._token)
        return node

    def _expression(self, weakest: int) -> Node:
        """Read operands for as long as they are held together at least so strongly."""
        node = self._operand()
        while (binding := self._binding()) >= weakest:
            node = Chain(node, self._powers() if binding == _POWER else self._joined(binding))
        return node

    def _joined(self, binding: int) -> tuple[tuple[str, Node], ...]:
        joined: list[tuple[str, Node]] = []
        while self._binding() == binding:
            symbol = "*" if self._is_at_factor() else self._advance().kind
            joined.append((symbol, self._expression(binding + 1)))
            if symbol == "/" and self._is_at_factor():
                raise ValueError(
                    f"The expression {excerpt(self._text)} is ambiguous before "
                    f"{excerpt(self._token.text)} at character {self._token.position + 1}: "
                    "write a / (b c) or (a / b) c instead of a / b c."
                )
        return tuple(joined)

    def _powers(self) -> tuple[tuple[str, Node], ...]:
        token = self._advance()
        exponent = self._number(token) if token.kind == "superscript" else self._nested(_POWER)
        if self._binding() == _POWER:  # after a superscript
            raise self._misplaced(self._token)
        return (("**", exponent),)

    def _operand(self) -> Node:
        token = self._advance()
        match token.kind:
            case "+" | "-":
                return self._signed(token)
            case "number":
                return self._number(token)
            case "quoted":
                return Text(token.text[1:-1])
            case "name" if self._token.kind == "(" and token.text in FUNCTIONS:
                return self._call(token.text)
            case "name":
                return Name(token.text)
            case "(":
                inner = self._nested(_SUM)
                self._expect(")")
                return inner
        raise self._misplaced(token)

    def _signed(self, sign: Token) -> Node:
        is_negative = sign.kind == "-"
        while self._token.kind in ("+", "-"):
            is_negative ^= self._advance().kind == "-"
        operand = self._expression(_POWER)
        return Chain(operand, (("*", Number(-1)),)) if is_negative else operand

    def _call(self, function: str) -> Call:
        self._expect("(")
        arguments = [self._nested(_SUM)]
        while self._token.kind == ",":
            self._advance()
            arguments.append(self._nested(_SUM))
        self._expect(")")
        return Call(function, tuple(arguments))

    def _nested(self, weakest: int) -> Node:
        # A thousand opening brackets would exhaust Python's stack.
        if self._depth == _MAXIMUM_DEPTH:
            raise ValueError(
                f"The expression {excerpt(self._text)} is nested more than {_MAXIMUM_DEPTH} deep."
            )
        self._depth += 1
        node = self._expression(weakest)
        self._depth -= 1
        return node

    def _number(self, token: Token) -> Number:
        text = token.text.translate(_SUPERSCRIPTS)
        try:
            return Number(float(text) if set(text) & set(".eE") else int(text))
        except ValueError:  # more digits than Python converts
            raise self._misplaced(token) from None

    def _binding(self) -> int:
        return _BINDINGS.get(self._token.kind, 0)

    def _is_at_factor(self) -> bool:
        return self._token.kind in ("name", "(")

    def _expect(self, kind: str) -> None:
        token = self._advance()
        if token.kind != kind:
            raise self._misplaced(token)

    def _advance(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._token = next(self._tokens)
        return token

    def _misplaced(self, token: Token) -> ValueError:
        return ValueError(f"The expression {excerpt(self._text)} {misplaced(token)}.")
