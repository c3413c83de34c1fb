"""Classes by the tags under which their instances are stored."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from shotstore.model.json_form import from_json, to_json
from shotstore.model.scalars import JSON

_Base = TypeVar("_Base")


@attrs.frozen
class RegisteredClass(Generic[_Base]):
    """A class, the tag for its instances, and the functions that stand in for cattrs."""

    cls: type[_Base]
    tag: str
    dump: Callable[[Any], object] | None
    load: Callable[[Any], _Base] | None


@attrs.define
class ClassRegistry(Generic[_Base]):
    """The classes of one kind, such as time lanes, whose instances can be stored.

    Attributes:
        base: The class that all of them inherit from.
        unknown: The one that stands for those that are not registered, made of tag and content.
    """

    base: type[_Base]
    unknown: type[Any]
    _classes: dict[str, RegisteredClass[_Base]] = attrs.field(init=False, factory=dict)

    def register(
        self,
        cls: type[_Base],
        tag: str,
        dump: Callable[[Any], object] | None = None,
        load: Callable[[Any], _Base] | None = None,
    ) -> None:
        """Add a class.

        Raises:
            TypeError: the class is not of this kind, or not an attrs class and a function is
                missing.
            ValueError: the class or the tag is registered already.
        """
        if not (isinstance(cls, type) and issubclass(cls, self.base)):
            raise TypeError(f"{cls!r} does not inherit from {self.base.__name__}.")
        if not attrs.has(cls) and (dump is None or load is None):
            raise TypeError(
                f"{cls.__name__} is not an attrs class: give functions for dump and for load."
            )
        for known in self._classes.values():
            if known.cls is cls:
                raise ValueError(f"{cls.__name__} is registered already, as '{known.tag}'.")
        if tag in self._classes:
            raise ValueError(
                f"The tag '{tag}' is taken by {self._classes[tag].cls!r}: give {cls!r} another one "
                "with tag=..."
            )
        self._classes[tag] = RegisteredClass(cls, tag, dump, load)

    def dump(self, value: _Base) -> tuple[str, JSON]:
        """Return the tag and content of an instance, which :meth:`load` turns into an equal one.

        Raises:
            TypeError: its class is not registered, or its content has no JSON form or cannot be
                read again.
            ValueError: a text in it holds a lone surrogate.
        """
        if isinstance(value, self.unknown):
            return value.tag, value.content  # as it was stored
        for known in self._classes.values():
            if known.cls is type(value):
                break
        else:
            raise TypeError(
                f"{type(value).__name__} cannot be stored: it is not registered with the "
                f"serializer as a {self.base.__name__}."
            )
        content = to_json(value, known.dump)
        try:
            from_json(content, known.cls, known.load)
        except ValueError as error:
            # Said while there still is a value, and not when the archive is opened.
            raise TypeError(f"A {type(value).__name__} cannot be stored: {error}") from error
        return known.tag, content

    def load(self, tag: str, content: JSON) -> _Base:
        """Return the instance, an unknown one if nobody has registered the tag.

        Raises:
            ValueError: the content does not fit the class.
        """
        known = self._classes.get(tag)
        if known is not None:
            return from_json(content, known.cls, known.load)
        unknown: _Base = self.unknown(tag, content)
        return unknown
