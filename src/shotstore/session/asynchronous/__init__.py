"""The interfaces of a session, awaited."""

from shotstore.session.asynchronous.device_configurations import (
    AsyncDeviceConfigurationCollection,
)
from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession
from shotstore.session.asynchronous.path_hierarchy import AsyncPathHierarchy
from shotstore.session.asynchronous.sequence import AsyncSequence
from shotstore.session.asynchronous.sequence_collection import AsyncSequenceCollection
from shotstore.session.asynchronous.shot import AsyncShot

__all__ = [
    "AsyncDeviceConfigurationCollection",
    "AsyncExperimentSession",
    "AsyncPathHierarchy",
    "AsyncSequence",
    "AsyncSequenceCollection",
    "AsyncShot",
]
