"""Awaited methods, made of the sync ones that they call."""

import functools
import operator
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

_S = TypeVar("_S")
_S_co = TypeVar("_S_co", covariant=True)
_P = ParamSpec("_P")
_T = TypeVar("_T")
_C = TypeVar("_C", bound=type)


class Awaits(Protocol[_S_co]):
    """An object that stands for a sync one, and calls its methods in threads."""

    async def run_sync(self, function: Callable[[_S_co], _T]) -> _T:
        """Call a function with the sync object, in a thread."""


def awaited(
    method: Callable[Concatenate[_S, _P], _T],
) -> Callable[Concatenate[Awaits[_S], _P], Coroutine[Any, Any, _T]]:
    """Make the awaited method of a sync one; it has its signature and its docstring."""
    name = method.__name__

    @functools.wraps(method)
    async def call(self: Awaits[_S], /, *arguments: _P.args, **by_name: _P.kwargs) -> _T:
        return await self.run_sync(operator.methodcaller(name, *arguments, **by_name))

    return call


def in_thread(
    method: Callable[Concatenate[_S, _P], _T],
) -> Callable[Concatenate[_S, _P], Coroutine[Any, Any, _T]]:
    """Make the awaited method of one that opens sessions by itself."""

    @functools.wraps(method)
    async def call(self: _S, /, *arguments: _P.args, **by_name: _P.kwargs) -> _T:
        from shotstore.session.asynchronous.calls import Calls  # takes long to import

        return await Calls().run(functools.partial(method, self, *arguments, **by_name))

    return call


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
