"""What operations are tried with: what they take and, now and then, something they refuse."""

import math
from datetime import UTC, timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import strategies as st

from shotstore import PureSequencePath, TracebackSummary
from shotstore.model import (
    OpenEnded,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
)
from shotstore.testing import strategies
from shotstore.testing.experiments import PARAMETERS, recipe, recipe_of_unknown_length
from shotstore.testing.lab import CameraConfiguration, Schedule

_wrong: st.SearchStrategy[Any] = st.sampled_from([None, "text", 1.5])


def _mostly(
    right: st.SearchStrategy[Any], wrong: st.SearchStrategy[Any] = _wrong
) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda number: right if number else wrong)


path_names = st.text(
    st.one_of(
        st.sampled_from("_.,:;*'\"`()[]{}+-/=!@#$%^&~<>?| "),
        st.characters(categories=["L", "M", "N", "P", "S"]),
    ),
    min_size=1,
    max_size=8,
).filter(PureSequencePath.is_valid_name)
long_names = st.sampled_from(["x" * 256, "é" * 128, "x" * 5000])
_zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))]
)
right_times = st.datetimes(timezones=_zones)
times = _mostly(right_times, st.one_of(st.datetimes(), st.sampled_from(["yesterday", None])))
time_lanes = _mostly(strategies.time_lanes())
namespaces = _mostly(st.one_of(strategies.namespaces, st.just(PARAMETERS)))
_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        strategies.texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(strategies.texts, inner, max_size=3)
    ),
    max_leaves=5,
)
unknown_content = _json
iterations = _mostly(
    st.one_of(
        st.integers(1, 4).map(recipe),
        st.just(recipe_of_unknown_length()),
        st.just(OpenEnded()),
        st.builds(Schedule, st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)),
        st.builds(
            UnknownIterationConfiguration,
            strategies.texts,
            unknown_content,
            number_of_shots=st.one_of(st.none(), st.integers(0, 4)),
        ),
        strategies.steps_configurations,
    )
)
device_names = _mostly(
    st.sampled_from(["camera", "laser", "é/\n"]), st.sampled_from(["", "a\0", "x" * 251, 3])
)
any_device = _mostly(
    st.one_of(
        st.builds(
            CameraConfiguration,
            st.floats(allow_nan=False, allow_infinity=False),
            remote_server=st.one_of(st.none(), strategies.texts),
        ),
        st.builds(UnknownDeviceConfiguration, strategies.texts, unknown_content),
    )
)
devices = st.dictionaries(device_names, any_device, max_size=2)
tags = _mostly(
    st.lists(st.sampled_from(["good", "calibration", "é/\n"]) | strategies.labels, max_size=3),
    st.sampled_from([None, "good", [""], [" a"], ["a,b"], ["x" * 101], [1], ["\ud800"]]),
)
notes = _mostly(strategies.texts, st.sampled_from([None, 1.5, "\ud800"]))
errors = strategies.texts.map(lambda text: TracebackSummary.from_exception(ValueError(text)))
indices = st.one_of(
    st.integers(0, 3),
    st.sampled_from([-1, 2**63 - 1, 2**63, 10**30, True, 1.0, "1", None, np.int64(2)]),
)
_notable: st.SearchStrategy[Any] = st.sampled_from([True, 1, 1.0, -0.0, math.nan, 2**70])
right_parameters = st.dictionaries(
    st.one_of(st.sampled_from(["a", "a.b"]), strategies.parameter_names),
    st.one_of(_notable, strategies.parameter_values),
    max_size=3,
)
parameters = _mostly(
    right_parameters,
    st.sampled_from([{"a": None}, {"not a name": 1}, {"a": np.arange(2)}]),
)
# Few labels, so that the values of one label differ from shot to shot.
right_data = st.dictionaries(
    st.one_of(st.sampled_from(["x", "Camera\\picture", "a/b#2"]), strategies.labels),
    st.one_of(_notable, strategies.data_values, strategies.measured, st.text("é", max_size=600)),
    max_size=3,
)
data = _mostly(
    right_data,
    st.sampled_from([{"": 1}, {"x": {1}}, {"x": np.array([None])}, {"\ud800": 1}, {"x": "\ud800"}]),
)
right_shots = st.tuples(st.integers(0, 9), right_parameters, right_data, right_times)
"""Index, parameters, data, and a time."""


def _columns(indices: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.one_of(st.none(), _notable, strategies.data_values, strategies.measured)
    columns = st.dictionaries(
        st.one_of(st.sampled_from(["x", "Camera\\picture", "a/b#2"]), strategies.labels),
        st.lists(values, min_size=len(indices), max_size=len(indices)),
        max_size=3,
    )
    return columns.map(lambda found: found | {"shot_index": indices})


columns = _mostly(
    st.lists(st.integers(0, 4), max_size=3, unique=True).flatmap(_columns),
    st.sampled_from(
        [
            {"x": [1]},
            {"shot_index": [0, 0], "x": [1, 2]},
            {"shot_index": [0], "x": [1, 2]},
            {"shot_index": [-1], "x": [1]},
            {"shot_index": ["0"], "x": [1]},
            {"shot_index": [0], "x": [{1}]},
            {"shot_index": [0], "": [1]},
            [{"shot_index": 0, "x": 1}],
        ]
    ),
)
"""Of results of many shots."""
