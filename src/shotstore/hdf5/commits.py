"""The commits of a store: made, counted, and finished where a program was killed in one."""

import contextlib
import struct
import uuid
from collections.abc import Iterable
from pathlib import Path

from attrs import evolve

from shotstore.errors import CommitUncertainError, DamagedStorageError, StorageError
from shotstore.hdf5 import disk, journal, on_disk
from shotstore.hdf5.files import Files, is_later
from shotstore.hdf5.held_back import (
    HeldBack,
    Problem,
    load_checked,
    misfit,
    problem,
    why_kept,
    without,
)
from shotstore.hdf5.journal import Journal, paths_of
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.open_shots import has_later_shots

_COUNTER = struct.Struct("<Q")


class Commits:
    """What the directory ``.shotstore`` says of commits."""

    def __init__(self, root: Path, control: Path, locks: Locks) -> None:
        self._root = root
        self._control = control
        self._locks = locks
        self._journal = control / "journal"
        self._staged_journal = control / "journal.new"
        self._counter = control / "commits"
        self._held_back = HeldBack(root)
        self._held: list[Journal] = []
        self._looked: tuple[int, bool] | None = None
        self.counted = 0
        """How many transactions were committed, when `look` was last called: as many as there are,
        while commits are kept out or with the write lock."""
        self.files = Files(root)
        """The files of the store, as `look` has found them."""

    def create_counter(self) -> None:
        """Make the counter, which a commit on a full disk could not make."""
        if not on_disk.exists(self._counter):
            disk.overwrite(self._counter, _COUNTER.pack(0))

    def count(self) -> int:
        """How many transactions were committed; a session reads it to see whether others did."""
        try:
            content = on_disk.read_file(str(self._counter)) or b""
        except OSError as error:
            raise on_disk.unreadable_error(self._counter, error) from error
        return int(_COUNTER.unpack(content)[0]) if len(content) == _COUNTER.size else 0

    def is_unfinished(self) -> bool:
        """Whether a killed process has left a journal."""
        return on_disk.exists(self._journal)

    def look(self, *, is_unfinished: bool = False) -> int:
        """Lay what is not carried out over the `files`, while commits are kept out; the number of
        commits so far.

        Args:
            is_unfinished: Whether a killed process has left a journal.

        Raises:
            DamagedStorageError: a journal cannot be read, or does not fit the files.
        """
        self.counted = self.count()
        found = self.counted, is_unfinished
        if found != self._looked:
            self._held = self._held_back.journals()
            journals = list(self._held)
            if found[1]:
                journals.append(without(load_checked(self._root, self._journal), self._held))
            self.files = Files(self._root, journals)
            self._looked = found
        return self.counted

    def finish(self) -> None:
        """Finish the transaction that a killed process has left; only with the write lock.

        Raises:
            DamagedStorageError: the journal cannot be read, or does not fit the files.
            OSError: it cannot be finished, nor kept back.
        """
        if self.is_unfinished():
            found = load_checked(self._root, self._journal)
            rest = self._without_later(without(found, self._held_back.journals()))
            with self._locks.exclusive():
                self._carry_out(rest)
        disk.remove_file(self._staged_journal)
        self.look()

    def _without_later(self, found: Journal) -> Journal:
        """A journal without what would take a file back to what it was at that commit."""
        patches = []
        for patch in found.patches:
            with (
                contextlib.suppress(OSError),
                contextlib.closing(disk.File(self._root / patch.path, "r")) as file,
            ):
                if has_later_shots(file, patch):
                    continue
            patches.append(patch)
        replacements = [each for each in found.replacements if not is_later(self._root, each)]
        return evolve(found, patches=patches, replacements=replacements)

    def commit(self, prepared: Journal) -> None:
        """Make a prepared transaction happen; only with the write lock.

        Raises:
            CommitUncertainError: it is committed, or will be when the store is next opened.
            Exception: nothing has changed.
        """
        self.check_free(paths_of(prepared))
        staged = self._staged_journal
        is_committed, is_done = False, None
        kept: list[Problem] = []
        try:
            disk.write_new_file(staged, journal.dump(prepared))
            with self._locks.exclusive():
                journal.check(self._root, prepared)
                self._put_into_place(staged)
                is_committed = True
                is_done, kept = self._carry_out(prepared)
        except CommitUncertainError:
            raise
        except BaseException as error:
            if not is_committed:
                with contextlib.suppress(OSError):
                    disk.remove_file(staged)
                raise
            # What fails once all is done is the release of a lock, which closing its file releases.
            if is_done is None:
                raise self._uncertain(error) from error
        if not is_done:
            raise DamagedStorageError(
                "Another program has cut off what this session had written, in spite of the lock "
                "on the file. Nothing of the session was stored: run it again without that program."
            )
        if kept:
            self.look()
            why = " ".join(each.message for each in kept)
            raise CommitUncertainError(
                f"All of this session is committed: do not store it again. {why}"
            )

    def _put_into_place(self, staged: Path) -> None:
        """Rename the journal into place, which is the commit.

        Raises:
            CommitUncertainError: the disk fails, and does not tell whether it is in place.
            OSError: it is not.
        """
        try:
            disk.rename(staged, self._journal)
        except OSError as error:
            try:
                is_in_place = on_disk.exists(self._journal)
            except OSError:
                raise self._uncertain(error) from error
            if not is_in_place:
                raise

    def _uncertain(self, error: BaseException) -> CommitUncertainError:
        return CommitUncertainError(
            f"The transaction is committed, or will be when {self._root} is next opened: {error}. "
            "Look at what is stored before you store it again."
        )

    def _carry_out(self, committed: Journal) -> tuple[bool, list[Problem]]:
        """Do what the journal in place says, and remove it.

        Returns:
            Whether it was not given up; and why something is kept back.
        """
        # Also when recovering: who was killed may not have come to it, and a journal that a power
        # loss takes back must not have been begun.
        disk.sync_directory(self._control)
        self._raise_counter()
        is_done, kept = self._apply(committed)
        disk.remove_file(self._journal)
        if committed.has_moves or kept or not is_done:
            # A journal that came back after a power loss would do what does not fit by now.
            disk.sync_directory(self._control)
        return is_done, kept

    def _raise_counter(self) -> None:
        # Before anything else: a crash must not leave changed files that look unchanged.
        count = (self.count() + 1) % 2**64
        disk.overwrite(self._counter, _COUNTER.pack(count))
        self.counted = count

    def _apply(self, committed: Journal) -> tuple[bool, list[Problem]]:
        kept: list[Problem] = []

        def keep_back(rest: Journal, error: Exception) -> None:
            # With a mark of its own: this one tells how far the others have come.
            self._held_back.keep(evolve(rest, transaction=uuid.uuid4().hex))
            kept.append(problem(self._root, rest, error))

        return journal.apply(self._root, committed, keep_back), kept

    # What is kept back

    def check_free(self, paths: Iterable[str]) -> None:
        """Make sure that nothing is kept back of what is to be changed; only with the write lock.
        What can be carried out by now, is.

        Args:
            paths: What is to be changed, relative to the root of the store.

        Raises:
            StorageError: it is kept back; why, and what to do.
        """
        if not self._held:
            return  # nothing ever is, but for failing disks
        paths = list(paths)
        for kept in self.retry():
            if kept.concerns(paths):
                raise StorageError(kept.message)

    def retry(self) -> list[Problem]:
        """Carry out what was kept back, as far as it can be; only with the write lock.

        Returns:
            Why the rest is kept back still.
        """
        problems: list[Problem] = []
        try:
            self.finish()
        except OSError as error:
            problems.append(problem(self._root, load_checked(self._root, self._journal), error))
        for held in self._held_back.journals():
            no_fit = misfit(self._root, held)
            problems += [no_fit] if no_fit else self._retry(held)
        self._looked = None  # some may have been removed by hand
        self.look(is_unfinished=self.is_unfinished())
        return problems

    def _retry(self, held: Journal) -> list[Problem]:
        with self._locks.exclusive():
            self._raise_counter()
            try:
                is_done, kept = self._apply(held)
                if is_done:
                    self._held_back.remove(held)
            except OSError as error:
                kept = [problem(self._root, held, error)]
        return kept

    def problems(self) -> list[Problem]:
        """Why something is kept back, as far as that can be told without trying again."""
        root = self._root
        return [
            misfit(root, held) or problem(root, held, why_kept(root, held)) for held in self._held
        ]

    def held(self) -> list[Journal]:
        """What was kept back, as `look` has found it."""
        return self._held

    def staging_in_use(self) -> set[str]:
        """Names of the staging directories that what was kept back needs."""
        return {
            path.split("/")[2]
            for held in self._held
            for path in (*paths_of(held), f".shotstore/tx/{held.transaction}")
            if path.startswith(".shotstore/tx/")
        }
