"""Read everything in a store, and report what is not as it should be.

Nothing is changed, except that a commit which a killed program has left is finished, as every
session does it. Sessions go on meanwhile: files are read in short pieces, and commits come in
between.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.checks.inspection import reason
from shotstore.hdf5.checks.leftovers import find_damaged_held, find_journal, find_staged
from shotstore.hdf5.checks.lookalikes import (
    find_copies_of_files,
    find_names_differing_in_case,
    find_same_ids,
)
from shotstore.hdf5.checks.report import Finding, Progress, Report
from shotstore.hdf5.checks.sequence_check import (
    MEND,
    SequenceCheck,
    check_document,
    unreadable,
    what_of,
)
from shotstore.hdf5.documents import Format
from shotstore.hdf5.files import join
from shotstore.hdf5.names import FOLDER_DOCUMENT, SEQUENCE_DOCUMENT, SHOTS_FILE, path_name
from shotstore.hdf5.places import root_node
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.store import DEVICES, GLOBAL_PARAMETERS, MARKER, TRASH, Store
from shotstore.hdf5.tree import Tree
from shotstore.hdf5.unit_documents import UNITS, definitions_in
from shotstore.hdf5.unseen import holds_sequence, seen_as, what_to_call
from shotstore.hdf5.worker import run
from shotstore.model import Serializer
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules

_T = TypeVar("_T")

_NOTHING: tuple[list[str], list[str]] = [], []
_TRIES = 3


def verify(
    store: Store,
    serializer: Serializer,
    path: PureSequencePath | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read everything at and below a path, or in the whole store; see
    `HDF5StorageManager.verify`."""
    return _Verification(store, serializer, progress).run(path)


@frozen
class _Place:
    directory: str
    """Relative to the root of the store."""
    path: PureSequencePath | None
    """None in the trash."""


_NO_PLACES: list[_Place] = []


