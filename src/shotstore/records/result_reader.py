"""What was added to the shots of one sequence later, as it counts at the moment of reading."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.errors import IncompatibleUnitsError
from shotstore.model import Data, DataSchema
from shotstore.model.quantities import quantities_in
from shotstore.paths import PureSequencePath
from shotstore.records import shot_rules
from shotstore.records.additions import NewestResults, Numbers, spread
from shotstore.records.columns import Column, places_for
from shotstore.records.measured import Measured, measured_of, number_labels
from shotstore.records.stored_records import AnyRecords
from shotstore.records.values import StoredResults


@attrs.frozen(eq=False)
class ResultReader:
    """Results, tags and notes of the shots of one sequence of a session."""

    path: PureSequencePath
    _records: AnyRecords

    # Results

    def get_results(self, index: int) -> dict[str, Data]:
        """Return the results of a shot that count, by name."""
        return self.get_all_results(index)[index]

    def get_all_results(self, index: int | None = None) -> dict[int, dict[str, Data]]:
        """Return the results that count of a shot or, of None, of all shots that have some, by
        their indices in the order of recording."""
        records = self._records

        def read() -> dict[int, dict[str, Data]]:
            node = records.tree.get_sequence(self.path)
            row_of = self._row_of(node, index)
            newest = records.addition_index(node).newest(row_of.values()).results
            additions = records.additions(node)
            found: dict[int, dict[str, Data]] = {}
            for each, row in row_of.items():
                numbers = {name: int(of[row]) for name, of in newest.items() if of[row] >= 0}
                parts = {
                    number: additions[number].results(
                        [name for name, other in numbers.items() if other == number]
                    )
                    for number in set(numbers.values())
                }
                if numbers or index is not None:
                    found[each] = {name: parts[number][name] for name, number in numbers.items()}
            return found

        results = records.transaction.read(read)
        return {each: quantities_in(values) for each, values in results.items()}

    def get_history(self, index: int | None) -> list[StoredResults]:
        """Return all that was stored as results of a shot or, of None, of all shots, in the order
        of storing."""
        records = self._records

        def read() -> list[StoredResults]:
            node = records.tree.get_sequence(self.path)
            row_of = self._row_of(node, index)
            rows = set(row_of.values())
            return [
                StoredResults(
                    addition.index, addition.time, addition.by, addition.results(addition.types)
                )
                for addition in records.additions(node)
                if addition.row in rows and addition.types
            ]

        stored = records.transaction.read(read)
        return [attrs.evolve(each, values=quantities_in(each.values)) for each in stored]

    def get_newest(self) -> NewestResults:
        """Return which results count, and what they are."""
        records = self._records

        def read() -> NewestResults:
            node = records.tree.get_sequence(self.path)
            row_of = records.shot_rows(node)
            newest = records.addition_index(node).newest(row_of.values())
            numbers = {name: np.unique(each[each >= 0]) for name, each in newest.results.items()}
            types = records.result_types(node, numbers) if numbers else DataSchema()
            return NewestResults(newest, types, row_of)

        return records.transaction.read(read)

    def read_columns(
        self, newest: NewestResults, names: Collection[str], indices: npt.NDArray[np.int64]
    ) -> dict[str, Column]:
        """Return some results of some shots.

        Args:
            newest: What `get_newest` has returned.
            names: Results that it has.
            indices: Those of the shots.
        """
        records = self._records
        rows = newest.rows(indices)
        alike: dict[bytes, tuple[Numbers, list[str]]] = {}
        for name in names:
            numbers = newest.additions.results[name][rows]
            alike.setdefault(numbers.tobytes(), (numbers, []))[1].append(name)
        found: dict[str, Column] = {}
        for numbers, group in alike.values():
            is_present = numbers >= 0
            types = {name: newest.types[name] for name in group}
            stored = numbers[is_present]

            def read(stored: Numbers = stored, types: Any = types) -> Mapping[str, Column]:
                node = records.tree.get_sequence(self.path)
                return records.read_results(node, stored, types, places_for(types, len(stored)))

            columns = records.transaction.read(read)
            found |= {name: spread(columns[name], is_present) for name in group}
        return {name: found[name] for name in names}

    def find_measured(self, names: Collection[str] | None = None) -> Measured:
        """Return from where to where the numbers among some results, or all of them, lie."""
        newest = self.get_newest()
        wanted = [name for name in number_labels(newest.types) if names is None or name in names]
        indices = np.array([*newest.row_of], np.int64)
        found: dict[str, Column] = {}
        for name in wanted:
            with suppress(IncompatibleUnitsError):  # of different dimensions
                found |= self.read_columns(newest, [name], indices)
        return measured_of(found, newest.types)

    # Tags and notes

    def get_tags(self, index: int) -> frozenset[str]:
        """Return the tags of a shot."""
        return self._annotation(index, "tags") or frozenset()

    def get_note(self, index: int) -> str:
        """Return the note on a shot; empty if there is none."""
        return self._annotation(index, "note") or ""

    def read_annotations(
        self, newest: NewestResults, indices: npt.NDArray[np.int64]
    ) -> tuple[list[frozenset[str]], list[str]]:
        """Return the tags of some shots, and the notes on them.

        Args:
            newest: What `get_newest` has returned.
            indices: Those of the shots.
        """
        records = self._records
        rows = newest.rows(indices)
        tags, notes = newest.additions.tags[rows], newest.additions.notes[rows]
        if not ((tags >= 0).any() or (notes >= 0).any()):
            return [frozenset()] * len(rows), [""] * len(rows)

        def read() -> tuple[list[frozenset[str]], list[str]]:
            additions = records.additions(records.tree.get_sequence(self.path))
            return (
                [(additions[n].tags if n >= 0 else None) or frozenset() for n in tags.tolist()],
                [(additions[n].note if n >= 0 else None) or "" for n in notes.tolist()],
            )

        return records.transaction.read(read)

    def _annotation(self, index: int, what: str) -> Any:
        records = self._records

        def read() -> Any:
            node = records.tree.get_sequence(self.path)
            [row] = self._row_of(node, index).values()
            newest = records.addition_index(node).newest([row])
            number = int((newest.tags if what == "tags" else newest.notes)[row])
            return None if number < 0 else getattr(records.additions(node)[number], what)

        return records.transaction.read(read)

    def _row_of(self, node: Any, index: int | None) -> Mapping[int, int]:
        row_of = self._records.shot_rows(node)
        if index is None:
            return row_of
        if index not in row_of:
            raise shot_rules.shot_not_found_error(self.path, index)
        return {index: row_of[index]}
