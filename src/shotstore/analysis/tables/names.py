"""What the columns of a table of shots are called."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs
import numpy as np

from shotstore.model import DataType
from shotstore.records.columns import Column, objects

FIXED = ("sequence", "shot_index", "shot_start_time", "shot_end_time")
"""The columns that every table of shots has."""

OriginKind: TypeAlias = Literal["parameter", "label"]
KINDS: tuple[OriginKind, ...] = ("parameter", "label")
"""In the order of their columns."""
Part: TypeAlias = Literal["real", "imag"]
PARTS: tuple[Part, ...] = ("real", "imag")
"""Of complex numbers, where a table has no type for them."""


def short_name(name: str, names: Iterable[str]) -> str:
    """Return the last part of a name, if it is that of no other one among the names."""
    end = name.rpartition(".")[2]
    return end if sum(other.rpartition(".")[2] == end for other in names) == 1 else name


@attrs.frozen(cache_hash=True)
class Origin:
    """Where the values of a column come from: a parameter, or the data under a label.

    Attributes:
        kind: Which of both.
        name: Of the parameter, or the label.
        part: Of the complex numbers under a label, where the column holds only this.
    """

    kind: OriginKind
    name: str
    part: Part | None = None

    @property
    def title(self) -> str:
        """What the column is called, unless that name is taken."""
        return self.name if self.part is None else f"{self.name}.{self.part}"

    def type_of(self, kind: DataType) -> DataType:
        """Return the type of the column, of a label whose data is of this type."""
        if self.part is None or kind.dtype is None:
            return kind
        return attrs.evolve(kind, dtype=np.empty(0, kind.dtype).real.dtype)

    def of(self, column: Column) -> Column:
        """Return the values of the column, of those of its label."""
        part = self.part
        if part is None:
            return column
        if column.values.dtype.kind != "O":
            return Column(getattr(column.values, part), column.is_present)
        return objects([None if v is None else getattr(v, part) for v in column.values])


def is_complex(kind: DataType) -> bool:
    """Return whether the data under a label is complex numbers, in all shots."""
    return kind.dtype is not None and kind.dtype.kind == "c"


def origins(
    parameters: Iterable[str], labels: Mapping[str, DataType], *, split: bool = True
) -> Iterator[Origin]:
    """Yield what the columns of a table hold, beside the fixed ones.

    Args:
        parameters: Their names.
        labels: With the type of their data.
        split: Whether complex numbers are two columns: their real and imaginary part.
    """
    for name in parameters:
        yield Origin("parameter", name)
    for label, kind in labels.items():
        if split and is_complex(kind):
            yield from (Origin("label", label, part) for part in PARTS)
        else:
            yield Origin("label", label)


def name_joined(found: Iterable[Origin]) -> dict[str, Origin]:
    """Return the columns of several sequences by name, in the order that those of one have."""
    return name_columns(sorted(found, key=lambda origin: KINDS.index(origin.kind)))


def name_columns(found: Iterable[Origin], reserved: Collection[str] = FIXED) -> dict[str, Origin]:
    """Return the columns by name, in this order; no two have one name.

    A label with the name of a parameter or a reserved column becomes ``data.<label>``, a parameter
    with the name of a reserved column ``parameter.<name>``. A part of complex numbers
    makes room for whatever else has its name.
    """
    found = list(found)
    taken = {*reserved, *(origin.title for origin in found)}
    names: dict[Origin, str] = {}
    occupied = set(reserved)
    for origin in sorted(found, key=_rank):
        name = origin.title
        if name in occupied:
            name = _free(name, _PREFIXES[origin.kind], taken | occupied)
        names[origin] = name
        occupied.add(name)
    return {names[origin]: origin for origin in found}


_PREFIXES = {"parameter": "parameter.", "label": "data."}


def _rank(origin: Origin) -> int:
    if origin.kind == "parameter":
        return 0
    return 1 if origin.part is None else 2


def _free(name: str, prefix: str, taken: Collection[str]) -> str:
    while name in taken:
        name = prefix + name
    return name
