"""Copy sequences and folders between storages."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic

import attrs

from shotstore.copy.plan import Plan, make_plan
from shotstore.copy.report import (
    IS_THERE,
    Copied,
    CopyProgress,
    Existing,
    IncompleteCopyError,
    Progress,
)
from shotstore.copy.transfer import copy_sequence, create_folders
from shotstore.errors import (
    DamagedStorageError,
    PathError,
    PathIsNotSequenceError,
    PathIsSequenceError,
    PathNotFoundError,
    StorageError,
)
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.progress_bar import progress_bar
from shotstore.records.arguments import as_function, shown
from shotstore.records.conflicts import again_after_conflicts
from shotstore.records.settings import add_settings
from shotstore.session import ExperimentSession, Receive, StorageManager


def copy_path(
    path: PureSequencePath | str,
    source: StorageManager,
    destination: StorageManager,
    *,
    existing: Existing = "error",
    progress: bool | Progress = True,
) -> Copied:
    r"""Copy a sequence, or a folder with all below it, to the same path of another storage.

    Everything comes along, in the same types and values: creation dates, states, times, errors,
    recipes, what the sequences were launched with, their shots in the order of their recording. A
    folder that exists in the destination is merged into and keeps its date and note; folders above
    the path
    are created. Copying the root copies the whole storage: also its default device configurations,
    those of devices that the destination does not have, and its global parameters, if the
    destination has none.

    Recipes and configurations are passed on as they are stored, so neither storage needs to know
    their classes.

    Each sequence is copied in a transaction of its own, and what is read of it is of one moment. So
    a copy that was interrupted can be started again with ``existing="skip"``, and goes on. Both
    storages can be in use meanwhile. The shots are copied one by one, so a sequence may be of any
    size; between two stores of files, its files are copied as they are.

    Sequences inside a folder that are preparing or running are left out, and named in the result.
    If some cannot be copied, since they are damaged or the destination cannot hold them, the others
    are, and then the error says which.

    Args:
        path: The sequence or folder, or its text; ``"\\"`` for everything.
        source: Where it is.
        destination: Where it goes.
        existing: What to do about sequences that are in the destination already: "error" to refuse
            before anything is copied, "skip" to leave them as they are and copy the others.
        progress: Whether to show a progress bar where there is a terminal or a notebook, and rich
            is installed; or what to call now and then with a :class:`CopyProgress`.

    Returns:
        What was copied, and what was left out.

    Raises:
        PathNotFoundError: nothing is at the path in the source.
        SequenceRunningError: the path is a sequence that is preparing or running.
        PathIsSequenceError: a sequence is in the destination already, and ``existing`` is "error";
            or it is there where the source has a folder. Nothing was copied.
        PathHasChildrenError: a folder that holds other paths is in the destination where the source
            has a sequence. Nothing was copied.
        IncompleteCopyError: some sequences inside the folder could not be copied.
        DamagedStorageError, PathError, ValueError, TypeError: the path is a sequence that could not
            be copied.
        StorageError: the two are the same storage, or one of them cannot be used.
        ValueError: ``existing`` is something else.
        TypeError: an argument is of another type.
    """
    place = PureSequencePath(path)
    for storage in (source, destination):
        if not isinstance(storage, StorageManager):
            raise TypeError(f"Storages are copied between, and {shown(storage)} is not one.")
    if not isinstance(progress, bool):
        as_function(progress, "progress")
    if check_text(existing, "existing") not in ("error", "skip"):
        raise ValueError(f'existing must be "error" or "skip", not {existing!r}.')
    if _are_same(source, destination):
        raise StorageError("A storage cannot be copied into itself: name another destination.")
    plan = make_plan(place, source, destination, existing)
    with _shown(progress) as show:
        copied = _Copying(plan, source, destination, existing, show).run()
    if copied.failed:
        raise IncompleteCopyError(copied)
    return copied


@contextmanager
def _shown(progress: bool | Progress) -> Iterator[Progress]:
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield lambda _: None
    else:
        start = monotonic()
        with progress_bar("Copying") as show:

            def show_copy(copied: CopyProgress) -> None:
                speed = copied.size / 1e6 / max(monotonic() - start, 1e-3)
                amount = (
                    f"{copied.shots:,}/{copied.all_shots:,} shots, "
                    f"{copied.sequences}/{copied.all_sequences} sequences, {speed:.1f} MB/s"
                )
                show(copied.shots, copied.all_shots, amount)

            yield show_copy


def _are_same(source: StorageManager, destination: StorageManager) -> bool:
    return source is destination or (
        type(source) is type(destination)
        and any(
            hasattr(source, name) and getattr(source, name) == getattr(destination, name)
            for name in ("root", "config")  # of stores of files, and of databases
        )
    )


class _LeftOutError(Exception):
    """A sequence inside the folder is not copied; its text says why, as a clause."""


@attrs.frozen
class _Amount:
    """Of one sequence, so far."""

    shots: int = 0
    size: int = 0


@attrs.define
class _Copying:
    """A copy as it goes on."""

    _plan: Plan
    _source: StorageManager
    _destination: StorageManager
    _existing: Existing
    _show: Progress
    _copied: dict[PureSequencePath, _Amount] = attrs.field(init=False, factory=dict)
    _skipped: dict[PureSequencePath, str] = attrs.field(init=False, factory=dict)
    _failed: dict[PureSequencePath, Exception] = attrs.field(init=False, factory=dict)
    _shots: int = attrs.field(init=False, default=0)
    _size: int = attrs.field(init=False, default=0)
    _all_shots: int = attrs.field(init=False)

    @_all_shots.default
    def _count_shots(self) -> int:
        return sum(self._plan.numbers_of_shots.values())

    def run(self) -> Copied:
        """Copy everything."""
        self._skipped.update(self._plan.skipped)
        self._failed.update(self._plan.failed)
        self._define_units()
        if not self._plan.is_sequence:
            self._prepare()
        self._report()
        if self._plan.sequences:
            with self._destination.receiving() as receive:
                self._copy_all(receive)
        return Copied(tuple(self._copied), self._shots, self._size, self._skipped, self._failed)

    def _copy_all(self, receive: Receive) -> None:
        for path in self._plan.sequences:
            try:
                amount = again_after_conflicts(partial(self._copy, path, receive))
            except _LeftOutError as reason:
                self._skipped[path] = str(reason)
            except (DamagedStorageError, PathError, ValueError, TypeError) as error:
                if self._plan.is_sequence:
                    raise
                self._failed[path] = error
            else:
                self._copied[path] = amount
                self._shots += amount.shots
                self._size += amount.size
            self._report()

    def _define_units(self) -> None:
        """Define what the shots may be recorded in; one that means another thing there ends it."""
        if self._plan.units:
            with self._destination.session(write=True) as session:
                for definition in self._plan.units:
                    session.define_unit(definition)

    def _prepare(self) -> None:
        """Copy what is not in a sequence: folders, empty ones too, and the defaults."""
        plan = self._plan
        with self._destination.session(write=True) as session:
            create_folders(plan.folders, plan.notes, session)
            add_settings(session._records_(), plan.settings)

    def _copy(self, path: PureSequencePath, receive: Receive) -> _Amount:
        amount = _Amount()

        def show(shots: int, size: int) -> None:
            nonlocal amount
            amount = _Amount(shots, size)
            self._report(amount)

        self._leave_out_what_is_there(path)
        with self._source.session() as source:
            self._look_at(path, source)
            try:
                with receive(path) as destination:
                    self._create_folders_above(path, destination)
                    copy_sequence(path, source, destination, show)
            except PathIsSequenceError:
                self._leave_out_what_is_there(path)  # somebody has created it meanwhile
                raise
        return amount

    def _leave_out_what_is_there(self, path: PureSequencePath) -> None:
        if self._existing == "skip":
            with self._destination.session() as session:
                if session.paths.does_path_exists(path) and session.sequences.is_sequence(path):
                    raise _LeftOutError(IS_THERE)

    def _look_at(self, path: PureSequencePath, source: ExperimentSession) -> None:
        """Look at a sequence when its turn comes: whether it is to be copied still."""
        try:
            state = source.sequences.get_state(path)
        except (PathNotFoundError, PathIsNotSequenceError):
            if self._plan.is_sequence:
                raise
            raise _LeftOutError("it was moved or deleted meanwhile") from None
        if state.is_active() and not self._plan.is_sequence:
            raise _LeftOutError("an experiment is working on it")

    def _create_folders_above(self, path: PureSequencePath, destination: ExperimentSession) -> None:
        if not destination.paths.does_path_exists(path.get_ancestors()[-1]):
            folders = self._plan.folders.items()
            above = {folder: date for folder, date in folders if path.is_descendant_of(folder)}
            create_folders(above, self._plan.notes, destination)

    def _report(self, amount: _Amount = _Amount()) -> None:
        """Show how far the copy is, with what was copied of a sequence by now."""
        self._show(
            CopyProgress(
                sequences=len(self._copied) + len(self._skipped) + len(self._failed),
                all_sequences=len(self._plan.sequences) + len(self._plan.skipped),
                shots=self._shots + amount.shots,
                all_shots=self._all_shots,
                size=self._size + amount.size,
            )
        )
