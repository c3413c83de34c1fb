"""What people work with, written once over the records that a backend stores."""

from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import (
    Attempt,
    DataId,
    Interruption,
    SequenceStats,
    ShotId,
    StoredResults,
)
from shotstore.session.asynchronous import (
    AsyncDeviceConfigurationCollection,
    AsyncExperimentSession,
    AsyncPathHierarchy,
    AsyncSequence,
    AsyncSequenceCollection,
    AsyncShot,
)
from shotstore.session.device_configurations import DeviceConfigurationCollection
from shotstore.session.experiment_session import ExperimentSession
from shotstore.session.path_hierarchy import PathHierarchy
from shotstore.session.sequence import Sequence
from shotstore.session.sequence_collection import SequenceCollection
from shotstore.session.shot import Shot
from shotstore.session.storage import ExperimentSessionMaker, Receive, StorageManager

__all__ = [
    "AsyncDeviceConfigurationCollection",
    "AsyncExperimentSession",
    "AsyncPathHierarchy",
    "AsyncSequence",
    "AsyncSequenceCollection",
    "AsyncShot",
    "Attempt",
    "DataId",
    "DeviceConfigurationCollection",
    "ExperimentSession",
    "ExperimentSessionMaker",
    "Interruption",
    "PathHierarchy",
    "Receive",
    "Sequence",
    "SequenceCollection",
    "SequenceStats",
    "SequenceSummary",
    "Shot",
    "ShotId",
    "StorageManager",
    "StoredResults",
]
