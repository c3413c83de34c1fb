"""Read everything in a store, and report what is not as it should be.

Nothing is changed, except that a commit which a killed program has left is finished, as every
session does it. Sessions go on meanwhile: files are read in short pieces, and commits come in
between.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from attrs import frozen

from shotstore.hdf5 import on_disk
from shotstore.hdf5.checks.checked_store import CheckedStore
from shotstore.hdf5.checks.findings import MEND, reason
from shotstore.hdf5.checks.leftovers import find_staged
from shotstore.hdf5.checks.lookalikes import (
    find_copies_of_files,
    find_names_differing_in_case,
    find_same_ids,
)
from shotstore.hdf5.checks.ranges_check import find_wrong_ranges
from shotstore.hdf5.checks.report import Finding, Progress, Report
from shotstore.hdf5.checks.sequence_check import SequenceCheck
from shotstore.hdf5.files import join
from shotstore.hdf5.names import FOLDER_DOCUMENT, SEQUENCE_DOCUMENT, SHOTS_FILE, path_name
from shotstore.hdf5.places import root_node
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.store import DEVICES, GLOBAL_PARAMETERS, MARKER, TRASH, Store
from shotstore.hdf5.tree import Tree
from shotstore.hdf5.unit_documents import UNITS, definitions_in
from shotstore.hdf5.unseen import holds_sequence, seen_as, what_to_call
from shotstore.hdf5.worker import run
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules

_T = TypeVar("_T")

_TRIES = 3


def verify(
    store: Store,
    path: PureSequencePath | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read everything at and below a path, or in the whole store; see
    `HDF5StorageManager.verify`."""
    return _Verification(store, progress).run(path)


@frozen
class _Place:
    directory: str
    """Relative to the root of the store."""
    path: PureSequencePath | None
    """None in the trash."""


_NO_PLACES: list[_Place] = []


