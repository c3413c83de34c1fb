"""Which slots the first shots of a file use, and what that makes their schemas."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

from attrs import define

from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.schemas import Schemas
from shotstore.hdf5.shots.stored_values import Slot, StoredType
from shotstore.model import DataSchema, DataType, ParameterSchema, ParameterType
from shotstore.model.dtypes import load_dtype

_ROW_OF_TABLES = 1024  # bytes, more or less

_ParameterType: TypeAlias = Literal["bool", "int", "float", "text"]
_PARAMETER_TYPES: Mapping[StoredType, _ParameterType] = {
    "bool": "bool",
    "int": "int",
    "big int": "int",
    "float": "float",
    "text": "text",
    "json": "text",
}


@define(eq=False, slots=False)
class UsedSlots:
    """The slots that the shots of some schemas use, each once."""

    _datasets: Datasets
    _schemas: Schemas
    numbers: list[int]
    """Those of the schemas."""

    @cached_property
    def _parameters(self) -> list[Slot]:
        known = self._schemas.load()
        return _each_once(known[number].parameters for number in self.numbers)

    @cached_property
    def _data(self) -> list[Slot]:
        known = self._schemas.load()
        return _each_once(known[number].data for number in self.numbers)

    @cached_property
    def parameter_schema(self) -> ParameterSchema:
        """The types and units of the parameters."""
        found: dict[str, ParameterType] = {}
        for slot in self._parameters:
            kind = ParameterType(_PARAMETER_TYPES[slot.type], slot.unit)
            found[slot.name] = found[slot.name].merged(kind) if slot.name in found else kind
        return ParameterSchema(found)

    @cached_property
    def data_schema(self) -> DataSchema:
        """The types of the data, by label."""
        found: dict[str, DataType] = {}
        for slot in self._data:
            kind = data_type(slot)
            found[slot.name] = found[slot.name].merged(kind) if slot.name in found else kind
        return DataSchema(found)

    @cached_property
    def has_wide_integers(self) -> bool:
        """Whether there is a number beyond 64 bits."""
        return any(slot.type == "big int" for slot in (*self._parameters, *self._data))

    def row_size(self, labels: Collection[str]) -> int:
        """How many bytes a shot has under these labels, at the most; of what has another length in
        each shot, on the average."""
        sizes: dict[str, int] = {}
        for slot in self._data if labels else ():
            if slot.name in labels and slot.dataset is not None and slot.column is None:
                rows = self._schemas.rows(slot)
                size = rows.row_bytes
                if slot.index is not None:
                    size = size * rows.length // max(1, self._datasets.rows[slot.index].length)
                sizes[slot.name] = max(size, sizes.get(slot.name, 0))
        return _ROW_OF_TABLES + sum(sizes.values())


def _each_once(sections: Iterable[list[Slot]]) -> list[Slot]:
    return list(dict.fromkeys(slot for slots in sections for slot in slots))


def data_type(slot: Slot) -> DataType:
    """What `DataType.of` says of the values of a slot."""
    return _magnitude_type(slot).in_units(slot.unit)


def _magnitude_type(slot: Slot) -> DataType:
    match slot.type:
        case "array" | "empty" | "complex":
            return DataType.of_array(load_dtype(slot.dtype), slot.shape or ())
        case "ragged":
            return DataType.of_array(load_dtype(slot.dtype), (None, *(slot.shape or ())))
        case "big int":
            return DataType("int")
    return DataType(slot.type)
