"""What the columns of a table of shots are called."""

from collections.abc import Iterable
from typing import Literal

import attrs

FIXED = ("sequence", "shot_index", "shot_start_time", "shot_end_time")
"""The columns that every table of shots has."""


@attrs.frozen
class Origin:
    """Where the values of a column come from: a parameter, or the data under a label."""

    kind: Literal["parameter", "label"]
    name: str


def name_columns(parameters: Iterable[str], labels: Iterable[str]) -> dict[str, Origin]:
    """Return the columns that there are beside the fixed ones, parameters first.

    A label that is called like a parameter or a fixed column becomes ``data.<label>``, a parameter
    that is called like a fixed column ``parameter.<name>``.
    """
    parameters, labels = list(parameters), list(labels)
    taken = {*FIXED, *parameters, *labels}
    columns: dict[str, Origin] = {}
    for name in parameters:
        column = _free(name, "parameter.", taken) if name in FIXED else name
        columns[column] = Origin("parameter", name)
    occupied = {*FIXED, *columns}
    for label in labels:
        column = _free(label, "data.", taken | occupied) if label in occupied else label
        columns[column] = Origin("label", label)
    return columns


def _free(name: str, prefix: str, taken: set[str]) -> str:
    while name in taken:
        name = prefix + name
    return name
