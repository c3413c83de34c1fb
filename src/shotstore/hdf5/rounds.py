"""The log of a store, round by round: what is left in it, records, and checkpoints."""

import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from shotstore.errors import CommitUncertainError, DamagedStorageError
from shotstore.hdf5.held_back import HeldBack, part_of, without
from shotstore.hdf5.log.admission import check_record
from shotstore.hdf5.log.carrying_out import carry_out
from shotstore.hdf5.log.counter import Count, Counter
from shotstore.hdf5.log.durability import Unsynced
from shotstore.hdf5.log.fitting import is_given_up
from shotstore.hdf5.log.folding import fold
from shotstore.hdf5.log.log_file import LARGEST, SMALLEST, START, Entry, LogFile, damaged
from shotstore.hdf5.log.record import LogRecord, load
from shotstore.hdf5.log.territories import territory


class Rounds:
    """The log, its counter, and what the round has still to make durable.

    Only for who has the write lock, but for `is_complete` and `read_left`, which threads of readers
    call at the same time, and `distrust`, which writes, but only where nobody uses the store.
    """

    def __init__(self, root: Path, control: Path) -> None:
        self._root = root
        self.log = LogFile(control / "log")
        self.counter = Counter(control / "commits")
        self.held_back = HeldBack(root)
        """Where that goes which cannot be carried out."""
        self.unsynced = Unsynced(root)
        self._noted = b"", 0
        """The round, and up to where in it what its records change is noted there."""
        self.count = Count(0)
        """What the counter says."""

    @property
    def is_at_rest(self) -> bool:
        """Whether the log is empty; only with the write lock."""
        return self.count.end == START

    def create(self) -> None:
        """Make the log and the counter, unless they are there; only with the write lock."""
        count = self.counter.read()
        if not self.log.exists():
            self.log.create(count.commits + 1)
            round_ = self.log.read_header().round
            self.counter.write(Count(count.commits, round_, START, is_unfinished=False))
        if not self.counter.exists():
            self.counter.write(count)

    def is_complete(self) -> bool:
        """Whether there is a log and a counter."""
        return self.log.exists() and self.counter.exists()

    def distrust(self) -> None:
        """Let whoever comes next carry out the log, if there is anything in it: the power may have
        failed since it was written, or this is a copy. Only for who has the open lock alone."""
        count = self.counter.read()
        log = LogFile(self.log.path)
        try:
            with contextlib.closing(log):
                round_ = log.read_header().round
                # A copier may have come to the counter later than to the log.
                is_at_rest = (count.round, count.end) == (round_, START) and not log.entries()
        except (DamagedStorageError, FileNotFoundError):
            is_at_rest = False  # said where it is asked for; one that is missing is made
        if not is_at_rest:
            if not count.is_of_this_boot():
                # Written anew it would be, and would say that the last record was never finished.
                count = Count(count.commits)
            # Not by the file that is open here, which is for who has the write lock.
            Counter(self.counter.path).write(evolve(count, is_unfinished=True))

    # Reading

    def read_left(self, count: Count) -> tuple[LogRecord, list[Entry]]:
        """What the log says, of a store that may only be read."""
        log = LogFile(self.log.path)
        with contextlib.closing(log), contextlib.suppress(FileNotFoundError):
            log.read_header("r")
            return self.left_in(log, count)
        return LogRecord(""), []

    def left_in(self, log: LogFile, count: Count) -> tuple[LogRecord, list[Entry]]:
        """What a log says, as one record, and its entries; without the last one, if by what the
        counter says a killed process has left it, and it cannot be done.

        Raises:
            DamagedStorageError: it cannot be read, or is not of this store.
        """
        entries = log.entries()
        records = [self._load(entry) for entry in entries]
        if (
            entries
            and entries[-1].number == count.commits + 1
            and count.round == log.header.round
            and count.is_unfinished
            and count.is_of_this_boot()
            and is_given_up(self._root, records[-1])
        ):
            entries.pop()
            records.pop()
        if len(records) > 1 and any(record.moves for record in records):
            raise damaged(self.log.path, "a record that stands alone does not")
        return fold(records), entries

    def _load(self, entry: Entry) -> LogRecord:
        try:
            record = load(entry.content)
            check_record(self._root, record)
        except ValueError as error:
            raise damaged(self.log.path, str(error)) from error
        return record

    def changed_since(self, before: Count) -> set[str] | None:
        """The paths that the commits since then have changed; None if that is not known any more.
        Only with the write lock, once everything is carried out."""
        now = self.count
        is_one_round = before.round == now.round == self.log.header.round
        if before.is_unfinished or not is_one_round or not START <= before.end <= now.end:
            return None
        entries = self.log.entries(before.end, now.end)
        if len(entries) != now.commits - before.commits:
            return None
        return {path for entry in entries for path in self._load(entry).paths}

    # Writing

    def attach(self) -> bool:
        """Whether the log is the one of which the counter tells."""
        if self.log.is_as_read() and self.log.header.round == self.count.round:
            return True
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_header().round == self.count.round
        return False

    def make_durable_in_log(self, last: Entry) -> None:
        """Make the last record durable, which who was killed may not have come to sync.

        It is written again only where the disk has failed to keep it, as `append` leaves word:
        otherwise it may have been begun, or acknowledged, and a power loss in the midst of that
        would spoil it.
        """
        count = self.count
        is_last = (count.round, count.end) == (self.log.header.round, last.start)
        if is_last and count.is_of_this_boot():
            self.log.write_again(last)
            self.count = evolve(count, end=last.end)
        else:
            self.log.sync()

    def append(self, content: bytes, before: Count) -> int:
        """Write the record, which is the commit; return where the next one begins.

        Raises:
            CommitUncertainError: that failed, and nobody knows whether the record is there.
            Exception: it is not.
        """
        try:
            return self.log.append(before.commits + 1, content, before.end)
        except Exception as error:
            try:
                is_there = bool(self.log.entries(before.end))
            except Exception:  # whatever it is, nobody knows
                is_there = True
            if is_there:
                with contextlib.suppress(Exception):  # nothing of it is carried out
                    self.counter.write(evolve(before, is_unfinished=True))
                raise uncertain_error(self._root, error) from error
            with contextlib.suppress(Exception):
                self.counter.write(before)
            raise

    def note(self, record: LogRecord, start: int, end: int) -> None:
        """Remember to sync what a record has changed."""
        if self._noted == (self.log.header.round, start):
            self.unsynced.note(record)
            self._noted = self.log.header.round, end

    # Checkpoints

    def checkpoint(self, *, is_full: bool = False, room: int = 0) -> None:
        """Make durable what was carried out, and begin a new round of the log; only with the write
        lock.

        Args:
            is_full: Whether the log had no pause before it was full, so that it is to grow.
            room: How many bytes the next record takes.

        Raises:
            OSError: the disk fails.
        """
        size = max(self.log.size, SMALLEST)
        if is_full:
            size = min(2 * size, LARGEST)
        size = max(min(size, LARGEST), START + room)
        assert not self.count.is_unfinished, "what is in the log is to be carried out before"
        if self.count.end != START or size != self.log.size:
            self.make_durable(lambda: self.left_in(self.log, self.count)[0])
            self.begin_round(self.count.commits)
            try:
                self.log.resize(size)
            except OSError:
                if START + room > self.log.size:  # otherwise it is large enough as it is
                    raise

    def make_durable(self, done: Callable[[], LogRecord]) -> None:
        """Sync all that the round has changed; ``done`` gives it as one record, to write it anew if
        that fails, and to keep it back if it fails again."""
        if self._noted != (self.log.header.round, self.count.end):
            self.unsynced.note(done())  # others have committed since
        failed = {territory(path) for path in self.unsynced.sync()}
        if failed:
            record = without(done(), self.held_back.records())
            if record.departures:  # its patches are durable, and other files at their paths
                record = evolve(record, patches=[])
            for place in sorted(failed):
                part = part_of(record, place)
                if error := self.write_anew(part):
                    self.keep_back(part, error)
        self.unsynced.clear()

    def write_anew(self, record: LogRecord) -> Exception | None:
        """Carry out what the disk may have failed to keep, durably; return the error if it cannot
        be."""
        again = Unsynced(self._root)
        again.note(record)
        try:
            carry_out(self._root, record, "anew")
            for error in again.sync().values():
                raise error
        except (OSError, DamagedStorageError) as error:
            return error
        return None

    def begin_round(self, commits: int) -> None:
        """Begin the log anew, and count."""
        try:
            self.log.begin_round(commits + 1)
        except OSError:
            with contextlib.suppress(OSError):
                self.counter.write(evolve(self.count, is_unfinished=True))
            raise
        self.count = Count(commits, self.log.header.round, START, is_unfinished=False)
        self._noted = self.log.header.round, START
        self.counter.write(self.count)

    def keep_back(self, rest: LogRecord, _: Exception) -> None:
        # With a mark of its own: this one tells how far the others have come.
        self.held_back.keep(evolve(rest, transaction=uuid.uuid4().hex))


def uncertain_error(root: Path, error: BaseException) -> CommitUncertainError:
    """The error for a commit of which the disk does not tell whether it was made, or which could
    not be carried out."""
    return CommitUncertainError(
        f"The transaction is committed, or will be when {root} is next opened: {error}. "
        "Look at what is stored before you store it again."
    )
