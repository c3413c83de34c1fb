"""What an awaited method does is said where its sync one is defined."""

from collections.abc import Callable
from typing import TypeVar

_C = TypeVar("_C", bound=type)


def takes_docstrings_from(described: type) -> Callable[[_C], _C]:
    """Give the public members of a class that have no docstring that of the member of this name.

    Raises:
        AttributeError: ``described`` has no such member.
    """

    def take(awaited: _C) -> _C:
        for name, member in vars(awaited).items():
            if not name.startswith("_"):
                documented = getattr(member, "__func__", member)  # behind a classmethod
                if callable(documented) and documented.__doc__ is None:
                    documented.__doc__ = getattr(described, name).__doc__
        return awaited

    return take
