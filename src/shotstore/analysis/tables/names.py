"""What the columns of a table of shots are called."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs
import numpy as np

from shotstore.model import DataType
from shotstore.records.columns import Column, objects

FIXED = ("sequence", "shot_index", "shot_start_time", "shot_end_time")
"""The columns that every table of shots has."""

OriginKind: TypeAlias = Literal["parameter", "label", "result", "annotation"]
KINDS: tuple[OriginKind, ...] = ("parameter", "label", "result", "annotation")
"""In the order of their columns."""
TAGS, NOTE = "shot_tags", "shot_note"
"""The columns of what people have put on shots, where they have."""
SEPARATOR = ", "
"""Between the tags of a shot, in a column."""

Part: TypeAlias = Literal["real", "imag"]
PARTS: tuple[Part, ...] = ("real", "imag")
"""Of complex numbers, where a table has no type for them."""


def short_name(name: str, names: Iterable[str]) -> str:
    """Return the last part of a name, if it is that of no other one among the names."""
    end = name.rpartition(".")[2]
    return end if sum(other.rpartition(".")[2] == end for other in names) == 1 else name


@attrs.frozen(cache_hash=True)
class Origin:
    """Where the values of a column come from: a parameter, the data under a label, a result, or
    what people have put on the shots.

    Attributes:
        kind: Which of these.
        name: Of the parameter, the label or the result; ``shot_tags`` or ``shot_note``.
        part: Of the complex numbers under a label, or of a result, where the column holds only
            this.
    """

    kind: OriginKind
    name: str
    part: Part | None = None

    @property
    def title(self) -> str:
        """What the column is called, unless that name is taken."""
        return self.name if self.part is None else f"{self.name}.{self.part}"

    @property
    def text(self) -> str:
        """What a message calls it."""
        return f"Parameter {self.name}" if self.kind == "parameter" else f"Data {self.name!r}"

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
    parameters: Iterable[str],
    labels: Mapping[str, DataType],
    results: Mapping[str, DataType] = {},
    annotations: Iterable[str] = (),
    *,
    split: bool = True,
) -> Iterator[Origin]:
    """Yield what the columns of a table hold, beside the fixed ones.

    Args:
        parameters: Their names.
        labels: With the type of their data.
        results: With the type of their values.
        annotations: `TAGS` or `NOTE`, or both.
        split: Whether complex numbers are two columns: their real and imaginary part.
    """
    for name in parameters:
        yield Origin("parameter", name)
    for name, kind in labels.items():
        yield from origins_of("label", name, kind, split=split)
    for name, kind in results.items():
        yield from origins_of("result", name, kind, split=split)
    for name in annotations:
        yield Origin("annotation", name)


def origins_of(
    what: OriginKind, name: str, kind: DataType, *, split: bool = True
) -> Iterator[Origin]:
    """Yield what the columns of a label or a result hold: one, or two of complex numbers."""
    if split and is_complex(kind):
        yield from (Origin(what, name, part) for part in PARTS)
    else:
        yield Origin(what, name)


def name_joined(found: Iterable[Origin]) -> dict[str, Origin]:
    """Return the columns of several sequences by name, in the order that those of one have."""
    return name_columns(sorted(found, key=lambda origin: KINDS.index(origin.kind)))


def name_columns(found: Iterable[Origin], reserved: Collection[str] = FIXED) -> dict[str, Origin]:
    """Return the columns by name, in this order; no two have one name.

    A label with the name of a parameter or a reserved column becomes ``data.<label>``, a parameter
    with the name of a reserved column ``parameter.<name>``, and a result with the name of any of
    them ``result.<name>``: what was recorded keeps its name. A part of complex numbers makes room
    for whatever else has its name.
    """
    found = list(found)
    taken = {*reserved, *(origin.title for origin in found)}
    names: dict[Origin, str] = {}
    occupied = set(reserved)
    for origin in sorted(found, key=_rank):
        name = origin.title
        if name in occupied:
            name = _free(name, PREFIXES[origin.kind], taken | occupied)
        names[origin] = name
        occupied.add(name)
    return {names[origin]: origin for origin in found}


PREFIXES: Mapping[OriginKind, str] = {
    "parameter": "parameter.",
    "label": "data.",
    "result": "result.",
    "annotation": "shot.",
}
"""Of the name of a column whose own name is taken."""


def _rank(origin: Origin) -> tuple[bool, int]:
    # A result is the last one: nothing that was recorded is ever hidden by one.
    return origin.kind == "result", (
        0 if origin.kind == "parameter" else 1 if origin.part is None else 2
    )


def _free(name: str, prefix: str, taken: Collection[str]) -> str:
    while name in taken:
        name = prefix + name
    return name
