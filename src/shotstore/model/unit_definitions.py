"""What the stores of this process define as units: ``recoil = 3.77 kHz = Er``.

What a unit means belongs to a registry, which is one for the whole process. So the definitions of
all stores that are in use go to pint's application registry, whichever that is, and a store that
means something else by the same name is refused.
"""

import math
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from shotstore.errors import UnitConflictError
from shotstore.model.scalars import check_text

if TYPE_CHECKING:
    import pint

BASE_UNIT = re.compile(r"\[([^\W\d]\w*)?\]")
"""The value of a unit that is not made of others: a number of things, or its own dimension."""


@attrs.frozen
class UnitDefinition:
    """A unit of a lab.

    Attributes:
        names: Its name, then its symbol and further names.
        value: What it is: a number with units, ``[]`` for a number of things, or ``[dimension]``.
    """

    names: tuple[str, ...]
    value: str

    @classmethod
    def parse(cls, text: str) -> "UnitDefinition":
        """Return the definition that is written ``name = value`` or ``name = value = symbol``.

        Raises:
            ValueError: it is written in another way.
            TypeError: it is not a text.
        """
        plain = check_text(text, "The definition of a unit")
        name, *rest = (part.strip() for part in plain.split("="))
        names = (name, *rest[1:])
        if not rest or not rest[0] or not all(part.isidentifier() for part in names):
            raise not_a_definition(plain)
        return cls(names, rest[0])

    def __str__(self) -> str:
        return " = ".join((self.names[0], self.value, *self.names[1:]))


def not_a_definition(text: str, reason: str = "") -> ValueError:
    """The error about a text that does not define a unit."""
    return ValueError(
        f"{text!r} does not define a unit{reason}: write 'recoil = 3.77 kHz', "
        "'recoil = 3.77 kHz = Er' with a symbol, 'shots = []' for a number of things, or "
        "'steps = [motor_steps]' for what is converted to nothing else."
    )


class _KnownDefinitions:
    """Those of all stores that this process has used, by name, with the store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[UnitDefinition, str]] = {}
        self._registry: object = None
        """The registry that has all of them."""

    def add(self, definitions: Iterable[UnitDefinition], store: str) -> None:
        with self._lock:
            for definition in definitions:
                for name in definition.names:
                    known, other = self._known.get(name, (definition, store))
                    if known != definition:
                        raise _conflict(definition, store, f"{known}' of {other}")
                if definition.names[0] not in self._known:
                    self._known.update(dict.fromkeys(definition.names, (definition, store)))
                    self._registry = None

    def give_to(self, registry: "pint.UnitRegistry[Any]") -> None:
        if registry is self._registry:
            return
        with self._lock:
            for definition, store in dict.fromkeys(self._known.values()):
                _define(registry, definition, store)
            self._registry = registry

    def forget(self, definition: UnitDefinition) -> None:
        with self._lock:
            for name in definition.names:
                self._known.pop(name, None)


_known = _KnownDefinitions()
add_definitions = _known.add
"""``add_definitions(definitions, store)``: from here on they are known to pint's application
registry. Raises UnitConflictError if another store means something else by one of the names."""
give_definitions_to = _known.give_to
"""Define what is known in a registry that may not have it. Raises UnitConflictError if it means
something else by one of the names."""
forget_definition = _known.forget


def _define(registry: "pint.UnitRegistry[Any]", definition: UnitDefinition, store: str) -> None:
    known = [name for name in definition.names if knows(registry, name)]
    for name in known:
        if not _means(registry, name, definition):
            raise _conflict(definition, store, f"{name}' of pint's application registry")
    if not known:
        registry.define(str(definition))
        return
    for name in definition.names:
        if name not in known:
            registry.define(f"@alias {known[0]} = {name}")


def knows(registry: "pint.UnitRegistry[Any]", name: str) -> bool:
    """Whether a registry has a unit of this name."""
    try:
        registry.parse_units(name, as_delta=False)
    except Exception:  # pint raises all sorts of errors
        return False
    return True


def _means(registry: "pint.UnitRegistry[Any]", name: str, definition: UnitDefinition) -> bool:
    unit = registry.Quantity(1, name)
    if base := BASE_UNIT.fullmatch(definition.value):
        dimension = {base[0]: 1} if base[1] else {}
        return dict(unit.dimensionality) == dimension and unit.to_root_units().magnitude == 1
    ours = registry.parse_expression(definition.value) * registry.Quantity(1, "")
    mine, theirs = ours.to_root_units(), unit.to_root_units()
    return bool(
        mine.units == theirs.units and math.isclose(mine.magnitude, theirs.magnitude, rel_tol=1e-12)
    )


def _conflict(definition: UnitDefinition, store: str, other: str) -> UnitConflictError:
    return UnitConflictError(
        f"{store} defines the unit '{definition}', which is not the '{other}: one process can know "
        "one of them only. Use them in processes of their own, or give one of them another name."
    )
