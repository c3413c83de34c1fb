"""Whether the shots of a sequence have the rows, parameters and labels that they are asked for."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from shotstore.errors import DataNotFoundError
from shotstore.model import DataType, ParameterType
from shotstore.paths import PureSequencePath
from shotstore.records.closest_names import closest_name
from shotstore.records.columns import ShotRows

_MOST_LISTED = 20

_T = TypeVar("_T")


def check_rows(path: PureSequencePath, rows: ShotRows | None, count: int) -> npt.NDArray[np.int64]:
    """Return which of the shots of a sequence are asked for; None stands for all.

    Raises:
        IndexError: one is negative, or not below ``count``.
    """
    if rows is None:
        return np.arange(count)
    found = np.asarray(rows)
    if not found.size:
        return np.empty(0, np.int64)
    if found.min() < 0 or found.max() >= count:
        raise IndexError(f"Sequence {path} has the rows 0 to {count - 1} only.")
    return found.astype(np.int64)


def check_parameter_names(
    path: PureSequencePath, names: Collection[str], schema: Mapping[str, ParameterType]
) -> dict[str, ParameterType]:
    """Return those of the parameters of a sequence that are asked for, with their types.

    Raises:
        DataNotFoundError: no shot has one of them; the message names close ones.
    """
    return _check_columns("parameter", path, names, schema)


def check_data_labels(
    path: PureSequencePath, labels: Collection[str], schema: Mapping[str, DataType]
) -> dict[str, DataType]:
    """Return those of the labels of a sequence that are asked for, with their types.

    Raises:
        DataNotFoundError: no shot has data under one of them; the message names close ones.
    """
    return _check_columns("data", path, labels, schema)


def _check_columns(
    what: str, path: PureSequencePath, names: Collection[str], schema: Mapping[str, _T]
) -> dict[str, _T]:
    missing = [name for name in names if name not in schema]
    if missing:
        raise DataNotFoundError(
            f"No shot of sequence {path} has {what} {_asked(missing, schema)}: "
            f"{_they_have(schema)}."
        )
    return {name: schema[name] for name in names}


def data_not_found_error(
    path: PureSequencePath, index: int, missing: Iterable[str], labels: Collection[str]
) -> DataNotFoundError:
    """The shot has no data under some labels.

    Args:
        path: The sequence.
        index: The shot.
        missing: The labels that were asked for, and are not there.
        labels: Those that the shot has.
    """
    asked = _asked(missing, labels)
    has = f"it has {', '.join(map(repr, sorted(labels)))}" if labels else "it has no data"
    return DataNotFoundError(f"Shot {index} of sequence {path} has no {asked}: {has}.")


def _asked(missing: Iterable[str], known: Collection[str]) -> str:
    """What was asked for and is not there, with what may have been meant."""
    asked = []
    for name in sorted(missing):
        closest = closest_name(name, known)
        asked.append(f"{name!r} (did you mean {closest!r}?)" if closest else repr(name))
    return ", ".join(asked)


def _they_have(names: Collection[str]) -> str:
    if not names:
        return "they have none"
    listed = ", ".join(map(repr, sorted(names)[:_MOST_LISTED]))
    return f"they have {listed}{', ...' if len(names) > _MOST_LISTED else ''}"
