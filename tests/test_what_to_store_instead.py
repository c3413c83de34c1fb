"""What is not data is refused with an expression, and what that expression makes is stored."""

import array
import collections
import decimal
import enum
import fractions
import re
import types
import uuid
from datetime import date, datetime, time, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import h5py
import numpy as np
import numpy.lib.recfunctions
import pandas as pd
import pint
import polars as pl
import pytest
import xarray as xr

from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, launch, record


class Color(enum.Enum):
    RED = object()


class Channel(enum.Flag):
    LEFT = 1
    RIGHT = 2


class Tensor:
    """One of torch that is on a graphics card, as far as it is needed here."""

    __module__ = "torch"

    def __array__(self, *_: object) -> None:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def numpy(self, *, force: bool = False) -> np.ndarray:
        if not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.ones(2, "f4")


class AffineScalarFunc:
    """A number with an uncertainty, as far as it is needed here."""

    __module__ = "uncertainties.core"
    nominal_value = 1.5
    std_dev = 0.25


class Variable(AffineScalarFunc):
    __module__ = "uncertainties.core"


RECORDS = np.array([(1, "é"), (2, "b")], [("a", "i4"), ("b", "U2")])
ZONED = pd.Series(pd.to_datetime(["2026-11-22"], utc=True).tz_convert("Europe/Berlin"))

