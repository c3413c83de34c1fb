"""Numbers, units and types as people read them."""

from shotstore.model import DataType


def number_text(value: object) -> str:
    """Return a number in six digits, and anything else as it is."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def value_text(value: object, units: str | None = None) -> str:
    """Return a value with its unit, in as few digits as tell it."""
    unit = pretty_unit(units)
    return f"{number_text(value)} {unit}" if unit else number_text(value)


def pretty_unit(units: str | None) -> str:
    """Return a unit as it is printed: ``m/s²``."""
    if not units:
        return ""
    from shotstore.model.quantities import quantity

    try:
        return format(quantity(1, units).units, "~P")
    except ValueError:  # a unit that only the lab knows
        return units


def type_text(kind: DataType) -> str:
    """Return what the data under a label is: "uint16, 256 x 320", "float", "text"."""
    if kind.kind == "array":
        assert kind.dtype is not None
        name = "structured" if kind.dtype.names else str(kind.dtype)
        lengths = ["any" if length is None else str(length) for length in kind.shape or ()]
        return f"{name}, {' x '.join(lengths)}" if lengths else f"{name}, a single one"
    return {"json": "lists, dicts or mixed", "none": "always None"}.get(kind.kind, kind.kind)
