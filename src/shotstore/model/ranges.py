"""What values a recipe gives its parameters, as far as that can be told without running it."""

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np

from shotstore.model.expressions import Expression
from shotstore.model.loops import Values
from shotstore.model.parameters import Parameter
from shotstore.model.quantities import convert, is_quantity, unit_to_text


@attrs.frozen
class ParameterRange:
    """From where to where a recipe takes a parameter."""

    start: str
    """As the recipe has it: ``-10 MHz``."""
    stop: str
    """As the recipe has it. The last value, or for steps of a given size what ends them."""
    count: int | None
    """How many values it takes; None if that depends on parameters that are not known."""
    first: int | float | None
    """The first value, in ``units``; None if that depends on parameters that are not known."""
    last: int | float | None
    """The last value, in ``units``."""
    units: str | None
    """Text of the unit; empty for a dimensionless quantity, None for a plain number."""

    @classmethod
    def of(cls, value: Parameter, text: str = "") -> "ParameterRange":
        """Return the range that is one value; ``text`` is what the recipe has."""
        number, units = _number(value)
        return cls(text, text, 1, number, number, units)


@attrs.frozen
class ParameterRanges:
    """The ranges of the parameters that a recipe sets, by name."""

    varied: Mapping[str, ParameterRange] = attrs.field(factory=dict)
    """Of those that it loops over."""
    declared: Mapping[str, ParameterRange] = attrs.field(factory=dict)
    """Of the others."""


class RangeSurvey:
    """Goes through the steps of a recipe, and notes the values of its parameters.

    A loop is gone through once. So what its steps set is not known at their beginning, nor is the
    parameter that it varies.
    """

    def __init__(self, initial: Mapping[str, Parameter]) -> None:
        """``initial`` are the parameters before the first step, as far as they are known."""
        self._known = dict(initial)
        self._unknown: set[str] = set()
        self._loops: dict[str, list[ParameterRange]] = {}
        self._declarations: dict[str, list[ParameterRange]] = {}

    def evaluate(self, expression: Expression) -> Parameter:
        """Return the value.

        Raises:
            ValueError: it depends on what is not known, or cannot be evaluated.
        """
        if unknown := expression.names() & self._unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} may have several values.")
        return expression.evaluate(self._known)

    def forget(self, names: Iterable[str]) -> None:
        """From here on, these parameters are not known."""
        self._unknown.update(names)

    def declare(self, name: str, expression: Expression) -> None:
        """Note what a parameter is set to."""
        text = expression.text
        try:
            value = self.evaluate(expression)
        except ValueError:
            self.forget([name])
            found = ParameterRange(text, text, 1, None, None, None)
        else:
            self._known[name] = value
            self._unknown.discard(name)
            found = ParameterRange.of(value, text)
        self._declarations.setdefault(name, []).append(found)

    def loop(
        self,
        name: str,
        start: Expression,
        stop: Expression,
        count: int | None,
        values: Values | None,
    ) -> None:
        """Note what a loop varies; ``count`` and ``values`` are None where they are not known."""
        self.forget([name])
        found = ParameterRange(start.text, stop.text, count, None, None, None)
        if values is not None:
            found = attrs.evolve(found, count=values.count)
        if values is not None and values.count:
            found = attrs.evolve(
                found,
                first=values.number(0),
                last=values.number(values.count - 1),
                units=None if values.like is None else unit_to_text(values.like.units),
            )
        self._loops.setdefault(name, []).append(found)

    def ranges(self) -> ParameterRanges:
        """Return what was noted."""
        return ParameterRanges(
            {name: _joined(found) for name, found in self._loops.items()},
            {
                name: _joined(list(dict.fromkeys(found)))
                for name, found in self._declarations.items()
                if name not in self._loops
            },
        )


def _number(value: Parameter) -> tuple[int | float, str | None]:
    if is_quantity(value):
        return value.magnitude, unit_to_text(value.units)
    return value, None


def _joined(ranges: Sequence[ParameterRange]) -> ParameterRange:
    """The range that holds them all, from its lowest to its highest value if there are several."""
    first, *others = ranges
    if not others:
        return first
    counts = [found.count for found in ranges]
    count = None if None in counts else sum(filter(None, counts))
    ends = _ends([found for found in ranges if found.count != 0], first.units)
    if not ends:
        return ParameterRange(first.start, others[-1].stop, count, None, None, None)
    (low, start), (high, stop) = min(ends), max(ends)
    return ParameterRange(start, stop, count, low, high, first.units)


def _ends(ranges: Sequence[ParameterRange], units: str | None) -> list[tuple[int | float, str]]:
    """Both ends of each, in the same unit, with their texts; nothing if one is not known."""
    ends = []
    for found in ranges:
        for number, text in ((found.first, found.start), (found.last, found.stop)):
            if number is None:
                return []
            converted = in_units(number, found.units, units)
            if converted is None:
                return []
            ends.append((converted, text))
    return ends


def in_units(number: int | float, old: str | None, new: str | None) -> int | float | None:
    """Return the number in another unit, or None where there is no such conversion."""
    if old == new:
        return number
    if old is None or new is None:
        return None
    try:
        return float(convert(np.array([number], float), old, new)[0])
    except (ValueError, OverflowError):
        return None
