"""Recipes and configurations as they are stored: a copy passes them on, and decodes none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import attrs

from shotstore.errors import LostConfigurationError
from shotstore.model import (
    JSON,
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
)
from shotstore.paths import PureSequencePath
from shotstore.records.configurations import LOST_CONTENT
from shotstore.session import ExperimentSession


@contextmanager
def without_decoding(*sessions: ExperimentSession) -> Iterator[None]:
    """Let sessions read and write recipes and configurations as they are stored.

    So what is copied needs no class, and content of another program's serializer is copied.
    """
    serializers = [session.serializer for session in sessions]
    try:
        for session in sessions:
            session.serializer = _AsStored()
        yield
    finally:
        for session, serializer in zip(sessions, serializers, strict=True):
            session.serializer = serializer


def is_empty(parameters: ParameterNamespace) -> bool:
    """Return whether there are no global parameters in what a session that decodes nothing has
    read."""
    content = parameters.content if isinstance(parameters, _Content) else None
    return not content


@attrs.frozen
class _Content:
    content: JSON


def global_parameters_of(session: ExperimentSession, path: PureSequencePath) -> ParameterNamespace:
    """Return what a sequence was launched with, as it is stored; also that it is lost."""
    try:
        return session.sequences.get_global_parameters(path)
    except LostConfigurationError:
        return cast("ParameterNamespace", _Content(LOST_CONTENT))


class _AsStored:
    """A serializer whose objects are what is stored; to each other they are nothing else."""

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON:
        return cast("UnknownIterationConfiguration", iteration).content

    def load_iteration(self, content: JSON) -> IterationConfiguration:
        return UnknownIterationConfiguration("", content)

    def dump_time_lanes(self, time_lanes: TimeLanes) -> JSON:
        return cast("_Content", time_lanes).content

    def load_time_lanes(self, content: JSON) -> TimeLanes:
        return cast("TimeLanes", _Content(content))

    def dump_global_parameters(self, parameters: ParameterNamespace) -> JSON:
        return cast("_Content", parameters).content

    def load_global_parameters(self, content: JSON) -> ParameterNamespace:
        return cast("ParameterNamespace", _Content(content))

    def dump_device_configuration(self, configuration: DeviceConfiguration) -> tuple[str, JSON]:
        unknown = cast("UnknownDeviceConfiguration", configuration)
        return unknown.tag, unknown.content

    def load_device_configuration(self, tag: str, content: JSON) -> DeviceConfiguration:
        return UnknownDeviceConfiguration(tag, content)
