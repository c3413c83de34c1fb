"""What may be stored as results of shots, and the errors for what may not."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.errors import DataNotFoundError
from shotstore.model import check_data
from shotstore.paths import PureSequencePath
from shotstore.records.additions import ResultColumn
from shotstore.records.arguments import as_mapping, shown
from shotstore.records.closest_names import closest_name
from shotstore.records.shot_rules import check_shot_index

INDEX = "shot_index"
"""The column that says of which shots the others are."""
_MOST_LISTED = 5
_PLAIN = frozenset("bif")


def check_results(results: Mapping[str, object]) -> dict[str, ResultColumn]:
    """Return the results of one shot, by name, as columns of one row.

    Raises:
        TypeError: it is not a mapping, or a value is not data.
        ValueError: there is none, or a name or a text cannot be stored.
    """
    found = as_mapping(results, "The results of a shot")
    if not found:
        raise ValueError("There are no results to store: give at least one by its name.")
    return {name: [value] for name, value in check_data(found).items()}


def check_result_columns(
    path: PureSequencePath, columns: object
) -> tuple[list[int], dict[str, ResultColumn]]:
    """Return the indices of some shots, and their results by name, one for each of the shots.

    Args:
        path: The sequence, for messages.
        columns: A mapping of columns, or a frame of polars or pandas. ``shot_index`` says of which
            shots they are; of a pandas frame, its index may have that name.

    Raises:
        TypeError: it is not columns, or a value is not data.
        ValueError: there is no ``shot_index``, or no other column; the columns are of different
            lengths; a shot comes twice; an index is negative; or a name or a text cannot be stored.
    """
    found = _columns(columns)
    if INDEX not in found:
        has = ", ".join(map(repr, found)) or "none"
        raise ValueError(
            f"Results of many shots need a column {INDEX!r}, which says of which shots they are: "
            f"the columns are {has}."
        )
    indices = _indices(path, found.pop(INDEX))
    if not found:
        raise ValueError(f"There are no results to store: {INDEX!r} is the only column.")
    lengths = {name: _length(name, column) for name, column in found.items()}
    wrong = {name: length for name, length in lengths.items() if length != len(indices)}
    if wrong:
        name, length = next(iter(wrong.items()))
        raise ValueError(
            f"The result {name!r} has {length} values for {len(indices)} shots: one is needed for "
            "each of them."
        )
    return indices, {name: _checked(name, column) for name, column in found.items()}


def check_result_names(
    path: PureSequencePath,
    names: Iterable[str],
    parameters: Collection[str],
    labels: Collection[str],
) -> None:
    """Check that no result has the name of what was recorded.

    Args:
        path: The sequence, for the message.
        names: Those of the results.
        parameters: The names of the parameters that its shots have.
        labels: The labels of the data that its shots have.

    Raises:
        ValueError: one has.
    """
    for name in names:
        what = "parameter" if name in parameters else "label" if name in labels else None
        if what is not None:
            raise ValueError(
                f"{name!r} is a {what} that the shots of sequence {path} were recorded with, and "
                f"what was recorded is not changed: give the result another name, such as "
                f"'{name}_fit'."
            )


def results_not_found_error(
    path: PureSequencePath, missing: Iterable[str], known: Collection[str]
) -> DataNotFoundError:
    """No shot that was asked for has results of these names."""
    asked = []
    for name in missing:
        closest = closest_name(name, known)
        asked.append(f"{name!r} (did you mean {closest!r}?)" if closest else repr(name))
    has = f"they have {', '.join(map(repr, sorted(known)))}" if known else "they have none"
    return DataNotFoundError(
        f"The shots of sequence {path} have no result {', '.join(asked)}: {has}."
    )


def _columns(columns: object) -> dict[str, Any]:
    if isinstance(columns, Mapping):
        return dict(columns)
    names = getattr(columns, "columns", None)
    if isinstance(names, list):  # of polars
        return {name: columns.get_column(name) for name in names}  # type: ignore[attr-defined]
    if names is not None and hasattr(columns, "index"):  # of pandas
        found = {name: columns[name] for name in names}  # type: ignore[index]
        if columns.index.name == INDEX:
            found.setdefault(INDEX, columns.index)
        return found
    raise TypeError(
        "Results of many shots must be a dict of columns, or a frame of polars or pandas, not "
        f"{shown(columns)}."
    )


def _indices(path: PureSequencePath, column: Any) -> list[int]:
    _length(INDEX, column)
    items = _items(column)
    if isinstance(column, np.ndarray) and column.dtype.kind == "i":
        items = column.tolist()
    indices = [check_shot_index(path, index, None) for index in items]
    if len(set(indices)) < len(indices):
        repeated = [index for index, count in Counter(indices).items() if count > 1]
        listed = ", ".join(map(str, repeated[:_MOST_LISTED]))
        more = ", ..." if len(repeated) > _MOST_LISTED else ""
        raise ValueError(
            f"The column {INDEX!r} has {listed}{more} more than once: give one row for each shot."
        )
    return indices


def _length(name: str, column: Any) -> int:
    if isinstance(column, str | bytes | Mapping) or not hasattr(column, "__len__"):
        raise TypeError(
            f"The column {name!r} must have a value for each shot, such as a list or an array, and "
            f"is {shown(column)}."
        )
    try:
        return len(column)
    except TypeError:  # of an array without dimensions
        raise TypeError(f"The column {name!r} is a single value: one is needed a shot.") from None


def _items(column: Any) -> Sequence[Any]:
    """The values as Python and numpy have them; None where a frame has a gap."""
    if hasattr(column, "to_list") and not hasattr(column, "isna"):  # of polars
        return _from_polars(column)
    if hasattr(column, "isna"):  # of pandas
        # In a column of texts a gap is NaN or NA, elsewhere NaN is a number.
        is_text = str(column.dtype) in ("str", "string")
        gaps = column.isna().tolist() if is_text else [_is_gap(value) for value in column]
        return [None if gap else value for gap, value in zip(gaps, column.to_list(), strict=True)]
    return list(column)


def _is_gap(value: object) -> bool:
    return type(value).__name__ in ("NAType", "NaTType")


def _from_polars(column: Any) -> list[Any]:
    if not column.dtype.is_nested():
        return list(column.to_list())
    # An array of a frame comes back as one, and not as lists in lists.
    return [None if item is None else _array(item) for item in column]


def _array(item: Any) -> Any:
    return item.to_numpy() if hasattr(item, "to_numpy") else item


def _checked(name: str, column: Any) -> ResultColumn:
    values = column
    if not isinstance(column, np.ndarray) and hasattr(column, "null_count"):  # of polars
        is_plain = column.dtype.is_float() or column.dtype.is_integer()
        values = column.to_numpy() if is_plain and not column.null_count() else column
    elif hasattr(column, "isna") and column.dtype.kind in _PLAIN:  # of pandas
        values = column.to_numpy()
    if type(values) is np.ndarray:
        plain = _plain_numbers(values)
        if plain is not None:
            check_data({name: None})
            return plain
        if values.ndim > 1:
            [checked] = check_data({name: values}).values()
            assert isinstance(checked, np.ndarray)
            return checked
    return [check_data({name: value})[name] for value in _items(values)]


def _plain_numbers(values: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Single numbers in the type in which they are stored; None if they are not such."""
    if values.ndim != 1 or values.dtype.kind not in _PLAIN or values.dtype.itemsize > 8:
        return None
    target = {"b": np.bool_, "i": np.int64, "f": np.float64}[values.dtype.kind]
    return values.astype(target)
