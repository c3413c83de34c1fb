"""Make a damaged sequence readable again, with what can still be read of it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import unquote

from attrs import define, evolve, field

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import on_disk
from shotstore.hdf5.checks.file_check import is_there
from shotstore.hdf5.checks.ranges_check import true_ranges
from shotstore.hdf5.checks.recover_results import open_results, rewrite_results
from shotstore.hdf5.checks.report import Progress, Recovered
from shotstore.hdf5.checks.salvage import Salvage, SalvagedShot, nothing_left_error
from shotstore.hdf5.checks.sequence_check import SequenceCheck
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import RESULTS_FILE, SHOTS_FILE
from shotstore.hdf5.session import HDF5ExperimentSession
from shotstore.hdf5.shots.launch import CONFIGURATION, DEVICES, Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.tree import Node
from shotstore.model import JSON
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules, state_rules
from shotstore.records.configurations import LOST, LOST_CONTENT
from shotstore.state import State

_T = TypeVar("_T")

_LONGEST_BATCH = 0.1  # seconds after which a Ctrl-C is let through
_DEVICES = f"{DEVICES}/"


def recover(
    session: HDF5ExperimentSession, path: PureSequencePath, progress: Progress | None = None
) -> Recovered:
    """Recover a sequence in a writing session; see `HDF5StorageManager.recover`."""
    return _Recovery(session, path, progress).run()


@define
class _Tally:
    """What came of the shots."""

    number: int = 0
    """How many rows there are."""
    shots: set[int] = field(factory=set)
    """The indices in them."""
    incomplete: dict[int, tuple[str, ...]] = field(factory=dict)
    rows: dict[int, int] = field(factory=dict)
    """What each row has become, by what it was."""

    def add(self, row: int, shot: SalvagedShot) -> None:
        self.rows[row] = self.number
        self.number += 1
        self.shots.add(shot.index)
        # The last attempt is the one that counts.
        self.incomplete.pop(shot.index, None)
        if shot.lost:
            self.incomplete[shot.index] = shot.lost


class _Recovery:
    def __init__(
        self, session: HDF5ExperimentSession, path: PureSequencePath, progress: Progress | None
    ) -> None:
        self._records = session.records
        self._transaction = session.transaction
        self._path = path
        self._progress = progress
        self._size = 0
        self._done = 0.0
        self._lost_configuration: list[str] = []

    def run(self) -> Recovered:
        transaction = self._transaction
        node = transaction.read(self._find)
        assert node.directory is not None
        check = SequenceCheck(transaction.store, node.directory, self._path, is_only_writer=True)
        self._size = check.size
        check.run(self._reading, self._note_read)
        damage = [finding for finding in check.findings if finding.severity == "damage"]
        if not damage:
            return self._mend_ranges(check)
        if check.is_document_unreadable:
            [first, *_] = damage
            raise DamagedStorageError(
                f"{first.file}: {first.problem} Nothing was changed. {first.remedy}"
            )
        for each in (check.shots, check.results):
            if each.belongs_to_another:
                raise DamagedStorageError(
                    f"{each.file} belongs to another sequence than sequence.json beside it, so "
                    "nothing was changed. Put the two files that belong together back."
                )
        self._check_idle(node, check.document)
        try:
            salvage = transaction.run(lambda: Salvage(check.shots.file))
        except OSError as error:
            raise on_disk.unreadable_error(check.shots.file, error) from error
        try:
            recovered = self._recover(node, check, salvage)
        finally:
            transaction.run(salvage.close)
        if not recovered.repairs:
            [first, *_] = damage
            raise DamagedStorageError(f"{first.file}: {first.problem} {first.remedy}")
        return recovered

    def _mend_ranges(self, check: SequenceCheck) -> Recovered:
        found = true_ranges(self._records, self._path)
        if found is None:
            return Recovered(self._path)

        def mend() -> None:
            node = self._transaction.tree.get_sequence(self._path)
            record = self._records.read_record(node)
            self._records.change_record(node, evolve(record, measured=found))

        self._transaction.write(mend)
        repair = "sequence.json tells from where to where what was measured lies, as the shots do."
        return Recovered(self._path, (repair,), check.number_of_shots)

    def _find(self) -> Node:
        """The sequence, or the folder that holds a shots file and nothing else."""
        tree = self._transaction.tree
        node = tree.get(self._path)
        if not node.is_sequence:
            shots_file = self._transaction.store.root / (node.directory or "") / SHOTS_FILE
            if self._path.is_root() or not on_disk.is_regular_file(shots_file):
                raise path_rules.path_is_not_sequence_error(self._path)
            if tree.children(node):
                raise path_rules.path_has_children_error(self._path)
        return node

    def _check_idle(self, node: Node, document: SequenceDocument | None) -> None:
        """Refuse a sequence that a program may be recording, if it can be ended by it."""
        if document is None or not document.state.is_active():
            return
        try:
            self._transaction.read(lambda: self._transaction.shots.number_of_shots(node))
        except DamagedStorageError:
            return
        raise state_rules.sequence_running_error(self._path, document.state, "recovering")

    def _recover(self, node: Node, check: SequenceCheck, salvage: Salvage) -> Recovered:
        transaction = self._transaction
        document = self._rebuilt(check, salvage)
        is_rewritten = check.shots.is_damaged or check.shots.tail > 0
        are_results_rewritten = is_there(check.results) and (
            is_rewritten or check.results.is_damaged or check.results.tail > 0
        )
        said = 0 if check.document is None else check.document.number_of_rows or 0
        entry = None
        files = [SHOTS_FILE] if is_rewritten else []
        files += [RESULTS_FILE] if are_results_rewritten else []
        if files or check.content is not None:
            content = check.content or b""
            entry = transaction.write(
                lambda: transaction.replace_damaged(node, document, content, files)
            )
        tally = _Tally(salvage.number_of_rows, salvage.indices)
        if is_rewritten:
            tally = self._rewrite(node, salvage, self._launch(document, salvage))
        shots = len(tally.shots)
        if not shots and max(said, salvage.number_of_rows):
            raise nothing_left_error(check.shots.file, "no shot in it is whole enough")
        repairs = []
        if are_results_rewritten:
            rows = tally.rows if is_rewritten else None
            repairs.append(self._rewrite_results(node, check.results.file, rows))
        document = evolve(
            document,
            number_of_shots=shots,
            number_of_retakes=tally.number - shots,
            measured=None,  # who wants to know it looks into the shots
        )
        if not node.is_sequence:
            node.is_sequence = node.was_folder = True
        transaction.write(lambda: transaction.change_document(node, document))
        return Recovered(
            self._path,
            (*self._repairs(check, document, is_rewritten=is_rewritten), *repairs),
            shots,
            max(said, salvage.number_of_rows) - tally.number,
            tally.incomplete,
            tuple(self._lost_configuration),
            entry,
        )

    def _repairs(
        self, check: SequenceCheck, document: SequenceDocument, *, is_rewritten: bool
    ) -> Iterator[str]:
        before, number = check.document, document.number_of_shots
        if is_rewritten:
            yield f"shots.h5 was written anew, with {number} shots."
        if before is None:
            what = "missing" if check.content is None else "unreadable"
            yield (
                f"sequence.json, which was {what}, was made anew from shots.h5, without tags and "
                "note."
            )
        elif before.state is not document.state:
            yield f"The sequence, which was {before.state.value}, is {document.state.value} now."
        elif before.number_of_shots != number:
            yield f"sequence.json counts {number} shots now, and not {before.number_of_shots}."

    # The document

    def _rebuilt(self, check: SequenceCheck, salvage: Salvage) -> SequenceDocument:
        """The document that the sequence is to have, but for the number of shots."""
        document = check.document
        if document is not None and document.state.has_ended():
            return document
        changed = datetime.fromtimestamp(check.shots.file.stat().st_mtime, UTC)
        start, stop = salvage.times() or (changed, changed)
        if document is not None and document.state is not State.DRAFT:
            stop = max([stop, *(each.resume_time for each in document.interruptions)])
            return evolve(document, state=State.INTERRUPTED, stop_time=stop)
        if document is None:
            document = SequenceDocument(
                id=salvage.inspection.sequence_id or uuid.uuid4().hex,
                created=start,
                state=State.DRAFT,
                iteration=self._configured("iteration", salvage),
                time_lanes=self._configured("time_lanes", salvage),
                expected_number_of_shots=salvage.expected_number_of_shots,
            )
        is_complete = document.expected_number_of_shots == len(salvage.indices)
        state = State.FINISHED if is_complete else State.INTERRUPTED
        return evolve(document, state=state, start_time=start, stop_time=stop)

    def _configured(self, name: str, salvage: Salvage) -> JSON:
        """The recipe in the file, if that is not lost too."""
        found: JSON = salvage.inspection.configuration.get(f"{CONFIGURATION}/{name}")
        if found is not None:
            return found
        self._lost_configuration.append(name)
        if name == "iteration":
            return LOST_CONTENT
        return {"step_names": [], "step_durations": [], "lanes": {LOST: LOST_CONTENT}}

    # The shots

    def _launch(self, document: SequenceDocument, salvage: Salvage) -> Launch:
        found = salvage.inspection.configuration
        parameters: JSON = found.get(f"{CONFIGURATION}/global_parameters")
        if parameters is None:
            parameters = LOST_CONTENT
            self._lost_configuration.append("global parameters")
        devices: dict[str, tuple[str, Any]] = {
            unquote(name.removeprefix(_DEVICES)): content
            for name, content in found.items()
            if name.startswith(_DEVICES)
        }
        for name in salvage.inspection.unreadable_configuration:
            if name.startswith(_DEVICES):
                device = unquote(name.removeprefix(_DEVICES))
                devices[device] = LOST, None
                self._lost_configuration.append(f"device configuration {device}")
            elif name == DEVICES:
                devices[LOST] = LOST, None
                self._lost_configuration.append("device configurations")
        return Launch(
            found.get(f"{CONFIGURATION}/iteration", document.iteration),
            found.get(f"{CONFIGURATION}/time_lanes", document.time_lanes),
            parameters,
            devices,
            document.expected_number_of_shots,
        )

    def _rewrite(self, node: Node, salvage: Salvage, launch: Launch) -> _Tally:
        """Write what can be read into a new file."""
        transaction = self._transaction
        launched_at = salvage.launched_at or str(self._path)
        shots = transaction.write(lambda: transaction.begin_again(node, launch, launched_at))
        tally, rows = _Tally(), enumerate(salvage.shots())
        while self._transaction.run(lambda: self._append(shots, rows, tally)):
            self._done = self._size * salvage.progress
            self._tell(1)
        self._done = self._size
        self._tell(1)
        return tally

    def _rewrite_results(self, node: Node, file: Path, rows: dict[int, int] | None) -> str:
        """Write what can be read of the results into a new file, and say what was done."""
        transaction = self._transaction
        salvage = open_results(transaction, file)
        try:
            return rewrite_results(transaction, node, salvage, rows, self._records.compression)
        finally:
            if salvage is not None:
                transaction.run(salvage.close)

    def _append(
        self, shots: ShotsFile, rows: Iterator[tuple[int, SalvagedShot | None]], tally: _Tally
    ) -> bool:
        """Write some of the shots; whether there are more."""
        deadline = monotonic() + _LONGEST_BATCH
        with self._transaction.appending():
            for row, shot in rows:
                if shot is not None:
                    shots.append(
                        shot.index,
                        shot.times,
                        shot.parameters,
                        shot.data,
                        self._records.compression,
                    )
                    tally.add(row, shot)
                if monotonic() > deadline:
                    return True
        return False

    # Helpers

    def _reading(self, function: Callable[[int], _T]) -> _T:
        store = self._transaction.store
        result = self._transaction.run(lambda: function(store.commits.counted))
        self._tell(0)
        return result

    def _note_read(self, size: int) -> None:
        self._done += size

    def _tell(self, part: int) -> None:
        """The file is read twice: to check it, and to salvage it."""
        if self._progress is not None:
            done = min(int(self._done), self._size) + part * self._size
            self._progress(done, 2 * self._size)
