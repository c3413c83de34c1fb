"""A store that is being checked, while sessions go on: what is read of it, and what was found."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.checks.findings import MEND, check_document, unreadable, what_of
from shotstore.hdf5.checks.leftovers import find_damaged_held, find_log
from shotstore.hdf5.checks.report import Finding, Progress
from shotstore.hdf5.documents import Format
from shotstore.hdf5.store import Store
from shotstore.hdf5.worker import run
from shotstore.paths import PureSequencePath

_T = TypeVar("_T")


class CheckedStore:
    """Reads a store a piece at a time, and takes down what is not as it should be."""

    def __init__(self, store: Store, progress: Progress | None) -> None:
        self.store = store
        self._progress = progress
        self.findings: list[Finding] = []
        self.finishes_log = True
        """Whether commits that a killed program has left can be carried out."""
        self.unfinished: set[str] = set()
        """What is not to be looked at, since such a commit changes it."""
        self.size = 0
        """Bytes that were read."""
        self.total = 0
        """Bytes that there are, as far as that is known."""

    def look_at_log(self) -> None:
        """Report commits that cannot be carried out, and what was kept back and cannot be read."""
        with self.store.reading(finish=False):
            finding, record = find_log(self.store)
            damaged = find_damaged_held(self.store)
        self.findings += damaged
        self.finishes_log = self.finishes_log and not damaged
        if finding is not None:
            self.findings.append(finding)
            self.finishes_log = False
        if finding is not None and record is not None:
            changed = {patch.path for patch in record.patches}
            changed |= {document.path for document in record.documents}
            self.unfinished = record.paths | {Path(path).parent.as_posix() for path in changed}

    def find_kept_back(self) -> None:
        """Report what could not be carried out of commits."""
        if not self.finishes_log:
            return  # said already
        for kept in self.store.retry():
            remedy = f"{kept.remedy}. {kept.consequence}"
            self.findings.append(Finding("damage", kept.file, f"{kept.what}: {kept.why}.", remedy))
            self.unfinished |= kept.paths

    def attempt(
        self,
        file: Path,
        read: Callable[[], _T],
        otherwise: _T,
        path: PureSequencePath | None = None,
    ) -> _T:
        """What is read of a file or directory. One that the system refuses to read is a finding,
        and keeps nothing else from being checked."""
        try:
            return read()
        except OSError as error:
            self.note([unreadable(file, error, path)])
            return otherwise

    def entries(
        self, directory: Path, path: PureSequencePath | None = None
    ) -> tuple[list[str], list[str]]:
        """Names of the files and of the directories in a directory, without hidden directories;
        none if it is not there, as where others empty the trash meanwhile."""
        nothing: tuple[list[str], list[str]] = [], []
        return self.attempt(directory, lambda: _entries(directory), nothing, path)

    def read(self, function: Callable[[int], _T]) -> _T:
        """Call a function that reads files on a worker thread, with the number of commits, while
        they are kept out."""

        def job() -> _T:
            with ExitStack() as stack:
                reading = self.store.reading
                if self.finishes_log:
                    try:
                        commits = stack.enter_context(reading())
                    except DamagedStorageError:
                        # What a program has left since, and cannot be carried out.
                        stack.close()
                        self.look_at_log()
                        self.finishes_log = False
                        commits = stack.enter_context(reading(finish=False))
                else:
                    commits = stack.enter_context(reading(finish=False))
                return function(commits)

        result = run(job)
        self.tell()
        return result

    def note(self, findings: Iterable[Finding]) -> None:
        """Say it, once: what lies in a directory is looked at again where commits come between."""
        self.findings += [finding for finding in findings if finding not in self.findings]

    def note_read(self, size: int) -> None:
        """So many bytes more were read."""
        self.size += size

    def tell(self) -> None:
        """Say how far it has come."""
        if self._progress is not None:
            self._progress(min(self.size, self.total), self.total)

    def check_document(
        self, what: Format, file: str, path: PureSequencePath | None = None
    ) -> dict[str, Any] | None:
        """The keys of a document; None if it is damaged, or is not there."""
        location = self.store.root / file
        if file in self.unfinished:
            return None
        content = self.attempt(location, lambda: on_disk.read_file(str(location)), None, path)
        if content is None:
            return None
        keys, findings = check_document(what, content, location, path)
        if keys is not None and what == "folder":
            try:
                documents.load_folder(content, location)
            except StorageError as error:
                why = what_of(error)
                findings.append(Finding("damage", location, f"{why}.", MEND, path))
        self.findings += findings
        return keys


def _entries(directory: Path) -> tuple[list[str], list[str]]:
    if not (on_disk.exists(directory) and on_disk.is_directory(directory)):
        return [], []
    try:
        files, names = on_disk.list_files(str(directory)), on_disk.list_directories(str(directory))
    except FileNotFoundError:
        return [], []
    return [*files], sorted(name for name in names if not name.startswith("."))