VALUES: dict[str, tuple[Any, str]] = {
    "naive datetime": (datetime(2026, 11, 22, 12, 30), "value.astimezone()"),  # noqa: DTZ001
    "date": (date(2026, 11, 22), "value.isoformat()"),
    "time": (time(12, 30), "value.isoformat()"),
    "timedelta": (timedelta(milliseconds=1.5), "numpy.asarray(value, 'm8[us]')"),
    "path": (Path("data") / "a.png", "str(value)"),
    "pure path": (PurePosixPath("/data"), "str(value)"),
    "enum": (Color.RED, "value.name"),
    "flag": (Channel.LEFT, "value.name"),
    "no flag": (Channel(0), "value.value"),
    "decimal": (decimal.Decimal("0.1"), "float(value)"),
    "decimal that is no number": (decimal.Decimal("sNaN"), "str(value)"),
    "fraction": (fractions.Fraction(1, 3), "float(value)"),
    "huge fraction": (fractions.Fraction(10**400), "str(value)"),
    "uuid": (uuid.UUID(int=7), "str(value)"),
    "set": ({2, 1}, "sorted(value)"),
    "set without order": ({1, "a"}, "list(value)"),
    "frozenset": (frozenset({1}), "sorted(value)"),
    "bytearray": (bytearray(b"a\0"), "bytes(value)"),
    "memoryview": (memoryview(b"ab"), "numpy.asarray(value)"),
    "range": (range(3), "list(value)"),
    "keys": ({"a": 1}.keys(), "list(value)"),
    "deque": (collections.deque([1, 2]), "list(value)"),
    "array": (array.array("d", [1.5]), "numpy.asarray(value)"),
    "mapping": (types.MappingProxyType({"a": 1}), "dict(value)"),
    "int keys": ({1: 2.5, 2: 3}, "{str(key): item for key, item in value.items()}"),
    "tuple keys": ({(0, 1): 2}, "{str(key): item for key, item in value.items()}"),
    "keys that are one as text": ({1: 2, "1": 3}, "list(value.items())"),
    "void": (np.void(b"ab"), "numpy.asarray(value)"),
    "record": (RECORDS[0], "numpy.asarray(value)"),
    "datetime64": (np.datetime64("2026-11-22T12:00", "ns"), "numpy.asarray(value)"),
    "timedelta64": (np.timedelta64(3, "us"), "numpy.asarray(value)"),
    "longdouble": (np.longdouble(1) / 3, "numpy.asarray(value)"),
    "clongdouble": (np.clongdouble(1j) / 3, "numpy.asarray(value)"),
    "masked array": (
        np.ma.masked_array([1, 2], [True, False]),
        "{'values': value.data, 'mask': numpy.ma.getmaskarray(value)}",
    ),
    "array of objects": (np.array([1, "a", None], object), "value.tolist()"),
    "array of paths": (np.array([Path("a")], object), "value.astype(str).tolist()"),
    "array of records with objects": (
        np.array([(1, "a")], [("a", "i4"), ("b", "O")]),
        "value.tolist()",
    ),
    "array of texts of any length": (np.array(["a"], np.dtypes.StringDType()), "value.tolist()"),
    "fields in another order": (
        RECORDS[["b", "a"]],
        "numpy.lib.recfunctions.repack_fields(value)",
    ),
    "texts as h5py reads them": (
        np.array([b"a", b"\xc3\xa9"], h5py.string_dtype()),
        "value.tolist()",
    ),
    "tensor": (Tensor(), "value.numpy(force=True)"),
    "number with an uncertainty": (
        Variable(),
        "{'value': value.nominal_value, 'error': value.std_dev}",
    ),
    "pandas timestamp": (
        pd.Timestamp("2026-11-22T12:00:00.123456789Z"),
        "numpy.asarray(value.to_datetime64())",
    ),
    "no pandas timestamp": (pd.NaT, "numpy.asarray(value.to_datetime64())"),
    "pandas timedelta": (pd.Timedelta(1, "ns"), "numpy.asarray(value.to_timedelta64())"),
    "series": (pd.Series([1.5, 2]), "value.to_numpy()"),
    "series of texts": (pd.Series(["a", "é"], dtype=object), "value.tolist()"),
    # Older versions make an array of objects of it.
    "series with gaps": (
        pd.Series([1, None], dtype="Int64"),
        "value.to_numpy()"
        if pd.Series([1, None], dtype="Int64").to_numpy().dtype == float
        else "value.to_numpy(float, na_value=numpy.nan)",
    ),
    "series of times with a zone": (ZONED, "value.to_numpy('M8[ns]')"),
    "series of paths": (pd.Series([Path("a")]), "[str(item) for item in value]"),
    "pandas index": (pd.Index([1, 2]), "value.to_numpy()"),
    "pandas frame": (
        pd.DataFrame({"a": [1, 2], 3: [1.5, 2]}),
        "{str(name): column.to_numpy() for name, column in value.items()}",
    ),
    "pandas frame with texts": (
        pd.DataFrame({"a": pd.Series(["x", "y"], dtype=object), "b": [1.5, 2]}),
        "{str(name): column.tolist() for name, column in value.items()}",
    ),
    "xarray array": (xr.DataArray(np.eye(2), dims=("y", "x")), "value.to_numpy()"),
    "xarray set": (
        xr.Dataset({"a": ("x", np.ones(3))}),
        "{str(name): array.to_numpy() for name, array in value.items()}",
    ),
    "polars series": (pl.Series([1.5, 2]), "value.to_numpy()"),
    "polars series of texts": (pl.Series(["a", None]), "value.to_list()"),
    "polars frame": (
        pl.DataFrame({"a": [1, 2], "b": [1.5, 2]}),
        "{column.name: column.to_numpy() for column in value}",
    ),
    "polars frame with texts": (
        pl.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
        "{column.name: column.to_list() for column in value}",
    ),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("is_inside", [False, True])
def test_the_expression_that_an_error_names_is_stored(
    storage: HDF5StorageManager, kind: str, is_inside: bool
) -> None:
    value, expression = VALUES[kind]
    with storage.session() as session:
        launch(session)
        with pytest.raises(TypeError) as caught:
            record(session, data={"x": [{"in": (1, value)}] if is_inside else value})
        found = re.search(r": store (.+) instead\.$", str(caught.value))
        assert found is not None, str(caught.value)
        assert found[1] == expression
        instead = eval(found[1], {"value": value, "numpy": np})
        record(session, data={"x": [{"in": (1, instead)}] if is_inside else instead})
    with storage.session() as session:
        stored: Any = session.sequences.get_all_shot_data(PATH, 0)["x"]
    assert exactly_equal(stored[0]["in"][1] if is_inside else stored, instead)


_INSIDE = "{'magnitude': value.magnitude, 'units': str(value.units)}"
_INSIDE_AS_FLOAT = "{'magnitude': float(value.magnitude), 'units': str(value.units)}"
_AS_FLOAT = "float(value.magnitude) * value.units"


@pytest.mark.parametrize(
    ("value", "is_inside", "expression"),
    [
        (pint.Quantity(1.5, "MHz"), True, _INSIDE),
        (pint.Quantity(np.ones(2), "V"), True, _INSIDE),
        (pint.Quantity(decimal.Decimal("0.5"), "V"), False, _AS_FLOAT),
        (pint.Quantity(decimal.Decimal("0.5"), "V"), True, _INSIDE_AS_FLOAT),
        (pint.Quantity(np.array([fractions.Fraction(1, 2)]), "V"), False, "value.astype(float)"),
    ],
    ids=str,
)
def test_what_to_store_instead_of_a_quantity(
    storage: HDF5StorageManager, value: Any, is_inside: bool, expression: str
) -> None:
    with storage.session() as session:
        launch(session)
        with pytest.raises(TypeError, match=re.escape(f": store {expression} instead.")):
            record(session, data={"x": [value] if is_inside else value})
        instead = eval(expression, {"value": value})
        record(session, data={"x": [instead] if is_inside else instead})
    with storage.session() as session:
        stored: Any = session.sequences.get_all_shot_data(PATH, 0)["x"]
    assert exactly_equal(stored, [instead] if is_inside else instead)


def test_a_file_object_of_h5py_is_read_first(storage: HDF5StorageManager, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "camera.h5", "w") as file, storage.session() as session:
        launch(session)
        dataset = file.create_dataset("frame", data=np.eye(3))
        with pytest.raises(TypeError, match=re.escape("store value[()] instead")):
            record(session, data={"x": dataset})
        record(session, data={"x": dataset[()]})


def test_what_nobody_can_store_is_told_what_data_is(storage: HDF5StorageManager) -> None:
    values: list[Any] = [object(), len, iter([1]), Path]
    with storage.session() as session:
        launch(session)
        for value in values:
            with pytest.raises(TypeError, match="data is a numpy array, None, a bool, int"):
                record(session, data={"x": value})


TEXTS = {
    "texts": np.array([b"a", b"\xc3\xa9"], h5py.string_dtype(length=4)),
    "texts in records": np.array(
        [(b"a", 1)], [("name", h5py.string_dtype(length=4)), ("number", "i4")]
    ),
    "truth values": np.array([1, 0], h5py.enum_dtype({"NO": 0, "YES": 1}, "i1")),
    "arrays of texts in records": np.zeros(2, [("names", h5py.string_dtype(length=4), 3)]),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_arrays_that_h5py_has_read_are_stored_without_a_warning(
    storage: HDF5StorageManager, kind: str, recwarn: pytest.WarningsRecorder
) -> None:
    array = TEXTS[kind]
    with storage.session() as session:
        launch(session)
        record(session, data={"x": array, "in": [array]})
    with storage.session() as session:
        found: Any = session.sequences.get_all_shot_data(PATH, 0)
    for stored in (found["x"], found["in"][0]):
        assert stored.dtype == array.dtype
        assert stored.dtype.metadata is None
        assert exactly_equal(stored, array.view(stored.dtype))
    assert [str(warning.message) for warning in recwarn] == []
