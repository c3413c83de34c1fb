"""Doing what a record of the log says."""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import evolve

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.lock_files import try_lock_shared
from shotstore.hdf5.log.fitting import is_later, phase
from shotstore.hdf5.log.record import (
    TRANSACTIONS,
    Action,
    Document,
    FilePatch,
    LogRecord,
    Rename,
    paths_of,
)
from shotstore.hdf5.log.territories import groups
from shotstore.hdf5.overlay import tail_start

KeepBack: TypeAlias = Callable[[LogRecord, Exception], object]
"""Keeps, durably, what could not be done of one group; is given the error, too."""

How: TypeAlias = Literal["first", "again", "anew"]
"""``first``: it was just committed, and nothing of it is done. ``again``: only what is not done is
done. ``anew``: what is done is written once more, since the disk has failed to keep it."""


def carry_out(
    root: Path,
    record: LogRecord,
    how: How = "again",
    *,
    files: Mapping[str, disk.File] | None = None,
    keep_back: KeepBack | None = None,
) -> None:
    """Do what a record says, with plain writes: a checkpoint makes them durable.

    Args:
        root: Of the store.
        record: What to do.
        how: Whether anything of it may have been done before.
        files: The shots files that are open, with a lock on them, by path.
        keep_back: Called with what cannot be done for one sequence or one path, once for each;
            the rest is done all the same. Without it, the first error is raised.

    Raises:
        DamagedStorageError: another program has cut off a part of a file that is nowhere else.
        OSError: it cannot be done; or what is kept back cannot be written down.
    """
    _Carrying(root, record, how, files or {}, keep_back).run()


