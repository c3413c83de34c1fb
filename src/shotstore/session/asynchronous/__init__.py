"""The interfaces of a session, awaited."""

from shotstore.session.asynchronous.collections import AsyncPathHierarchy, AsyncSequenceCollection
from shotstore.session.asynchronous.device_configurations import (
    AsyncDeviceConfigurationCollection,
)
from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession
from shotstore.session.asynchronous.sequence import AsyncSequence, AsyncShot

__all__ = [
    "AsyncDeviceConfigurationCollection",
    "AsyncExperimentSession",
    "AsyncPathHierarchy",
    "AsyncSequence",
    "AsyncSequenceCollection",
    "AsyncShot",
]
