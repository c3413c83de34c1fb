"""What the methods of a session take: each argument is checked before anything is read or written.

A function returns the argument as the backends want it, or raises ``TypeError`` for what is of
another kind. Paths are checked by `shotstore.paths.as_path`, times by `shotstore.records.times`.
"""

import math
import operator
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import SupportsIndex, TypeVar

import numpy as np

from shotstore.model import DefaultSerializer, Serializer
from shotstore.records.columns import ShotRows
from shotstore.records.values import DataId, ShotId
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

_C = TypeVar("_C", bound=Callable[..., object])
_V = TypeVar("_V")

_LONGEST_SHOWN = 80


def shown(value: object) -> str:
    """Return how a message shows what was given: its text if that is short, or else its class."""
    text = repr(value)
    if len(text) <= _LONGEST_SHOWN and "\n" not in text:
        return text
    return f"a {type(value).__name__}"


def as_state(state: State | str) -> State:
    """Return the state that is meant, by itself or by its name in upper or lower case.

    Raises:
        ValueError: the text is not the name of a state.
        TypeError: it is neither a state nor a text.
    """
    if isinstance(state, State):
        return state
    if not isinstance(state, str):
        raise TypeError(f"A state must be a State or its name, not {shown(state)}.")
    try:
        return State(state.lower())
    except ValueError:
        names = ", ".join(each.value for each in State)
        raise ValueError(f"{state!r} is not a state: these are {names}.") from None


def as_texts(values: Iterable[str], what: str) -> list[str]:
    """Return some texts, each once: of a list, a set, a numpy array, an index of pandas, ...

    Args:
        values: The texts.
        what: What they are, as the message calls them: "labels".

    Raises:
        TypeError: it is a single text, whose characters would be taken for several; or it is not
            several texts.
    """
    if isinstance(values, str):
        raise TypeError(f"Several {what} were expected, not one: write [{values!r}].")
    if not isinstance(values, Iterable) or isinstance(values, bytes | bytearray | memoryview):
        raise TypeError(f"Several {what} were expected, such as a list, not {shown(values)}.")
    texts = list(values)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"Each of the {what} must be a text, not {shown(text)}.")
    return list(dict.fromkeys(map(str, texts)))


def as_mapping(value: Mapping[str, _V], what: str) -> Mapping[str, _V]:
    """Return the mapping.

    Args:
        value: What was given.
        what: What it is, as the message calls it: "The data of a shot".

    Raises:
        TypeError: it is not a mapping.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} must be a dict or another mapping, not {shown(value)}.")
    return value


def as_flag(value: bool, what: str) -> bool:
    """Return a truth value as a ``bool``.

    Raises:
        TypeError: it is another kind of value, which may only look like true or false.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{what} must be True or False, not {shown(value)}.")
    return bool(value)


def as_count(number: SupportsIndex, what: str) -> int:
    """Return a Python or numpy integer as an int.

    Args:
        number: The integer.
        what: What it is, as the message calls it: "skip".

    Raises:
        TypeError: it is not an integer; a bool is not.
    """
    try:
        if isinstance(number, bool | np.bool_):
            raise TypeError
        return operator.index(number)
    except TypeError:
        raise TypeError(f"{what} must be an int, not {shown(number)}.") from None


def as_shot_index(index: SupportsIndex) -> int:
    """Return the index of a shot to be read, which need not exist, as an int.

    Raises:
        TypeError: it is not an integer; a bool is not.
    """
    return as_count(index, "A shot index")


def as_rows(rows: ShotRows | None) -> ShotRows | None:
    """Return which shots are meant, by their places.

    Raises:
        TypeError: they are not integers in one dimension.
    """
    if rows is None or isinstance(rows, range):
        return rows
    try:
        found = np.asarray(rows)
    except ValueError:  # lists in it that differ in length
        found = np.empty(0, object)
    if found.ndim == 1 and not found.size and isinstance(rows, Collection):
        return range(0)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise TypeError(f"The rows of shots must be integers in one dimension, not {shown(rows)}.")
    return found


def as_shot_id(shot: ShotId) -> ShotId:
    """Return what names a shot.

    Raises:
        TypeError: it is not a ShotId.
    """
    if not isinstance(shot, ShotId):
        raise TypeError(f"A shot is named by ShotId(path, index), not {shown(shot)}.")
    return shot


def as_data_id(data: DataId) -> DataId:
    """Return what names data of a shot.

    Raises:
        TypeError: it is not a DataId of a ShotId, an int and a text.
    """
    if not isinstance(data, DataId):
        raise TypeError(f"Data is named by DataId(shot_id, label), not {shown(data)}.")
    if not isinstance(data.data_label, str):
        raise TypeError(f"A label must be a text, not {shown(data.data_label)}.")
    as_shot_index(as_shot_id(data.shot_id).index)
    return data


def as_traceback(summary: TracebackSummary) -> TracebackSummary:
    """Return the error that a sequence crashed with.

    Raises:
        TypeError: it is not a TracebackSummary.
    """
    if not isinstance(summary, TracebackSummary):
        raise TypeError(
            "The error of a sequence must be a TracebackSummary, as "
            f"TracebackSummary.from_exception(error) makes one, not {shown(summary)}."
        )
    return summary


def as_seconds(number: float, what: str) -> float:
    """Return a number of seconds, which may be infinite.

    Raises:
        TypeError: it is not an int or a float; a bool is not.
        ValueError: it is negative or NaN.
    """
    if isinstance(number, bool | np.bool_) or not isinstance(
        number, int | float | np.integer | np.floating
    ):
        raise TypeError(f"{what} must be a number of seconds, not {shown(number)}.")
    if number < 0 or math.isnan(number):
        raise ValueError(f"{what} must not be negative: {shown(number)}")
    return number


def as_time_span(span: timedelta, what: str) -> timedelta:
    """Return a time span.

    Raises:
        TypeError: it is not a timedelta.
        ValueError: it is negative.
    """
    if not isinstance(span, timedelta):
        raise TypeError(f"{what} must be a timedelta, not {shown(span)}.")
    if span < timedelta(0):
        raise ValueError(f"{what} must not be negative: {span}")
    return span


def as_file(file: str | os.PathLike[str], what: str) -> str:
    """Return the name of a file or directory as text.

    Raises:
        TypeError: it is neither a text nor a path of files.
    """
    text = os.fspath(file) if isinstance(file, os.PathLike) else file
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a text or a pathlib.Path, not {shown(file)}.")
    return text


def as_function(function: _C, what: str) -> _C:
    """Return a function.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(function):
        raise TypeError(f"{what} must be a function, not {shown(function)}.")
    return function


def as_serializer(serializer: Serializer | None) -> Serializer:
    """Return what a storage turns recipes and configurations into JSON with; by default a
    DefaultSerializer.

    Raises:
        TypeError: it is an object without the methods of a Serializer.
    """
    if serializer is None:
        return DefaultSerializer()
    missing = [name for name in _OF_SERIALIZERS if not callable(getattr(serializer, name, None))]
    if missing:
        raise TypeError(
            f"serializer must be a Serializer, not {shown(serializer)}: it has no {missing[0]}."
        )
    return serializer


_OF_SERIALIZERS = [name for name in vars(Serializer) if name.startswith(("dump_", "load_"))]
