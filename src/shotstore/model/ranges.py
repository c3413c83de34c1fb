"""What values a recipe gives its parameters, as far as that can be told without running it."""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs
import numpy as np

from shotstore.model.expressions import Expression
from shotstore.model.loops import Values
from shotstore.model.parameters import Parameter, as_plain, parameter_text
from shotstore.model.quantities import convert, quantity, unit_to_text
from shotstore.model.value_texts import texts_text


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
    texts: tuple[str, ...] = ()
    """Where it takes texts, these, each once; then ``first`` and ``last`` are None."""

    def __str__(self) -> str:
        """Return it as people read it: "0 s to 4.6 s (24 values)", "'Rb85', 'Rb87' (2 values)"."""
        if self.start == self.stop and len(self.texts) < 2:
            return self.start
        unit = "value" if self.count == 1 else "values"
        count = "" if self.count is None else f" ({self.count} {unit})"
        if self.texts:
            return texts_text(self.texts, self.count)
        return f"{self.start} to {self.stop}{count}"

    @classmethod
    def of(cls, value: Parameter, text: str = "") -> "ParameterRange":
        """Return the range that is one value; ``text`` is what the recipe has."""
        plain, units = as_plain(value)
        if isinstance(plain, str):
            return cls(text, text, 1, None, None, None, (plain,))
        return cls(text, text, 1, plain, plain, units)

    @classmethod
    def between(
        cls, start: str, stop: str, count: int | None, values: Values | None
    ) -> "ParameterRange":
        """Return the range of values at equal distances.

        Args:
            start: As the recipe has it.
            stop: As the recipe has it.
            count: How many there are, if that is known without the values.
            values: None if they are not known.
        """
        if values is None:
            return cls(start, stop, count, None, None, None)
        if not values.count:
            return cls(start, stop, 0, None, None, None)
        first, last = values.number(0), values.number(values.count - 1)
        units = None if values.like is None else unit_to_text(values.like.units)
        return cls(start, stop, values.count, first, last, units)

    @classmethod
    def of_several(
        cls, texts: Sequence[str], values: Sequence[Parameter] | None
    ) -> "ParameterRange":
        """Return the range of single values: from the lowest to the highest, or all texts.

        Args:
            texts: Of each of them, as the recipe has it.
            values: As many; None if they are not known.
        """
        if not texts:
            return cls("", "", 0, None, None, None)
        if values is None:
            return cls(texts[0], texts[-1], len(texts), None, None, None)
        return _joined([cls.of(value, text) for value, text in zip(values, texts, strict=True)])


@attrs.frozen
class ParameterRanges:
    """The ranges of the parameters that a recipe sets, by name."""

    varied: Mapping[str, ParameterRange] = attrs.field(factory=dict)
    """Of those that differ between its shots, whether a loop or a declaration sets them."""
    declared: Mapping[str, ParameterRange] = attrs.field(factory=dict)
    """Of the others, which are the same in all shots."""


