"""Values that sessions take and return."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from shotstore.model import Data, Parameter
from shotstore.paths import PureSequencePath, as_path
from shotstore.records.recorders import Recorder
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary


@attrs.frozen(order=True)
class ShotId:
    """Which shot."""

    sequence_path: PureSequencePath = attrs.field(converter=as_path)
    index: int
    """The place of the shot in the iteration of its sequence, from 0."""


@attrs.frozen(order=True)
class DataId:
    """Which data of which shot."""

    shot_id: ShotId
    data_label: str


@attrs.frozen(eq=False)
class Attempt:
    """A shot as it was recorded before it was taken again."""

    start_time: datetime
    """In UTC."""
    end_time: datetime
    """In UTC."""
    parameters: Mapping[str, Parameter]
    data: Mapping[str, Data]
    """By label, in the types and shapes that were stored."""


@attrs.frozen
class Interruption:
    """How a sequence had ended before it was resumed. Times are in UTC."""

    state: State
    """``State.INTERRUPTED`` or ``State.CRASHED``."""
    stop_time: datetime
    """When it ended."""
    exception: TracebackSummary | None
    """The error that it crashed with; None if it was interrupted."""
    resume_time: datetime
    """When it went on."""


@attrs.frozen
class SequenceStats:
    """How far a sequence is."""

    state: State
    start_time: datetime | None
    """When it began to run, in UTC; None before, and for one that crashed while preparing."""
    stop_time: datetime | None
    """When it ended, in UTC; None before, and while it runs again."""
    number_completed_shots: int
    expected_number_shots: int | None
    """How many shots its iteration makes; None if that cannot be known before."""
    recorder: Recorder | None = None
    """Whether the program lives that records it: "alive" or "gone"; None where nobody can tell, as
    of a run that was not recorded with :meth:`~shotstore.StorageManager.record`, and of a sequence
    that is not running."""


@attrs.frozen(eq=False)
class StoredResults:
    """Results of a shot, as they were stored at once."""

    shot_index: int
    time: datetime
    """When they were stored, in UTC."""
    by: str
    """By what: the text that was given."""
    values: Mapping[str, Data]
    """By name; None where a result was taken away."""
