"""The commits of a store: made, counted, made durable in the files, and carried out again where a
program was killed in one, or a power loss may have taken back what was done."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import evolve

from shotstore.errors import CommitUncertainError, DamagedStorageError, StorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.files import Files
from shotstore.hdf5.held_back import (
    Problem,
    denials,
    misfit,
    older_files,
    part_of,
    problem,
    why_kept,
    without,
)
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.log.carrying_out import carry_out
from shotstore.hdf5.log.counter import Count
from shotstore.hdf5.log.fitting import cut_off, phase
from shotstore.hdf5.log.log_file import size_in_log
from shotstore.hdf5.log.record import TRANSACTIONS, LogRecord, dump
from shotstore.hdf5.log.territories import territory
from shotstore.hdf5.open_shots import has_later_shots, is_older, older_error
from shotstore.hdf5.rounds import Rounds, uncertain_error

_FULL = 0.75


class Commits:
    """What the directory ``.shotstore`` says of commits."""

    def __init__(self, root: Path, control: Path, locks: Locks) -> None:
        self._root = root
        self._locks = locks
        self.rounds = Rounds(root, control)
        """The log."""
        self.held: list[LogRecord] = []
        """What was kept back, as `look` has found it."""
        self._looked: tuple[Count, bool] | None = None
        self.counted = 0
        """How many transactions were committed, when `look` was last called: as many as there are,
        while commits are kept out or with the write lock."""
        self.files = Files(root)
        """The files of the store, as `look` has found them."""

    def count(self) -> Count:
        """What the counter says; a session reads it to see whether others have committed."""
        return self.rounds.counter.read()

    # Reading

    def look(self, count: Count, *, lay_log: bool = False) -> int:
        """Lay what is not carried out over the `files`, while commits are kept out; return the
        number of commits so far.

        Args:
            count: What the counter says.
            lay_log: Whether to lay all of the log over them, too.

        Raises:
            DamagedStorageError: the log cannot be read, or does not fit the files.
        """
        found = count, lay_log
        if found != self._looked or not self.rounds.held_back.holds(self.held):
            held_back = self.rounds.held_back.records()
            files = Files(self._root)
            for held in held_back:
                misfits = misfit(self._root, held)
                if misfits is None:
                    files.lay(held)
                else:
                    unreadable = (*cut_off(self._root, held), *older_files(self._root, held))
                    files.refuse(unreadable, misfits.message)
            if lay_log:
                files.lay(without(self.rounds.read_left(count)[0], held_back))
            self.held, self.files, self._looked = held_back, files, found
        self.counted = count.commits
        return count.commits

    def left(self) -> LogRecord:
        """What of the log is perhaps not carried out, as one record.

        Raises:
            DamagedStorageError: it cannot be read, or is not of this store.
        """
        return without(
            self.rounds.read_left(self.rounds.counter.read())[0], self.rounds.held_back.records()
        )

    # Finishing

    def finish(self) -> None:
        """Carry out what a killed process, or a power loss, has left; only with the write lock.

        Raises:
            DamagedStorageError: the log cannot be read, or does not fit the files.
            OSError: it cannot be carried out, nor kept back.
        """
        self.rounds.count = self.rounds.counter.open()
        if self.rounds.count.is_unfinished or not self.rounds.attach():
            self._carry_out_all()
        self.look(self.rounds.count)

    def _carry_out_all(self) -> None:
        self._looked = None
        if not self.rounds.log.exists():  # a copy has left it out
            self.rounds.log.create(self.rounds.count.commits + 1)
        self.rounds.log.read_header()
        record, entries = self.rounds.left_in(self.rounds.log, self.rounds.count)
        if entries:
            self.rounds.make_durable_in_log(entries[-1])
        commits = max(self.rounds.count.commits, self.rounds.log.header.first - 1 + len(entries))
        with self._locks.exclusive():
            self.rounds.counter.write(evolve(self.rounds.count, is_unfinished=True))
            rest = self._without_later(without(record, self.rounds.held_back.records()))
            carry_out(self._root, rest, keep_back=self.rounds.keep_back)
            self.rounds.unsynced.note(record)
            self.rounds.make_durable(lambda: rest)
            self.rounds.begin_round(commits)

    def _without_later(self, record: LogRecord) -> LogRecord:
        """A record without what would take a later file back to what it was; and without what is
        for a later file than there is, which is kept back."""
        if phase(self._root, record) > 0:
            return record  # its patches are written, and other files may be at their paths
        patches = []
        kept: list[LogRecord] = []
        for patch in record.patches:
            with (
                contextlib.suppress(OSError),
                contextlib.closing(disk.File(self._root / patch.path, "r")) as file,
            ):
                if has_later_shots(file, patch):
                    continue
                if is_older(file, patch):
                    older = part_of(record, territory(patch.path))
                    self.rounds.keep_back(older, older_error(file.path))
                    kept.append(older)
                    continue
            patches.append(patch)
        return without(evolve(record, patches=patches), kept)

    # Committing

    def commit(self, record: LogRecord, files: Mapping[str, disk.File]) -> None:
        """Make a transaction happen; only with the write lock.

        Args:
            record: What it does.
            files: The shots files that it has open, by path.

        Raises:
            CommitUncertainError: it is committed, or will be when the store is next opened.
            Exception: nothing has changed.
        """
        self.check_free(record.paths)
        content = dump(record)
        size = size_in_log(len(content))
        is_full = self.rounds.count.end + size > self.rounds.log.size
        if record.moves or is_full:
            self.rounds.checkpoint(is_full=is_full, room=size)
            self.look(self.rounds.count)
            self._refuse(self.problems(), record.paths)
        before = self.rounds.count
        is_committed = is_done = False
        kept: list[Problem] = []
        try:
            with self._locks.exclusive():
                self._check(record, files)
                self.rounds.counter.write(evolve(before, end=before.end + size, is_unfinished=True))
                end = self.rounds.append(content, before)
                is_committed = True
                kept = self._carry_out(record, files)
                self.rounds.count = evolve(before, commits=before.commits + 1, end=end)
                self.counted = self.rounds.count.commits
                self.rounds.note(record, before.end, end)
                if not kept and self._looked == (before, False):
                    self._looked = self.rounds.count, False
                is_done = True
                # If this fails, the next session does all of it again.
                with contextlib.suppress(OSError):
                    if record.moves:  # no other record may follow in this round
                        self.rounds.checkpoint()
                    else:
                        self.rounds.counter.write(self.rounds.count)
        except CommitUncertainError:
            raise
        except BaseException as error:
            if not is_committed:
                raise
            # What fails once all is done is the release of a lock, which closing its file releases.
            if not is_done:
                raise uncertain_error(self._root, error) from error
        if kept:
            with contextlib.suppress(Exception):  # it is said where it is asked for
                self.look(self.rounds.count)
            why = " ".join(each.message for each in kept)
            raise CommitUncertainError(
                f"All of this session is committed: do not store it again. {why}"
            )
        if not record.moves and end > _FULL * self.rounds.log.size:
            with contextlib.suppress(Exception):  # the next session has to do it
                self.rounds.checkpoint(is_full=True)

    def _carry_out(self, record: LogRecord, files: Mapping[str, disk.File]) -> list[Problem]:
        """Do what was committed; return why something is kept back."""
        kept: list[Problem] = []
        try:
            carry_out(self._root, record, "first", files=files)
        except (OSError, DamagedStorageError):
            # With what is kept back goes what others have committed there before, which is not
            # durable yet.
            held_back = self.rounds.held_back.records()
            whole, _ = self.rounds.left_in(self.rounds.log, self.rounds.count)

            def keep_back(rest: LogRecord, error: Exception) -> None:
                self.rounds.keep_back(rest, error)
                kept.append(problem(self._root, rest, error))

            carry_out(self._root, without(whole, held_back), keep_back=keep_back)
        return kept

    def _check(self, record: LogRecord, files: Mapping[str, disk.File]) -> None:
        """Make sure, before the commit, that everything the record says can be done.

        Raises:
            DamagedStorageError: the files are not as this transaction left them.
            OSError: a file is out of reach, or may not be changed.
        """
        root = self._root
        for patch in record.patches:
            status = files[patch.path].stat()
            if not on_disk.is_at(status, f"{root}/{patch.path}"):
                raise DamagedStorageError(
                    f"{root / patch.path} is not the file any more to which this session has "
                    "written: something else has moved or replaced it. Nothing of this session was "
                    "stored."
                )
            if status.st_size < patch.needed:
                raise DamagedStorageError(
                    f"{root / patch.path} has {status.st_size} bytes, and {patch.needed} were "
                    "written: something else has cut it. Nothing of this session was stored."
                )
        if not (record.documents or record.arrivals or record.moves):
            return
        renames = (*record.departures, *record.replacements)
        device = root.stat().st_dev if renames else 0
        for rename in renames:
            if (root / rename.source).lstat().st_dev != device:
                raise OSError(f"{root / rename.source} lies on another disk than {root}: move it.")
        leaving = {rename.source for rename in record.departures}
        for arrival in record.arrivals:
            if arrival.destination not in leaving and on_disk.exists(root / arrival.destination):
                parents = {str(parent) for parent in Path(arrival.destination).parents}
                if not parents & leaving:
                    raise FileExistsError(
                        f"{root / arrival.destination} is in the way: remove it, or choose another "
                        "path."
                    )
        for denial in denials(root, record):
            raise PermissionError(
                f"{denial[0].upper()}{denial[1:]} by this user, so nothing of this session was "
                "stored. Allow it (as with `chmod u+w`), and run the block again."
            )

    # What is kept back

    def check_free(self, paths: Iterable[str]) -> None:
        """Make sure that nothing is kept back of what is to be changed; only with the write lock.
        What can be carried out by now, is.

        Args:
            paths: What is to be changed, relative to the root of the store.

        Raises:
            StorageError: it is kept back; why, and what to do.
        """
        paths = list(paths)
        if any(kept.concerns(paths) for kept in self.problems()):
            self._refuse(self.retry(), paths)

    def _refuse(self, problems: Iterable[Problem], paths: Iterable[str]) -> None:
        for kept in problems:
            if kept.concerns(paths):
                raise StorageError(kept.message)

    def retry(self) -> list[Problem]:
        """Carry out what was kept back, as far as it can be; only with the write lock, when the
        log is finished.

        Returns:
            Why the rest is kept back still.
        """
        problems: list[Problem] = []
        for held in self.rounds.held_back.records():
            why_kept = misfit(self._root, held) or self._retry(held)
            problems += [why_kept] if why_kept else []
        self._looked = None  # some may have been removed by hand
        self.look(self.rounds.count)
        return problems

    def _retry(self, held: LogRecord) -> Problem | None:
        """Carry out something that was kept back, and return what keeps it from that."""
        self.rounds.checkpoint()
        with self._locks.exclusive():
            self.rounds.counter.write(evolve(self.rounds.count, is_unfinished=True))
            error = self.rounds.write_anew(self._without_later(held))
            if error is None:
                self.rounds.held_back.remove(held)
            self.rounds.begin_round(self.rounds.count.commits + 1)
        return None if error is None else problem(self._root, held, error)

    def problems(self) -> list[Problem]:
        """Why something is kept back, as far as that can be told without trying again."""
        root = self._root
        return [
            misfit(root, held) or problem(root, held, why_kept(root, held)) for held in self.held
        ]

    def staging_in_use(self) -> set[str]:
        """Names in the staging directory that what was kept back needs."""
        return {
            path.rpartition("/")[2]
            for held in self.held
            for path in (
                *held.paths,
                *(document.staged for document in held.documents),
                held.mark,
                held.departed,
            )
            if path.startswith(f"{TRANSACTIONS}/")
        }

    def close(self) -> None:
        """Close the log and the counter."""
        self.rounds.log.close()
        self.rounds.counter.close()
