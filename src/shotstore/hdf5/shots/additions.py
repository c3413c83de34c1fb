"""What is added to shots later, as the rows of a ``results.h5``.

What a row is about stands in the place of parameters: the row of its shot, by what it was stored,
and the tags and the note, where it stores these. The results are its data.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, overload

import numpy as np

from shotstore.hdf5.shots.alike import AlikeValues, grouped
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.shots.stored_values import Stored, store_data, store_number
from shotstore.hdf5.shots.used_slots import data_type
from shotstore.model import Data, DataSchema, DataType, ParameterType
from shotstore.records.additions import AdditionIndex, Additions, Numbers, StoredAddition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ROW, _BY, _TAGS, _NOTE = "row", "by", "tags", "note"
_SEPARATOR = ","
"""Of tags, none of which holds one."""


def append(shots: ShotsFile, additions: Additions, compression: str | int | None) -> None:
    """Write additions as the next rows."""
    time = (additions.time - _EPOCH) // _MICROSECOND
    rows, indices = (np.array(each, np.int64) for each in (additions.rows, additions.indices))
    about = {_BY: store_data(additions.by)}
    if additions.tags is not None:
        about[_TAGS] = store_data(_SEPARATOR.join(sorted(additions.tags)))
    if additions.note is not None:
        about[_NOTE] = store_data(additions.note)
    for places, results in grouped(additions.results, len(rows)):
        values = {
            ("parameters", _ROW): AlikeValues(store_number(0), rows[places]),
            **{("parameters", name): _repeated(each, len(places)) for name, each in about.items()},
            **{("data", name): alike for name, alike in results.items()},
        }
        shots.append_alike(indices[places], (time, time), values, compression)


def read_index(shots: ShotsFile, count: int) -> AdditionIndex:
    """What the first ``count`` rows are about."""
    if not count:
        return AdditionIndex.of([])
    kinds, schemas = shots.kinds(count)
    found = shots.columns(np.arange(count), {_ROW: ParameterType("int")}, {}, {})
    named: dict[str, dict[int, bool]] = {}
    about: dict[str, list[int]] = {_TAGS: [], _NOTE: []}
    for kind, schema in enumerate(schemas):
        for slot in schema.data:
            named.setdefault(slot.name, {})[kind] = slot.type != "none"
        for slot in schema.parameters:
            about.setdefault(slot.name, []).append(kind)
    results = {}
    for name, used in named.items():
        numbers = np.flatnonzero(np.isin(kinds, list(used)))
        stored = [kind for kind, is_stored in used.items() if is_stored]
        results[name] = numbers, np.isin(kinds[numbers], stored)
    return AdditionIndex(
        found.parameters[_ROW].values,
        {name: each for name, each in results.items() if len(each[0])},
        np.flatnonzero(np.isin(kinds, about[_TAGS])),
        np.flatnonzero(np.isin(kinds, about[_NOTE])),
    )


def read_types(shots: ShotsFile, count: int, numbers: Mapping[str, Numbers]) -> DataSchema:
    """What results are, by name, of rows among the first ``count`` that store each of them."""
    kinds, schemas = shots.kinds(count)
    found = DataSchema()
    for name, each in numbers.items():
        for kind in np.unique(kinds[each]).tolist():
            [slot] = [slot for slot in schemas[kind].data if slot.name == name]
            found = found.merged({name: data_type(slot)})
    return found


class StoredAdditions(Sequence[StoredAddition]):
    """The first rows of a file, each of which is read when it is asked for."""

    def __init__(self, shots: ShotsFile | None, count: int) -> None:
        """``shots`` may be None, where there are no rows."""
        self._shots = shots
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> StoredAddition: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[StoredAddition]: ...

    def __getitem__(self, number: int | slice) -> StoredAddition | Sequence[StoredAddition]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(self._count))]
        if not 0 <= number < self._count:
            raise IndexError(number)
        assert self._shots is not None
        return _Addition(self._shots, number)


class _Addition(StoredAddition):
    def __init__(self, shots: ShotsFile, number: int) -> None:
        self._shots = shots
        self._number = number

    @cached_property
    def _about(self) -> dict[str, Any]:
        return self._shots.about(self._number)

    @property
    def row(self) -> int:
        return int(self._about[_ROW])

    @property
    def index(self) -> int:
        return self._shots.index(self._number)

    @property
    def time(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._shots.times(self._number)[0])

    @property
    def by(self) -> str:
        return str(self._about[_BY])

    @property
    def tags(self) -> frozenset[str] | None:
        if _TAGS not in self._about:
            return None
        return frozenset(filter(None, str(self._about[_TAGS]).split(_SEPARATOR)))

    @property
    def note(self) -> str | None:
        return str(self._about[_NOTE]) if _NOTE in self._about else None

    @property
    def types(self) -> Mapping[str, DataType]:
        kinds, schemas = self._shots.kinds(self._number + 1)
        return {slot.name: data_type(slot) for slot in schemas[int(kinds[-1])].data}

    def results(self, names: Collection[str]) -> dict[str, Data]:
        return self._shots.data(self._number, names)


def _repeated(stored: Stored, count: int) -> AlikeValues:
    return AlikeValues(stored, np.full(count, stored.payload))
