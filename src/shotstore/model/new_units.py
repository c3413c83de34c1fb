"""How a unit that a person has defined is checked before a store keeps it."""

import math
from collections.abc import Sequence

import attrs

from shotstore.errors import UnitConflictError
from shotstore.model.expressions import Expression
from shotstore.model.parameters import as_plain
from shotstore.model.quantities import is_unit
from shotstore.model.unit_definitions import (
    BASE_UNIT,
    UnitDefinition,
    add_definitions,
    forget_definition,
    not_a_definition,
)


def new_definition(text: str, known: Sequence[str]) -> UnitDefinition:
    """Return the definition that a text such as ``recoil = 3.77 kHz = Er`` stands for.

    Args:
        text: What a person has written.
        known: The definitions that the store has already.

    Raises:
        ValueError: the text does not define a unit, its value has a unit that is not known, or the
            store defines one of the names in another way.
        TypeError: it is not a text.
    """
    parsed = UnitDefinition.parse(text)
    definition = attrs.evolve(parsed, value=_plain_value(parsed))
    for other in map(UnitDefinition.parse, known):
        if other != definition and set(other.names) & set(definition.names):
            raise ValueError(
                f"The unit '{definition}' cannot be defined, since the store has '{other}' "
                "already, and what a unit means stays: choose another name."
            )
    return definition


def define_new_unit(definition: UnitDefinition, store: str) -> None:
    """Let pint's application registry know a unit from here on.

    Args:
        definition: As `new_definition` returns it.
        store: Whose definition it is, for the messages of errors.

    Raises:
        UnitConflictError: one of the names means something else in this process.
    """
    add_definitions([definition], store)
    try:
        is_unit(definition.names[0])
    except UnitConflictError:
        forget_definition(definition)
        raise


def _plain_value(definition: UnitDefinition) -> str:
    """The value with one number, and the units as they are stored."""
    if BASE_UNIT.fullmatch(definition.value):
        return definition.value
    try:
        value = Expression(definition.value).evaluate_number({})
    except ValueError as error:
        raise not_a_definition(str(definition), f" ({str(error).rstrip('.')})") from error
    number, units = as_plain(value)
    if isinstance(number, bool) or not math.isfinite(number) or number <= 0:
        raise not_a_definition(str(definition))
    return f"{number!r} {units or ''}".strip()