class _Carrying:
    def __init__(
        self,
        root: Path,
        record: LogRecord,
        how: How,
        files: Mapping[str, disk.File],
        keep_back: KeepBack | None,
    ) -> None:
        self._root = root
        self._record = record
        self._how = how
        self._files = files
        self._keep_back = keep_back
        self._phase = 0
        self._errors: dict[int, Exception] = {}
        """The first of each group."""
        self._blocked: dict[int, int] = {}
        """The phase in which each group could not go on."""
        self._groups: dict[int, int] = {}
        """By the identity of an action, once any of them has failed."""

    def run(self) -> None:
        record = self._record
        first = phase(self._root, record)
        if first == 0:
            for patch in record.patches:
                self._attempt(patch, self._patch)
            for replacement in record.replacements:
                self._attempt(replacement, self._rename)
        if first < 2 and record.departures:
            if first == 0:
                self._sync([*record.replacements])
            self._phase = 1
            # What leaves a directory is durable before the directory leaves: a power loss that took
            # back the first rename alone would leave it in a place where nobody looks.
            for _, same_depth in groupby(record.departures, lambda gone: gone.source.count("/")):
                departing = list(same_depth)
                for departure in departing:
                    self._attempt(departure, self._rename)
                self._sync(departing)
            self._note()
            self._mark_departed()
        self._phase = 2
        for arrival in record.arrivals:
            self._attempt(arrival, self._arrive)
        self._phase = 3
        for document in record.documents:
            self._attempt(document, self._write)
        self._note()

    # Actions

    def _patch(self, patch: FilePatch) -> None:
        file = self._files.get(patch.path)
        if file is not None:
            self._write_pages(patch, file)
            return
        with _opened(self._root, patch) as opened:
            self._write_pages(patch, opened)

    def _write_pages(self, patch: FilePatch, file: disk.File) -> None:
        length = file.length()
        if length < patch.needed:
            raise cut_off_error(file.path)
        tail = tail_start(patch.committed)
        for offset, page in zip(patch.offsets, patch.pages, strict=True):
            if self._how == "first":
                page = page[: max(0, tail - offset)]
            if page and not (self._how == "again" and file.holds(page, offset)):
                file.write(page, offset)
        if length != patch.length and file.length() != patch.length:
            file.truncate(patch.length)
        if self._record.departures:
            file.sync()

    def _rename(self, rename: Rename) -> None:
        source, destination = self._at(rename.source), self._at(rename.destination)
        if self._how == "first" or on_disk.exists(source):
            disk.rename(source, destination)

    def _arrive(self, arrival: Rename) -> None:
        source, destination = self._at(arrival.source), self._at(arrival.destination)
        is_first = self._how == "first"
        is_there = not is_first and arrival.is_new and on_disk.is_directory(destination)
        if is_first or (not is_there and on_disk.exists(source)):
            disk.rename(source, destination)
        elif not is_there and arrival.is_new:
            disk.make_directory(destination)
        elif not on_disk.exists(destination):
            raise DamagedStorageError(
                f"{source}, which a commit brings to {destination}, is missing. Restore it from a "
                "backup."
            )

    def _write(self, document: Document) -> None:
        path, staged = self._at(document.path), self._at(document.staged)
        if self._how != "first":
            found = on_disk.read_file(path)
            if is_later(found, document) or (self._how == "again" and found == document.content):
                return
            if on_disk.read_file(staged) != document.content:
                disk.remove_file(staged)
                with contextlib.closing(disk.File(Path(staged), "x")) as file:
                    file.write(document.content, 0)
        disk.rename(staged, path)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _sync(self, renames: list[Rename]) -> None:
        touched: dict[Path, list[Rename]] = {}
        for rename in renames:
            # The new name first: a file system without a journal may otherwise lose both.
            for place in (rename.destination, rename.source):
                touched.setdefault((self._root / place).parent, []).append(rename)
        for directory, of_it in touched.items():
            if on_disk.is_directory(directory):  # one that is gone has left in an earlier attempt
                for rename in of_it:
                    self._attempt(rename, lambda _, place=directory: disk.sync_directory(place))

    def _mark_departed(self) -> None:
        mark, departed = self._root / self._record.mark, self._root / self._record.departed
        if on_disk.exists(mark):
            disk.rename(mark, departed)
        else:  # a copy has left it out, for instance
            disk.write_new_file(departed, b"")
        disk.sync_directory(self._root / TRANSACTIONS)

    # What cannot be done

    def _attempt(self, action: Action, do: Callable[..., object]) -> None:
        if self._groups.get(id(action)) in self._blocked:
            return
        try:
            do(action)
        except (OSError, DamagedStorageError) as error:
            if self._keep_back is None:
                raise
            if not self._groups:
                actions = self._record.actions
                numbers = groups([paths_of(each) for each in actions])
                self._groups = {id(a): n for a, n in zip(actions, numbers, strict=True)}
            self._blocked.setdefault(self._groups[id(action)], self._phase)
            self._errors.setdefault(self._groups[id(action)], error)

    def _note(self) -> None:
        # Each group by itself: what of a record has left its place tells for all of it that its
        # patches are written.
        while self._errors and self._keep_back is not None:
            group, error = self._errors.popitem()
            self._keep_back(self._rest(group), error)

    def _rest(self, group: int) -> LogRecord:
        """What is left to do of a group that could not go on."""
        begun = self._blocked[group]
        record = self._record

        def is_left(action: Action, phase: int) -> bool:
            return self._groups[id(action)] == group and begun <= phase

        return evolve(
            record,
            patches=[each for each in record.patches if is_left(each, 0)],
            replacements=[each for each in record.replacements if is_left(each, 0)],
            departures=[each for each in record.departures if is_left(each, 1)],
            arrivals=[each for each in record.arrivals if is_left(each, 2)],
            documents=[each for each in record.documents if is_left(each, 3)],
        )


def cut_off_error(path: Path) -> DamagedStorageError:
    """The error for a shots file that lacks what was written past its committed end."""
    return DamagedStorageError(
        f"{path} lacks shots of a transaction that was not carried out yet: another program has "
        "opened and closed it, or it was copied before they were written. Copy it again while no "
        "program writes to the store, or restore it from a backup."
    )


@contextlib.contextmanager
def _opened(root: Path, patch: FilePatch) -> Iterator[disk.File]:
    """A shots file that is open to be patched. Where another program has it open for writing, a
    copy takes its place: that program will write what it remembers over what is in it when it
    closes it."""
    path = root / patch.path
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(contextlib.closing(disk.File(path, "r+")))
        if try_lock_shared(file):
            yield file
            return
        copy = root / f"{TRANSACTIONS}/{uuid.uuid4().hex}-copy"
        disk.copy_start(file, file.length(), copy)
        copied = stack.enter_context(contextlib.closing(disk.File(copy, "r+")))
        yield copied
        copied.sync()
        disk.rename(copy, path)
        for directory in (path.parent, copy.parent):
            disk.sync_directory(directory)
