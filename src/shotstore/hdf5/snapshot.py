"""What a session has read from the tree of a store: read once, it stays the same.

Paths are texts relative to the root of the store, with slashes, as in the log.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from stat import S_ISDIR, S_ISREG
from typing import Any, Literal, TypeAlias, TypeVar

from shotstore.errors import DamagedStorageError, InvalidPathFormatError, StorageError
from shotstore.hdf5 import on_disk
from shotstore.hdf5.conflicts import conflict_error, moved_away_error, name_of
from shotstore.hdf5.files import HasFiles, join
from shotstore.hdf5.folders import Folder, folder_of
from shotstore.hdf5.known_documents import KnownDocuments
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, decomposed, directory_name, path_name

Kind: TypeAlias = Literal["sequence", "folder"]

_T = TypeVar("_T")

_AT_ONCE = 50
"""Documents that are read in one step."""


class NotKnownError(StorageError):
    """A document would have to be opened, and may not be."""


class Snapshot:
    """Files, directories and their absence, as they were when the session first looked."""

    def __init__(self, store: HasFiles, known: KnownDocuments | None = None) -> None:
        """Of the files that a store has at the moment. Without ``known``, every document is read
        anew."""
        self._store = store
        self._known = known
        self.commits: int | None = None
        """How many transactions were committed when it was last known; None if nobody counts."""
        self._documents: dict[str, bytes | None] = {}
        """The contents of documents that were read, by path; None of those that are not there."""
        self._seen: dict[tuple[Callable[[Snapshot, str], Any], str], Any] = {}
        """What else was found, by what was asked and of which path."""
        self._unreadable: dict[str, OSError] = {}
        """Directories that the system does not let us look into."""
        self.may_open = True
        """Whether documents may be opened, and not only recalled."""

    def _once(self, question: Callable[["Snapshot", str], _T], path: str) -> _T:
        key = question, path
        if key not in self._seen:
            self._seen[key] = question(self, path)
        answer: _T = self._seen[key]
        return answer

    def read(self, path: str) -> bytes | None:
        """The content of a document, or None if there is none.

        Raises:
            DamagedStorageError: it cannot be read.
        """
        if path not in self._documents:
            self._documents[path] = self._read(path)
        return self._documents[path]

    def _read(self, path: str) -> bytes | None:
        files = self._store.files
        content = files.document(path)
        if content is not None:
            return content
        place = files.locate(path)
        return None if place is None else self._read_file(f"{files.root}/{place}")

    def _read_file(self, file: str) -> bytes | None:
        try:
            if self._known is None:
                return on_disk.read_file(file)
            if self.may_open:
                return self._known.read(file, self.commits)
        except OSError as error:
            raise on_disk.unreadable_error(file, error) from error
        content = self._known.recall([file], self.commits)[0]
        if content is None:
            raise NotKnownError(f"{file} is not known, or has changed.")
        return content

    def folder(self, directory: str) -> Folder:
        """What is in the directory of a folder.

        Raises:
            TransactionConflictError: the directory was there before, and is not any more.
            DamagedStorageError: it cannot be read.
        """
        if directory in self._unreadable:
            raise on_disk.unreadable_error(self._at(directory), self._unreadable[directory])
        return self._once(Snapshot._list, directory)

    def _list(self, directory: str) -> Folder:
        names: list[str] = []  # of a root that was left out of a copy, as empty directories may be
        try:
            names = self._store.files.list_directories(directory)
        except (FileNotFoundError, NotADirectoryError):
            if self._was_there(directory):
                raise moved_away_error(name_of(directory)) from None
        except OSError as error:
            self._unreadable[directory] = error
            raise on_disk.unreadable_error(self._at(directory), error) from error
        root = str(self._store.files.root)
        if self._known is None:
            return folder_of(root, directory, names)
        return self._known.folders.get(root, directory, names)

    def contents(self, folder: Folder) -> list[bytes | None]:
        """The documents of what is in a folder, as far as they were read and are there."""
        return list(map(self._documents.get, folder.documents))

    def child(self, directory: str, name: str) -> tuple[str, Kind] | None:
        """The directory in a folder that stands for a path name, and what it is; None if there is
        none.

        Raises:
            DamagedStorageError: the folder cannot be read.
        """
        try:
            own = directory_name(name)
        except InvalidPathFormatError:
            return None  # a name that the disk cannot hold is not on it
        folder = self._seen.get((Snapshot._list, directory))
        forms = (own,) if own.isascii() else (own, decomposed(own))
        for entry in forms if folder is None else filter(None, [folder.children.get(name)]):
            place = f"{directory}/{entry}" if directory else entry
            kind = self._once(Snapshot._look_at, place)
            if kind is not None:
                return place, kind
        return None

    def files(self, directory: str) -> tuple[str, ...]:
        """Names of the files in a directory."""
        return self._once(Snapshot._list_files, directory)

    def _list_files(self, directory: str) -> tuple[str, ...]:
        return self._store.files.list_files(directory)

    def is_taken(self, path: str) -> bool:
        """Whether anything, ours or not, is at a path at this moment."""
        return self._store.files.exists(path)

    def kind(self, directory: str) -> Kind | None:
        """What a directory is: with the document of a sequence or without; None if there is none.

        Raises:
            TransactionConflictError: the directory was there before, and is not any more.
            DamagedStorageError: the one that would hold it cannot be read.
        """
        return self._once(Snapshot._look_at, directory)

    def _look_at(self, directory: str) -> Kind | None:
        document = f"{directory}/{SEQUENCE_DOCUMENT}" if directory else SEQUENCE_DOCUMENT
        if self._documents.get(document) is not None:
            return "sequence"
        files = self._store.files
        has_document = False
        try:
            has_document = S_ISREG(files.mode(document))
        except OSError as error:
            self._unreadable[directory] = error
        # The system finds one behind a link too, which may lead out of the store. A listing has
        # told them apart.
        if has_document and self._was_there(directory):
            return "sequence"
        try:
            if S_ISDIR(files.mode(directory)):
                return "sequence" if has_document else "folder"
        except OSError as error:
            above = self._at(directory.rpartition("/")[0])
            raise on_disk.unreadable_error(above, error) from error
        if not self._was_there(directory):
            return None
        try:
            if files.exists(directory):
                return "folder"
        except OSError as error:  # its path is longer than the system takes
            self._unreadable[directory] = error
            return "folder"
        raise moved_away_error(name_of(directory))

    def document(self, directory: str) -> bytes:
        """The document of a sequence.

        Raises:
            TransactionConflictError: it was there before, and is not any more.
        """
        content = self.read(f"{directory}/{SEQUENCE_DOCUMENT}" if directory else SEQUENCE_DOCUMENT)
        if content is None:
            raise moved_away_error(name_of(directory))
        return content

    def _was_there(self, directory: str) -> bool:
        above, _, entry = directory.rpartition("/")
        folder = self._seen.get((Snapshot._list, above))
        return (
            folder is not None and folder.children.get(path_name(entry) or "") == entry
        ) or self._seen.get((Snapshot._look_at, directory)) is not None

    def scan(self, directory: str, *, documents: bool) -> Iterator[None]:
        """Read everything below a folder that is not known yet, a step at a time: listings, and
        the documents of sequences if ``documents``."""
        pending = [directory]
        while pending:
            yield
            current = pending.pop()
            with suppress(DamagedStorageError):  # one of them must not hide the others
                if self.kind(current) == "sequence":
                    if documents:
                        self.read(join(current, SEQUENCE_DOCUMENT))
                    continue
                folder = self.folder(current)
                if documents and self._store.files.lie_in_place:
                    for start in range(0, len(folder.documents), _AT_ONCE):
                        part = slice(start, start + _AT_ONCE)
                        self._read_some(folder.documents[part], folder.files[part])
                        yield
                contents = zip(folder.children.values(), self.contents(folder), strict=True)
                pending += [join(current, entry) for entry, found in contents if found is None]

    def _read_some(self, documents: list[str], files: list[str]) -> None:
        """Read some documents, as far as it is possible, which lie in these files."""
        found: list[bytes | None] = [None] * len(files)
        if self._known is not None:
            found = self._known.recall(files, self.commits)
        if None not in found and self._documents.keys().isdisjoint(documents):
            self._documents.update(zip(documents, found, strict=True))
            return
        for document, file, content in zip(documents, files, found, strict=True):
            if document not in self._documents:
                with suppress(DamagedStorageError):  # raised again where this one is asked for
                    self._documents[document] = content or self._read_file(file)

    def forget(self) -> None:
        """Know nothing, as in the beginning."""
        self.adopt(Snapshot(self._store))

    def copy(self) -> "Snapshot":
        """A snapshot that knows the same."""
        copy = Snapshot(self._store, self._known)
        copy.commits = self.commits
        copy.adopt(self)
        return copy

    def adopt(self, other: "Snapshot") -> None:
        """Know what the other one knows, which was copied from this one."""
        self._documents = dict(other._documents)
        self._seen = dict(other._seen)
        self._unreadable = dict(other._unreadable)

    def _at(self, path: str) -> str:
        return f"{self._store.files.root}/{path}"

    def check(self) -> None:
        """Compare all that was read with the disk.

        Raises:
            TransactionConflictError: something is not what it was.
        """
        fresh = Snapshot(self._store)
        for path, content in self._documents.items():
            if fresh.read(path) != content:
                raise conflict_error(name_of(path))
        for (question, path), answer in self._seen.items():
            if fresh._once(question, path) != answer:
                raise conflict_error(name_of(path))
