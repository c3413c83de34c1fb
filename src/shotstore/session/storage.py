"""Where sessions come from."""

import abc
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

from shotstore.model import (
    DefaultSerializer,
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    Serializer,
    TimeLanes,
)
from shotstore.paths import AnyPath, PureSequencePath
from shotstore.records.summaries import SequenceSummary
from shotstore.session.asynchronous import AsyncExperimentSession, AsyncShot
from shotstore.session.asynchronous.run import awaited_run
from shotstore.session.experiment_session import ExperimentSession
from shotstore.session.following import Following, follow
from shotstore.session.recording import IfExists, Order, Plan, Recording
from shotstore.session.run import Run
from shotstore.session.runs_at_once import RunsAtOnce
from shotstore.session.shot import Shot
from shotstore.state import State

if TYPE_CHECKING:
    from shotstore.analysis.finding import Where
    from shotstore.analysis.periods import When


Receive: TypeAlias = Callable[[PureSequencePath], AbstractContextManager[ExperimentSession]]
"""Returns a session to create the sequence at a path in; see `StorageManager.receiving`."""


class StorageManager(RunsAtOnce, abc.ABC):
    """A storage of sequences, as a whole.

    It can be pickled, and used from many threads and processes at once; its sessions cannot.
    """

    @abc.abstractmethod
    def session(self, *, write: bool = False) -> ExperimentSession:
        """Return a session, a transaction to be entered with ``with``.

        Args:
            write: Whether the session becomes the one writing session of the storage when its block
                is entered, and not only with its first write. It waits then, if another one is
                writing, and is spared a ``TransactionConflictError`` because of what it has read.

        Raises:
            StorageLockTimeoutError: the block or the first write has waited for the other session
                for longer than the storage's timeout.
        """

    @property
    def serializer(self) -> Serializer:
        """What turns recipes and device configurations into JSON and back."""
        return DefaultSerializer()

    @contextmanager
    def receiving(self) -> Iterator[Receive]:
        """Give a function that returns sessions to create sequences in which come from elsewhere.

        ``with storage.receiving() as receive: with receive(path) as session: ...``

        Such a session creates one sequence, at the path, and the folders above it; others see it
        once it is whole. It may take long: it keeps others from writing no longer than this storage
        can help it. Where it meets their work, it is this session that fails, with a
        ``TransactionConflictError`` or as :meth:`SequenceCollection.create` does.
        """
        yield lambda _: self.session(write=True)

    def __call__(self, *, write: bool = False) -> ExperimentSession:
        """Return a session; the same as :meth:`session`."""
        return self.session(write=write)

    def async_session(self, *, write: bool = False) -> AsyncExperimentSession:
        """Return a session whose methods are awaited, to be entered with ``async with``.

        Args:
            write: As for :meth:`session`. The event loop goes on while the session waits.

        Raises:
            StorageLockTimeoutError: as for :meth:`session`.
        """
        return AsyncExperimentSession(self.session(write=write))

    def record(
        self,
        path: AnyPath,
        recipe: IterationConfiguration | None = None,
        *,
        time_lanes: TimeLanes | None = None,
        devices: Mapping[str, DeviceConfiguration] | None = None,
        global_parameters: ParameterNamespace | None = None,
        tags: Collection[str] | None = None,
        note: str | None = None,
        resume: bool = False,
        if_exists: IfExists = "error",
        order: Order = "recipe",
        seed: int | None = None,
    ) -> Run:
        r"""Return a run, to be recorded in a ``with`` block::

            with storage.record(r"\2026\rabi", recipe) as run:
                for parameters in run:
                    run.save(atoms=camera.take(parameters["detuning"]))

        Entering the block creates the sequence, or takes the draft that is there, and launches it.
        Each ``run.save`` is one durable commit. Leaving the block ends the run: finished;
        interrupted, if shots are missing because the loop was left early, or by Ctrl-C or ``kill``;
        crashed, with the traceback, by any other exception, which goes on. While the block runs,
        everybody can tell whether its process lives: see :class:`~shotstore.SequenceStats`.

        Args:
            path: Where to record.
            recipe: What to vary; by default that of the sequence that is there.
            time_lanes: What is played in each shot; by default nothing, or what the sequence has.
            devices: The devices of the run, by name; by default those of the session.
            global_parameters: Those of the run; by default those of the session.
            tags: Tags of the sequence, in the place of those that it has.
            note: A note on it, in the place of the one that it has.
            resume: Whether to go on with a run that was interrupted, or has crashed, or whose
                recorder is gone: the loop goes over the shots that are missing. If nothing is
                there, it begins; if it has finished, nothing is left to take.
            if_exists: Where a sequence is there that was launched: ``"error"``, or ``"number"`` to
                record beside it, ``rabi 2`` beside ``rabi``.
            order: ``"recipe"``, or ``"random"`` to take the shots in another order, each with the
                index that it has in the recipe.
            seed: Of the random order, to have it again.

        Raises:
            ValueError, TypeError: at once: an argument is wrong.
            PathIsSequenceError: when the block is entered, as is all that follows: a sequence is
                there that was launched, or is above the path.
            PathNotFoundError: nothing is there, and no recipe was given.
            SequenceNotEditableError: what is there has another recipe.
            SequenceRunningError: what is to be gone on with is recorded, or may be.
            ValueError: the recipe cannot be evaluated.
            RuntimeError: the run was entered before.
        """
        plan = Plan(
            path=path,
            recipe=recipe,
            time_lanes=time_lanes,
            devices=devices,
            global_parameters=global_parameters,
            tags=tags,
            note=note,
            resume=resume,
            if_exists=if_exists,
            order=order,
            seed=seed,
        )
        return Run(Recording(plan, lambda write: self.session(write=write), self.hold_recorder))

    async_record = awaited_run(record)

    def find(
        self,
        pattern: str | PureSequencePath | None = None,
        *,
        state: State | str | Collection[State | str] | None = None,
        since: "When | None" = None,
        until: "When | None" = None,
        min_shots: int | None = None,
        max_shots: int | None = None,
        varied: str | Collection[str] | None = None,
        where: "Where | None" = None,
        label: str | None = None,
        text: str | None = None,
        tag: str | Collection[str] | None = None,
    ) -> list[SequenceSummary]:
        r"""Find the sequences that meet all conditions, sorted by path.

        ``storage.find(since="last week", state="finished", varied="detuning")``

        Most is told from what :meth:`SequenceCollection.get_summaries` knows. Shots are looked at
        for ``label``, and for values in ``where`` that neither the recipe nor the record of a
        sequence that has ended tells; only those of sequences that meet all else, each in a session
        of its own. Sequences that are damaged, or moved meanwhile, are left out.

        Args:
            pattern: A path, of a sequence or of a folder with all that is in it. It may have
                wildcards, ``\2026\*\rabi*``: ``*`` is any text in a name, ``?`` one character, and
                the name ``**`` any number of names. It may have ``/`` for every backslash. A name
                alone is looked for in all folders.
            state: One or several, such as ``"finished"``.
            since: The earliest time at which it began to run or, if it has not, was created: an
                aware datetime, a date, or a text such as ``"2026-11-22"``, ``"7 days"``,
                ``"today"``, ``"last week"``.
            until: The latest one. A day, week, month or year is included as a whole.
            min_shots: How many shots it has at least.
            max_shots: How many shots it has at most.
            varied: One or several parameters, all of which differ between the shots of its recipe,
                be it in a loop or set anew. The end of a name is enough, ``detuning`` for
                ``mot.detuning``; ``*`` and ``?`` are wildcards.
            where: For parameters, named as in ``varied``, and numbers and texts that were measured,
                by label, a range that its values overlap, or a value: ``{"detuning": ("-5 MHz",
                None), "atom_number": (3e5, None)}``, where bounds are numbers, quantities, texts,
                or None; or a condition as on shots, ``"detuning > -5 MHz and atom_number > 3e5"``,
                which the ranges of values must allow.
            label: Some shot has data under it.
            text: It is in the recipe, the note or the exception, in upper or lower case.
            tag: One or several, all of which it has.

        Raises:
            ValueError: a time, a bound or a state cannot be understood.
            InvalidConditionError: ``where`` is not a condition, no value meets it, or ranges of
                numbers cannot answer it.
            InvalidPathFormatError: the pattern has a name that no path can have.
            IncompatibleUnitsError: nothing was found, and the unit of a range in ``where`` does not
                fit.
            TypeError: an argument is of another type.
        """
        from shotstore.analysis.finding import find

        return find(
            self,
            pattern,
            state=state,
            since=since,
            until=until,
            min_shots=min_shots,
            max_shots=max_shots,
            varied=varied,
            where=where,
            label=label,
            text=text,
            tag=tag,
        )

    def follow(
        self, path: PureSequencePath | str, *, poll: float = 0.2, skip: int = 0
    ) -> Iterator[Shot]:
        r"""Yield the shots of a sequence as they are committed, until it has ended.

        ``for shot in storage.follow(r"\2026\rabi"): display.show(shot.get_data())``

        First come those that it has, then each further one once, in the order of recording; one
        that is taken again comes once more, or once alone if that was before the next look. A draft
        is waited for. Each shot can be read until the next one is asked for; no session is
        open, and no lock held, while there is nothing to show.

        It follows a sequence that is moved. If it is deleted, or reset, before its last shot was
        yielded, that ends in an error, since shots may have been missed.

        Args:
            path: The sequence.
            poll: Seconds between two looks. A look where nothing was committed reads a few bytes
                of a store of files, and makes a query or two to a database.
            skip: How many of the first shots are left out, for a loop that goes on where another
                one has stopped. One that was taken again counts each time.

        Raises:
            InvalidPathFormatError, ValueError: at once: the text is not a valid path, or a number
                is negative.
            PathNotFoundError, PathIsNotSequenceError: with the first step: no sequence is there.
            RunDeletedError: its shots were deleted.
        """
        return follow(self._following(path, poll, skip), self.session)

    def async_follow(
        self, path: PureSequencePath | str, *, poll: float = 0.2, skip: int = 0
    ) -> AsyncIterator[AsyncShot]:
        r"""Return an async iterator over the shots of a sequence as they are committed.

        ``async for shot in storage.async_follow(r"\2026\rabi"): show(await shot.get_data())``

        Everything is as for :meth:`follow`, and it raises the same.
        """
        # It takes long to import.
        from shotstore.session.asynchronous.following import AsyncFollowing

        return AsyncFollowing(self._following(path, poll, skip), self.async_session)

    def _following(self, path: PureSequencePath | str, poll: float, skip: int) -> Following:
        return Following(PureSequencePath(path), self.last_commit, poll=poll, skip=skip)

    @abc.abstractmethod
    def hold_recorder(self, mark: str) -> Callable[[], None]:
        """Let everybody see that a recorder lives, for as long as this process does; return the
        function that ends it. For :meth:`record`.

        Args:
            mark: What tells the recorder from all others: 32 hexadecimal digits.

        Raises:
            StorageError, OSError: that is not possible.
        """

    def last_commit(self) -> Hashable:
        """Return a value that each commit replaces by another one, or None if only a session can
        tell whether there was one.

        It is cheap, and waits for nobody.
        """
        return None


ExperimentSessionMaker = StorageManager
"""What code that only opens sessions calls a storage."""
