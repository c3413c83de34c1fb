"""What a storage holds."""

from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from shotstore.errors import InvalidPathFormatError
from shotstore.model import JSON, Data, Parameter
from shotstore.paths import LONGEST_NAME, PureSequencePath
from shotstore.records import path_rules
from shotstore.state import State


@attrs.frozen
class Folder:
    """A path that holds others."""

    created: datetime


@attrs.frozen
class Shot:
    """A shot; its times are in UTC."""

    start_time: datetime
    end_time: datetime
    parameters: Mapping[str, Parameter]
    data: Mapping[str, Data]


@attrs.frozen
class Launch:
    """What a sequence was launched with."""

    global_parameters: JSON
    device_configurations: Mapping[str, tuple[str, JSON]]


@attrs.frozen
class Sequence:
    """A sequence, of which each change makes another one."""

    created: datetime
    iteration: JSON
    time_lanes: JSON
    expected_number_of_shots: int | None
    state: State = State.DRAFT
    start_time: datetime | None = None
    stop_time: datetime | None = None
    exception: JSON = None
    tags: frozenset[str] = frozenset()
    note: str = ""
    launch: Launch | None = None
    shots: Mapping[int, Shot] = attrs.field(factory=dict)
    """By index, in the order they were recorded."""


_ROOT = Folder(datetime.min.replace(tzinfo=UTC))


@attrs.define
class Content:
    """Everything in a storage."""

    paths: dict[PureSequencePath, Folder | Sequence] = attrs.field(factory=dict)
    """All but the root."""
    global_parameters: JSON = None
    device_configurations: dict[str, tuple[str, JSON]] = attrs.field(factory=dict)
    unit_definitions: tuple[str, ...] = ()

    def copy(self) -> "Content":
        """Return a content that is changed without changing this one."""
        return attrs.evolve(
            self,
            paths=self.paths.copy(),
            device_configurations=self.device_configurations.copy(),
        )

    def find(self, path: PureSequencePath) -> Folder | Sequence | None:
        """Return what is at the path."""
        return _ROOT if path.is_root() else self.paths.get(path)

    def get(self, path: PureSequencePath) -> Folder | Sequence:
        """Return what is at the path.

        Raises:
            PathNotFoundError: nothing is.
        """
        found = self.find(path)
        if found is None:
            raise path_rules.path_not_found_error(path)
        return found

    def get_sequence(self, path: PureSequencePath) -> Sequence:
        """Return the sequence at the path.

        Raises:
            PathNotFoundError: nothing is at the path.
            PathIsNotSequenceError: a folder is.
        """
        found = self.get(path)
        if not isinstance(found, Sequence):
            raise path_rules.path_is_not_sequence_error(path)
        return found

    def below(self, path: PureSequencePath) -> list[PureSequencePath]:
        """Return all that is inside the path."""
        return [found for found in self.paths if found.is_descendant_of(path)]

    def sequences(self, path: PureSequencePath) -> dict[PureSequencePath, Sequence]:
        """Return the sequences at and inside the path."""
        return {
            found: node
            for found in (path, *self.below(path))
            if isinstance(node := self.find(found), Sequence)
        }

    def create_folders(
        self, path: PureSequencePath, moving: PureSequencePath | None = None
    ) -> list[PureSequencePath]:
        """Create the folders of the path that do not exist, and return them from parent to child.

        Args:
            path: The last one.
            moving: What is about to leave its place, and is in nobody's way.

        Raises:
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only.
            InvalidPathFormatError: a name is too long.
        """
        check_names(path)
        way = [*path.get_ancestors(), path]
        for above in way:
            if isinstance(self.find(above), Sequence):
                raise path_rules.path_is_sequence_error(above, path)
        created = [above for above in way if self.find(above) is None]
        if created:
            self.check_siblings(created[0], moving)
        self.paths.update({above: Folder(datetime.now(UTC)) for above in created})
        return created

    def check_siblings(self, path: PureSequencePath, moving: PureSequencePath | None) -> None:
        """Check that the path can be created beside others; see `path_rules.check_siblings`."""
        assert path.parent is not None
        assert path.name is not None
        beside = [other for other in self.paths if other.parent == path.parent and other != moving]
        path_rules.check_siblings(path.parent, path.name, [str(other.name) for other in beside])


def check_names(path: PureSequencePath) -> None:
    """Check the length of the names.

    Raises:
        InvalidPathFormatError: one has more than 255 bytes.
    """
    for name in path.parts:
        if len(name.encode()) > LONGEST_NAME:
            raise InvalidPathFormatError(f"The name {name!r} is longer than {LONGEST_NAME} bytes.")
