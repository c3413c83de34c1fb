"""What a storage holds: values that are never changed, only replaced."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from shotstore.paths import PureSequencePath
from shotstore.records.content import LaunchRecord, SequenceRecord, ShotRecord
from shotstore.records.stored_records import Setting


@attrs.frozen
class Folder:
    """A path that holds others."""

    created: datetime


@attrs.frozen
class Sequence:
    """A sequence with its shots, by index in the order they were recorded."""

    record: SequenceRecord
    launch: LaunchRecord | None = None
    shots: Mapping[int, ShotRecord] = attrs.field(factory=dict)


@attrs.define
class Content:
    """Everything in a storage."""

    paths: dict[PureSequencePath, Folder | Sequence] = attrs.field(
        factory=lambda: {PureSequencePath.root(): Folder(datetime.min.replace(tzinfo=UTC))}
    )
    settings: dict[Setting, Mapping[str, Any]] = attrs.field(factory=dict)

    def copy(self) -> "Content":
        """Return a content that is changed without changing this one."""
        return Content(self.paths.copy(), self.settings.copy())
