"""Recording a run: it is launched, its shots are saved one by one, and it ends with its block."""

from __future__ import annotations

import itertools
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np
from attrs.converters import optional

from shotstore.model import (
    Data,
    DeviceConfiguration,
    IterationConfiguration,
    OpenEnded,
    Parameter,
    ParameterNamespace,
    TimeLanes,
)
from shotstore.model.json_form import strict_json
from shotstore.paths import PureSequencePath, as_path
from shotstore.records import path_rules, state_rules
from shotstore.records.annotations import check_note, check_tags
from shotstore.records.arguments import as_count, as_flag, as_mapping, as_shot_index
from shotstore.records.content import SequenceRecord
from shotstore.records.owner import current_owner
from shotstore.records.values import ShotId
from shotstore.session.sequence_collection import SequenceCollection
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.session.experiment_session import ExperimentSession

Order: TypeAlias = Literal["recipe", "random"]
IfExists: TypeAlias = Literal["error", "number"]

_BLOCK = "with storage.record(path, recipe) as run:"


def _one_of(*choices: str) -> Callable[[object, attrs.Attribute[Any], Any], None]:
    def check(plan: object, attribute: attrs.Attribute[Any], value: object) -> None:
        del plan
        if value not in choices:
            raise ValueError(f"{attribute.name} must be one of {choices}, not {value!r}.")

    return check


def _as_resume(value: bool) -> bool:
    return as_flag(value, "resume")


