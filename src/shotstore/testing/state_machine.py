"""Random operations on a storage, and side by side on one in memory: both must do the same."""

import contextlib
import pickle
import unicodedata
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from shotstore import DataId, ExperimentSession, PureSequencePath, ShotId, State, StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.model import ParameterNamespace
from shotstore.testing import arguments
from shotstore.testing.content import content
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    DEVICES,
    ENDED,
    PARAMETERS,
    START,
    bring_to,
    empty,
    recipe,
)
from shotstore.testing.failing_sessions import LaserError
from shotstore.testing.lab import serializer
from shotstore.testing.machine_rules import ANYWHERE, FOLDERS, PLACES, SEQUENCES, Place, calling
from shotstore.testing.outcomes import comparable, outcome_of


def state_machine(storage: StorageManager) -> type[RuleBasedStateMachine]:
    """Return a machine that compares this storage with the model, for Hypothesis to run.

    >>> from hypothesis import settings
    >>> from hypothesis.stateful import run_state_machine_as_test
    >>> storage = InMemoryStorageManager(serializer=serializer())
    >>> run_state_machine_as_test(state_machine(storage), settings=settings(max_examples=1))

    Args:
        storage: Made with the serializer of the suite. Whatever is in it is deleted.
    """

    class Machine(StorageMachine):
        def __init__(self) -> None:
            super().__init__(storage)

    return Machine