class _Verification:
    def __init__(self, store: Store, serializer: Serializer, progress: Progress | None) -> None:
        self._store = store
        self._serializer = serializer
        self._progress = progress
        self._findings: list[Finding] = []
        self._finishes_journal = True
        self._unfinished: set[str] = set()
        self._seen: set[str] = set()
        """Directories of sequences."""
        self._listed: set[str] = set()
        """Other directories of which something was said already."""
        self._places: dict[str, list[_Place]] = {}
        """Of sequences, by id."""
        self._sequences = 0
        self._shots = 0
        self._size = 0
        self._total = 0

    def run(self, path: PureSequencePath | None) -> Report:
        store = self._store
        run(self._look_at_journal)
        self._reading(lambda _: None)  # a journal that can be finished, is
        if not store.is_archive:
            run(self._find_kept_back)
        is_whole = path is None or path.is_root()
        if is_whole and not store.is_archive:
            self._check_own_documents()
        commits = self._reading(lambda commits: commits)
        for _ in range(_TRIES):
            # What is moved meanwhile is found at its new place in the next turn.
            self._check_tree(self._start(None if is_whole else path))
            before, commits = commits, self._reading(lambda commits: commits)
            if commits == before:
                break
        self._note(self._reading(self._find_same_ids))
        if is_whole:
            self._check_trash()
            if self._finishes_journal:
                self._findings += self._reading(lambda _: find_staged(store))
        return Report(store.root, self._findings, self._sequences, self._shots, self._size)

    # The store

    def _look_at_journal(self) -> None:
        with self._store.reading(finish=False):
            finding, journal = find_journal(self._store)
            damaged = find_damaged_held(self._store)
        self._findings += damaged
        self._finishes_journal = self._finishes_journal and not damaged
        if finding is not None:
            self._findings.append(finding)
            self._finishes_journal = False
        if finding is not None and journal is not None:
            patched = {str(Path(patch.path).parent.as_posix()) for patch in journal.patches}
            renames = (*journal.replacements, *journal.departures, *journal.arrivals)
            names = {name for r in renames for name in (r.source, r.destination)}
            replaced = {Path(r.destination).parent.as_posix() for r in journal.replacements}
            self._unfinished = patched | names | replaced

    def _find_kept_back(self) -> None:
        if not self._finishes_journal:
            return  # said already
        for kept in self._store.retry():
            remedy = f"{kept.remedy}. {kept.consequence}"
            self._findings.append(Finding("damage", kept.file, f"{kept.what}: {kept.why}.", remedy))
            self._unfinished |= kept.paths

    def _check_own_documents(self) -> None:
        parts: list[tuple[str, Callable[[], object]]] = []

        def read(_: int) -> None:
            self._check_document("store", MARKER)
            keys = self._check_document("global parameters", GLOBAL_PARAMETERS)
            if keys is not None:
                parts.append((GLOBAL_PARAMETERS, partial(keys.__getitem__, "parameters")))
            if (units := self._check_document("units", UNITS)) is not None:
                parts.append((UNITS, partial(definitions_in, units)))
            devices = self._store.root / DEVICES
            for name in self._try(devices, lambda: _entries(devices), _NOTHING)[0]:
                if not name.endswith(".json") or path_name(name.removesuffix(".json")) is None:
                    continue  # somebody else's
                file = f"{DEVICES}/{name}"
                keys = self._check_document("device configuration", file)
                if keys is not None:
                    parts.append((file, partial(self._load_device, keys)))

        self._reading(read)
        # What a serializer has written is for the programs that have it: it is not read here.
        for file, load in parts:
            try:
                load()
            except Exception as error:
                problem = f"It lacks or garbles a key ({reason(error)})."
                self._findings.append(Finding("damage", self._store.root / file, problem, MEND))

    def _load_device(self, keys: Mapping[str, Any]) -> object:
        return check_text(keys["type"], "The type"), keys["content"]

    # The tree

    def _start(self, path: PureSequencePath | None) -> list[_Place]:
        def find(_: int) -> list[_Place]:
            root = root_node(self._store)
            snapshot = Snapshot(self._store.commits)
            node = Tree(snapshot, root, self._store.root).find(path or PureSequencePath.root())
            if node is None:
                raise path_rules.path_not_found_error(path or PureSequencePath.root())
            nodes = [node] if node.directory is not None else list(node.children.values())
            return [_Place(found.directory or "", found.path) for found in nodes]

        return self._reading(find)

    def _check_tree(self, pending: list[_Place]) -> None:
        sequences: list[_Place] = []
        while pending:
            place = pending.pop()
            children, is_sequence = self._list_at_rest(place)
            if is_sequence:
                sequences.append(place)
            pending += reversed(children)
        new = [place for place in sequences if place.directory not in self._seen]
        checks = {place: self._check(place) for place in new}
        self._total += sum(check.size for check in checks.values())
        for place, check in checks.items():
            self._seen.add(place.directory)
            done = self._size
            self._check_sequence(place, check)
            self._size = done + check.size
            self._tell()

    def _check(self, place: _Place) -> SequenceCheck:
        return SequenceCheck(self._store, self._serializer, place.directory, place.path)

    def _list_at_rest(self, place: _Place) -> tuple[list[_Place], bool]:
        return self._reading(lambda _: self._list(place))

    def _list(self, place: _Place) -> tuple[list[_Place], bool]:
        """The folders and sequences in a directory, and whether it is a sequence itself."""
        directory = self._store.root / place.directory
        if place.directory in self._unfinished:
            return [], False
        files, names = self._try(directory, lambda: _entries(directory), _NOTHING, place.path)
        if SEQUENCE_DOCUMENT in files:
            self._find_hidden(place, names)
            self._note(find_copies_of_files(directory, files, place.path))
            return [], True
        if place.directory not in self._listed:
            self._listed.add(place.directory)
            if FOLDER_DOCUMENT in files:
                self._check_document("folder", join(place.directory, FOLDER_DOCUMENT), place.path)
        children = []
        for entry in names:
            name = seen_as(entry, names)
            below = join(place.directory, entry)
            if name is None:
                self._find_misnamed(below, what_to_call(entry, names), place.path)
            else:
                children.append(_Place(below, None if place.path is None else place.path / name))
        known = [name for name in map(path_name, names) if name is not None]
        self._note(find_names_differing_in_case(directory, known, place.path))
        return children, SHOTS_FILE in files

    def _find_hidden(self, place: _Place, names: list[str]) -> None:
        """Report sequences inside of a sequence, where nobody sees them."""
        pending = [join(place.directory, name) for name in reversed(names)]
        while pending:
            directory = pending.pop()
            if directory in self._listed:
                continue
            self._listed.add(directory)
            below = self._store.root / directory
            files, names = self._try(below, partial(_entries, below), _NOTHING, place.path)
            if SEQUENCE_DOCUMENT in files or SHOTS_FILE in files:
                self._findings.append(
                    Finding(
                        "damage",
                        self._store.root / directory,
                        "A sequence lies inside of another one, where nobody sees it.",
                        "Move the directory to a place in the tree of its own.",
                        place.path,
                    )
                )
            pending += [join(directory, name) for name in names]

    def _find_same_ids(self, _: int) -> list[Finding]:
        def is_there(place: _Place) -> bool:
            # It may have been moved since, and found again at its other place.
            file = self._store.root / place.directory / SEQUENCE_DOCUMENT
            return self._try(file, lambda: on_disk.is_regular_file(file), False)

        several = (places for places in self._places.values() if len(places) > 1)
        there = [[place.path for place in places if is_there(place)] for places in several]
        return [*find_same_ids(there, self._store.root)]

    def _find_misnamed(self, directory: str, better: str, path: PureSequencePath | None) -> None:
        """Report a directory with sequences in it that has a name which shotstore does not give."""
        file = self._store.root / directory
        if directory not in self._listed and holds_sequence(file):
            self._listed.add(directory)
            self._findings.append(
                Finding(
                    "damage",
                    file,
                    "It holds a sequence, but its name is none that shotstore gives, so nobody "
                    "sees what is in it.",
                    f"Rename the directory to {better!r}.",
                    path,
                )
            )

    def _check_sequence(self, place: _Place, check: SequenceCheck) -> None:
        for _ in range(_TRIES):
            size = self._size
            is_settled = check.run(self._reading, self._note_read)
            if is_settled or not check.findings:
                break
            self._size = size
            directory = self._store.root / place.directory
            if not self._try(directory, partial(on_disk.is_directory, directory), True):
                return  # moved or deleted meanwhile
            check = self._check(place)
        self._findings += check.findings
        if check.document is not None and place.path is not None:
            self._places.setdefault(check.document.id, []).append(place)
        self._sequences += 1
        self._shots += check.number_of_shots

    # The trash

    def _check_trash(self) -> None:
        places: list[_Place] = []

        def find(_: int) -> None:
            root = self._store.root / TRASH
            if self._store.is_archive:
                return
            for name in self._try(root, lambda: _entries(root), _NOTHING)[1]:
                entry = f"{TRASH}/{name}"
                if entry not in self._unfinished:
                    directory = self._store.root / entry
                    places.extend(
                        self._try(directory, partial(self._check_entry, entry), _NO_PLACES)
                    )

        self._reading(find)
        self._check_tree(places)

    def _check_entry(self, entry: str) -> list[_Place]:
        """Where what an entry holds is to be checked."""
        directory = self._store.root / entry
        keys = self._check_document("trash entry", f"{entry}/entry.json")
        if not on_disk.is_directory(directory):
            return []  # somebody has emptied the trash
        if keys is None or not on_disk.is_directory(directory / "content"):
            self._findings.append(
                Finding(
                    "note",
                    directory,
                    "This entry of the trash cannot be restored by shotstore.",
                    "Move what is in its content directory back by hand, or remove it.",
                )
            )
            return []
        if keys.get("reason") == "recovered":
            return []  # that is known to be damaged
        return [_Place(f"{entry}/content", None)]

    # Helpers

    def _try(
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
            self._note([unreadable(file, error, path)])
            return otherwise

    def _reading(self, function: Callable[[int], _T]) -> _T:
        def job() -> _T:
            with ExitStack() as stack:
                reading = self._store.reading
                if self._finishes_journal:
                    try:
                        commits = stack.enter_context(reading())
                    except DamagedStorageError:
                        # A journal that a program has left since, which cannot be finished.
                        stack.close()
                        self._look_at_journal()
                        self._finishes_journal = False
                        commits = stack.enter_context(reading(finish=False))
                else:
                    commits = stack.enter_context(reading(finish=False))
                return function(commits)

        result = run(job)
        self._tell()
        return result

    def _note(self, findings: Iterable[Finding]) -> None:
        """Say it, once: what lies in a directory is looked at again where commits come between."""
        self._findings += [finding for finding in findings if finding not in self._findings]

    def _note_read(self, size: int) -> None:
        self._size += size

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(min(self._size, self._total), self._total)

    def _check_document(
        self, what: Format, file: str, path: PureSequencePath | None = None
    ) -> dict[str, Any] | None:
        """The keys of a document; None if it is damaged, or is not there."""
        location = self._store.root / file
        if file in self._unfinished:
            return None
        content = self._try(location, lambda: on_disk.read_file(str(location)), None, path)
        if content is None:
            return None
        keys, findings = check_document(what, content, location, path)
        if keys is not None and what == "folder":
            try:
                documents.load_folder(content, location)
            except StorageError as error:
                why = what_of(error)
                findings.append(Finding("damage", location, f"{why}.", MEND, path))
        self._findings += findings
        return keys


def _entries(directory: Path) -> tuple[list[str], list[str]]:
    """Names of the files and of the directories in a directory, without hidden directories; none
    if it is not there, as where others empty the trash meanwhile.

    Raises:
        OSError: it cannot be read.
    """
    if not (on_disk.exists(directory) and on_disk.is_directory(directory)):
        return [], []
    try:
        files, names = on_disk.list_files(str(directory)), on_disk.list_directories(str(directory))
    except FileNotFoundError:
        return [], []
    return [*files], sorted(name for name in names if not name.startswith("."))
