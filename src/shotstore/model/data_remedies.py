"""What to write where a value is not data: for each type expressions that make data of it.

Types of other packages are known by name, since none of these packages is needed, nor imported.
"""

from collections.abc import Callable, Iterator, Mapping

_SERIES = (
    "value.to_numpy()",
    "value.tolist()",
    "value.to_numpy('M8[ns]')",
    "value.to_numpy(float, na_value=numpy.nan)",
    "[str(item) for item in value]",
)
_SET = ("sorted(value)", "list(value)")
_TIME = ("numpy.asarray(value.to_datetime64())",)
_REMEDIES: Mapping[str, tuple[str, ...]] = {
    "numpy.MaskedArray": ("{'values': value.data, 'mask': numpy.ma.getmaskarray(value)}",),
    "numpy.ndarray": (
        "numpy.asarray(value)",
        "numpy.lib.recfunctions.repack_fields(value)",
        "value.tolist()",
        "value.astype(float)",
        "value.astype(str).tolist()",
    ),
    "numpy.generic": ("numpy.asarray(value)", "value.tolist()"),
    "builtins.set": _SET,
    "builtins.frozenset": _SET,
    "builtins.bytearray": ("bytes(value)",),
    "builtins.memoryview": ("numpy.asarray(value)", "bytes(value)"),
    "builtins.range": ("list(value)",),
    "builtins.dict_keys": ("list(value)",),
    "builtins.dict_values": ("list(value)",),
    "builtins.dict_items": ("list(value)",),
    "builtins.dict": ("{str(key): item for key, item in value.items()}", "list(value.items())"),
    "array.array": ("numpy.asarray(value)",),
    "collections.deque": ("list(value)",),
    "datetime.datetime": ("value.astimezone()",),
    "datetime.date": ("value.isoformat()",),
    "datetime.time": ("value.isoformat()",),
    "datetime.timedelta": ("numpy.asarray(value, 'm8[us]')",),
    "pathlib.PurePath": ("str(value)",),
    "enum.Enum": ("value.name", "value.value"),
    "decimal.Decimal": ("float(value)", "str(value)"),
    "fractions.Fraction": ("float(value)", "str(value)"),
    "uuid.UUID": ("str(value)",),
    "h5py.Dataset": ("value[()]",),
    "pandas.Timestamp": _TIME,
    "pandas.NaTType": _TIME,
    "pandas.Timedelta": ("numpy.asarray(value.to_timedelta64())",),
    "pandas.Series": _SERIES,
    "pandas.Index": _SERIES,
    "pandas.DataFrame": (
        "{str(name): column.to_numpy() for name, column in value.items()}",
        "{str(name): column.tolist() for name, column in value.items()}",
        "{str(name): column.astype(str).tolist() for name, column in value.items()}",
    ),
    "xarray.DataArray": ("value.to_numpy()", "value.values.tolist()"),
    "xarray.Dataset": ("{str(name): array.to_numpy() for name, array in value.items()}",),
    "polars.Series": ("value.to_numpy()", "value.to_list()", "[str(item) for item in value]"),
    "polars.DataFrame": (
        "{column.name: column.to_numpy() for column in value}",
        "{column.name: column.to_list() for column in value}",
    ),
    "torch.Tensor": ("value.numpy(force=True)",),
    "uncertainties.AffineScalarFunc": ("{'value': value.nominal_value, 'error': value.std_dev}",),
    "pint.PlainQuantity": (
        "float(value.magnitude) * value.units",
        "value.astype(float)",
        "{'magnitude': value.magnitude, 'units': str(value.units)}",
        "{'magnitude': float(value.magnitude), 'units': str(value.units)}",
    ),
}
"""Expressions of ``value``, the best one first, by package and class."""

_TAKEN = (
    "data is a numpy array, None, a bool, int, float, complex, str, bytes or aware datetime, or "
    "lists, tuples and dicts of these, or a pint quantity of a number or of an array of numbers"
)


def remedy(value: object, is_data: Callable[[object], bool]) -> str:
    """Return what follows the colon in an error about a value that is not data.

    Args:
        value: What was to be stored.
        is_data: Whether something can be stored. An expression is named only if its result can.
    """
    import numpy.lib.recfunctions  # so that an expression finds it

    for expression in _remedies(value):
        try:
            # One of those above, and never anything that was read from somewhere.
            made = eval(expression, {"numpy": numpy, "value": value})
        except Exception:  # whatever the methods of other packages raise
            continue
        if made is not None and is_data(made) and not _has_lost_a_key(value, made):
            return f"store {expression} instead"
    return _TAKEN


def _remedies(value: object) -> Iterator[str]:
    for cls in type(value).__mro__:
        yield from _REMEDIES.get(f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}", ())
    if isinstance(value, Mapping):
        yield "dict(value)"
    if hasattr(value, "__array__"):
        yield "numpy.asarray(value)"


def _has_lost_a_key(value: object, made: object) -> bool:
    """Whether two keys have become one."""
    return isinstance(value, dict) and isinstance(made, dict) and len(made) < len(value)
