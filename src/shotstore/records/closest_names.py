"""What may have been meant by a name that nothing has."""

import difflib
from collections.abc import Iterable


def closest_name(name: str, names: Iterable[str], separator: str = ".") -> str | None:
    """Return which of the names is close to the one that was asked for, or None if none is.

    Upper and lower case are the same, and the last part of a name may be meant.

    Args:
        name: What was asked for.
        names: Those that there are.
        separator: Between the parts of a name.
    """
    names = sorted(names)
    known = {each.rpartition(separator)[2].casefold(): each for each in names}
    known |= {each.casefold(): each for each in names}
    found = difflib.get_close_matches(name.casefold(), known, n=1)
    return known[found[0]] if found else None
