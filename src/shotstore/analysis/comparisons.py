"""The grammar of conditions, as people type them: ``detuning > 5 MHz and hold_time <= 2 s``."""

import re
from collections.abc import Callable

import attrs

from shotstore.errors import InvalidConditionError
from shotstore.model import Expression
from shotstore.model.expression_arithmetic import CONSTANTS
from shotstore.model.parameters import Parameter

PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""
EXAMPLE = 'write something like "detuning > 5 MHz and hold_time <= 2 s"'

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SPLIT = re.compile(r"(<=|>=|==|!=|<|>|=)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NOT_KNOWN = re.compile(r"\b(or|not)\b|(\|+)")
_AND = re.compile(r"\s+and\s+|\s*&+\s*")
_TRUTH = {"true": "True", "false": "False"}


@attrs.frozen
class Comparison:
    """A name compared with a value.

    Attributes:
        name: Of what is compared, as it was typed.
        symbol: ``<``, ``<=``, ``>``, ``>=``, ``=``, ``==`` or ``!=``, with the name to its left.
        value: The text of the value.
    """

    name: str
    symbol: str
    value: str


def parse_condition(text: str, is_known: Callable[[str], bool]) -> list[Comparison]:
    """Return the comparisons of a condition, all of which are to be met.

    Args:
        text: Comparisons joined by ``and`` or ``&``. The value may stand first, or on both sides of
            the name.
        is_known: Whether there is something of a name. Where there is nothing of either side, the
            one that looks like a name is it.

    Raises:
        InvalidConditionError: it is no condition.
    """
    if found := _NOT_KNOWN.search(_QUOTED.sub("", text)):
        raise InvalidConditionError(
            f"{found[0]!r} in {text!r} is not known yet: conditions are joined by `and` alone. Ask "
            "once for each alternative, and take what is found together."
        )
    comparisons: list[Comparison] = []
    for part in _AND.split(text.strip()):
        match [piece.strip() for piece in _SPLIT.split(part)]:
            case [left, symbol, right] if left and right:
                if _is_turned(left, right, is_known):
                    left, symbol, right = right, _TURNED.get(symbol, symbol), left
                comparisons.append(Comparison(left, symbol, right))
            case [low, first, name, second, high] if (
                low and name and high and first in _TURNED and second in _TURNED
            ):
                comparisons.append(Comparison(name, _TURNED[first], low))
                comparisons.append(Comparison(name, second, high))
            case _:
                raise InvalidConditionError(f"{text!r} is not a condition: {EXAMPLE}.")
    return comparisons


def looks_like_a_name(text: str) -> bool:
    """Return whether a parameter may be meant, with ``*`` and ``?`` for other characters."""
    if text in CONSTANTS or text in _TRUTH:
        return False
    return all(part.isidentifier() for part in re.sub(r"[*?]", "_", text).split("."))


def number_of(text: str) -> Parameter:
    """Return the number or quantity that is meant by the text of a value.

    Raises:
        ValueError: it is neither.
    """
    return Expression(_TRUTH.get(text, text)).evaluate({})


def _is_turned(left: str, right: str, is_known: Callable[[str], bool]) -> bool:
    if is_known(left) or is_known(right):
        return not is_known(left)
    return looks_like_a_name(right) and not looks_like_a_name(left)
