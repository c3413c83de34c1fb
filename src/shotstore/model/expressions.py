"""Expressions: text with numbers, units, texts and names that evaluates to a parameter."""

from collections.abc import Mapping
from difflib import get_close_matches

import attrs

from shotstore.model.expression_arithmetic import CONSTANTS, OPERATIONS, call
from shotstore.model.expression_grammar import (
    Call,
    Chain,
    Name,
    Node,
    Number,
    Text,
    names_in,
    parse,
)
from shotstore.model.parameters import NumberOrQuantity, Parameter, check_parameter, quoted
from shotstore.model.quantities import is_quantity, is_unit, quantity, similar_units
from shotstore.model.scalars import has_lone_surrogate, plain_scalar
from shotstore.model.tokens import excerpt


def _plain_text(text: "str | Expression") -> str:
    if isinstance(text, Expression):
        return text.text
    plain = plain_scalar(text)
    if not isinstance(plain, str):
        raise TypeError(
            f"An expression is text, not of type {type(text).__name__}: write '10 MHz' or '1.5'."
        )
    if has_lone_surrogate(plain):
        raise ValueError(f"The expression {plain!r} holds a lone surrogate.")
    return plain


@attrs.frozen
class Expression:
    """Text that evaluates to a parameter: ``10 MHz + 2 * offset``, ``2**70``, ``sqrt(2) * mot.x``.

    Numbers, names, units and functions are put together with ``+ - * / ** ^`` and brackets.
    A name or bracket after a number, name or bracket multiplies it (``10 MHz``), but not after a
    division: ``1 / 2 s`` is refused, write ``1 / (2 s)`` or ``(1 / 2) s``.

    A name is looked up among the variables first, then among ``True``, ``False``, ``pi``, ``inf``
    and ``nan``, then among the units of pint's application registry. The functions are ``abs``,
    ``sqrt``, ``exp``, ``log``, ``log2``, ``log10``, ``sin``, ``cos``, ``tan``, ``arcsin``,
    ``arccos``, ``arctan``, ``sinh``, ``cosh``, ``tanh``, ``floor``, ``ceil``, ``round``, ``min``
    and ``max``. Temperatures are written ``20 degC``, their differences ``5 delta_degC``. A text is
    written in quotes, ``'Rb87'``, and nothing can be computed with it.

    The text is looked at when it is evaluated, not before: a draft may hold an unfinished one.

    Args:
        text: A ``str``, or an expression, so that ``Expression`` converts what may be either.

    Raises:
        TypeError: ``text`` is neither.
        ValueError: ``text`` holds a lone surrogate.

    >>> Expression("2 * mot.offset + 1").evaluate({"mot.offset": 5})
    11
    >>> print(Expression("10 MHz + offset").evaluate({"offset": quantity(500, "kHz")}))
    10.5 megahertz
    """

    text: str = attrs.field(converter=_plain_text)

    def __str__(self) -> str:
        return self.text

    def names(self) -> frozenset[str]:
        """Return all names in the text but those of functions: variables, constants and units.

        Raises:
            ValueError: the text is not an expression.
        """
        return frozenset(names_in(parse(self.text)))

    def evaluate(self, variables: Mapping[str, Parameter]) -> Parameter:
        """Return the value, a quantity if a unit is involved, else a plain number or a text.

        Integers stay integers except in a division. Nothing is simplified: ``1 MHz / (1 kHz)`` is
        1.0 MHz / kHz.

        Raises:
            ValueError: the text is not an expression, a name is unknown, units do not fit, or the
                result is not a real number of reasonable size. The message shows the text.
        """
        tree = parse(self.text)
        try:
            return check_parameter(self.text, _settled(_value(tree, variables)))
        except (ValueError, TypeError, ArithmeticError) as error:
            reason = "the result is too large" if isinstance(error, OverflowError) else str(error)
            raise ValueError(
                f"The expression {excerpt(self.text)} cannot be evaluated: {reason.rstrip('.')}."
            ) from error

    def evaluate_number(self, variables: Mapping[str, Parameter]) -> NumberOrQuantity:
        """Return the value, which is not a text.

        Raises:
            ValueError: it is one, or as :meth:`evaluate`.
        """
        value = self.evaluate(variables)
        if isinstance(value, str):
            raise ValueError(f"{excerpt(self.text)} is the text {quoted(value)}, not a number.")
        return value


@attrs.frozen
class _Unit:
    """A unit whose number is not known yet."""

    text: str


def _value(node: Node, variables: Mapping[str, Parameter]) -> Parameter | _Unit:
    match node:
        case Number(value) | Text(value):
            return value
        case Name(text):
            return _look_up(text, variables)
        case Call(function, arguments):
            values = [_number(_value(argument, variables)) for argument in arguments]
            return call(function, values)
        case Chain(first, rest):
            result = _value(first, variables)
            for symbol, operand in rest:
                left, right = _number(result), _value(operand, variables)
                if symbol == "*" and isinstance(right, _Unit) and not is_quantity(left):
                    # An offset unit, as in "20 degC", cannot be multiplied with a number.
                    result = quantity(left, right.text)
                else:
                    result = OPERATIONS[symbol](left, _number(right))
            return result


def _look_up(name: str, variables: Mapping[str, Parameter]) -> Parameter | _Unit:
    if name in variables:
        return check_parameter(name, variables[name])
    if name in CONSTANTS:
        return CONSTANTS[name]
    if "." not in name and is_unit(name):
        return _Unit(name)
    similar = get_close_matches(name, variables) + similar_units(name)
    hint = f" (did you mean {' or '.join(similar)}?)" if similar else ""
    raise ValueError(
        f"'{name}' is neither a parameter nor a unit{hint}, and a text is written in quotes"
    )


def _settled(value: Parameter | _Unit) -> Parameter:
    return quantity(1, value.text) if isinstance(value, _Unit) else value


def _number(value: Parameter | _Unit) -> NumberOrQuantity:
    settled = _settled(value)
    if isinstance(settled, str):
        raise ValueError(f"{quoted(settled)} is a text, with which nothing can be computed")
    return settled
