"""Iteration as a list of steps, run like a small program: declarations, loops and shots."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias, Union

import attrs

from shotstore.model import loops
from shotstore.model.expressions import Expression
from shotstore.model.iteration import IterationConfiguration
from shotstore.model.parameters import (
    Parameter,
    as_plain,
    check_parameter,
    check_parameter_name,
    check_parameters,
    parameter_text,
)
from shotstore.model.ranges import ParameterRange, ParameterRanges, RangeSurvey
from shotstore.model.scalars import check_positive
from shotstore.model.schema import ParameterSchema, ParameterType

Step: TypeAlias = Union[
    "VariableDeclaration", "LinspaceLoop", "ArangeLoop", "ValuesLoop", "ExecuteShot"
]
LoopValue: TypeAlias = Expression | Parameter
"""One of the values of a loop: an expression, or a parameter as it is."""


def _checked_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    checked = tuple(steps)
    for step in checked:
        if not isinstance(step, VariableDeclaration | Loop | ExecuteShot):
            raise TypeError(
                "A step is a VariableDeclaration, LinspaceLoop, ArangeLoop, ValuesLoop or "
                f"ExecuteShot, not of type {type(step).__name__}."
            )
    return checked


def _checked_num(num: int) -> int:
    return check_positive(num, "The number of values of a loop")


def _checked_values(values: Iterable[object]) -> tuple[LoopValue, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"The values of a loop must be in a list, not of type {type(values).__name__}."
        )
    return tuple([_checked_value(value) for value in values])


def _checked_value(value: object) -> LoopValue:
    if isinstance(value, str | Expression):
        return Expression(value)
    return check_parameter("in a loop", value)


def _as_compared(values: tuple[LoopValue, ...]) -> tuple[object, ...]:
    """What counts of values: 1, 1.0 and True differ, and a NaN equals a NaN."""
    return tuple(
        [
            value if isinstance(value, Expression) else tuple(map(repr, as_plain(value)))
            for value in values
        ]
    )


@attrs.frozen
class VariableDeclaration:
    """Give a parameter a value, which it keeps until another step changes it."""

    variable: str = attrs.field(converter=check_parameter_name)
    value: Expression = attrs.field(converter=Expression)


@attrs.frozen
class LinspaceLoop:
    """Run steps for ``num`` values from ``start`` to ``stop``, both included.

    The values are floats in the unit of ``start``, each as near as a float can be to the exact
    decimal: from 0 to 1 in 11 values, the fourth is 0.3 (``numpy.linspace`` has
    0.30000000000000004).

    Raises:
        ValueError: ``num`` is less than 1.
    """

    variable: str = attrs.field(converter=check_parameter_name)
    start: Expression = attrs.field(converter=Expression)
    stop: Expression = attrs.field(converter=Expression)
    num: int = attrs.field(converter=_checked_num)
    sub_steps: tuple[Step, ...] = attrs.field(converter=_checked_steps)


@attrs.frozen
class ArangeLoop:
    """Run steps for the values from ``start`` in steps of ``step``, before ``stop`` is reached.

    The values are in the unit of ``start``, and integers if all three are. The fourth from 0 on in
    steps of 0.1 is 0.3. A step from ``20 degC`` is written ``5 delta_degC``, one from ``-30 dBm``
    ``10 dB``.
    """

    variable: str = attrs.field(converter=check_parameter_name)
    start: Expression = attrs.field(converter=Expression)
    stop: Expression = attrs.field(converter=Expression)
    step: Expression = attrs.field(converter=Expression)
    sub_steps: tuple[Step, ...] = attrs.field(converter=_checked_steps)


@attrs.frozen
class ValuesLoop:
    """Run steps for each of some values, in their order.

    >>> from shotstore.model import quantity
    >>> loop = ValuesLoop("hold_time", ["1 ms", quantity(0.5, "s"), "2 * longest"], [ExecuteShot()])
    >>> shots = StepsConfiguration([loop]).walk({"longest": quantity(10, "s")})
    >>> [str(shot["hold_time"]) for shot in shots]
    ['1 millisecond', '0.5 second', '20 second']

    Args:
        variable: The parameter.
        values: Any number of expressions or their texts, which are evaluated before the first value
            is taken, and of bools, numbers and quantities, which the shots get as they are.
        sub_steps: What is run for each of them.

    Raises:
        TypeError: a value is something else.
    """

    variable: str = attrs.field(converter=check_parameter_name)
    values: tuple[LoopValue, ...] = attrs.field(converter=_checked_values, eq=_as_compared)
    sub_steps: tuple[Step, ...] = attrs.field(converter=_checked_steps)


Loop: TypeAlias = LinspaceLoop | ArangeLoop | ValuesLoop


@attrs.frozen
class ExecuteShot:
    """Take a shot with the parameters as they are."""


@attrs.frozen
class StepsConfiguration(IterationConfiguration):
    """Steps that are run one after the other, each seeing the parameters the last one left.

    >>> scan = StepsConfiguration([
    ...     VariableDeclaration("mot.detuning", "-12 MHz"),
    ...     ArangeLoop("repetition", "0", "3", "1", [ExecuteShot()]),
    ... ])
    >>> scan.expected_number_shots()
    3
    >>> [parameters["repetition"] for parameters in scan.walk({})]
    [0, 1, 2]

    Args:
        steps: Any number of VariableDeclaration, LinspaceLoop, ArangeLoop, ValuesLoop and
            ExecuteShot.

    Raises:
        TypeError: one of the steps is something else.
    """

    steps: tuple[Step, ...] = attrs.field(converter=_checked_steps)

    def walk(self, initial: Mapping[str, Parameter]) -> Iterator[dict[str, Parameter]]:
        """Yield the parameters of each shot in order.

        Args:
            initial: The parameters before the first step.

        Raises:
            ValueError: an expression cannot be evaluated, or the bounds of a loop do not fit. It is
                raised when the walk comes to the step.
        """
        return _walk(self.steps, check_parameters(initial))

    def expected_number_shots(self) -> int | None:
        """Return the number of shots, without running the steps.

        ``None`` if it depends on a loop whose bounds use parameters or cannot be evaluated. Bounds
        that name units only are taken to mean these, so no parameter should be named like a unit.
        """
        return _number_shots(self.steps, self.get_parameter_names())

    def get_parameter_names(self) -> set[str]:
        return set(_variables(self.steps))

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        """Return type and unit of all parameters of a shot, from the first value of each loop, of a
        ValuesLoop from the first of each type.

        Without a shot, those after the last step.

        Raises:
            ValueError: an expression cannot be evaluated, or the bounds of a loop do not fit.
        """
        parameters = check_parameters(initial)
        schema = None
        for shot in _walk(self.steps, parameters, only_first=True):
            new = ParameterSchema.of(shot)
            schema = new if schema is None else schema.merged(new)
        return ParameterSchema.of(parameters) if schema is None else schema

    def get_parameter_ranges(self, initial: Mapping[str, Parameter]) -> ParameterRanges:
        survey = RangeSurvey(check_parameters(initial))
        _survey(self.steps, survey)
        return survey.ranges()


def _walk(
    steps: tuple[Step, ...], parameters: dict[str, Parameter], *, only_first: bool = False
) -> Iterator[dict[str, Parameter]]:
    """Run the steps, changing ``parameters``; yield a copy of it for each shot."""
    for step in steps:
        match step:
            case ExecuteShot():
                yield dict(parameters)
            case VariableDeclaration():
                parameters[step.variable] = step.value.evaluate(parameters)
            case LinspaceLoop() | ArangeLoop() | ValuesLoop():
                values = _values(step, lambda value: value.evaluate(parameters))
                for value in _one_of_each_type(values) if only_first else values:
                    parameters[step.variable] = value
                    yield from _walk(step.sub_steps, parameters, only_first=only_first)


def _one_of_each_type(values: loops.Values | Sequence[Parameter]) -> Iterable[Parameter]:
    if isinstance(values, loops.Values):  # all are of one type
        return islice(values, 1)
    return {ParameterType.of(value): value for value in reversed(values)}.values()


def _values(
    loop: Loop, evaluate: Callable[[Expression], Parameter]
) -> loops.Values | tuple[Parameter, ...]:
    if isinstance(loop, ValuesLoop):
        return tuple(
            [evaluate(value) if isinstance(value, Expression) else value for value in loop.values]
        )
    start, stop = evaluate(loop.start), evaluate(loop.stop)
    try:
        if isinstance(loop, LinspaceLoop):
            return loops.linspace(start, stop, loop.num)
        return loops.arange(start, stop, evaluate(loop.step))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"Loop over '{loop.variable}': {error}") from error


def _survey(steps: tuple[Step, ...], survey: RangeSurvey) -> None:
    for step in steps:
        match step:
            case ExecuteShot():
                survey.shoot()
            case VariableDeclaration():
                survey.declare(step.variable, step.value)
            case LinspaceLoop() | ArangeLoop() | ValuesLoop():
                values = None
                with contextlib.suppress(ValueError):
                    values = _values(step, survey.evaluate)
                found, operands = _range(step, values), _expressions(step)
                first = next(iter(values)) if values is not None and found.count == 1 else None
                inside = set(_variables(step.sub_steps))
                with survey.loop(step.variable, found, operands, first, inside):
                    _survey(step.sub_steps, survey)


def _range(loop: Loop, values: loops.Values | Sequence[Parameter] | None) -> ParameterRange:
    """What a loop takes, as far as its values are known."""
    if isinstance(loop, ValuesLoop):
        texts = [
            value.text if isinstance(value, Expression) else parameter_text(value)
            for value in loop.values
        ]
        return ParameterRange.of_several(texts, None if values is None else list(values))
    count = loop.num if isinstance(loop, LinspaceLoop) else None
    known = values if isinstance(values, loops.Values) else None
    return ParameterRange.between(loop.start.text, loop.stop.text, count, known)


def _expressions(loop: Loop) -> list[Expression]:
    match loop:
        case ValuesLoop():
            return [value for value in loop.values if isinstance(value, Expression)]
        case ArangeLoop():
            return [loop.start, loop.stop, loop.step]
    return [loop.start, loop.stop]


def _number_shots(steps: tuple[Step, ...], variables: set[str]) -> int | None:
    total = 0
    for step in steps:
        match step:
            case ExecuteShot():
                total += 1
            case LinspaceLoop() | ArangeLoop() | ValuesLoop():
                inside = _number_shots(step.sub_steps, variables)
                # Nothing, however often, is nothing.
                if inside == 0:
                    continue
                count = _number_values(step, variables)
                if count == 0:
                    continue
                if inside is None or count is None:
                    return None
                total += count * inside
    return total


def _number_values(loop: Loop, variables: set[str]) -> int | None:
    if isinstance(loop, LinspaceLoop):
        return loop.num
    if isinstance(loop, ValuesLoop):
        return len(loop.values)
    try:
        names = loop.start.names() | loop.stop.names() | loop.step.names()
        # A variable that is named like a unit would be taken for the unit here.
        if names & variables:
            return None
        return loops.arange(*(bound.evaluate({}) for bound in _expressions(loop))).count
    except (ValueError, OverflowError):
        return None


def _variables(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        if not isinstance(step, ExecuteShot):
            yield step.variable
        if isinstance(step, Loop):
            yield from _variables(step.sub_steps)
