"""The grammar of expressions: text to a short program for a stack machine.

::

    sum      = product {("+" | "-") product}
    product  = signed {("*" | "/") signed | power}        power: a factor without a sign between
    signed   = {"+" | "-"} power
    power    = atom [("**" | "^") signed | superscript]
    atom     = number | name | function "(" sum {"," sum} ")" | "(" sum ")"

A factor that follows another one without a sign, as in ``10 MHz``, multiplies. It cannot be a
number, so that ``1 000`` is an error and not zero, and there can be none behind a division: to some
``1 / 2 s`` is half a second, to others half a hertz. Names are identifiers joined by dots, unit
signs (``%``, ``‰``) and names with a degree sign (``°C``).

Python's own parser is not used: it normalises names (``µ`` becomes another letter), and what it
accepts would have to be restricted again.
"""

import re
from collections.abc import Callable, Container, Iterator
from typing import TypeAlias

import attrs

_MAXIMUM_DEPTH = 50
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SIGNS = "°%‰"
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<number>([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)
    | (?P<superscript>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<operator>\*\*|[-+*/^(),])
    """,
    re.VERBOSE,
)


@attrs.frozen
class Number:
    """Push a number."""

    value: int | float


@attrs.frozen
class Name:
    """Push what the name stands for."""

    text: str


@attrs.frozen
class Operator:
    """Replace the two topmost values by one."""

    symbol: str


@attrs.frozen
class Call:
    """Replace as many topmost values as there are arguments by what the function returns."""

    function: str
    arguments: int


Instruction: TypeAlias = Number | Name | Operator | Call


def parse(text: str, functions: Container[str]) -> tuple[Instruction, ...]:
    """Return the program that evaluates the text.

    Raises:
        ValueError: the text is no expression. The message shows where.
    """
    return _Parser(text, functions).parse()


def shown(text: str) -> str:
    """Return the text as an error message shows it, quoted and not too long."""
    return repr(text if len(text) <= 200 else text[:200] + "...")


@attrs.frozen
class _Token:
    kind: str  # "number", "superscript", "name", "end", or the operator itself
    text: str
    position: int


class _Parser:
    def __init__(self, text: str, functions: Container[str]) -> None:
        self._text = text
        self._functions = functions
        self._tokens = _tokens(text)
        self._token = next(self._tokens)
        self._depth = 0
        self._program: list[Instruction] = []

    def parse(self) -> tuple[Instruction, ...]:
        self._sum()
        if self._token.kind != "end":
            raise _syntax_error(self._text, self._token)
        return tuple(self._program)

    def _sum(self) -> None:
        self._product()
        while self._token.kind in ("+", "-"):
            symbol = self._advance().kind
            self._product()
            self._program.append(Operator(symbol))

    def _product(self) -> None:
        self._signed()
        while True:
            if self._token.kind in ("*", "/"):
                symbol = self._advance().kind
                self._signed()
                self._program.append(Operator(symbol))
                if symbol == "/" and self._token.kind in ("name", "("):
                    raise ValueError(
                        f"The expression {shown(self._text)} is ambiguous before "
                        f"{shown(self._token.text)} at character {self._token.position + 1}: "
                        "write a / (b c) or (a / b) c instead of a / b c."
                    )
            elif self._token.kind in ("name", "("):
                self._power()
                self._program.append(Operator("*"))
            else:
                return

    def _signed(self) -> None:
        negative = False
        while self._token.kind in ("+", "-"):
            negative ^= self._advance().kind == "-"
        self._power()
        if negative:
            self._program += [Number(-1), Operator("*")]

    def _power(self) -> None:
        self._atom()
        if self._token.kind == "superscript":
            self._program.append(self._number(self._advance()))
            self._program.append(Operator("**"))
        elif self._token.kind in ("**", "^"):
            self._advance()
            self._nested(self._signed)
            self._program.append(Operator("**"))

    def _atom(self) -> None:
        token = self._advance()
        if token.kind == "number":
            self._program.append(self._number(token))
        elif token.kind == "name" and self._token.kind == "(" and token.text in self._functions:
            self._call(token.text)
        elif token.kind == "name":
            self._program.append(Name(token.text))
        elif token.kind == "(":
            self._nested(self._sum)
            self._expect(")")
        else:
            raise _syntax_error(self._text, token)

    def _call(self, function: str) -> None:
        self._expect("(")
        self._nested(self._sum)
        arguments = 1
        while self._token.kind == ",":
            self._advance()
            self._nested(self._sum)
            arguments += 1
        self._expect(")")
        self._program.append(Call(function, arguments))

    def _nested(self, rule: Callable[[], None]) -> None:
        # A thousand opening brackets would exhaust Python's stack.
        if self._depth == _MAXIMUM_DEPTH:
            raise ValueError(
                f"The expression {shown(self._text)} is nested more than {_MAXIMUM_DEPTH} deep."
            )
        self._depth += 1
        rule()
        self._depth -= 1

    def _number(self, token: _Token) -> Number:
        text = token.text.translate(_SUPERSCRIPTS)
        try:
            return Number(float(text) if set(text) & set(".eE") else int(text))
        except ValueError:  # more digits than Python converts
            raise _syntax_error(self._text, token) from None

    def _expect(self, kind: str) -> None:
        token = self._advance()
        if token.kind != kind:
            raise _syntax_error(self._text, token)

    def _advance(self) -> _Token:
        token = self._token
        if token.kind != "end":
            self._token = next(self._tokens)
        return token


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is not None:
            token = _Token(match.lastgroup or "", match.group(), position)
            if token.kind == "operator":
                yield _Token(token.text, token.text, position)
            elif token.kind != "space":
                yield token
            position = match.end()
        else:
            end = _end_of_name(text, position)
            token = _Token("name", text[position:end], position)
            if end == position:
                raise _syntax_error(text, _Token("", text[position], position))
            yield token
            position = end
    yield _Token("end", "", position)


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


def _syntax_error(text: str, token: _Token) -> ValueError:
    place = "ends too early" if token.kind == "end" else f"has an unexpected {shown(token.text)}"
    return ValueError(f"The expression {shown(text)} {place} at character {token.position + 1}.")
