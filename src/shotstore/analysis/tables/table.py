"""What pictures and files are made of: columns by name."""

import abc
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables.frames import as_series
from shotstore.analysis.tables.names import PARTS, SEPARATOR, TAGS, Origin, OriginKind
from shotstore.errors import DataNotFoundError
from shotstore.model import DataType, ParameterType
from shotstore.model.scalars import check_text
from shotstore.model.value_texts import OTHER_DATA
from shotstore.records.closest_names import closest_name
from shotstore.records.columns import Column, objects

if TYPE_CHECKING:
    import polars

Kind: TypeAlias = Literal["number", "complex", "time", "text", "json", "array"]

HELD: Mapping[Kind, str] = {
    "number": "numbers",
    "complex": "complex numbers",
    "time": "times",
    "text": "texts",
    "json": OTHER_DATA,
    "array": "arrays",
}
"""What a message says that a column of each kind holds."""

SEQUENCE, INDEX, START, END = "sequence", "shot_index", "shot_start_time", "shot_end_time"
_BATCH = 32 * 2**20
"""Bytes of a batch, which may be several times in memory at once"""
_USUAL_ROW = 8192
"""Bytes, where the schema does not tell"""


@attrs.frozen
class TableColumn:
    """What a column holds.

    Attributes:
        name: As in the columns of ``Sequence.scan``.
        kind: "json" for lists, dicts, and data that is of different kinds. An array without
            dimensions is what its item is.
        units: Of a parameter or of data with a unit.
        dtype: Of an array, as it is stored.
        shape: Of an array, with None for a length that differs between shots.
        origin: The parameter, the label or the result; None for what every shot has.
        is_empty: Whether the data is None in all shots.
    """

    name: str
    kind: Kind
    units: str | None = None
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | None, ...] | None = None
    origin: Origin | None = None
    is_empty: bool = False

    @classmethod
    def of_parameter(cls, name: str, origin: Origin, kind: ParameterType) -> "TableColumn":
        """Return what a column with a parameter holds."""
        return cls(name, "text" if kind.type == "text" else "number", kind.units, origin=origin)

    @classmethod
    def of_data(
        cls, name: str, origin: Origin, kind: DataType, *, unpack: bool = True
    ) -> "TableColumn":
        """Return what a column with the data of a label holds.

        Args:
            name: Of the column.
            origin: Which part of the data.
            kind: What the data is.
            unpack: Whether arrays of one item are what their item is.
        """
        kind = origin.type_of(kind)
        shape = kind.shape
        if unpack and shape and all(length == 1 for length in shape):
            shape = ()
        return cls(
            name,
            _kind_of(kind, shape),
            units=kind.units,
            dtype=kind.dtype,
            shape=shape,
            origin=origin,
            is_empty=kind.kind == "none",
        )

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter."""
        return self.origin is not None and self.origin.kind == "parameter"

    @property
    def is_measured(self) -> bool:
        """Whether it holds what was recorded under a label, or a result."""
        return self.origin is not None and self.origin.kind in ("label", "result")

    @property
    def is_label(self) -> bool:
        """Whether it holds what was recorded under a label."""
        return self.origin is not None and self.origin.kind == "label"

    @property
    def is_result(self) -> bool:
        """Whether it holds a result."""
        return self.origin is not None and self.origin.kind == "result"

    @property
    def is_image(self) -> bool:
        """Whether it holds pictures: arrays of real numbers in two dimensions."""
        return (
            self.kind == "array"
            and self.dtype is not None
            and self.dtype.kind in "biuf"
            and self.shape is not None
            and len(self.shape) == 2
        )

    @property
    def row_size(self) -> int:
        """About how many bytes it has for each shot."""
        if self.dtype is not None and self.shape is not None and None not in self.shape:
            return self.dtype.itemsize * math.prod(length or 0 for length in self.shape)
        return 64 if self.kind in ("number", "time") else _USUAL_ROW

    def of(self, found: Column) -> Column:
        """Return the values of the column, of those of its parameter or label."""
        if self.origin is not None:
            found = self.origin.of(found)
        if self.shape == () and found.values.ndim > 1:  # arrays of one item
            return Column(found.values.reshape(len(found.values)), found.is_present)
        if self.dtype is not None and found.values.dtype.kind == "O":  # arrays of many shapes
            arrays = found.values.tolist()
            return objects([a if a is None else a.astype(self.dtype, copy=False) for a in arrays])
        return found


class Table(abc.ABC):
    """Shots in rows, by increasing index where it is a sequence; nothing is read before its use."""

    title: str
    """What to call it in a picture."""
    number_of_sequences: int = 1

    @property
    def what(self) -> str:
        """What a message calls it."""
        return self.title or "The table"

    @property
    @abc.abstractmethod
    def columns(self) -> Mapping[str, TableColumn]:
        """The columns, by name."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abc.abstractmethod
    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        """Return some columns, by name; the rest is not read.

        Args:
            names: Columns that the table has.
            rows: Which rows; by default all.
        """

    def frame(self, names: Iterable[str]) -> "polars.DataFrame":
        """Return some columns of all rows, of the types that a scan has for them."""
        import polars

        return polars.DataFrame(
            [
                as_series(name, column, has_zone=name in (START, END))
                for name, column in self.read(names).items()
            ]
        )

    def tags(self) -> list[Collection[str]]:
        """Return the tags of the shots in all rows, as far as a column has them.

        Raises:
            DataNotFoundError: there is no such column.
        """
        found = self.read([self.find(TAGS).name])
        texts = found[TAGS].values.tolist()
        return [text.split(SEPARATOR) if isinstance(text, str) else () for text in texts]

    def default_x(self) -> TableColumn | None:
        """Return what to draw against, where nobody says it; None if that cannot be told."""
        return None

    def default_by(self) -> TableColumn | None:
        """Return what colours tell, where nobody says it; None if there is one colour."""
        return None

    def columns_of_parameters(self) -> dict[str, TableColumn]:
        """Return the columns of parameters by the names of these, which may be others."""
        return {
            column.origin.name: column
            for column in self.columns.values()
            if column.is_parameter and column.origin is not None
        }

    def usual_columns(self) -> list[TableColumn]:
        """Return the columns that are meant where none are named: all but which sequence it is."""
        return [column for column in self.columns.values() if column.name != SEQUENCE]

    def find(self, name: str) -> TableColumn:
        """Return the column of this name, or the only one whose name ends in it, after a dot.

        Raises:
            DataNotFoundError: there is none, or several end in it; the message names close ones.
        """
        if check_text(name, "The name of a column") in self.columns:
            return self.columns[name]
        if parts := self._parts(name):
            raise DataNotFoundError(
                f"{name!r} is complex: write {' or '.join(part.name for part in parts)}."
            )
        ending = [column for column in self.columns if column.endswith(f".{name}")]
        if len(ending) == 1:
            return self.columns[ending[0]]
        if ending:
            raise DataNotFoundError(
                f"{name!r} may be {' or '.join(ending)}: write one of them in full."
            )
        closest = closest_name(name, self.columns)
        hint = f" (did you mean {closest!r}?)" if closest else ""
        has = ", ".join(column.name for column in self.usual_columns())
        raise DataNotFoundError(f"{self.what} has no column {name!r}{hint}: it has {has}.")

    def find_all(self, name: str) -> list[TableColumn]:
        """Return the column of this name as :meth:`find` does, or both parts of complex numbers."""
        check_text(name, "The name of a column")
        parts = [] if name in self.columns else self._parts(name)
        return parts or [self.find(name)]

    def _parts(self, label: str) -> list[TableColumn]:
        """The real and the imaginary part of what is recorded under a label, or of a result, where
        it is complex and has two columns."""
        kinds: tuple[OriginKind, ...] = ("label", "result")
        wanted = {Origin(kind, label, part) for kind in kinds for part in PARTS}
        return [column for column in self.columns.values() if column.origin in wanted]

    def check_has_rows(self) -> None:
        """Check that there is something to draw.

        Raises:
            DataNotFoundError: there are no shots.
        """
        if not len(self):
            raise DataNotFoundError(f"{self.what} has no shots: there is nothing to draw.")

    def row_size(self, names: Iterable[str]) -> int:
        """Return about how many bytes a row has in some columns."""
        return 64 + sum(self.columns[name].row_size for name in names)

    def batches(
        self, names: Collection[str], rows: npt.NDArray[np.integer[Any]]
    ) -> Iterator[dict[str, Column]]:
        """Yield some columns of these rows, a bounded number of bytes at a time."""
        count = max(1, _BATCH // self.row_size(names))
        for first in range(0, len(rows), count):
            yield self.read(names, rows[first : first + count])


def _kind_of(kind: DataType, shape: tuple[int | None, ...] | None) -> Kind:
    match kind.kind:
        case "bool" | "int" | "float":
            return "number"
        case "text":
            return "text"
        case "array" if shape:
            return "array"
        case "array":
            assert kind.dtype is not None
            return _KINDS.get(kind.dtype.kind, "json")
    return "json"


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys("biuf", "number"),
    "c": "complex",
    "M": "time",
    "U": "text",
}
"""Of single items, by the kind of their numpy type."""
