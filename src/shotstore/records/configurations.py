"""Recipes and configurations, on their way through the serializer of a storage. It gets a copy of
what is stored, which it may take apart."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from shotstore.errors import LostConfigurationError, UnreadableConfigurationError
from shotstore.model import (
    JSON,
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    Serializer,
    TimeLanes,
)
from shotstore.model.json_form import strict_json
from shotstore.model.scalars import check_text, copy_json
from shotstore.paths import PureSequencePath

_T = TypeVar("_T")

_LONGEST_TAG = 1000
_LONGEST_DEVICE_NAME = 250
"""In bytes: with ``.json`` after it, it is the name of a file."""

LOST = "lost in a recovery"
"""The tag of what a recovery could not read. It has no class, so it is handed out as unknown."""
LOST_CONTENT: JSON = {"type": LOST, "content": None}
"""What stands in its place: for global parameters, for a recipe and for a lane."""


def check_device_name(name: str) -> str:
    """Return the name of a device, a plain ``str``.

    Raises:
        TypeError: it is not a text.
        ValueError: it is empty, longer than 250 bytes in UTF-8, or holds a NUL character or a lone
            surrogate.
    """
    plain = check_text(name, "The name of a device")
    if not plain:
        raise ValueError("The name of a device must not be empty.")
    if "\0" in plain:
        raise ValueError(f"The name of a device must not hold a NUL character: {plain!r}.")
    if len(plain.encode()) > _LONGEST_DEVICE_NAME:
        raise ValueError(
            f"The name of a device has up to {_LONGEST_DEVICE_NAME} bytes: choose a shorter one "
            f"than {plain[:40]!r}..."
        )
    return plain


def dump_device(serializer: Serializer, configuration: DeviceConfiguration) -> tuple[str, JSON]:
    """Return the tag and the content of a device configuration, as every storage can hold them.

    Raises:
        TypeError: the serializer does not know the class, or its tag is not a text.
        ValueError: the tag has more than 1000 bytes in UTF-8, a NUL character or a lone surrogate;
            or the content is not strict JSON.
    """
    tag, content = serializer.dump_device_configuration(configuration)
    plain = check_text(tag, "The tag of a device configuration")
    if "\0" in plain or len(plain.encode()) > _LONGEST_TAG:
        raise ValueError(
            f"The tag of a device configuration has up to {_LONGEST_TAG} bytes and no NUL "
            f"character, unlike {plain[:40]!r}...: register the class with another one."
        )
    return plain, strict_json(content)


def load_iteration(
    serializer: Serializer, content: JSON, path: PureSequencePath
) -> IterationConfiguration:
    """Return the iteration of a sequence.

    Raises:
        UnreadableConfigurationError: the serializer cannot read it.
    """
    what = f"The iteration of sequence {path}"
    load = partial(serializer.load_iteration, copy_json(content))
    return _loaded(what, load, "register_iteration", _tag_of(content))


def load_time_lanes(serializer: Serializer, content: JSON, path: PureSequencePath) -> TimeLanes:
    """Return the time lanes of a sequence.

    Raises:
        UnreadableConfigurationError: the serializer cannot read them.
    """
    what = f"The time lanes of sequence {path}"
    return _loaded(
        what, lambda: serializer.load_time_lanes(copy_json(content)), "register_time_lane"
    )


def load_global_parameters(
    serializer: Serializer, content: JSON, path: PureSequencePath | None = None
) -> ParameterNamespace:
    """Return the global parameters of a sequence, or of the storage.

    Raises:
        LostConfigurationError: a recovery could not read them.
        UnreadableConfigurationError: the serializer cannot read them.
    """
    what = "The global parameters" + _of(path)
    if content == LOST_CONTENT:
        lost = LostConfigurationError(
            f"{what} were lost in a recovery: where its shots.h5 was damaged, they could not be "
            "read. What each shot was taken with is in its parameters; the damaged file is in the "
            "trash of the store where it was recovered, until that is emptied."
        )
        lost.tag = LOST
        raise lost
    return _loaded(what, lambda: serializer.load_global_parameters(copy_json(content)))


def load_device(
    serializer: Serializer,
    name: str,
    tag: str,
    content: JSON,
    path: PureSequencePath | None = None,
) -> DeviceConfiguration:
    """Return the configuration of a device of a sequence, or of the storage.

    Raises:
        UnreadableConfigurationError: the serializer cannot read it.
    """
    return _loaded(
        f"The configuration of the device {name!r}{_of(path)}, stored as {tag!r},",
        lambda: serializer.load_device_configuration(tag, copy_json(content)),
        "register_device_configuration",
        tag,
    )


def _of(path: PureSequencePath | None) -> str:
    return "" if path is None else f" of sequence {path}"


def _tag_of(content: JSON) -> str | None:
    """Under which name a recipe is stored, if it is written as the DefaultSerializer does it."""
    tag = content.get("type") if isinstance(content, dict) else None
    return tag if isinstance(tag, str) else None


def _loaded(
    what: str, load: Callable[[], _T], register: str | None = None, tag: str | None = None
) -> _T:
    try:
        return load()
    except Exception as error:  # whatever the code of a lab raises
        reason = str(error).rstrip(".") or type(error).__name__
        remedy = (
            f", or register the class with a function that reads what is stored: {register}(..., "
            "load=...)"
            if register
            else ""
        )
        refusal = UnreadableConfigurationError(
            f"{what} cannot be read by this storage's serializer: {reason}. Nothing is damaged: "
            "the class has changed since it was stored, or another program's serializer has "
            f"written it. Open the storage with the serializer that has written it{remedy}."
        )
        refusal.tag = tag
        raise refusal from error
