"""Parameter namespaces: ordered, nested names with the expressions that give their values."""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias, Union

import attrs

from shotstore.model.expressions import Expression
from shotstore.model.parameters import Parameter, check_parameter_name

Definition: TypeAlias = Union[Expression, "ParameterNamespace"]
_Unchecked: TypeAlias = "str | Expression | ParameterNamespace | Mapping[str, _Unchecked]"


def _checked(content: "Iterable[tuple[str, _Unchecked]]") -> tuple[tuple[str, Definition], ...]:
    return tuple((check_parameter_name(name), _definition(value)) for name, value in content)


def _definition(value: "_Unchecked") -> Definition:
    if isinstance(value, ParameterNamespace):
        return value
    if isinstance(value, Mapping):
        return ParameterNamespace(value.items())
    return Expression(value)


@attrs.frozen
class ParameterNamespace:
    """Names with an expression or a further namespace each, in order.

    A name may occur several times; the last one counts.

    >>> ParameterNamespace.from_mapping({"a": "1", "mot": {"detuning": "-12 MHz * a"}}).flatten()
    [('a', Expression(text='1')), ('mot.detuning', Expression(text='-12 MHz * a'))]

    Args:
        content: Pairs of a name and what it stands for: an expression or its text, a namespace or
            a mapping.

    Raises:
        ValueError: a name is not a parameter name.
        TypeError: a name stands for something else.
    """

    _content: tuple[tuple[str, Definition], ...] = attrs.field(converter=_checked)

    @classmethod
    def empty(cls) -> "ParameterNamespace":
        return cls(())

    @classmethod
    def from_mapping(cls, mapping: "Mapping[str, _Unchecked]") -> "ParameterNamespace":
        return cls(mapping.items())

    def items(self) -> tuple[tuple[str, Definition], ...]:
        """Return the names of this level and what they stand for, duplicates included."""
        return self._content

    def flatten(self) -> list[tuple[str, Expression]]:
        """Return all full names, as ``mot.detuning``, with what they stand for, duplicates too."""
        return list(_flattened(self, ""))

    def names(self) -> set[str]:
        """Return the full names of all expressions."""
        return {name for name, _ in self.flatten()}

    def get(self, name: str) -> Definition | None:
        """Return what a full name stands for: an expression, a namespace, or ``None``.

        Of several the last one is returned.
        """
        for own, value in reversed(self._content):
            if own == name:
                return value
            if name.startswith(own + ".") and isinstance(value, ParameterNamespace):
                found = value.get(name.removeprefix(own + "."))
                if found is not None:
                    return found
        return None

    def replace(self, name: str, expression: str | Expression) -> "ParameterNamespace":
        """Return a namespace in which the expression with this full name is another one.

        Of several, the one that counts is replaced.

        Raises:
            KeyError: there is no expression of this name.
        """
        replaced = self._replaced(name, Expression(expression))
        if replaced is None:
            raise KeyError(name)
        return replaced

    def _replaced(self, name: str, expression: Expression) -> "ParameterNamespace | None":
        for index in reversed(range(len(self._content))):
            own, value = self._content[index]
            new: Definition | None = None
            if isinstance(value, Expression):
                new = expression if own == name else None
            elif name.startswith(own + "."):
                new = value._replaced(name.removeprefix(own + "."), expression)
            if new is not None:
                content = self._content
                return ParameterNamespace((*content[:index], (own, new), *content[index + 1 :]))
        return None

    def evaluate(self) -> dict[str, Parameter]:
        """Return the value of each full name.

        An expression may use every other parameter of the namespace, wherever that is written. A
        name in it is looked up in the namespace the expression is in, then in those around it: in
        ``mot.detuning`` the name ``power`` is ``mot.power`` if there is one and ``power`` if not.
        It is a unit only if it is neither.

        Raises:
            ValueError: an expression cannot be evaluated, or parameters depend on each other in a
                circle. The message names them.
        """
        expressions = dict(self.flatten())
        meanings = {
            name: _meanings(name, expression, expressions)
            for name, expression in expressions.items()
        }
        values: dict[str, Parameter] = {}
        for name in _in_order_of_dependence(meanings):
            variables = {text: values[full] for text, full in meanings[name].items()}
            try:
                values[name] = expressions[name].evaluate(variables)
            except ValueError as error:
                raise ValueError(f"Parameter '{name}': {error}") from error
        return {name: values[name] for name in expressions}


def _flattened(namespace: ParameterNamespace, prefix: str) -> Iterator[tuple[str, Expression]]:
    for name, value in namespace.items():
        if isinstance(value, ParameterNamespace):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _meanings(
    name: str, expression: Expression, expressions: Mapping[str, Expression]
) -> dict[str, str]:
    """Return the full names of the parameters that the names in an expression stand for."""
    try:
        used = expression.names()
    except ValueError as error:
        raise ValueError(f"Parameter '{name}': {error}") from error
    meanings = {}
    for text in used:
        scope = name
        while scope:
            scope = scope.rpartition(".")[0]
            full = f"{scope}.{text}" if scope else text
            if full in expressions:
                meanings[text] = full
                break
    return meanings


def _in_order_of_dependence(meanings: Mapping[str, Mapping[str, str]]) -> list[str]:
    graph = {name: set(used.values()) for name, used in meanings.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(
            f"Parameters depend on each other in a circle: {circle}. "
            "The name of a parameter wins over a unit of the same name."
        ) from None
