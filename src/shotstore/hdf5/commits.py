"""The commits of a store: made, counted, made durable in the files, and carried out again where a
program was killed in one, or a power loss may have taken back what was done."""

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import evolve

from shotstore.errors import CommitUncertainError, DamagedStorageError, StorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.files import Files
from shotstore.hdf5.held_back import (
    HeldBack,
    Problem,
    denials,
    misfit,
    older_files,
    problem,
    why_kept,
    without,
)
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.log.admission import check_record
from shotstore.hdf5.log.carrying_out import carry_out
from shotstore.hdf5.log.counter import Count, Counter
from shotstore.hdf5.log.durability import Unsynced
from shotstore.hdf5.log.fitting import cut_off, is_given_up, phase
from shotstore.hdf5.log.folding import fold
from shotstore.hdf5.log.log_file import (
    LARGEST,
    SMALLEST,
    START,
    Entry,
    LogFile,
    damaged,
    size_in_log,
)
from shotstore.hdf5.log.record import TRANSACTIONS, LogRecord, dump, load
from shotstore.hdf5.log.territories import meets, territory
from shotstore.hdf5.open_shots import has_later_shots, is_older, older_error

_FULL = 0.75


class Commits:
    """What the directory ``.shotstore`` says of commits."""

    def __init__(self, root: Path, control: Path, locks: Locks) -> None:
        self._root = root
        self._locks = locks
        self._log = LogFile(control / "log")
        self._counter = Counter(control / "commits")
        self._held_back = HeldBack(root)
        self._held: list[LogRecord] = []
        self._unsynced = Unsynced(root)
        self._noted = b"", 0
        """The round, and up to where in it what its records change is noted there."""
        self._looked: tuple[Count, bool] | None = None
        self._count = Count(0)
        """For who has the write lock alone: threads of readers look at the same time."""
        self.counted = 0
        """How many transactions were committed, when `look` was last called: as many as there are,
        while commits are kept out or with the write lock."""
        self.files = Files(root)
        """The files of the store, as `look` has found them."""

    @property
    def is_at_rest(self) -> bool:
        """Whether the log is empty; only with the write lock."""
        return self._count.end == START

    def create(self) -> None:
        """Make the log and the counter, unless they are there; only with the write lock."""
        count = self._counter.read()
        if not self._log.exists():
            self._log.create(count.commits + 1)
            round_ = self._log.read_header().round
            self._counter.write(Count(count.commits, round_, START, is_unfinished=False))
        if not self._counter.exists():
            self._counter.write(count)

    def is_complete(self) -> bool:
        """Whether there is a log and a counter."""
        return self._log.exists() and self._counter.exists()

    def count(self) -> Count:
        """What the counter says; a session reads it to see whether others have committed."""
        return self._counter.read()

    def distrust(self) -> None:
        """Let whoever comes next carry out the log, if there is anything in it: the power may have
        failed since it was written, or this is a copy."""
        count = self._counter.read()
        log = LogFile(self._log.path)
        try:
            with contextlib.closing(log):
                round_ = log.read_header().round
                # A copier may have come to the counter later than to the log.
                is_at_rest = (count.round, count.end) == (round_, START) and not log.entries()
        except DamagedStorageError:
            is_at_rest = False  # said where it is asked for
        if not is_at_rest:
            if not count.is_of_this_boot():
                # Written anew it would be, and would say that the last record was never finished.
                count = Count(count.commits)
            self._counter.write(evolve(count, is_unfinished=True))

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
        if found != self._looked or not self._held_back.holds(self._held):
            held_back = self._held_back.records()
            files = Files(self._root)
            for held in held_back:
                misfits = misfit(self._root, held)
                if misfits is None:
                    files.lay(held)
                else:
                    unreadable = (*cut_off(self._root, held), *older_files(self._root, held))
                    files.refuse(unreadable, misfits.message)
            if lay_log:
                files.lay(without(self._read_log(count)[0], held_back))
            self._held, self.files, self._looked = held_back, files, found
        self.counted = count.commits
        return count.commits

    def left(self) -> LogRecord:
        """What of the log is perhaps not carried out, as one record.

        Raises:
            DamagedStorageError: it cannot be read, or is not of this store.
        """
        return without(self._read_log(self._counter.read())[0], self._held_back.records())

    def _read_log(self, count: Count) -> tuple[LogRecord, list[Entry]]:
        """What the log says, of a store that may only be read."""
        log = LogFile(self._log.path)
        with contextlib.closing(log), contextlib.suppress(FileNotFoundError):
            log.read_header("r")
            return self._left(log, count)
        return LogRecord(""), []

    def _left(self, log: LogFile, count: Count) -> tuple[LogRecord, list[Entry]]:
        """What a log says, as one record, and its entries; without the last one, if by what the
        counter says a killed process has left it, and it cannot be done.

        Raises:
            DamagedStorageError: it cannot be read, or is not of this store.
        """
        entries = log.entries()
        records = [self._load(entry) for entry in entries]
        if (
            entries
            and entries[-1].start == count.end
            and count.round == log.header.round
            and count.is_unfinished
            and count.is_of_this_boot()
            and is_given_up(self._root, records[-1])
        ):
            entries.pop()
            records.pop()
        if len(records) > 1 and any(record.moves for record in records):
            raise damaged(self._log.path, "a record that stands alone does not")
        return fold(records), entries

    def _load(self, entry: Entry) -> LogRecord:
        try:
            record = load(entry.content)
            check_record(self._root, record)
        except ValueError as error:
            raise damaged(self._log.path, str(error)) from error
        return record

    # Finishing

    def finish(self) -> None:
        """Carry out what a killed process, or a power loss, has left; only with the write lock.

        Raises:
            DamagedStorageError: the log cannot be read, or does not fit the files.
            OSError: it cannot be carried out, nor kept back.
        """
        self._count = self._counter.open()
        if self._count.is_unfinished or not self._attach():
            self._carry_out_all()
        self.look(self._count)

    def _attach(self) -> bool:
        """Whether the log is the one of which the counter tells."""
        if self._log.is_as_read() and self._log.header.round == self._count.round:
            return True
        with contextlib.suppress(FileNotFoundError):
            return self._log.read_header().round == self._count.round
        return False

    def _carry_out_all(self) -> None:
        if not self._log.exists():  # a copy has left it out
            self._log.create(self._count.commits + 1)
        self._log.read_header()
        record, entries = self._left(self._log, self._count)
        if entries:
            self._make_durable_in_log(entries[-1])
        commits = max(self._count.commits, self._log.header.first - 1 + len(entries))
        with self._locks.exclusive():
            self._counter.write(evolve(self._count, is_unfinished=True))
            rest = self._without_later(without(record, self._held_back.records()))
            carry_out(self._root, rest, keep_back=self._keep_back)
            self._unsynced.note(record)
            self._make_durable(lambda: rest)
            self._begin_round(commits)

    def _make_durable_in_log(self, last: Entry) -> None:
        """Make the last record durable, which who was killed may not have come to sync, or which
        the disk has failed to keep. One that may have been acknowledged is not written again: a
        power loss in the midst of that would spoil it."""
        count = self._count
        is_last = (count.round, count.end) == (self._log.header.round, last.start)
        if is_last and count.is_of_this_boot():
            self._log.write_again(last)
            self._count = evolve(count, end=last.end)
        else:
            self._log.sync()

    def _without_later(self, record: LogRecord) -> LogRecord:
        """A record without what would take a later file back to what it was; and without what is
        for a later file than there is, which is kept back."""
        if phase(self._root, record) > 0:
            return record  # its patches are written, and other files may be at their paths
        patches = []
        for patch in record.patches:
            with (
                contextlib.suppress(OSError),
                contextlib.closing(disk.File(self._root / patch.path, "r")) as file,
            ):
                if has_later_shots(file, patch):
                    continue
                if is_older(file, patch):
                    self._keep_back(_part(record, territory(patch.path)), older_error(file.path))
                    continue
            patches.append(patch)
        return evolve(record, patches=patches)

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
        if self._held:  # nothing ever is, but for failing disks
            self.check_free(record.paths)
        content = dump(record)
        if record.moves:
            self.checkpoint()
        self._make_room(size_in_log(len(content)))
        before = self._count
        is_committed = is_done = False
        kept: list[Problem] = []
        try:
            with self._locks.exclusive():
                self._check(record, files)
                self._counter.write(evolve(before, is_unfinished=True))
                end = self._append(content, before)
                is_committed = True
                kept = self._carry_out(record, files)
                self._count = evolve(before, commits=before.commits + 1, end=end)
                self.counted = self._count.commits
                self._note(record, before.end, end)
                if not kept and self._looked == (before, False):
                    self._looked = self._count, False
                is_done = True
                # If this fails, the next session does all of it again.
                with contextlib.suppress(OSError):
                    if record.moves:  # no other record may follow in this round
                        self.checkpoint()
                    else:
                        self._counter.write(self._count)
        except CommitUncertainError:
            raise
        except BaseException as error:
            if not is_committed:
                raise
            # What fails once all is done is the release of a lock, which closing its file releases.
            if not is_done:
                raise self._uncertain(error) from error
        if kept:
            self.look(self._count)
            why = " ".join(each.message for each in kept)
            raise CommitUncertainError(
                f"All of this session is committed: do not store it again. {why}"
            )
        if not record.moves and end > _FULL * self._log.size:
            with contextlib.suppress(OSError):  # the next session has to do it
                self.checkpoint(is_full=True)

    def _append(self, content: bytes, before: Count) -> int:
        """Write the record, which is the commit; return where the next one begins.

        Raises:
            CommitUncertainError: the disk fails, and nobody knows whether the record is there.
            OSError: it is not.
        """
        try:
            return self._log.append(before.commits + 1, content, before.end)
        except OSError as error:
            try:
                is_there = bool(self._log.entries(before.end))
            except (OSError, DamagedStorageError):
                is_there = True
            if is_there:
                raise self._uncertain(error) from error
            with contextlib.suppress(OSError):
                self._counter.write(before)
            raise

    def _carry_out(self, record: LogRecord, files: Mapping[str, disk.File]) -> list[Problem]:
        """Do what was committed; return why something is kept back."""
        kept: list[Problem] = []
        try:
            carry_out(self._root, record, "first", files=files)
        except (OSError, DamagedStorageError):
            # With what is kept back goes what others have committed there before, which is not
            # durable yet.
            whole, _ = self._left(self._log, self._count)

            def keep_back(rest: LogRecord, error: Exception) -> None:
                self._keep_back(rest, error)
                kept.append(problem(self._root, rest, error))

            carry_out(self._root, whole, keep_back=keep_back)
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

    def _uncertain(self, error: BaseException) -> CommitUncertainError:
        return CommitUncertainError(
            f"The transaction is committed, or will be when {self._root} is next opened: {error}. "
            "Look at what is stored before you store it again."
        )

    # Checkpoints

    def _make_room(self, size: int) -> None:
        """Make sure that the log has room for a record of this size."""
        if self._count.end + size > self._log.size:
            self.checkpoint(is_full=True, room=size)

    def checkpoint(self, *, is_full: bool = False, room: int = 0) -> None:
        """Make durable what was carried out, and begin a new round of the log; only with the write
        lock.

        Args:
            is_full: Whether the log had no pause before it was full, so that it is to grow.
            room: How many bytes the next record takes.

        Raises:
            OSError: the disk fails.
        """
        size = max(self._log.size, SMALLEST)
        if is_full:
            size = min(2 * size, LARGEST)
        size = max(min(size, LARGEST), START + room)
        if self._count.end != START or size != self._log.size:
            self._make_durable(lambda: self._left(self._log, self._count)[0])
            try:
                self._log.resize(size)
            except OSError:
                if START + room > self._log.size:  # otherwise it is large enough as it is
                    raise
            self._begin_round(self._count.commits)

    def _make_durable(self, done: Callable[[], LogRecord]) -> None:
        """Sync all that the round has changed; ``done`` gives it as one record, to write it anew if
        that fails, and to keep it back if it fails again."""
        if self._noted != (self._log.header.round, self._count.end):
            self._unsynced.note(done())  # others have committed since
        failed = {territory(path) for path in self._unsynced.sync()}
        if failed:
            record = without(done(), self._held_back.records())
            for place in sorted(failed):
                self._write_anew(_part(record, place))
        self._unsynced.clear()

    def _write_anew(self, record: LogRecord) -> None:
        again = Unsynced(self._root)
        again.note(record)
        try:
            carry_out(self._root, record, "anew")
            for error in again.sync().values():
                raise error
        except (OSError, DamagedStorageError) as error:
            self._keep_back(record, error)

    def _begin_round(self, commits: int) -> None:
        """Begin the log anew, and count."""
        try:
            self._log.begin_round(commits + 1)
        except OSError:
            with contextlib.suppress(OSError):
                self._counter.write(evolve(self._count, is_unfinished=True))
            raise
        self._count = Count(commits, self._log.header.round, START, is_unfinished=False)
        self.counted = commits
        self._noted = self._log.header.round, START
        self._counter.write(self._count)

    def _note(self, record: LogRecord, start: int, end: int) -> None:
        """Remember to sync what a record has changed."""
        if self._noted == (self._log.header.round, start):
            self._unsynced.note(record)
            self._noted = self._log.header.round, end

    # What is kept back

    def _keep_back(self, rest: LogRecord, _: Exception) -> None:
        # With a mark of its own: this one tells how far the others have come.
        self._held_back.keep(evolve(rest, transaction=uuid.uuid4().hex))

    def check_free(self, paths: Iterable[str]) -> None:
        """Make sure that nothing is kept back of what is to be changed; only with the write lock.
        What can be carried out by now, is.

        Args:
            paths: What is to be changed, relative to the root of the store.

        Raises:
            StorageError: it is kept back; why, and what to do.
        """
        if not self._held:
            return
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
            problems.append(problem(self._root, self.left(), error))
        for held in self._held_back.records():
            no_fit = misfit(self._root, held)
            problems += [no_fit] if no_fit else self._retry(held)
        self._looked = None  # some may have been removed by hand
        self.look(self._count)
        return problems

    def _retry(self, held: LogRecord) -> list[Problem]:
        self.checkpoint()
        durable = Unsynced(self._root)
        durable.note(held)
        kept: list[Problem] = []

        def keep_back(rest: LogRecord, error: Exception) -> None:
            self._keep_back(rest, error)
            kept.append(problem(self._root, rest, error))

        with self._locks.exclusive():
            self._counter.write(evolve(self._count, is_unfinished=True))
            carry_out(self._root, held, keep_back=keep_back)
            failed = durable.sync()
            if failed and not kept:
                kept += [problem(self._root, held, error) for error in failed.values()]
            else:
                self._held_back.remove(held)
            self._begin_round(self._count.commits + 1)
        return kept

    def problems(self) -> list[Problem]:
        """Why something is kept back, as far as that can be told without trying again."""
        root = self._root
        return [
            misfit(root, held) or problem(root, held, why_kept(root, held)) for held in self._held
        ]

    def held(self) -> Sequence[LogRecord]:
        """What was kept back, as `look` has found it."""
        return self._held

    def staging_in_use(self) -> set[str]:
        """Names in the staging directory that what was kept back needs."""
        return {
            path.rpartition("/")[2]
            for held in self._held
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
        self._log.close()
        self._counter.close()


def _part(record: LogRecord, place: str) -> LogRecord:
    """What of a record belongs to a sequence or a path; all of it, to where it is staged."""

    def is_of_it(path: str) -> bool:
        return place == TRANSACTIONS or meets(territory(path), place)

    return evolve(
        record,
        patches=[each for each in record.patches if is_of_it(each.path)],
        replacements=[each for each in record.replacements if is_of_it(each.destination)],
        departures=[],
        arrivals=[each for each in record.arrivals if is_of_it(each.destination)],
        documents=[each for each in record.documents if is_of_it(each.path)],
    )
