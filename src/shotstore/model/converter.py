"""How cattrs reads and writes the classes of the model, and attrs classes that others add.

Reading is strict: what is missing, of another type, or not known is an error.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn
from cattrs.preconf.json import make_converter
from cattrs.v import format_exception

from shotstore.model.expressions import Expression
from shotstore.model.namespaces import ParameterNamespace
from shotstore.model.parameters import Parameter, parameter_from_json, parameter_to_json
from shotstore.model.quantities import is_quantity, quantity_class
from shotstore.model.scalars import JSON
from shotstore.model.steps import (
    ArangeLoop,
    ExecuteShot,
    LinspaceLoop,
    Step,
    StepsConfiguration,
    ValuesLoop,
    VariableDeclaration,
)
from shotstore.model.time_lanes import Ramp

_T = TypeVar("_T")

_STEPS: dict[str, type[Step]] = {
    "declaration": VariableDeclaration,
    "linspace": LinspaceLoop,
    "arange": ArangeLoop,
    "values": ValuesLoop,
    "shot": ExecuteShot,
}
"""By what is stored as their type."""


@lru_cache(maxsize=1)
def model_converter() -> cattrs.Converter:
    """Return the one converter of shotstore."""
    converter = make_converter(forbid_extra_keys=True)
    for cls in (bool, int, str):
        converter.register_structure_hook(cls, _exactly)
    converter.register_structure_hook(float, _float)
    converter.register_unstructure_hook_func(_is_quantity_class, parameter_to_json)
    converter.register_structure_hook_func(_is_quantity_class, _quantity)
    converter.register_unstructure_hook(Expression, str)
    converter.register_structure_hook(Expression, lambda value, _: Expression(value))
    _register_steps(converter)
    _register_spans(converter)
    _register_namespaces(converter)
    return converter


def reasons(error: Exception, path: str) -> str:
    """Return what an error in structuring says, and where below ``path`` it happened."""
    return "; ".join(cattrs.transform_error(error, path=path, format_exception=_reason))


def _reason(error: BaseException, expected: type | None) -> str:
    # cattrs leaves out what these two say.
    if isinstance(error, ValueError | TypeError) and str(error):
        return str(error).rstrip(".")
    return format_exception(error, expected)


def _exactly(value: object, cls: type[_T]) -> _T:
    if type(value) is not cls:
        raise TypeError(f"there is a {type(value).__name__} where a {cls.__name__} is expected")
    return value


def _float(value: object, _: type[float]) -> float:
    # An int in a field for floats is written as an int.
    return float(value) if type(value) is int else _exactly(value, float)


def _quantity(value: JSON, _: object) -> Parameter:
    parameter = parameter_from_json(value)
    if not is_quantity(parameter):
        raise TypeError(f"there is a {type(value).__name__} where a quantity is expected")
    return parameter


def _is_quantity_class(cls: object) -> bool:
    cls = get_origin(cls) or cls
    return isinstance(cls, type) and issubclass(cls, quantity_class())


def _register_steps(converter: cattrs.Converter) -> None:
    def dump_values(loop: ValuesLoop) -> dict[str, object]:
        values = [
            value.text if isinstance(value, Expression) else parameter_to_json(value)
            for value in loop.values
        ]
        steps = converter.unstructure(loop.sub_steps)
        return {"variable": loop.variable, "values": values, "sub_steps": steps}

    def load_values(content: object, _: object) -> ValuesLoop:
        match content:
            case {
                "variable": str(name),
                "values": list(values),
                "sub_steps": list(steps),
                **rest,
            } if not rest:
                return ValuesLoop(
                    name,
                    [v if isinstance(v, str) else parameter_from_json(v) for v in values],
                    [load(step, None) for step in steps],
                )
        raise ValueError("a loop over values has a variable, a list of values, and sub_steps")

    def load(value: object, _: object) -> Step:
        match value:
            case {"type": str(tag), **fields} if tag in _STEPS:
                return converter.structure(fields, _STEPS[tag])
        raise ValueError(f"a step has a 'type' that is one of {', '.join(_STEPS)}")

    # Steps hold steps, so their classes name each other before all of them exist.
    for cls in {StepsConfiguration, *_STEPS.values()} - {ValuesLoop}:
        attrs.resolve_types(cls)
    # By a function, without which cattrs resolves the type of quantities, and so imports pint.
    converter.register_structure_hook_func(_is_values_loop, load_values)
    converter.register_unstructure_hook_func(_is_values_loop, _with_type("values", dump_values))
    converter.register_structure_hook(
        VariableDeclaration | LinspaceLoop | ArangeLoop | ValuesLoop | ExecuteShot, load
    )
    for tag, cls in _STEPS.items():
        if cls is not ValuesLoop:
            fields = make_dict_unstructure_fn(cls, converter)
            converter.register_unstructure_hook(cls, _with_type(tag, fields))


def _is_values_loop(cls: object) -> bool:
    return cls is ValuesLoop


def _with_type(
    tag: str, fields: Callable[[Any], dict[str, object]]
) -> Callable[[Step], dict[str, object]]:
    # The tagged unions of cattrs have the type last, and people read these files.
    return lambda step: {"type": tag, **fields(step)}


def _register_spans(converter: cattrs.Converter) -> None:
    def digital(value: object, _: object) -> bool | Expression:
        return value if isinstance(value, bool) else converter.structure(value, Expression)

    def analog(value: object, _: object) -> Expression | Ramp:
        return Ramp() if value == {"type": "ramp"} else converter.structure(value, Expression)

    converter.register_structure_hook(bool | Expression, digital)
    converter.register_structure_hook(Expression | Ramp, analog)
    converter.register_unstructure_hook(Ramp, lambda _: {"type": "ramp"})


def _register_namespaces(converter: cattrs.Converter) -> None:
    # Pairs in a list: names may occur twice, and their order counts.
    def dump(namespace: ParameterNamespace) -> list[object]:
        return [[name, converter.unstructure(value)] for name, value in namespace.items()]

    def load(value: object, _: object) -> ParameterNamespace:
        _exactly(value, list)
        pairs = converter.structure(value, list[tuple[str, Expression | ParameterNamespace]])
        return ParameterNamespace(pairs)

    def load_definition(value: object, _: object) -> Expression | ParameterNamespace:
        if isinstance(value, list):
            return converter.structure(value, ParameterNamespace)
        return converter.structure(value, Expression)

    converter.register_unstructure_hook(ParameterNamespace, dump)
    converter.register_structure_hook(ParameterNamespace, load)
    converter.register_structure_hook(Expression | ParameterNamespace, load_definition)