def _as_seed(value: int) -> int:
    seed = as_count(value, "seed")
    if seed < 0:  # numpy takes none
        raise ValueError(f"seed must be 0 or more, not {seed}.")
    return seed


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be recorded, and how; see `StorageManager.record`."""

    path: PureSequencePath = attrs.field(converter=as_path)
    recipe: IterationConfiguration | None
    time_lanes: TimeLanes | None
    devices: Mapping[str, DeviceConfiguration] | None
    global_parameters: ParameterNamespace | None
    tags: frozenset[str] | None = attrs.field(converter=optional(check_tags))
    note: str | None = attrs.field(converter=optional(check_note))
    resume: bool = attrs.field(converter=_as_resume)
    if_exists: IfExists = attrs.field(validator=_one_of("error", "number"))
    order: Order = attrs.field(validator=_one_of("recipe", "random"))
    seed: int | None = attrs.field(converter=optional(_as_seed))


@attrs.define
class _Shot:
    """The one whose parameters were handed out."""

    index: int
    parameters: Mapping[str, Parameter]
    start_time: datetime


class Recording:
    """The steps of recording a run, in the order in which a block of `Run` makes them."""

    def __init__(
        self,
        plan: Plan,
        open_session: Callable[[bool], ExperimentSession],
        hold_recorder: Callable[[str], Callable[[], object]],
    ) -> None:
        """Nothing is done yet.

        Args:
            plan: What is to be recorded.
            open_session: Returns a session; the argument is its ``write``.
            hold_recorder: As of a storage.
        """
        self._plan = plan
        self._open_session = open_session
        self._hold_recorder = hold_recorder
        self.path = plan.path
        self._mark = uuid.uuid4().hex
        self._thread = 0
        self._has_begun = False
        self._finished: SequenceRecord | None = None
        """What it was before, if there is nothing to go on with."""
        self._is_over = False
        self._release: Callable[[], object] = lambda: None
        # Known once it has begun:
        self._iteration: IterationConfiguration
        self._initial: Mapping[str, Parameter] = {}
        self._expected: int | None = None
        self._taken: set[int] = set()
        self._planned: Iterator[tuple[int, Mapping[str, Parameter]]] = iter(())
        self._current: _Shot | None = None
        self._is_looping = self._has_looped = False
        self._last_time = datetime.now(UTC)

    # The beginning

    def begin(self) -> None:
        """Launch the run, or go on with it."""
        if self._has_begun:
            raise RuntimeError(f"A run is recorded once: write `{_BLOCK}` for each.")
        self._has_begun = True
        self._thread = current_owner().thread
        self._release = self._hold_recorder(self._mark)
        try:
            with self._open_session(True) as session:
                self._launch(session)
        except BaseException:
            self._release()
            raise
        self._last_time = datetime.now(UTC)

    def _launch(self, session: ExperimentSession) -> None:
        sequences = session.sequences
        self.path = path = self._find_place(session)
        if not _is_sequence(session, path):
            self._create(sequences)
        else:
            self._check_recipe(session)
        state = sequences.get_state(path)
        if state is State.DRAFT:
            self._start(session)
        elif state is State.FINISHED:
            self._finished = sequences._reader(path).get_record()
        else:
            bring_back(sequences, path, self._mark)
        self._iteration = self._plan.recipe or sequences.get_iteration_configuration(path)
        self._initial = sequences.get_global_parameters(path).evaluate()
        self._iteration.get_parameter_schema(self._initial)  # or it fails when devices are at work
        self._expected = sequences.get_stats(path).expected_number_shots
        self._taken = {shot.index for shot in sequences.get_shots(path)}
        self._planned = self._plan_shots()
        if self._plan.tags is not None:
            sequences.set_tags(path, self._plan.tags)
        if self._plan.note is not None:
            sequences.set_note(path, self._plan.note)

    def _find_place(self, session: ExperimentSession) -> PureSequencePath:
        path = self._plan.path
        if not _is_sequence(session, path) or session.sequences.get_state(path) is State.DRAFT:
            return path
        if self._plan.resume:
            return path
        if self._plan.if_exists == "number" and path.parent is not None:
            others = (path.parent / f"{path.name} {number}" for number in itertools.count(2))
            return next(other for other in others if not session.paths.does_path_exists(other))
        error = path_rules.sequence_exists_error(path)
        error.add_note(
            'resume=True goes on with it, and if_exists="number" records beside it, as '
            f"{path.name} 2."
        )
        raise error

    def _create(self, sequences: SequenceCollection) -> None:
        if self._plan.recipe is None:
            error = path_rules.path_not_found_error(self.path)
            error.add_note("To record what is not there yet, give its recipe.")
            raise error
        lanes = TimeLanes.empty() if self._plan.time_lanes is None else self._plan.time_lanes
        sequences.create(self.path, self._plan.recipe, lanes)

    def _check_recipe(self, session: ExperimentSession) -> None:
        """Check that the sequence that is there has the recipe that was given, if one was."""
        record, serializer = session.sequences._reader(self.path).get_record(), session.serializer
        recipe, lanes = self._plan.recipe, self._plan.time_lanes
        is_same = (
            recipe is None or strict_json(serializer.dump_iteration(recipe)) == record.iteration
        ) and (lanes is None or strict_json(serializer.dump_time_lanes(lanes)) == record.time_lanes)
        if not is_same:
            raise state_rules.other_recipe_error(self.path, record.state)

    def _start(self, session: ExperimentSession) -> None:
        plan, sequences = self._plan, session.sequences
        devices = plan.devices
        if devices is None:
            devices = dict(session.default_device_configurations)
        parameters = plan.global_parameters
        if parameters is None:
            parameters = session.get_global_parameters()
        sequences.set_preparing(self.path, devices, parameters)
        sequences.set_running(self.path, "now")
        sequences._writer(self.path).annotate(recorder=self._mark)

    # The shots

    def begin_loop(self) -> None:
        """Let `advance` begin with the first shot that is still to be taken."""
        self._check_usable()
        if not hasattr(self._iteration, "walk"):
            raise TypeError(
                f"The recipe of {self.path} does not tell the parameters of its shots: write "
                "run.save(parameters={...}, ...) for each."
            )
        self._planned = self._plan_shots()
        self._is_looping = True

    def advance(self) -> dict[str, Parameter] | None:
        """Return the parameters of the next shot that is still to be taken; None if there is
        none."""
        self._check_usable()
        self._current = self._take_next(datetime.now(UTC))
        if self._current is None:
            self._is_looping, self._has_looped = False, True
            return None
        return dict(self._current.parameters)

    def _take_next(self, start_time: datetime) -> _Shot | None:
        for index, parameters in self._planned:
            if index not in self._taken:
                return _Shot(index, parameters, start_time)
        return None

    def _plan_shots(self) -> Iterator[tuple[int, Mapping[str, Parameter]]]:
        walk = getattr(self._iteration, "walk", None)
        if walk is None:
            for index in range(sys.maxsize if self._expected is None else self._expected):
                yield index, {}
        elif self._plan.order == "recipe":
            yield from enumerate(walk(self._initial))
        else:
            shots = list(enumerate(walk(self._initial)))
            for place in np.random.default_rng(self._plan.seed).permutation(len(shots)):
                yield shots[place]

    def save(
        self,
        data: Mapping[str, Data] | None,
        parameters: Mapping[str, Parameter] | None,
        index: int | None,
        labels: Mapping[str, Data],
    ) -> ShotId:
        """Commit a shot; see `Run.save`."""
        self._check_usable()
        if self._finished is not None:
            raise state_rules.not_running_error(self.path, self._finished)
        given = as_mapping({} if data is None else data, "The data of a shot")
        if twice := given.keys() & labels.keys():
            raise TypeError(f"The label {min(twice)!r} is given twice.")
        shot = self._next_to_save() if index is None else self._again(as_shot_index(index))
        shot_id = ShotId(self.path, shot.index)
        end_time = max(shot.start_time, datetime.now(UTC))  # a clock may be set back
        with self._open_session(False) as session:
            session.sequences.create_shot(
                shot_id,
                shot.parameters if parameters is None else parameters,
                {**given, **labels},
                shot.start_time,
                end_time,
                replace=index is not None,
            )
        self._taken.add(shot.index)
        self._last_time = end_time
        return shot_id

    def _next_to_save(self) -> _Shot:
        """The shot whose parameters were handed out or, without a loop, the next one."""
        current = self._current
        if current is not None and current.index not in self._taken:
            return current
        if self._is_looping and current is not None:
            raise RuntimeError(
                f"Shot {current.index} of {self.path} is saved already: go on with the loop, or "
                f"take it again with run.save(index={current.index}, ...)."
            )
        self._current = self._take_next(self._last_time)
        if self._current is None:
            raise RuntimeError(
                f"{self.path} has all its shots. To take one again, write run.save(index=..., ...)."
            )
        return self._current

    def _again(self, index: int) -> _Shot:
        if self._current is not None and self._current.index == index:
            return self._current
        walk = getattr(self._iteration, "walk", None)
        shots = iter(()) if walk is None else itertools.islice(walk(self._initial), index, None)
        return _Shot(index, next(shots, {}), self._last_time)

    # The end

    def end(self, error: BaseException | None) -> None:
        """End the run, as whatever has ended its block says; what fails here does not hide that."""
        self._is_over = True
        try:
            self._record_end(error)
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"That the run {self.path} has ended could not be recorded: {failure}")
        finally:
            self._release()

    def _record_end(self, error: BaseException | None) -> None:
        with self._open_session(True) as session:
            sequences = session.sequences
            if sequences._reader(self.path).get_record().recorder != self._mark:
                return  # somebody else has ended it
            if isinstance(error, Exception):
                summary = TracebackSummary.from_exception(error)
                sequences.set_crashed(self.path, summary, "now")
            elif error is not None or self._is_left_early():
                sequences.set_interrupted(self.path, "now")
            else:
                sequences.set_finished(self.path, "now")

    def _is_left_early(self) -> bool:
        """Whether the block was left before all that the recipe makes was taken. A loop that went
        to its end may have left out some."""
        if self._is_looping:
            if isinstance(self._iteration, OpenEnded):
                return False
            current = self._current
            is_saved = current is None or current.index in self._taken
            return not is_saved or self._take_next(self._last_time) is not None
        if self._has_looped or self._expected is None:
            return False
        return len(self._taken) < self._expected

    def _check_usable(self) -> None:
        if not self._has_begun:
            raise RuntimeError(f"A run is recorded in its block: write `{_BLOCK}`.")
        if current_owner().thread != self._thread:
            raise RuntimeError(
                f"The run {self.path} is recorded by the thread that has begun it: hand the data "
                "over to that one, as with a queue."
            )
        if self._is_over:
            raise RuntimeError(
                f"The block that recorded {self.path} has ended: go on with "
                "storage.record(path, resume=True), or keep what was found later with set_results."
            )


def _is_sequence(session: ExperimentSession, path: PureSequencePath) -> bool:
    return session.paths.does_path_exists(path) and session.sequences.is_sequence(path)


def bring_back(sequences: SequenceCollection, path: PureSequencePath, mark: str) -> None:
    """Let a run go on that was interrupted, has crashed, or whose recorder is gone.

    Args:
        sequences: Of a session that writes.
        path: The sequence.
        mark: Of the recorder that goes on with it. If it is of none, the recorder is gone, so that
            any other one may go on with the run.

    Raises:
        SequenceRunningError: somebody records it, or may do so.
        InvalidStateTransitionError: it has not begun, or has finished.
    """
    stats = sequences.get_stats(path)
    if stats.state is State.RUNNING and stats.recorder == "gone":
        # Otherwise somebody has let it go on, and nothing has come since.
        if _last_time(sequences, path) not in _resume_times(sequences, path):
            interrupt_abandoned(sequences, path)
    elif stats.state.is_active():
        raise state_rules.recorded_by_another_error(path, stats.state, stats.recorder)
    if sequences.get_state(path) is not State.RUNNING:
        sequences.resume(path)
    sequences._writer(path).annotate(recorder=mark)


def interrupt_abandoned(sequences: SequenceCollection, path: PureSequencePath) -> None:
    """Let a run whose recorder is gone have ended with its last shot.

    Raises:
        InvalidStateTransitionError: it is not running.
    """
    sequences.set_interrupted(path, _last_time(sequences, path) or "now")


def _last_time(sequences: SequenceCollection, path: PureSequencePath) -> datetime | None:
    """When something has last come to a run: a shot, or a recorder who went on with it."""
    times = _resume_times(sequences, path)
    if shots := sequences.get_shots(path):
        times.append(sequences.get_shot_end_time(path, shots[-1].index))
    return max(times, default=None)


def _resume_times(sequences: SequenceCollection, path: PureSequencePath) -> list[datetime]:
    return [each.resume_time for each in sequences.get_interruptions(path)]
