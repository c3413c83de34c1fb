"""Read one file of rows of a sequence completely: its ``shots.h5``, or its ``results.h5``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.checks.findings import of_later_version, reason, typed, unreadable
from shotstore.hdf5.checks.inspection import Inspection
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import RESULTS_FILE
from shotstore.hdf5.open_shots import ShotsReader
from shotstore.hdf5.overlay import committed_end
from shotstore.hdf5.store import Store
from shotstore.paths import PureSequencePath

_LONGEST_BATCH = 0.01  # seconds for which commits are kept out, or one chunk


class FileCheck:
    """A check of one file, used once. Each step is called while commits are kept out."""

    def __init__(
        self, store: Store, file: Path, path: PureSequencePath | None, *, is_only_writer: bool
    ) -> None:
        """The arguments are those of `SequenceCheck`."""
        self._store = store
        self._path = path
        self._is_only_writer = is_only_writer
        self.file = file
        self.holds_results = file.name == RESULTS_FILE
        self.findings: list[Finding] = []
        self.is_damaged = False
        self.tail = 0
        """How many bytes lie behind the end of the file."""
        self.belongs_to_another = False
        """Whether it has the id of another sequence."""
        self.reader: ShotsReader | None = None
        self.is_readable = False
        """Whether it could be opened, so that there is more to read."""
        self.inspection = Inspection(holds_results=self.holds_results)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        try:
            return self.file.lstat().st_size
        except OSError:
            return 0

    @property
    def recovery(self) -> str:
        """What to do about a damaged file."""
        if self._path is None:
            return (
                "It is in the trash, so nothing needs to be done. To save what can be read of it, "
                "restore it and recover it then."
            )
        advice = "Restore it from a backup, or copy it again if this is a copy. "
        if self._store.is_archive:
            return advice + (
                "To save what can be read, copy its directory into a store, below sequences/, and "
                "run `shotstore recover` there."
            )
        return advice + f"What can be read, `shotstore recover {typed(self._path)}` saves."

    def open(self, commits: int, document: SequenceDocument | None) -> None:
        """Read what the file says of itself."""
        self.reader = reader = ShotsReader(self.file, self._store.commits)
        inspection = self.inspection
        shots = reader.shots(commits)
        inspection.view(shots.file, shots.length)
        inspection.begin()
        shots.check()
        length = self.file.stat().st_size
        if (
            length > shots.length
            and (self._is_only_writer or not self._store.locks.is_writing())
            and self.file.stat().st_size == length
        ):
            self.tail = length - shots.length
            self._report_tail()
        self.belongs_to_another = document is not None and inspection.sequence_id not in (
            None,
            document.id,
        )
        self.is_readable = True

    def advance(self, commits: int, steps: Iterator[None]) -> bool:
        """Read some chunks; whether there are more."""
        assert self.reader is not None
        shots = self.reader.shots(commits)
        self.inspection.view(shots.file, shots.length)
        deadline = monotonic() + _LONGEST_BATCH
        is_unfinished = False
        for _ in steps:
            if monotonic() > deadline:
                is_unfinished = True
                break
        shots.check()
        return is_unfinished

    def steps(self, on_read: Callable[[int], object]) -> Iterator[None]:
        """What `advance` goes through; ``on_read`` is called with the bytes of each chunk."""
        for name in self.inspection.names:
            chunks = self.inspection.chunks(name)
            yield
            for chunk in chunks:
                self.inspection.read(name, chunk)
                on_read(chunk.size)
                yield

    def attempt(self, step: Callable[[], bool]) -> bool:
        """What a step returns; False if it fails, which becomes a finding."""
        try:
            return step()
        except DamagedStorageError as error:
            self.is_damaged = True
            if isinstance(error.__cause__, OSError) and error.__cause__.filename:
                self.findings.append(unreadable(self.file, error.__cause__, self._path))
            else:
                self.report(f"{self._what_of(error)}.", self.recovery)
        except StorageError as error:
            if error.__class__ is not StorageError:
                raise  # a lock, not a file
            self.findings.append(of_later_version(self.file, error, self._path))
        except OSError as error:
            self.is_damaged = self.reader is not None
            file = Path(error.filename or self.file.parent)
            self.findings.append(unreadable(file, error, self._path))
        return False

    def report_problems(self) -> None:
        """Make findings of what was found in the file."""
        for problem in self.inspection.problems:
            self.is_damaged = True
            self.report(f"It is damaged: {problem}.", self.recovery)

    def is_still_there(self) -> bool:
        """Whether the file that was checked is the one that lies there."""
        return self.reader is None or self.reader.is_still(self.file)

    def report_link(self) -> None:
        """Say that a link is in the place of the file."""
        self.report(
            "It is a link, and what it leads to is not part of the store: a copy would lack it, so "
            "it is not read.",
            f"Move the file that it leads to, {self.file.readlink()}, into its place.",
        )

    def report(self, problem: str, remedy: str) -> None:
        """Take down damage of the file."""
        self.findings.append(Finding("damage", self.file, problem, remedy, self._path))

    def close(self) -> None:
        """Let go of the file."""
        self.inspection.close()
        if self.reader is not None:
            self.reader.close()

    def _report_tail(self) -> None:
        """It cannot be known which of the two it is. In the trash, neither is to be mended."""
        what, verb = ("results", "stored") if self.holds_results else ("shots", "recorded")
        one = "results" if self.holds_results else "a shot"
        were = "were" if self.holds_results else "was"
        self.findings.append(
            Finding(
                "note" if self._path is None else "damage",
                self.file,
                f"{self.tail} bytes behind its end are ignored. If this is the original, a program "
                f"was killed while it {verb} {one}, which {were} never committed: nothing is lost. "
                "If this is a copy, `rsync --append` or a program like it has put the end of the "
                f"present file behind the beginning of an older one: the newer {what} are missing.",
                "If this is a copy, copy it again, without --append (`rsync -a -c`). If it is the "
                f"original, the bytes go with the next {what if self.holds_results else 'shot'} "
                f"that {'are' if self.holds_results else 'is'} {verb} "
                f"{'for' if self.holds_results else 'into'} the sequence, or "
                f"with {self._recover_command}.",
                self._path,
            )
        )

    @property
    def _recover_command(self) -> str:
        if self._path is None or self._store.is_archive:
            return "`shotstore recover`"
        return f"`shotstore recover {typed(self._path)}`"

    def _what_of(self, error: DamagedStorageError) -> str:
        """Say what is wrong with a file that cannot be opened."""
        if error.__cause__ is not None:
            return f"HDF5 cannot read it ({reason(error.__cause__)})"
        length = self.file.stat().st_size
        try:
            file = disk.File(self.file, "r")
            try:
                committed_end(file)
            finally:
                file.close()
        except DamagedStorageError as again:
            if "should have" in str(again):
                return (
                    f"It was cut off, or copied while it was being written: it has {length} bytes, "
                    "fewer than it says itself"
                )
        return "It does not begin like an HDF5 file that shotstore wrote"


def is_there(check: FileCheck) -> bool:
    """Whether there is a file to be checked."""
    return on_disk.is_regular_file(check.file)