class _Verification:
    def __init__(self, store: Store, progress: Progress | None) -> None:
        self._store = store
        self._checked = CheckedStore(store, progress)
        self._seen: set[str] = set()
        """Directories of sequences."""
        self._listed: set[str] = set()
        """Other directories of which something was said already."""
        self._places: dict[str, list[_Place]] = {}
        """The places of sequences, by id."""
        self._sequences = 0
        self._shots = 0

    def run(self, path: PureSequencePath | None) -> Report:
        store = self._store
        run(self._checked.look_at_log)
        self._checked.read(lambda _: None)  # what can be carried out of the log, is
        if not store.is_archive:
            run(self._checked.find_kept_back)
        is_whole = path is None or path.is_root()
        if is_whole and not store.is_archive:
            self._check_own_documents()
        commits = self._checked.read(lambda commits: commits)
        for _ in range(_TRIES):
            # What is moved meanwhile is found at its new place in the next turn.
            self._check_tree(self._start(None if is_whole else path))
            before, commits = commits, self._checked.read(lambda commits: commits)
            if commits == before:
                break
        self._checked.note(self._checked.read(self._find_same_ids))
        if is_whole:
            self._check_trash()
            if self._checked.finishes_log:
                self._checked.findings += self._checked.read(lambda _: find_staged(store))
        return Report(
            store.root, self._checked.findings, self._sequences, self._shots, self._checked.size
        )

    # The store

    def _check_own_documents(self) -> None:
        parts: list[tuple[str, Callable[[], object]]] = []

        def read(_: int) -> None:
            self._checked.check_document("store", MARKER)
            keys = self._checked.check_document("global parameters", GLOBAL_PARAMETERS)
            if keys is not None:
                parts.append((GLOBAL_PARAMETERS, partial(keys.__getitem__, "parameters")))
            if (units := self._checked.check_document("units", UNITS)) is not None:
                parts.append((UNITS, partial(definitions_in, units)))
            devices = self._store.root / DEVICES
            for name in self._checked.entries(devices)[0]:
                if not name.endswith(".json") or path_name(name.removesuffix(".json")) is None:
                    continue  # somebody else's
                file = f"{DEVICES}/{name}"
                keys = self._checked.check_document("device configuration", file)
                if keys is not None:
                    parts.append((file, partial(self._load_device, keys)))

        self._checked.read(read)
        # What a serializer has written is for the programs that have it: it is not read here.
        for file, load in parts:
            try:
                load()
            except Exception as error:
                problem = f"It lacks or garbles a key ({reason(error)})."
                self._checked.findings.append(
                    Finding("damage", self._store.root / file, problem, MEND)
                )

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

        return self._checked.read(find)

    def _check_tree(self, pending: list[_Place]) -> None:
        sequences: list[_Place] = []
        while pending:
            place = pending.pop()
            children, is_sequence = self._checked.read(partial(self._list, place))
            if is_sequence:
                sequences.append(place)
            pending += reversed(children)
        new = [place for place in sequences if place.directory not in self._seen]
        checks = {place: SequenceCheck(self._store, place.directory, place.path) for place in new}
        self._checked.total += sum(check.size for check in checks.values())
        for place, check in checks.items():
            self._seen.add(place.directory)
            done = self._checked.size
            self._check_sequence(place, check)
            self._checked.size = done + check.size
            self._checked.tell()

    def _list(self, place: _Place, _: int) -> tuple[list[_Place], bool]:
        """The folders and sequences in a directory, and whether it is a sequence itself."""
        directory = self._store.root / place.directory
        if place.directory in self._checked.unfinished:
            return [], False
        files, names = self._checked.entries(directory, place.path)
        if SEQUENCE_DOCUMENT in files:
            self._find_hidden(place, names)
            self._checked.note(find_copies_of_files(directory, files, place.path))
            return [], True
        if place.directory not in self._listed:
            self._listed.add(place.directory)
            if FOLDER_DOCUMENT in files:
                self._checked.check_document(
                    "folder", join(place.directory, FOLDER_DOCUMENT), place.path
                )
        children = []
        for entry in names:
            name = seen_as(entry, names)
            below = join(place.directory, entry)
            if name is None:
                self._find_misnamed(below, what_to_call(entry, names), place.path)
            else:
                children.append(_Place(below, None if place.path is None else place.path / name))
        known = [name for name in map(path_name, names) if name is not None]
        self._checked.note(find_names_differing_in_case(directory, known, place.path))
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
            files, names = self._checked.entries(below, place.path)
            if SEQUENCE_DOCUMENT in files or SHOTS_FILE in files:
                self._checked.findings.append(
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
            return self._checked.attempt(file, lambda: on_disk.is_regular_file(file), False)

        several = (places for places in self._places.values() if len(places) > 1)
        there = [[place.path for place in places if is_there(place)] for places in several]
        return [*find_same_ids(there, self._store.root)]

    def _find_misnamed(self, directory: str, better: str, path: PureSequencePath | None) -> None:
        """Report a directory with sequences in it that has a name which shotstore does not give."""
        file = self._store.root / directory
        if directory not in self._listed and holds_sequence(file):
            self._listed.add(directory)
            self._checked.findings.append(
                Finding(
                    "damage",
                    file,
                    "It holds a sequence, but its name is not one that shotstore gives, so nobody "
                    "sees what is in it.",
                    f"Rename the directory to {better!r}.",
                    path,
                )
            )

    def _check_sequence(self, place: _Place, check: SequenceCheck) -> None:
        for _ in range(_TRIES):
            size = self._checked.size
            is_settled = check.run(self._checked.read, self._checked.note_read)
            if is_settled or not check.findings:
                break
            self._checked.size = size
            directory = self._store.root / place.directory
            if not self._checked.attempt(directory, partial(on_disk.is_directory, directory), True):
                return  # moved or deleted meanwhile
            check = SequenceCheck(self._store, place.directory, place.path)
        self._checked.findings += check.findings
        if check.document is not None and place.path is not None:
            if not any(finding.severity == "damage" for finding in check.findings):
                self._checked.note(find_wrong_ranges(self._store, place.path, place.directory))
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
            for name in self._checked.entries(root)[1]:
                entry = f"{TRASH}/{name}"
                if entry not in self._checked.unfinished:
                    directory = self._store.root / entry
                    places.extend(
                        self._checked.attempt(
                            directory, partial(self._check_entry, entry), _NO_PLACES
                        )
                    )

        self._checked.read(find)
        self._check_tree(places)

    def _check_entry(self, entry: str) -> list[_Place]:
        """Where what an entry holds is to be checked."""
        directory = self._store.root / entry
        keys = self._checked.check_document("trash entry", f"{entry}/entry.json")
        if not on_disk.is_directory(directory):
            return []  # somebody has emptied the trash
        if keys is None or not on_disk.is_directory(directory / "content"):
            self._checked.findings.append(
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
