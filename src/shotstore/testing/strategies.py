"""Hypothesis strategies for what shotstore stores."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shotstore.model import (
    AnalogTimeLane,
    ArangeLoop,
    CameraTimeLane,
    DigitalTimeLane,
    ExecuteShot,
    Expression,
    LinspaceLoop,
    ParameterNamespace,
    Ramp,
    StepsConfiguration,
    TakePicture,
    TimeLane,
    TimeLanes,
    ValuesLoop,
    VariableDeclaration,
    quantity,
)


def tried(examples: int) -> settings:
    """So many examples, in one storage for all of them."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


UNITS = [
    "",
    "%",
    "MHz",
    "kilohertz",
    "µs",
    "degC",
    "delta_degC",
    "delta_degC / m",
    "m / s ** 2",
    "V / Hz ** 0.5",
    "G / cm",
    "dBm",
    "ohm",
    "rad",
    "m ** 0.3333333333333333",
]

# Lone surrogates are not text: no Unicode file can hold them.
characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=12)
integers = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.integers(0, 3).map(lambda n: 10 ** (4000 + n)),
)
numbers = st.one_of(integers, st.floats())

# Parameters
_identifiers = st.from_regex(r"[^\W\d]\w{0,5}", fullmatch=True).filter(str.isidentifier)
parameter_names = st.lists(_identifiers, min_size=1, max_size=3).map(".".join)
quantities = st.builds(quantity, numbers, st.sampled_from(UNITS))
parameter_values = st.one_of(st.booleans(), numbers, quantities, texts)
parameters = st.dictionaries(parameter_names, parameter_values, max_size=6)

# Data
labels = st.text(characters, min_size=1, max_size=12)
_scalar_dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=8),
    hnp.byte_string_dtypes(max_len=8),
    hnp.datetime64_dtypes(endianness="?"),
    hnp.timedelta64_dtypes(endianness="?"),
)
dtypes = st.one_of(_scalar_dtypes, hnp.array_dtypes(_scalar_dtypes, max_size=3))
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        elements=hnp.from_dtype(dtype, alphabet=characters),
    )
)
_offsets = st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
# Those of the first and the last day have no time in UTC.
aware_times = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.one_of(st.just(UTC), _offsets),
)
scalar_data = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    st.complex_numbers(),
    st.binary(max_size=12),
    aware_times,
)
# Keys that a stored dict could be mistaken by.
_keys = st.one_of(
    texts, st.sampled_from(["float", "int", "array", "dict", "tuple", "bytes", "complex", "time"])
)
structured_data = st.recursive(
    st.one_of(scalar_data, arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(_keys, inner, max_size=3),
    ),
    max_leaves=8,
)
quantities_of_numbers = st.builds(
    quantity, st.one_of(numbers, st.complex_numbers()), st.sampled_from(UNITS)
)
quantities_of_arrays = st.builds(
    quantity, arrays.filter(lambda array: array.dtype.kind in "iufc"), st.sampled_from(UNITS)
)
measured = st.one_of(quantities_of_numbers, quantities_of_arrays)
data_values = st.one_of(scalar_data, arrays, structured_data)
data = st.dictionaries(labels, st.one_of(data_values, measured), max_size=5)

# Recipes. The expressions are any text: what is stored may be unfinished.
expressions = texts.map(Expression)
namespaces = st.recursive(
    st.builds(ParameterNamespace, st.lists(st.tuples(parameter_names, expressions), max_size=4)),
    lambda inner: st.builds(
        ParameterNamespace,
        st.lists(st.tuples(parameter_names, st.one_of(expressions, inner)), max_size=3),
    ),
    max_leaves=4,
)
steps = st.recursive(
    st.one_of(st.builds(ExecuteShot), st.builds(VariableDeclaration, parameter_names, expressions)),
    lambda inner: st.one_of(
        st.builds(
            LinspaceLoop,
            parameter_names,
            expressions,
            expressions,
            st.integers(1, 10**12),
            st.lists(inner, max_size=3),
        ),
        st.builds(
            ArangeLoop,
            parameter_names,
            expressions,
            expressions,
            expressions,
            st.lists(inner, max_size=3),
        ),
        st.builds(
            ValuesLoop,
            parameter_names,
            st.lists(st.one_of(expressions, parameter_values), max_size=4),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=6,
)
steps_configurations = st.builds(StepsConfiguration, st.lists(steps, max_size=4))
_lane_values: dict[type[TimeLane], st.SearchStrategy[Any]] = {
    DigitalTimeLane: st.one_of(st.booleans(), expressions),
    AnalogTimeLane: st.one_of(expressions, st.builds(Ramp)),
    CameraTimeLane: st.one_of(st.none(), st.builds(TakePicture, texts)),
}


@st.composite
def time_lanes(draw: st.DrawFn) -> TimeLanes:
    lengths = draw(st.lists(st.integers(1, 4), max_size=4))
    names = draw(st.lists(texts, min_size=sum(lengths), max_size=sum(lengths)))

    def lane(kind: Any) -> st.SearchStrategy[TimeLane]:
        values = st.lists(_lane_values[kind], min_size=len(lengths), max_size=len(lengths))
        return values.map(lambda values: kind(zip(values, lengths, strict=True)))

    lanes = draw(st.dictionaries(texts, st.sampled_from(list(_lane_values)).flatmap(lane)))
    return TimeLanes(
        names, draw(st.lists(expressions, min_size=len(names), max_size=len(names))), lanes
    )
