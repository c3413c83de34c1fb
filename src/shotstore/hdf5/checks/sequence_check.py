"""Read one sequence completely: its document, its ``shots.h5``, and whether the two agree; and its
``results.h5``, if it has one."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.checks.file_check import FileCheck, is_there
from shotstore.hdf5.checks.findings import MEND, check_document, reason, unreadable, what_of
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import FILES_OF_ROWS, SEQUENCE_DOCUMENT
from shotstore.hdf5.store import Store
from shotstore.hdf5.worker import run
from shotstore.paths import PureSequencePath
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

_T = TypeVar("_T")


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
        self._path = path
        self._directory = store.root / directory
        self.document_file = self._directory / SEQUENCE_DOCUMENT
        self.shots, self.results = (
            FileCheck(store, self._directory / name, path, is_only_writer=is_only_writer)
            for name in FILES_OF_ROWS
        )
        self._files = self.shots, self.results
        self.document: SequenceDocument | None = None
        self._findings: list[Finding] = []
        self.content: bytes | None = None
        """The content of ``sequence.json``, if there is one."""
        self.is_document_unreadable = False
        """Whether the system refuses to read ``sequence.json``."""

    @property
    def findings(self) -> list[Finding]:
        """All that was found."""
        return [*self._findings, *self.shots.findings, *self.results.findings]

    @property
    def number_of_shots(self) -> int:
        """How many shots there are."""
        return self.shots.inspection.number_of_shots

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
            self.shots.attempt(lambda: reading(self._begin))
            for file in self._files:
                if file.is_readable:
                    steps = file.steps(on_read)
                    while file.attempt(partial(reading, partial(file.advance, steps=steps))):
                        pass
                file.report_problems()
            is_settled = reading(lambda _: self._is_settled())
        finally:
            run(self._close)
        self._load_exceptions()
        return is_settled

    @property
    def size(self) -> int:
        """Bytes in the files of rows."""
        return self.shots.size + self.results.size

    # Steps, each while commits are kept out

    def _begin(self, commits: int) -> bool:
        """Read the document, and what the files say of themselves."""
        has_shots = is_there(self.shots)
        try:
            self.content = content = on_disk.read_file(str(self.document_file))
        except OSError as error:
            self.is_document_unreadable = True
            self._findings.append(unreadable(self.document_file, error, self._path))
            content = None
        if self.is_document_unreadable:
            pass
        elif content is None:
            if has_shots:
                self.shots.report(
                    "It has no sequence.json, so nobody sees it.", self.shots.recovery
                )
        else:
            keys, self._findings = check_document(
                "sequence", content, self.document_file, self._path
            )
            if keys is not None:
                try:
                    self.document = documents.load_sequence(content, self.document_file)
                except DamagedStorageError as error:
                    self._damage(f"{what_of(error)}.", MEND)
        self._open(commits, has_shots=has_shots)
        return False

    def _open(self, commits: int, *, has_shots: bool) -> None:
        state = None if self.document is None else self.document.state
        if state is State.DRAFT:
            for file in self._files:
                if is_there(file):
                    what = "results" if file.holds_results else "shots"
                    self._damage(
                        f"The sequence is a draft, and has {what} all the same: sequence.json is "
                        f"older than {file.file.name}.",
                        file.recovery,
                    )
            return
        if has_shots:
            self.shots.attempt(lambda: self._open_file(commits, self.shots))
        elif state is not None and not (
            # It crashed before its launch was complete.
            state is State.CRASHED and self.document and self.document.start_time is None
        ):
            self._report_missing()
        if is_there(self.results):
            self.results.attempt(lambda: self._open_file(commits, self.results))
        elif on_disk.is_link(self.results.file):
            self.results.report_link()

    def _open_file(self, commits: int, file: FileCheck) -> bool:
        file.open(commits, self.document)
        if self.document is not None:
            self._compare(file, self.document)
        return False

    def _report_missing(self) -> None:
        if on_disk.is_link(self.shots.file):
            self.shots.report_link()
        else:
            self.shots.report(
                "It is missing, which holds the shots of a launched sequence.",
                "Copy it again, or restore it from a backup.",
            )

    def _compare(self, file: FileCheck, document: SequenceDocument) -> None:
        if file.belongs_to_another:
            self._damage(
                f"{file.file.name} beside it belongs to another sequence.",
                "Put the two files that belong together back, or restore them from a backup.",
            )
        found = file.inspection
        said = 0 if document.state is State.PREPARING else document.number_of_shots
        if file.holds_results or "shots" not in found.names:
            return
        if said not in (None, found.number_of_shots) or document.number_of_rows not in (
            None,
            found.number_of_rows,
        ):
            self._damage(
                f"It counts {said} shots, and shots.h5 holds {found.number_of_shots}: the two were "
                "copied at different moments, or one was restored without the other.",
                file.recovery,
            )

    def _is_settled(self) -> bool:
        try:
            is_same = on_disk.read_file(str(self.document_file)) == self.content
            return is_same and all(file.is_still_there() for file in self._files)
        except OSError:
            return True  # that it cannot be read, is among the findings

    def _close(self) -> None:
        for file in self._files:
            file.close()

    # Helpers

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
                    self._damage(f"{key} is not what was stored ({reason(error)}).", MEND)

    def _damage(self, problem: str, remedy: str) -> None:
        """Take down damage of the document."""
        finding = Finding("damage", self.document_file, problem, remedy, self._path)
        self._findings.append(finding)
