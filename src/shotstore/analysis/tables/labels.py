"""What columns are called in a file that has names of its own, so that none stands for two."""

from collections.abc import Callable, Collection, Iterable, Mapping

from shotstore.analysis.tables.names import PREFIXES
from shotstore.analysis.tables.table import TableColumn

_LONGEST = 1000


def label_columns(
    columns: Iterable[TableColumn],
    *,
    reserved: Collection[str] = (),
    spelled: Callable[[str], str] = lambda name: name,
    occupies: Callable[[TableColumn, str], Collection[str]] = lambda _, name: (name,),
) -> dict[str, str]:
    """Return what each column is called, by its name; the same wherever that can be.

    Where a name is taken it becomes ``data.<label>``, ``parameter.<name>`` or ``result.<name>``,
    and makes room for whatever else has that name.

    Args:
        columns: All that the file is to hold.
        reserved: What the file calls something else.
        spelled: Returns a name as the format allows it.
        occupies: Returns which names nothing else may have, where a column has a name: this one,
            and those of what is written beside it.
    """
    spellings = {column: spelled(column.name) for column in columns}
    names: dict[str, str] = {}
    taken = set(reserved)
    # Those first that keep their name, and of these those with something beside them.
    for column in sorted(spellings, key=lambda column: _rank(column, spellings[column])):
        name = spellings[column]
        others = taken
        while not others.isdisjoint(occupies(column, name)):
            others = taken.union(spellings.values())
            name = f"{PREFIXES['label' if column.origin is None else column.origin.kind]}{name}"
        names[column.name] = name
        taken.update(occupies(column, name))
    return {column.name: names[column.name] for column in spellings}


def shortened(name: str) -> str:
    """Return at most 1000 letters: formats end somewhere between 2**15 letters and 2**16 bytes."""
    return name[:_LONGEST]


def label_dimensions(
    shapes: Mapping[str, tuple[int, ...]], taken: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return what the dimensions of arrays are called; arrays of one shape share them.

    Those of pictures are ``("y", "x")``, those of traces ``("sample",)``, and of what has more
    dimensions ``("axis_0", "axis_1", ...)``. Those of a second shape have ``_2`` behind them.

    Args:
        shapes: Of the arrays under each name, without the dimension of shots.
        taken: Names that mean something else.
    """
    named: dict[tuple[int, ...], tuple[str, ...]] = {}
    taken = set(taken)
    for shape in shapes.values():
        if shape not in named:
            usual = _USUAL.get(len(shape)) or tuple(f"axis_{axis}" for axis in range(len(shape)))
            named[shape] = usual
            number = 2
            while not taken.isdisjoint(named[shape]):
                named[shape] = tuple(f"{name}_{number}" for name in usual)
                number += 1
            taken.update(named[shape])
    return {name: named[shape] for name, shape in shapes.items()}


_USUAL = {1: ("sample",), 2: ("y", "x")}


def _rank(column: TableColumn, spelling: str) -> tuple[bool, bool, bool]:
    return column.origin is not None, spelling != column.name, column.kind != "array"
