"""The shots of a sequence, by increasing index."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.analysis.recipes import local_parameters, parameters_of
from shotstore.analysis.tables.gaps import complete
from shotstore.analysis.tables.names import KINDS, NOTE, SEPARATOR, TAGS, name_columns, origins
from shotstore.analysis.tables.table import END, INDEX, SEQUENCE, START, Table, TableColumn
from shotstore.analysis.tables.variation import parameter_values
from shotstore.model import DataSchema, ParameterSchema
from shotstore.records.additions import NewestResults
from shotstore.records.columns import Column, ShotColumns, objects, parameter_column
from shotstore.records.sequence_reader import SequenceReader

OF_EVERY_SHOT = (
    TableColumn(SEQUENCE, "text"),
    TableColumn(INDEX, "number"),
    TableColumn(START, "time"),
    TableColumn(END, "time"),
)
"""The columns that every table of shots has"""


class SequenceTable(Table):
    """The shots of a sequence. Before the first one, the columns are what its recipe tells."""

    def __init__(
        self,
        reader: SequenceReader,
        *,
        split: bool = True,
        unpack: bool = True,
        shots: ShotColumns | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            reader: Of the sequence.
            split: Whether complex numbers are two columns: their real and imaginary part.
            unpack: Whether arrays of one item are what their item is.
            shots: Index and times of the first shots in the order of recording, where no others are
                meant, as an earlier session has seen them; by default of all.
        """
        self.reader = reader
        self.title = str(reader.path)
        self._split = split
        self._unpack = unpack
        self._seen = shots

    def readers(self) -> Iterator[SequenceReader]:
        """Yield the reader of the sequence."""
        yield self.reader

    @cached_property
    def parameters(self) -> ParameterSchema:
        """The types and units of the parameters."""
        return parameters_of(self.reader)

    @cached_property
    def data(self) -> DataSchema:
        """The types of the data, by label."""
        return self.reader.get_data_schema()

    @cached_property
    def newest(self) -> NewestResults:
        """Which results, tags and notes of the shots count."""
        return self.reader.results.get_newest()

    @property
    def results(self) -> DataSchema:
        """The types of the results, by name."""
        return self.newest.types

    @cached_property
    def columns(self) -> Mapping[str, TableColumn]:
        """The columns, by name."""
        columns = {column.name: column for column in OF_EVERY_SHOT}
        found = origins(
            self.parameters, self.data, self.results, self._annotations(), split=self._split
        )
        for name, origin in name_columns(found).items():
            if origin.kind == "parameter":
                columns[name] = TableColumn.of_parameter(name, origin, self.parameters[origin.name])
            elif origin.kind == "annotation":
                columns[name] = TableColumn(name, "text", origin=origin)
            else:
                kind = (self.data if origin.kind == "label" else self.results)[origin.name]
                columns[name] = TableColumn.of_data(name, origin, kind, unpack=self._unpack)
        return columns

    @cached_property
    def _shots(self) -> ShotColumns:
        return self.reader.get_columns() if self._seen is None else self._seen

    @cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self._shots.shot_index, kind="stable")

    def __len__(self) -> int:
        return len(self._order)

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        columns = [self.columns[name] for name in names]
        places = self._order if rows is None else self._order[rows]
        found = self._read([column for column in columns if column.origin is not None], places)
        return {
            column.name: found[column.name]
            if column.origin is not None
            else complete(self._of_every_shot(column.name, places))
            for column in columns
        }

    def tags(self) -> list[Collection[str]]:
        indices = self._shots.shot_index[self._order]
        return [*self.reader.results.read_annotations(self.newest, indices)[0]]

    def default_x(self) -> TableColumn:
        """Return what the sequence varies, at best in its loops, and something with a unit."""
        planned = self.reader.get_summary().varied
        set_by_it = dict.fromkeys([*planned, *sorted(local_parameters(self.reader))])
        # Of a recipe that cannot be read here, the shots tell what differs between them.
        values = parameter_values(self, set_by_it or None)
        varied = [name for name, found in values.items() if not found.is_constant()]
        in_loops = [name for name in varied if name in planned] or varied
        columns = self.columns_of_parameters()
        numbers = [name for name in in_loops if columns[name].kind == "number"]
        with_unit = [name for name in numbers if columns[name].units]
        first = next(iter(with_unit or numbers or in_loops), None)
        return self.columns[INDEX] if first is None else columns[first]

    def _of_every_shot(self, name: str, places: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        match name:
            case "sequence":
                return np.full(len(places), self.title)
            case "shot_index":
                return self._shots.shot_index[places]
            case "shot_start_time":
                return self._shots.start_time[places]
        return self._shots.end_time[places]

    def _annotations(self) -> Iterator[str]:
        additions = self.newest.additions
        for name, numbers in ((TAGS, additions.tags), (NOTE, additions.notes)):
            if (numbers >= 0).any():
                yield name

    def _read(self, columns: list[TableColumn], places: npt.NDArray[np.int64]) -> dict[str, Column]:
        """Parameters, labels, results, tags and notes."""
        names: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
        for column in columns:
            assert column.origin is not None
            names[column.origin.kind][column.origin.name] = None
        found: dict[str, Mapping[str, Column]] = {}
        if not len(self):  # then there are parameters only, and no columns of them
            kinds = {name: self.parameters[name] for name in names["parameter"]}
            found["parameter"] = {
                name: parameter_column(name, kind, []) for name, kind in kinds.items()
            }
        elif columns:
            read = self.reader.get_columns(
                parameters=list(names["parameter"]), labels=list(names["label"]), rows=places
            )
            found = {"parameter": read.parameters, "label": read.data}
            found |= self._read_later(names, read.shot_index)
        return {
            column.name: column.of(found[column.origin.kind][column.origin.name])
            for column in columns
            if column.origin is not None
        }

    def _read_later(
        self, names: Mapping[str, Iterable[str]], indices: npt.NDArray[np.int64]
    ) -> dict[str, Mapping[str, Column]]:
        """What was added to the shots of these indices."""
        results = self.reader.results
        found: dict[str, Mapping[str, Column]] = {
            "result": results.read_columns(self.newest, list(names["result"]), indices),
            "annotation": {},
        }
        if names["annotation"]:
            tags, notes = results.read_annotations(self.newest, indices)
            texts = {TAGS: [SEPARATOR.join(sorted(each)) for each in tags], NOTE: notes}
            found["annotation"] = {
                name: objects([text or None for text in texts[name]])
                for name in names["annotation"]
            }
        return found
