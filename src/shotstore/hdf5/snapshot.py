"""What a session has read from the tree of a store: read once, it stays the same.

Paths are texts relative to the root of the store, with slashes, as in the journal.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import on_disk
from shotstore.hdf5.conflicts import conflict, moved_away, name_of
from shotstore.hdf5.files import HasFiles, join
from shotstore.hdf5.known_documents import KnownDocuments
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, decomposed, directory_name, path_name
from shotstore.paths import PureSequencePath


class Snapshot:
    """Files, directories and their absence, as they were when the session first looked."""

    def __init__(self, store: HasFiles, known: KnownDocuments | None = None) -> None:
        """Of the files that a store has at the moment. Without ``known``, every document is read
        anew."""
        self._store = store
        self._known = known
        self.commits: int | None = None
        """How many transactions were committed when it was last known; None if nobody counts."""
        self._contents: dict[str, bytes | None] = {}
        self._listings: dict[str, dict[str, str]] = {}
        self._files: dict[str, tuple[str, ...]] = {}
        self._are_directories: dict[str, bool] = {}
        self._are_sequences: dict[str, bool] = {}
        self._unreadable: dict[str, OSError] = {}
        """Directories that the system does not let us look into."""

    def read(self, path: str) -> bytes | None:
        """The content of a document, or None if there is none.

        Raises:
            DamagedStorageError: it cannot be read.
        """
        if path not in self._contents:
            files = self._store.files
            place = files.locate(path)
            file = f"{files.root}/{place}"
            try:
                if place is None:
                    self._contents[path] = None
                elif self._known is None:
                    self._contents[path] = on_disk.read_file(file)
                else:
                    self._contents[path] = self._known.read(file, self.commits)
            except OSError as error:
                raise on_disk.unreadable(file, error) from error
        return self._contents[path]

    def is_readable(self, directory: str) -> bool:
        """Whether the system lets us look into a directory, as far as that was tried."""
        return directory not in self._unreadable

    def children(self, directory: str) -> dict[str, str]:
        """The directories of a folder that stand for paths: path name to directory name. Hidden
        and other people's directories are left out.

        Raises:
            TransactionConflictError: the directory was there before, and is not any more.
            DamagedStorageError: it cannot be read.
        """
        if directory not in self._listings and directory not in self._unreadable:
            try:
                self._listings[directory] = _list(self._store.files.list_directories(directory))
            except (FileNotFoundError, NotADirectoryError):
                if self._is_known(directory):
                    raise moved_away(name_of(directory)) from None
                # The root of the tree, in a copy that leaves out empty directories.
                self._listings[directory] = {}
            except OSError as error:
                self._unreadable[directory] = error
        if directory in self._unreadable:
            raise on_disk.unreadable(self._at(directory), self._unreadable[directory])
        return self._listings[directory]

    def entry(self, directory: str, name: str) -> str:
        """The directory in a folder that stands for a path name: the one that is there, or the
        one to make.

        Raises:
            InvalidPathFormatError: the disk cannot hold the name.
            DamagedStorageError: the folder cannot be read.
        """
        own = directory_name(name)
        if directory in self._listings:
            return self._listings[directory].get(name, own)
        other = decomposed(own)
        if other == own or self.is_directory(join(directory, own)):
            return own
        return other if self.is_directory(join(directory, other)) else own

    def files(self, directory: str) -> tuple[str, ...]:
        """Names of the files in a directory."""
        if directory not in self._files:
            self._files[directory] = self._store.files.list_files(directory)
        return self._files[directory]

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory.

        Raises:
            DamagedStorageError: the one that would hold it cannot be read.
        """
        above, _, entry = path.rpartition("/")
        if above in self._listings:
            return self._listings[above].get(path_name(entry) or "") == entry
        if path not in self._are_directories:
            try:
                self._are_directories[path] = self._store.files.is_directory(path)
            except OSError as error:
                raise on_disk.unreadable(self._at(above), error) from error
        return self._are_directories[path]

    def is_taken(self, path: str) -> bool:
        """Whether anything, ours or not, is at a path at this moment."""
        return self._store.files.exists(path)

    def is_sequence(self, directory: str) -> bool:
        """Whether a directory has the document of a sequence.

        Raises:
            TransactionConflictError: the directory was there before, and is not any more.
        """
        if directory not in self._are_sequences:
            files = self._store.files
            is_sequence = False
            try:
                is_sequence = files.is_file(join(directory, SEQUENCE_DOCUMENT))
                if not is_sequence and self._is_known(directory) and not files.exists(directory):
                    raise moved_away(name_of(directory))
            except OSError as error:
                self._unreadable[directory] = error
            self._are_sequences[directory] = is_sequence
        return self._are_sequences[directory]

    def document(self, directory: str) -> bytes:
        """The document of a sequence.

        Raises:
            TransactionConflictError: it was there before, and is not any more.
        """
        content = self.read(join(directory, SEQUENCE_DOCUMENT))
        if content is None:
            raise moved_away(name_of(directory))
        return content

    def _is_known(self, directory: str) -> bool:
        above, _, entry = directory.rpartition("/")
        return self._listings.get(above, {}).get(path_name(entry) or "") == entry or (
            self._are_directories.get(directory, False)
        )

    def scan(self, directory: str, *, documents: bool) -> Iterator[None]:
        """Read everything below a folder that is not known yet, a step at a time: a listing, or
        the document of a sequence if ``documents``."""
        pending = [directory]
        while pending:
            current = pending.pop()
            if documents and self._has_document(current):
                self._are_sequences[current] = True
            elif not self.is_sequence(current):
                with suppress(DamagedStorageError):  # one of them must not hide the others
                    pending.extend(join(current, name) for name in self.children(current).values())
            yield

    def _has_document(self, directory: str) -> bool:
        try:
            return self.read(join(directory, SEQUENCE_DOCUMENT)) is not None
        except DamagedStorageError:
            return False  # raised again where this one is asked for

    def copy(self) -> "Snapshot":
        """A snapshot that knows the same."""
        copy = Snapshot(self._store, self._known)
        copy.commits = self.commits
        copy.adopt(self)
        return copy

    def adopt(self, other: "Snapshot") -> None:
        """Know what the other one knows, which was copied from this one."""
        self._contents = dict(other._contents)
        self._listings = dict(other._listings)
        self._files = dict(other._files)
        self._are_directories = dict(other._are_directories)
        self._are_sequences = dict(other._are_sequences)
        self._unreadable = dict(other._unreadable)

    def _at(self, path: str) -> str:
        return f"{self._store.files.root}/{path}"

    def check(self) -> None:
        """Compare all that was read with the disk.

        Raises:
            TransactionConflictError: something is not what it was.
        """
        fresh = Snapshot(self._store)
        for path, content in self._contents.items():
            if fresh.read(path) != content:
                raise conflict(name_of(path))
        for directory, names in self._listings.items():
            if not fresh.is_directory(directory) or fresh.children(directory) != names:
                raise conflict(name_of(directory))
        for directory, files in self._files.items():
            if fresh.files(directory) != files:
                raise conflict(name_of(directory))
        for path, was_directory in self._are_directories.items():
            if fresh.is_directory(path) != was_directory:
                raise conflict(name_of(path))
        for directory, was_sequence in self._are_sequences.items():
            if fresh.is_sequence(directory) != was_sequence:
                raise conflict(name_of(directory))


def _list(found: Iterable[str]) -> dict[str, str]:
    # Where two forms of one name lie beside each other, the one that we write counts.
    entries = sorted(found, key=lambda entry: unicodedata.is_normalized("NFC", entry))
    names = {path_name(entry): entry for entry in entries}
    return {
        name: entry
        for name, entry in names.items()
        if name is not None and PureSequencePath.is_valid_name(name)
    }
