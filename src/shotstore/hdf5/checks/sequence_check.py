"""Read one sequence completely: its document, its ``shots.h5``, and whether the two agree."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Protocol, TypeVar

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import disk, documents, on_disk
from shotstore.hdf5.checks.findings import (
    MEND,
    check_document,
    of_later_version,
    reason,
    typed,
    unreadable,
    what_of,
)
from shotstore.hdf5.checks.inspection import Inspection
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, SHOTS_FILE
from shotstore.hdf5.open_shots import ShotsReader
from shotstore.hdf5.overlay import committed_end
from shotstore.hdf5.store import Store
from shotstore.hdf5.worker import run
from shotstore.paths import PureSequencePath
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

_T = TypeVar("_T")

_LONGEST_BATCH = 0.01  # seconds for which commits are kept out, or one chunk


class Reading(Protocol):
    """Calls a function on a worker thread with the number of commits, while they are kept out."""

    def __call__(self, function: Callable[[int], _T]) -> _T: ...


class SequenceCheck:
    """A check of one sequence, used once."""

    def __init__(
        self,
        store: Store,
        directory: str,
        path: PureSequencePath | None,
        *,
        is_only_writer: bool = False,
    ) -> None:
        """``directory`` is relative to the root of the store; ``path`` is None in the trash; with
        ``is_only_writer``, the caller has the write lock."""
        self._is_only_writer = is_only_writer
        self._store = store
        self._path = path
        self._directory = store.root / directory
        self.document_file = self._directory / SEQUENCE_DOCUMENT
        self.shots_file = self._directory / SHOTS_FILE
        self.document: SequenceDocument | None = None
        self.findings: list[Finding] = []
        self.number_of_shots = 0
        self.is_shots_file_damaged = False
        self.tail = 0
        """How many bytes lie behind the end of ``shots.h5``."""
        self.belongs_to_another = False
        """Whether ``shots.h5`` has the id of another sequence."""
        self.content: bytes | None = None
        """The content of ``sequence.json``, if there is one."""
        self.is_document_unreadable = False
        """Whether the system refuses to read ``sequence.json``."""
        self._reader: ShotsReader | None = None
        self.inspection = Inspection()

    def run(self, reading: Reading, on_read: Callable[[int], object]) -> bool:
        """Read everything.

        Args:
            reading: How to read files.
            on_read: Called with the number of bytes, after some were read.

        Returns:
            Whether the sequence is where and what it was at the beginning. If it is not, the
            findings may be about something that is not in the store any more.
        """
        try:
            steps = self._steps(on_read)
            more = self._catch(lambda: reading(self._begin))
            while more:
                more = self._catch(lambda: reading(lambda commits: self._advance(commits, steps)))
            for problem in self.inspection.problems:
                self.is_shots_file_damaged = True
                self._damage(self.shots_file, f"It is damaged: {problem}.", self.recovery)
            self.number_of_shots = self.inspection.number_of_shots
            is_settled = reading(lambda _: self._is_settled())
        finally:
            run(self._close)
        self._load_exceptions()
        return is_settled

    @property
    def size(self) -> int:
        """Bytes in ``shots.h5``."""
        try:
            return self.shots_file.lstat().st_size
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

    # Steps, each while commits are kept out

    def _begin(self, commits: int) -> bool:
        """Read the document, and what ``shots.h5`` says of itself; whether there is more."""
        has_shots = on_disk.is_regular_file(self.shots_file)
        try:
            self.content = content = on_disk.read_file(str(self.document_file))
        except OSError as error:
            self.is_document_unreadable = True
            self.findings.append(unreadable(self.document_file, error, self._path))
            content = None
        if self.is_document_unreadable:
            pass
        elif content is None:
            if has_shots:
                self._damage(
                    self.shots_file, "It has no sequence.json, so nobody sees it.", self.recovery
                )
        else:
            keys, self.findings = check_document(
                "sequence", content, self.document_file, self._path
            )
            if keys is not None:
                try:
                    self.document = documents.load_sequence(content, self.document_file)
                except DamagedStorageError as error:
                    self._damage(self.document_file, f"{what_of(error)}.", MEND)
        state = None if self.document is None else self.document.state
        if state is State.DRAFT:
            if has_shots:
                self._damage(
                    self.document_file,
                    "The sequence is a draft, and has shots all the same: sequence.json is older "
                    "than shots.h5.",
                    self.recovery,
                )
        elif has_shots:
            self._open(commits)
        elif state is not None and not (
            # It crashed before its launch was complete.
            state is State.CRASHED and self.document and self.document.start_time is None
        ):
            self._report_missing()
        return self._reader is not None

    def _report_missing(self) -> None:
        if on_disk.is_link(self.shots_file):
            self._damage(
                self.shots_file,
                "It is a link, and what it leads to is not part of the store: a copy would lack "
                "it, so it is not read.",
                f"Move the file that it leads to, {self.shots_file.readlink()}, into its place.",
            )
        else:
            self._damage(
                self.shots_file,
                "It is missing, which holds the shots of a launched sequence.",
                "Copy it again, or restore it from a backup.",
            )

    def _open(self, commits: int) -> None:
        self._reader = reader = ShotsReader(self.shots_file, self._store.commits)
        inspection = self.inspection
        shots = reader.shots(commits)
        inspection.view(shots.file, shots.length)
        inspection.begin()
        shots.check()
        length = self.shots_file.stat().st_size
        if (
            length > shots.length
            and (self._is_only_writer or not self._store.locks.is_writing())
            and self.shots_file.stat().st_size == length
        ):
            self.tail = length - shots.length
            self._report_tail()
        if self.document is not None:
            self._compare(self.document)

    def _report_tail(self) -> None:
        """It cannot be known which of the two it is. In the trash, neither is to be mended."""
        self.findings.append(
            Finding(
                "note" if self._path is None else "damage",
                self.shots_file,
                f"{self.tail} bytes behind its end are ignored. If this is the original, a program "
                "was killed while it recorded a shot, which was never committed: nothing is lost. "
                "If this is a copy, `rsync --append` or a program like it has put the end of the "
                "present file behind the beginning of an older one: the newer shots are missing.",
                "If this is a copy, copy it again, without --append (`rsync -a -c`). If it is the "
                "original, the bytes go with the next shot that is recorded into the sequence, or "
                f"with {self._recover_command}.",
                self._path,
            )
        )

    @property
    def _recover_command(self) -> str:
        if self._path is None or self._store.is_archive:
            return "`shotstore recover`"
        return f"`shotstore recover {typed(self._path)}`"

    def _compare(self, document: SequenceDocument) -> None:
        found = self.inspection
        if found.sequence_id not in (None, document.id):
            self.belongs_to_another = True
            self._damage(
                self.document_file,
                "shots.h5 beside it belongs to another sequence.",
                "Put the two files that belong together back, or restore them from a backup.",
            )
        said = 0 if document.state is State.PREPARING else document.number_of_shots
        if "shots" in found.names and said not in (None, found.number_of_shots):
            self._damage(
                self.document_file,
                f"It counts {said} shots, and shots.h5 holds {found.number_of_shots}: the two were "
                "copied at different moments, or one was restored without the other.",
                self.recovery,
            )

    def _advance(self, commits: int, steps: Iterator[None]) -> bool:
        """Read some chunks; whether there are more."""
        assert self._reader is not None
        shots = self._reader.shots(commits)
        self.inspection.view(shots.file, shots.length)
        deadline = monotonic() + _LONGEST_BATCH
        is_unfinished = False
        for _ in steps:
            if monotonic() > deadline:
                is_unfinished = True
                break
        shots.check()
        return is_unfinished

    def _steps(self, on_read: Callable[[int], object]) -> Iterator[None]:
        for name in self.inspection.names:
            chunks = self.inspection.chunks(name)
            yield
            for chunk in chunks:
                self.inspection.read(name, chunk)
                on_read(chunk.size)
                yield

    def _is_settled(self) -> bool:
        try:
            is_same = on_disk.read_file(str(self.document_file)) == self.content
            return is_same and (self._reader is None or self._reader.is_still(self.shots_file))
        except OSError:
            return True  # that it cannot be read, is among the findings

    def _close(self) -> None:
        self.inspection.close()
        if self._reader is not None:
            self._reader.close()

    # Helpers

    def _catch(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except DamagedStorageError as error:
            self.is_shots_file_damaged = True
            if isinstance(error.__cause__, OSError) and error.__cause__.filename:
                self.findings.append(unreadable(self.shots_file, error.__cause__, self._path))
            else:
                self._damage(self.shots_file, f"{self._what_of(error)}.", self.recovery)
        except StorageError as error:
            if error.__class__ is not StorageError:
                raise  # a lock, not a file
            self.findings.append(of_later_version(self.shots_file, error, self._path))
        except OSError as error:
            self.is_shots_file_damaged = self._reader is not None
            file = Path(error.filename or self._directory)
            self.findings.append(unreadable(file, error, self._path))
        return False

    def _what_of(self, error: DamagedStorageError) -> str:
        """Say what is wrong with a ``shots.h5`` that cannot be opened."""
        if error.__cause__ is not None:
            return f"HDF5 cannot read it ({reason(error.__cause__)})"
        length = self.shots_file.stat().st_size
        try:
            file = disk.File(self.shots_file, "r")
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

    def _load_exceptions(self) -> None:
        # What a serializer has written is for the programs that have it: it is not read here.
        if self.document is None:
            return
        crashes = [each for each in self.document.interruptions if each.state is State.CRASHED]
        errors = {"interruptions": [each.exception for each in crashes]}
        if self.document.state is State.CRASHED:
            errors["exception"] = [self.document.exception]
        for key, contents in errors.items():
            for content in contents:
                try:
                    TracebackSummary.from_json(content)
                except (ValueError, TypeError, LookupError, RecursionError) as error:
                    self._damage(
                        self.document_file, f"{key} is not what was stored ({reason(error)}).", MEND
                    )

    def _damage(self, file: Path, problem: str, remedy: str) -> None:
        self.findings.append(Finding("damage", file, problem, remedy, self._path))