class RangeSurvey:
    """Goes through the steps of a recipe, and notes what its parameters are in the shots.

    A loop is gone through once, however many values it has. So of what differs from pass to pass,
    the loop's own parameter for one, it is known that it differs and not what it is.
    """

    def __init__(self, initial: Mapping[str, Parameter]) -> None:
        """``initial`` are the parameters before the first step, as far as they are known."""
        self._known: dict[Hashable, _Value] = {}
        self._now = {name: self._value(parameter) for name, parameter in initial.items()}
        self._set_to: dict[str, dict[ParameterRange, None]] = {}
        """By name, what steps set it to, whether or not there is a shot then."""
        self._in_shots: dict[str, dict[_Value, None]] = {}
        """By name, what it is in shots."""
        self._since_last_shot: set[str] = set()
        self._has_shot = False
        self._looped: dict[str, None] = {}
        self._loops = 0
        self._skipped = 0
        """How many loops there are around that have no value: nothing in them happens."""

    def evaluate(self, expression: Expression) -> Parameter:
        """Return the value.

        Raises:
            ValueError: it depends on what is not known, or cannot be evaluated.
        """
        operands = self._operands(expression)
        if unknown := [name for name, value in operands.items() if value.parameter is None]:
            raise ValueError(f"{', '.join(unknown)} may have several values.")
        return expression.evaluate(
            {
                name: value.parameter
                for name, value in operands.items()
                if value.parameter is not None
            }
        )

    def shoot(self) -> None:
        """Note that there is a shot."""
        if self._skipped:
            return
        for name in self._since_last_shot:
            self._in_shots.setdefault(name, {})[self._now[name]] = None
        self._since_last_shot.clear()
        self._has_shot = True

    def declare(self, name: str, expression: Expression) -> None:
        """Note what a parameter is set to."""
        text = expression.text
        try:
            value = self._value(self.evaluate(expression), text)
        except ValueError:
            operands = self._operands(expression)
            loops = frozenset[int]().union(*(operand.loops for operand in operands.values()))
            found = ParameterRange(text, text, None if loops else 1, None, None, None)
            # The same text of the same operands is the same value, though nobody knows which.
            key = (text, tuple(operands.items()))
            value = self._known.setdefault(key, _Value(None, found, loops))
        self._set(name, value)

    @contextmanager
    def loop(
        self,
        name: str,
        found: ParameterRange,
        expressions: Sequence[Expression],
        only: Parameter | None,
        inside: Iterable[str],
    ) -> Iterator[None]:
        """Note what a loop varies; its steps are to be gone through inside the block.

        Args:
            name: The parameter.
            found: What is known of its values.
            expressions: What these depend on.
            only: The value, if there is one and it is known.
            inside: The parameters that the steps in the loop set.
        """
        self._looped[name] = None
        if found.count == 0 or self._skipped:
            self._set_to.setdefault(name, {})[found] = None
            self._skipped += 1
            yield
            self._skipped -= 1
            return
        self._loops += 1
        this = frozenset([self._loops] if found.count != 1 else [])
        around = frozenset[int]().union(
            *(operand.loops for each in expressions for operand in self._operands(each).values())
        )
        changing = {name, *inside} if this else set()
        at_begin: dict[str, _Value] = {}
        for other in changing - {name}:
            # At the beginning of a pass it is what the last pass has left.
            before = self._at(other)
            at_begin[other] = _Value(None, None, this | before.loops, [before])
            self._set(other, at_begin[other])
        self._set(name, _Value(only, found, this | around))
        yield
        for other, value in at_begin.items():
            value.sources.append(self._at(other))
        for other in changing:
            last = self._at(other)
            if last.loops & this:
                self._set(other, _Value(None, None, last.loops - this, [last]))

    def ranges(self) -> ParameterRanges:
        """Return what was noted."""
        varied: dict[str, ParameterRange] = {}
        declared: dict[str, ParameterRange] = {}
        for name in dict.fromkeys([*self._looped, *self._set_to]):
            values = list(self._in_shots.get(name, ()))
            (varied if _differ(values) else declared)[name] = self._range(name, values)
        return ParameterRanges(varied, declared)

    def _range(self, name: str, values: "Sequence[_Value]") -> ParameterRange:
        # Without a shot, there is only what it is set to.
        return _joined(list(_ranges_of(values) or self._set_to[name]))

    def _set(self, name: str, value: "_Value") -> None:
        if value.range is not None:
            self._set_to.setdefault(name, {})[value.range] = None
        if self._skipped:
            return
        if self._has_shot and name not in self._in_shots:
            self._in_shots[name] = {self._at(name): None}
        self._now[name] = value
        self._since_last_shot.add(name)

    def _at(self, name: str) -> "_Value":
        return self._now.get(name, _FROM_OUTSIDE)

    def _value(self, parameter: Parameter, text: str | None = None) -> "_Value":
        plain, units = as_plain(parameter)
        key = (type(plain), plain, units)
        found = ParameterRange.of(parameter, parameter_text(parameter) if text is None else text)
        return self._known.setdefault(key, _Value(parameter, found, frozenset()))

    def _operands(self, expression: Expression) -> "dict[str, _Value]":
        try:
            names = expression.names()
        except ValueError:
            return {}
        return {name: self._now[name] for name in sorted(names) if name in self._now}


@attrs.frozen(eq=False)
class _Value:
    """What a parameter is at some step. Of what is not known, the same object is the same value."""

    parameter: Parameter | None
    """None if it is not known."""
    range: ParameterRange | None
    """What it is one of, if a step sets it."""
    loops: frozenset[int]
    """The loops around in which it differs from pass to pass."""
    sources: "list[_Value]" = attrs.field(factory=list)
    """It is one of these, if it was left by a loop or by the last pass of one."""


_FROM_OUTSIDE = _Value(None, None, frozenset())


def _ranges_of(values: Iterable[_Value]) -> dict[ParameterRange, None]:
    """All that the values may be one of, as keys."""
    found: dict[ParameterRange, None] = {}
    to_do, done = list(values), set[_Value]()
    for value in to_do:
        if value.range is not None:
            found[value.range] = None
        to_do += [source for source in value.sources if source not in done]
        done.update(value.sources)
    return found


def _differ(values: Sequence[_Value]) -> bool:
    """Whether what a parameter is in shots differs between them."""
    return any(value.loops for value in values) or any(
        not _are_equal(values[0], other) for other in values[1:]
    )


def _are_equal(one: _Value, other: _Value) -> bool:
    if one.parameter is None or other.parameter is None:
        return one is other
    (number, units), (other_number, other_units) = (
        as_plain(one.parameter),
        as_plain(other.parameter),
    )
    if units == other_units or isinstance(number, str) or isinstance(other_number, str):
        return number == other_number
    converted = in_units(other_number, other_units, units)
    try:
        # 0.7 ms and 700 us differ by rounding.
        return converted is not None and math.isclose(number, converted, rel_tol=1e-12)
    except OverflowError:  # an integer that no float can hold
        return False


def _joined(ranges: Sequence[ParameterRange]) -> ParameterRange:
    """The range that holds them all, from its lowest to its highest value if there are several."""
    first, *others = ranges
    if not others:
        return first
    counts = [found.count for found in ranges]
    count = None if None in counts else sum(filter(None, counts))
    taken = [found for found in ranges if found.count != 0]
    if taken and all(found.texts for found in taken):
        texts = dict.fromkeys(text for found in taken for text in found.texts)
        return ParameterRange(taken[0].start, taken[-1].stop, count, None, None, None, tuple(texts))
    ends = _ends(taken, first.units)
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


def is_plain_zero(number: int | float, units: str | None) -> bool:
    """Return whether a number without a unit is 0, and that the same in this unit and all others
    of its dimension, as 0 °C, 0 dB and 0 dBm are not."""
    if number != 0 or units is None:
        return bool(number == 0)
    try:
        return bool(quantity(0, units).to_root_units().magnitude == 0)
    except (TypeError, ValueError):  # as pint's errors about dBm / Hz are
        return False