class StorageMachine(RuleBasedStateMachine):
    """A storage and the model of it, with the sessions that are open on both.

    Each rule is one operation, or a few that belong together. Where no session is open it opens
    one, which stays open until it is committed or fails.
    """

    def __init__(self, storage: StorageManager) -> None:
        super().__init__()
        self._real = storage
        self._model = InMemoryStorageManager(serializer=serializer())
        self._sessions: tuple[ExperimentSession, ...] = ()
        self._end_of_sessions = contextlib.ExitStack()
        self._reader: ExperimentSession | None = None
        self._end_of_reader = contextlib.ExitStack()
        self._seen: object = None

    @initialize(
        target=SEQUENCES,
        names=st.lists(
            arguments.path_names,
            min_size=3,
            max_size=3,
            # Not every file system tells others apart.
            unique_by=lambda name: unicodedata.normalize("NFKC", name).casefold(),
        ),
        states=st.lists(st.sampled_from(State), min_size=1, max_size=3),
    )
    def begin(self, names: list[str], states: list[State]) -> MultipleResults[Place]:
        """Begin with a sequence in each of these states, and nothing else."""
        self._names = names
        with self._real.session(write=True) as session:
            empty(session)
            assert content(session) == {"parameters": ParameterNamespace.empty(), "devices": {}}
        found = dict(zip([(0, 1, 1), (1, 0), (0, 0)], states, strict=False))
        self.open(write=False)
        began = datetime.now(UTC)
        for place, state in found.items():
            for session in self._sessions:
                bring_to(session, state, self._path(place))
        self._agree_on_creation_dates(began)
        self.commit()
        return multiple(*found)

    def teardown(self) -> None:
        for ends in (self._end_of_sessions, self._end_of_reader):
            with contextlib.suppress(LaserError), ends:
                raise LaserError

    # Sessions

    @precondition(lambda self: not self._sessions)
    @rule(write=st.booleans())
    def open(self, write: bool) -> None:
        enter = self._end_of_sessions.enter_context
        self._sessions = (
            enter(self._real.session(write=write)),
            enter(self._model.session(write=write)),
        )

    @precondition(lambda self: self._sessions)
    @rule()
    def commit(self) -> None:
        self._sessions = ()
        self._end_of_sessions.close()

    @precondition(lambda self: self._sessions)
    @rule()
    def fail(self) -> None:
        self._sessions = ()
        with contextlib.suppress(LaserError), self._end_of_sessions:
            raise LaserError

    @precondition(lambda self: not self._sessions)
    @rule()
    def reopen(self) -> None:
        self._real = pickle.loads(pickle.dumps(self._real))

    @precondition(lambda self: self._reader is None)
    @rule()
    def begin_reading(self) -> None:
        """Open a session that goes on beside the others, and must not see what they do."""
        self._reader = self._end_of_reader.enter_context(self._real.session())
        self._seen = content(self._reader)

    @precondition(lambda self: self._reader is not None)
    @rule()
    def end_reading(self) -> None:
        self._reader = None
        self._end_of_reader.close()

    @invariant()
    def all_is_the_same(self) -> None:
        if self._sessions:
            found, expected = map(content, self._sessions)
        else:
            with self._real.session() as real, self._model.session() as model:
                found, expected = content(real), content(model)
        assert exactly_equal(comparable(found), comparable(expected))

    @invariant()
    def what_was_read_stays_the_same(self) -> None:
        if self._reader is not None:
            assert exactly_equal(content(self._reader), self._seen)

    # The tree

    create_path = calling("paths.create_path", PLACES)
    delete_path = calling(
        "paths.delete_path",
        st.one_of(FOLDERS, ANYWHERE),
        delete_sequences=st.sampled_from([True, True, False]),
    )
    update_creation_date = calling("paths.update_creation_date", date=arguments.times)

    @rule(target=SEQUENCES, source=ANYWHERE, destination=PLACES)
    def move(self, source: Place, destination: Place) -> Place:
        self._do("paths.move", self._path(source), self._path(destination))
        return destination

    @rule(place=ANYWHERE, name=arguments.long_names)
    def use_a_name_too_long(self, place: Place, name: str) -> None:
        path = self._path(place) / name
        self._do("paths.does_path_exists", path)
        self._do("paths.create_path", path)
        self._do("sequences.get_state", path)

    @rule(place=ANYWHERE)
    def look_at_a_path(self, place: Place) -> None:
        path = self._path(place)
        self._do("paths.does_path_exists", path)
        self._do("paths.get_children", path)
        self._do("paths.get_path_creation_date", path)
        self._do("sequences.is_sequence", path)
        self._do("sequences.get_contained_sequences", path)
        self._do("sequences.get_summaries", path)
        self._do("sequences.get_sequences_with_text", path, "a")

    @rule(state=st.sampled_from(State))
    def look_for_a_state(self, state: State) -> None:
        self._do("sequences.get_sequences_in_state", state)

    # Recipes

    @rule(
        target=SEQUENCES, place=PLACES, iteration=arguments.iterations, lanes=arguments.time_lanes
    )
    def create_sequence(self, place: Place, iteration: Any, lanes: Any) -> Place:
        self._do("sequences.create", self._path(place), iteration, lanes)
        return place

    set_iteration_configuration = calling(
        "sequences.set_iteration_configuration", iteration=arguments.iterations
    )
    set_time_lanes = calling("sequences.set_time_lanes", lanes=arguments.time_lanes)

    # States

    set_preparing = calling(
        "sequences.set_preparing", devices=arguments.devices, parameters=arguments.namespaces
    )
    set_running = calling("sequences.set_running", time=arguments.times)
    set_finished = calling("sequences.set_finished", time=arguments.times)
    set_interrupted = calling("sequences.set_interrupted", time=arguments.times)
    set_crashed = calling("sequences.set_crashed", error=arguments.errors, time=arguments.times)
    resume = calling("sequences.resume", time=arguments.times)
    reset_to_draft = calling("sequences.reset_to_draft")

    @rule(place=ANYWHERE)
    def look_at_a_sequence(self, place: Place) -> None:
        path = self._path(place)
        self._do("sequences.get_state", path)
        self._do("sequences.get_stats", path)
        self._do("sequences.get_iteration_configuration", path)
        self._do("sequences.get_time_lanes", path)
        self._do("sequences.get_tags", path)
        self._do("sequences.get_note", path)
        self._do("sequences.get_exception", path)
        self._do("sequences.get_interruptions", path)
        self._do("sequences.get_global_parameters", path)
        self._do("sequences.get_device_configurations", path)
        self._do("sequences.get_parameter_schema", path)

    # Tags and notes

    set_tags = calling("sequences.set_tags", tags=arguments.tags)
    set_note = calling("sequences.set_note", note=arguments.notes)

    # Shots

    @rule(
        place=ANYWHERE,
        index=arguments.indices,
        parameters=arguments.parameters,
        data=arguments.data,
        start=arguments.times,
        end=arguments.times,
        replace=st.sampled_from([False, True, True, "yes"]),
    )
    def create_shot(
        self,
        place: Place,
        index: Any,
        parameters: Any,
        data: Any,
        start: Any,
        end: Any,
        replace: Any,
    ) -> None:
        shot = ShotId(self._path(place), index)
        self._do("sequences.create_shot", shot, parameters, data, start, end, replace=replace)

    @rule(
        place=SEQUENCES,
        shots=st.lists(arguments.right_shots, min_size=1, max_size=3),
        replace=st.booleans(),
    )
    def record(
        self, place: Place, shots: list[tuple[int, Any, Any, datetime]], replace: bool
    ) -> None:
        """Bring the sequence to where it takes shots, which few get to step by step."""
        path = self._path(place)
        if self._do("sequences.get_state", path) in ENDED:
            self._do("sequences.reset_to_draft", path)
        self._do("sequences.set_iteration_configuration", path, recipe())
        self._do("sequences.set_preparing", path, DEVICES, PARAMETERS)
        self._do("sequences.set_running", path, START)
        for index, parameters, data, time in shots:
            shot = ShotId(path, index)
            self._do("sequences.create_shot", shot, parameters, data, time, time, replace=replace)

    @rule(place=ANYWHERE, index=arguments.indices)
    def look_at_a_shot(self, place: Place, index: Any) -> None:
        path = self._path(place)
        self._do("sequences.get_shots", path)
        self._do("sequences.get_shot_parameters", path, index)
        self._do("sequences.get_shot_start_time", path, index)
        self._do("sequences.get_shot_end_time", path, index)
        data = self._do("sequences.get_all_shot_data", path, index)
        labels = list(data) if isinstance(data, dict) else ["x"]
        for wanted in (labels, labels[:1], [*labels, "no such label"], "x"):
            self._do("sequences.get_shot_data_by_labels", path, index, wanted)
        for label in (*labels[:2], "no such label"):
            self._do("sequences.get_shot_data_by_label", DataId(ShotId(path, index), label))

    @rule(place=ANYWHERE, rows=st.one_of(st.none(), st.lists(st.integers(-1, 3), max_size=3)))
    def look_at_many_shots(self, place: Place, rows: list[int] | None) -> None:
        path = self._path(place)
        schemas = (
            self._do("sequences.get_parameter_schema", path),
            self._do("sequences.get_data_schema", path),
        )
        names, labels = (list(found) if isinstance(found, dict) else [] for found in schemas)
        for wanted in (labels, [*labels, "no such label"]):
            self._do("sequences.get_columns", path, parameters=names, labels=wanted, rows=rows)

    # What is found later

    @rule(place=ANYWHERE, index=arguments.indices, results=arguments.data, by=arguments.notes)
    def set_results(self, place: Place, index: Any, results: Any, by: Any) -> None:
        self._do("sequences.set_results", self._path(place), index, results, by=by)

    @rule(place=SEQUENCES, columns=arguments.columns)
    def set_many_results(self, place: Place, columns: Any) -> None:
        self._do("sequences.set_many_results", self._path(place), columns, by="a fit")

    remove_results = calling(
        "sequences.remove_results",
        names=st.lists(st.sampled_from(["x", "Camera\\picture", "a/b#2"]), max_size=2),
        index=st.one_of(st.none(), arguments.indices),
    )
    set_note_on_a_path = calling("paths.set_note", note=arguments.notes)

    set_shot_tags = calling("sequences.set_shot_tags", index=arguments.indices, tags=arguments.tags)
    set_shot_note = calling(
        "sequences.set_shot_note", index=arguments.indices, note=arguments.notes
    )

    @rule(place=ANYWHERE, index=arguments.indices)
    def look_at_results(self, place: Place, index: Any) -> None:
        path = self._path(place)
        self._do("sequences.get_results", path)
        self._do("sequences.get_results", path, index)
        self._do("sequences.get_result_schema", path)
        self._do("sequences.get_shot_tags", path, index)
        self._do("sequences.get_shot_note", path, index)

    # What the next sequence is to be launched with

    @rule(parameters=arguments.namespaces)
    def set_global_parameters(self, parameters: Any) -> None:
        self._do("set_global_parameters", parameters)

    @rule(name=arguments.device_names, device=arguments.any_device)
    def set_a_device(self, name: Any, device: Any) -> None:
        self._do("default_device_configurations.__setitem__", name, device)

    @rule(name=arguments.device_names)
    def look_at_a_device(self, name: Any) -> None:
        self._do("default_device_configurations.__iter__")
        self._do("default_device_configurations.__len__")
        self._do("default_device_configurations.__contains__", name)
        self._do("default_device_configurations.__getitem__", name)

    @rule(name=arguments.device_names)
    def remove_a_device(self, name: Any) -> None:
        self._do("default_device_configurations.__delitem__", name)

    @rule(definition=st.sampled_from(["unit_a = 3 kHz = u_a", "unit_b = [b]", "unit_c", "m = 3 s"]))
    def define_a_unit(self, definition: str) -> None:
        self._do("define_unit", definition)
        self._do("get_unit_definitions")

    # Helpers

    def _path(self, place: Place) -> PureSequencePath:
        return PureSequencePath.from_parts(self._names[number] for number in place)

    def _do(self, method: str, *given: Any, **named: Any) -> object:
        """Call the method of both sessions; return what both have returned, or the class of the
        error that both have raised."""
        if not self._sessions:
            self.open(write=False)
        began = datetime.now(UTC)
        found, expected = (outcome_of(session, method, given, named) for session in self._sessions)
        assert exactly_equal(found, expected), f"{method}: {found!r}, not {expected!r}"
        self._agree_on_creation_dates(began)
        return found

    def _agree_on_creation_dates(self, began: datetime) -> None:
        """Let the model have the storage's dates of what was created since then."""
        real, model = (session.paths for session in self._sessions)
        for path in model.get_all_paths():
            is_new = began <= model.get_path_creation_date(path) <= datetime.now(UTC)
            if is_new and real.does_path_exists(path):
                date = real.get_path_creation_date(path)
                assert began <= date <= datetime.now(UTC)
                model.update_creation_date(path, date)
