"""What is changed of one sequence: its recipe, its state, its shots, and its annotations."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, SupportsIndex

import attrs
import numpy as np
from attrs import evolve

from shotstore.model import (
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    Serializer,
    TimeLanes,
)
from shotstore.model.json_form import strict_json
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules, result_rules, shot_rules, state_rules
from shotstore.records.additions import Additions, ResultColumn
from shotstore.records.configurations import check_device_name, dump_device
from shotstore.records.content import (
    InterruptionRecord,
    LaunchRecord,
    SequenceRecord,
    ShotRecord,
)
from shotstore.records.measuring import find_measured, measured_with_results
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.stored_records import AnyRecords
from shotstore.records.times import later_time_check
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

_Change = Callable[[SequenceRecord], SequenceRecord]


@attrs.frozen(eq=False)
class SequenceWriter:
    """One sequence of a session. What its methods are given has been checked, but for what only the
    serializer and the record can tell; see :class:`~shotstore.SequenceCollection`."""

    path: PureSequencePath
    _records: AnyRecords
    _serializer: Serializer

    def create(self, iteration: IterationConfiguration, time_lanes: TimeLanes) -> None:
        """Create it, a draft."""
        if self.path.is_root():
            raise path_rules.path_is_root_error("made a sequence")
        record = SequenceRecord(
            created=datetime.now(UTC),
            time_lanes=strict_json(self._serializer.dump_time_lanes(time_lanes)),
            **self._dump_iteration(iteration),
        )
        records = self._records
        records.transaction.write(lambda: records.create_sequence(self.path, record))

    def set_iteration(self, iteration: IterationConfiguration) -> None:
        """Replace the iteration, and with it the expected number of shots."""
        self._edit(**self._dump_iteration(iteration))

    def set_time_lanes(self, time_lanes: TimeLanes) -> None:
        """Replace the time lanes."""
        self._edit(time_lanes=strict_json(self._serializer.dump_time_lanes(time_lanes)))

    def annotate(self, **changes: Any) -> None:
        """Change what the record says in any state."""
        self._change(lambda record: evolve(record, **changes))

    # The state

    def launch(
        self, devices: Mapping[str, DeviceConfiguration], global_parameters: ParameterNamespace
    ) -> None:
        """Let it prepare with these."""
        launch = LaunchRecord(
            device_configurations={
                check_device_name(name): dump_device(self._serializer, configuration)
                for name, configuration in devices.items()
            },
            global_parameters=strict_json(
                self._serializer.dump_global_parameters(global_parameters)
            ),
        )
        records = self._records

        def prepare() -> None:
            node = records.tree.get_sequence(self.path)
            record = records.read_record(node)
            state_rules.check_transition(self.path, record, State.PREPARING)
            records.launch(node, evolve(record, state=State.PREPARING), launch)

        records.transaction.write(prepare)

    def start(self, time: datetime, recorder: str | None = None) -> None:
        """Let it run from this time in UTC, recorded by the program with this mark."""
        self._transit(
            State.RUNNING, lambda record: evolve(record, start_time=time, recorder=recorder)
        )

    def end(
        self,
        state: State,
        time: datetime | Literal["now"],
        exception: TracebackSummary | None = None,
    ) -> None:
        """Let it have ended in this state."""
        later = later_time_check(self.path, time, "stop_time")
        self._records.transaction.begin_writing()  # no shot comes after what is read here
        measured = find_measured(SequenceReader(self.path, self._records, self._serializer))
        error = None if exception is None else strict_json(exception.to_json())

        def end(record: SequenceRecord) -> SequenceRecord:
            if record.interruptions:
                resumed = record.interruptions[-1].resume_time
                stop = later(resumed, "was resumed at {}, so it cannot end at {}")
            else:
                stop = later(record.start_time, "began at {}, so it cannot end at {}")
            return evolve(record, stop_time=stop, exception=error, measured=measured, recorder=None)

        self._transit(state, end)

    def resume(self, time: datetime | Literal["now"]) -> None:
        """Let it run again with the shots that it has."""
        later = later_time_check(self.path, time, "resume_time")

        def resume(record: SequenceRecord) -> SequenceRecord:
            state_rules.check_resumable(self.path, record)
            time = later(record.stop_time, "ended at {}, so it cannot be resumed at {}")
            stop = record.stop_time or time  # a document that was edited may lack it
            interruption = InterruptionRecord(record.state, stop, record.exception, time)
            return evolve(
                record,
                state=State.RUNNING,
                stop_time=None,
                number_of_shots=None,
                exception=None,
                measured=None,
                interruptions=(*record.interruptions, interruption),
            )

        self._change(resume)

    def reset(self) -> None:
        """Make it a draft again."""
        records = self._records

        def reset() -> None:
            node = records.tree.get_sequence(self.path)
            record = records.read_record(node)
            state_rules.check_transition(self.path, record, State.DRAFT)
            records.reset(node, record.as_draft())

        records.transaction.write(reset)

    def append_shot(self, index: SupportsIndex, shot: ShotRecord, *, replace: bool) -> None:
        """Record a shot, which it may have already with ``replace``."""
        records, path = self._records, self.path

        def append() -> None:
            node = records.tree.get_sequence(path)
            record = records.read_record(node)
            if record.state is not State.RUNNING:
                raise state_rules.not_running_error(path, record)
            expected = record.expected_number_of_shots
            number = shot_rules.check_shot_index(path, index, expected)
            is_there = records.has_shot(node, number)
            if is_there and not replace:
                taken = records.shot_indices(node)
                raise shot_rules.shot_exists_error(path, number, taken, expected)
            records.append_shot(node, number, shot, again=is_there)

        records.transaction.write(append)

    # What is added to shots later

    def add_results(
        self, indices: Sequence[int], results: Mapping[str, ResultColumn], by: str
    ) -> None:
        """Store results of some shots, each of which comes once."""

        def check(node: Any) -> None:
            _, parameters, data = self._records.schemas(node)
            result_rules.check_result_names(self.path, results, parameters, data)

        self._add(indices, check, by=by, results=results)

    def remove_results(self, names: Collection[str], index: int | None) -> None:
        """Take results away from a shot or, of None, from all that have one of them."""
        records, path = self._records, self.path

        def remove() -> None:
            node = records.tree.get_sequence(path)
            row_of = records.shot_rows(node)
            newest = records.addition_index(node).newest(row_of.values()).results
            rows = self._rows_of(row_of, [index]) if index is not None else [*row_of.values()]
            has = {name: newest[name][rows] >= 0 for name in newest}
            known = [name for name, flags in has.items() if flags.any()]
            if missing := [name for name in names if name not in known]:
                raise result_rules.results_not_found_error(path, missing, known)
            index_of = {row: index for index, row in row_of.items()}
            has_any = np.logical_or.reduce([has[name] for name in names])
            chosen = [row for row, flag in zip(rows, has_any.tolist(), strict=True) if flag]
            nothing: dict[str, ResultColumn] = {name: [None] * len(chosen) for name in names}
            indices = [index_of[row] for row in chosen]
            self._append(node, Additions(chosen, indices, datetime.now(UTC), results=nothing))

        records.transaction.write(remove)

    def annotate_shot(self, index: int, **changes: Any) -> None:
        """Replace the tags of a shot, or the note on it."""
        self._add([index], lambda _: None, **changes)

    def _add(
        self, indices: Sequence[int], check: Callable[[Any], object], **additions: Any
    ) -> None:
        records = self._records

        def add() -> None:
            node = records.tree.get_sequence(self.path)
            rows = self._rows_of(records.shot_rows(node), indices)
            check(node)
            if rows:
                self._append(node, Additions(rows, indices, datetime.now(UTC), **additions))

        records.transaction.write(add)

    def _append(self, node: Any, additions: Additions) -> None:
        """Store additions and, in the same job, what the record of a sequence that has ended says
        of the results: a Ctrl-C or an error between the two would leave it wrong."""
        records = self._records
        records.append_additions(node, additions)
        node = records.tree.get_sequence(self.path)  # as it is with them
        record = records.read_record(node)
        if additions.results and record.measured is not None:
            reader = SequenceReader(self.path, records, self._serializer)
            measured = measured_with_results(reader, record.measured, additions.results)
            if measured != record.measured:
                records.change_record(node, evolve(record, measured=measured))

    def _rows_of(self, row_of: Mapping[int, int], indices: Sequence[int]) -> list[int]:
        if missing := set(indices).difference(row_of):
            raise shot_rules.shot_not_found_error(self.path, min(missing))
        return [row_of[index] for index in indices]

    # Helpers

    def _dump_iteration(self, iteration: IterationConfiguration) -> dict[str, Any]:
        return {
            "iteration": strict_json(self._serializer.dump_iteration(iteration)),
            "expected_number_of_shots": shot_rules.expected_number_of_shots(iteration),
        }

    def _edit(self, **changes: Any) -> None:
        def edit(record: SequenceRecord) -> SequenceRecord:
            if not record.state.is_editable():
                raise state_rules.not_editable_error(self.path, record.state)
            return evolve(record, **changes)

        self._change(edit)

    def _change(self, change: _Change) -> None:
        records = self._records

        def work() -> None:
            node = records.tree.get_sequence(self.path)
            records.change_record(node, change(records.read_record(node)))

        records.transaction.write(work)

    def _transit(self, state: State, change: _Change) -> None:
        records = self._records

        def transit() -> None:
            node = records.tree.get_sequence(self.path)
            record = records.read_record(node)
            state_rules.check_transition(self.path, record, state)
            number = records.count_shots(node) if state.has_ended() else None
            changed = evolve(change(record), state=state, number_of_shots=number)
            records.change_record(node, changed)

        records.transaction.write(transit)
