"""What to write where a value is not data: for each type an expression that makes data of it.

Types of other packages are known by name, since none of these packages is needed, nor imported.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

_Remedy: TypeAlias = tuple[str, Callable[[Any], object]]
"""The expression of ``value``, and a function that does the same."""

_TEXT: _Remedy = ("str(value)", str)
_FLOAT: _Remedy = ("float(value)", float)
_LIST: _Remedy = ("list(value)", list)
_ISO: _Remedy = ("value.isoformat()", lambda value: value.isoformat())
_ARRAY: _Remedy = ("numpy.asarray(value)", np.asarray)
_BYTES: _Remedy = ("bytes(value)", bytes)
_TO_NUMPY: _Remedy = ("value.to_numpy()", lambda value: value.to_numpy())
_TO_LIST: _Remedy = ("value.tolist()", lambda value: value.tolist())
_TIMESTAMP: _Remedy = (
    "numpy.asarray(value.to_datetime64())",
    lambda value: np.asarray(value.to_datetime64()),
)
_GAPS: _Remedy = (
    "value.to_numpy(float, na_value=numpy.nan)",
    lambda value: value.to_numpy(float, na_value=np.nan),
)
_ZONED: _Remedy = ("value.to_numpy('M8[ns]')", lambda value: value.to_numpy("M8[ns]"))
_TEXTS: _Remedy = ("[str(item) for item in value]", lambda value: [str(item) for item in value])

_REMEDIES: Mapping[str, tuple[_Remedy, ...]] = {
    "numpy.MaskedArray": (
        (
            "{'values': value.data, 'mask': numpy.ma.getmaskarray(value)}",
            lambda value: {"values": value.data, "mask": np.ma.getmaskarray(value)},
        ),
    ),
    "numpy.ndarray": (
        _ARRAY,
        (
            "numpy.lib.recfunctions.repack_fields(value)",
            lambda value: _repacked(value) if value.dtype.names else None,
        ),
        _TO_LIST,
        ("value.astype(float)", lambda value: value.astype(float)),
        ("value.astype(str).tolist()", lambda value: value.astype(str).tolist()),
    ),
    "numpy.generic": (_ARRAY, _TO_LIST),
    "builtins.set": (("sorted(value)", sorted), _LIST),
    "builtins.frozenset": (("sorted(value)", sorted), _LIST),
    "builtins.bytearray": (_BYTES,),
    "builtins.memoryview": (_ARRAY, _BYTES),
    "builtins.range": (_LIST,),
    "builtins.dict_keys": (_LIST,),
    "builtins.dict_values": (_LIST,),
    "builtins.dict_items": (_LIST,),
    "builtins.dict": (
        (
            "{str(key): item for key, item in value.items()}",
            lambda value: _with_as_many({str(key): item for key, item in value.items()}, value),
        ),
        ("list(value.items())", lambda value: list(value.items())),
    ),
    "array.array": (_ARRAY,),
    "collections.deque": (_LIST,),
    "datetime.datetime": (("value.astimezone()", lambda value: value.astimezone()),),
    "datetime.date": (_ISO,),
    "datetime.time": (_ISO,),
    "datetime.timedelta": (
        ("numpy.asarray(value, 'm8[us]')", lambda value: np.asarray(value, "m8[us]")),
    ),
    "pathlib.PurePath": (_TEXT,),
    "enum.Enum": (
        ("value.name", lambda value: value.name or None),
        ("value.value", lambda value: value.value),
    ),
    "decimal.Decimal": (_FLOAT, _TEXT),
    "fractions.Fraction": (_FLOAT, _TEXT),
    "uuid.UUID": (_TEXT,),
    "h5py.Dataset": (("value[()]", lambda value: value[()]),),
    "pandas.Timestamp": (_TIMESTAMP,),
    "pandas.NaTType": (_TIMESTAMP,),
    "pandas.Timedelta": (
        (
            "numpy.asarray(value.to_timedelta64())",
            lambda value: np.asarray(value.to_timedelta64()),
        ),
    ),
    "pandas.Series": (_TO_NUMPY, _TO_LIST, _ZONED, _GAPS, _TEXTS),
    "pandas.Index": (_TO_NUMPY, _TO_LIST, _ZONED, _GAPS, _TEXTS),
    "pandas.DataFrame": (
        (
            "{str(name): column.to_numpy() for name, column in value.items()}",
            lambda value: {str(name): column.to_numpy() for name, column in value.items()},
        ),
        (
            "{str(name): column.tolist() for name, column in value.items()}",
            lambda value: {str(name): column.tolist() for name, column in value.items()},
        ),
        (
            "{str(name): column.astype(str).tolist() for name, column in value.items()}",
            lambda value: {
                str(name): column.astype(str).tolist() for name, column in value.items()
            },
        ),
    ),
    "xarray.DataArray": (_TO_NUMPY, ("value.values.tolist()", lambda value: value.values.tolist())),
    "xarray.Dataset": (
        (
            "{str(name): array.to_numpy() for name, array in value.items()}",
            lambda value: {str(name): array.to_numpy() for name, array in value.items()},
        ),
    ),
    "polars.Series": (_TO_NUMPY, ("value.to_list()", lambda value: value.to_list()), _TEXTS),
    "polars.DataFrame": (
        (
            "{column.name: column.to_numpy() for column in value}",
            lambda value: {column.name: column.to_numpy() for column in value},
        ),
        (
            "{column.name: column.to_list() for column in value}",
            lambda value: {column.name: column.to_list() for column in value},
        ),
    ),
    "torch.Tensor": (("value.numpy(force=True)", lambda value: value.numpy(force=True)),),
    "uncertainties.AffineScalarFunc": (
        (
            "{'value': value.nominal_value, 'error': value.std_dev}",
            lambda value: {"value": value.nominal_value, "error": value.std_dev},
        ),
    ),
    "pint.PlainQuantity": (
        (
            "{'magnitude': value.magnitude, 'units': str(value.units)}",
            lambda value: {"magnitude": value.magnitude, "units": str(value.units)},
        ),
    ),
}

_GENERAL: tuple[_Remedy, ...] = (
    ("dict(value)", lambda value: dict(value) if isinstance(value, Mapping) else None),
    (
        "numpy.asarray(value)",
        lambda value: np.asarray(value) if hasattr(value, "__array__") else None,
    ),
)

_TAKEN = (
    "data is a numpy array, None, a bool, int, float, complex, str, bytes or aware datetime, or "
    "lists, tuples and dicts of these"
)


def remedy(value: object, is_data: Callable[[object], bool]) -> str:
    """Return what follows the colon in an error about a value that is not data.

    Args:
        value: What was to be stored.
        is_data: Whether something can be stored. An expression is named only if its result can.
    """
    for expression, make in _remedies(type(value)):
        try:
            made = make(value)
        except Exception:  # whatever the methods of other packages raise
            continue
        if made is not None and is_data(made):
            return f"store {expression} instead"
    return _TAKEN


def _remedies(kind: type) -> Iterator[_Remedy]:
    for cls in kind.__mro__:
        yield from _REMEDIES.get(f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}", ())
    yield from _GENERAL


def _with_as_many(made: dict[str, object], value: Mapping[object, object]) -> object:
    """None if two keys have become one."""
    return made if len(made) == len(value) else None


def _repacked(array: Any) -> Any:
    from numpy.lib import recfunctions

    return recfunctions.repack_fields(array)
