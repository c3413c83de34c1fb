"""What was committed and could not be carried out, for one sequence or one path.

Its directory may not be written to, or the disk fails there. It is kept back in a record of its
own, ``.shotstore/held/<id>``, and read as it was committed, while all else goes on. It is carried
out once that is possible: when the store is opened, or somebody wants to change it.
"""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from attrs import evolve, frozen

from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.log.admission import check_record
from shotstore.hdf5.log.fitting import is_given_up, is_later, phase, why_no_fit
from shotstore.hdf5.log.log_file import damaged
from shotstore.hdf5.log.record import LOG, TRANSACTIONS, Action, LogRecord, dump, paths_of
from shotstore.hdf5.log.record import load as load_record
from shotstore.hdf5.log.territories import meets, territory
from shotstore.hdf5.open_shots import is_older
from shotstore.hdf5.refusals import why_no_name, why_not_moved, why_not_opened

HELD = ".shotstore/held"
_REMEDIES = {
    errno.EACCES: "Allow this user to write there",
    errno.EPERM: "Allow this user to write there",
    errno.EROFS: "Mount the disk so that it can be written to",
    errno.ENOSPC: "Make room on the disk",
    errno.EDQUOT: "Make room on the disk",
    errno.EBUSY: "Close the program that has it open",
}
_ANY_LENGTH = 2**63


@frozen
class Problem:
    """Why something is kept back."""

    file: Path
    why: str
    remedy: str
    paths: frozenset[str]
    """What cannot be changed until then, relative to the root of the store."""
    is_read: bool = True
    """Whether it is read as it was committed."""

    @property
    def message(self) -> str:
        """All of it, as sentences."""
        return f"{self.what}: {self.why}. {self.remedy}. {self.consequence}"

    what = "A commit could not be carried out to its end"

    @property
    def consequence(self) -> str:
        """What it means, as a sentence."""
        read = " is read as it was committed, and" if self.is_read else ""
        return f"Until then what it changes{read} cannot be changed; everything else goes on."

    def concerns(self, paths: Iterable[str]) -> bool:
        """Whether any of the paths has to do with what is kept back."""
        return any(meets(territory(path), kept) for path in paths for kept in self.paths)


def problem(root: Path, rest: LogRecord, error: Exception) -> Problem:
    """What there is to say of a failure."""
    names = [name for name in (getattr(error, "filename", None),) if name]
    remedy = _REMEDIES.get(getattr(error, "errno", None) or 0)
    return Problem(
        file=Path(names[0]) if names else root / min(rest.paths, default=LOG),
        why=str(error).rstrip("."),
        remedy=(
            f"{remedy}, and write to it again, or open the store anew"
            if remedy
            else "Look after the disk; copy everything off it if it is failing"
        ),
        paths=_territories(rest),
    )


def _territories(rest: LogRecord) -> frozenset[str]:
    return frozenset(
        territory(path) for path in rest.paths if not path.startswith(f"{TRANSACTIONS}/")
    )


def misfit(root: Path, rest: LogRecord) -> Problem | None:
    """What there is to say where what was kept back is for files that are gone, or are others by
    now; None if it still fits."""
    why = why_no_fit(root, rest)
    if why is None and is_given_up(root, rest):
        why = f"it changes {root / rest.patches[0].path}, which another program has cut off"
    for path in older_files(root, rest) if why is None else ():
        why = f"it changes {root / path}, which is older than the log of the store, as in a copy"
        why += " that was made while shots were recorded"
    for document in () if rest.moves else rest.documents:
        with suppress(OSError):
            found = on_disk.read_file(f"{root}/{document.path}")
            if why is None and is_later(found, document):
                why = f"{root / document.path} was changed since"
    if why is None:
        return None
    held = f"{HELD}/{rest.transaction}"
    return Problem(
        file=root / held,
        why=why,
        remedy="Put the files back as they were; or, to go on with what is there and without that "
        f"commit, remove {root / held}",
        paths=_territories(rest),
        is_read=False,
    )


def older_files(root: Path, rest: LogRecord) -> list[str]:
    """The shots files that are from before what a record builds on: what it has of them is only
    what came after that."""
    found = []
    for patch in rest.patches if phase(root, rest) == 0 else ():
        with suppress(OSError), closing(disk.File(root / patch.path, "r")) as file:
            if is_older(file, patch):
                found.append(patch.path)
    return found


def why_kept(root: Path, rest: LogRecord) -> OSError:
    """What keeps a record from being carried out, as far as permissions tell."""
    for denial in denials(root, rest):
        return PermissionError(errno.EACCES, denial)
    return OSError(f"the disk has failed at {root / min(rest.paths)}")


def denials(root: Path, record: LogRecord) -> Iterator[str]:
    """What the system does not allow of what a record says, as clauses."""
    for patch in record.patches:
        if denial := why_not_opened(root / patch.path, os.O_RDWR):
            yield denial
    for rename in (*record.replacements, *record.departures):
        if denial := why_not_moved(root / rename.source, root / rename.destination):
            yield denial
    for path in (*(each.destination for each in record.arrivals), *_names(record)):
        if denial := why_no_name(root / path):
            yield denial


def _names(record: LogRecord) -> Iterator[str]:
    return (document.path for document in record.documents)


class HeldBack:
    """The records of a store that are kept back."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory = root / HELD

    def records(self) -> list[LogRecord]:
        """All of them.

        Raises:
            DamagedStorageError: one cannot be read, or is not of this store.
        """
        return [load(self._root, path) for path in places(self._root)]

    def holds(self, records: Iterable[LogRecord]) -> bool:
        """Whether all of them are there, and none was removed by hand."""
        return all(on_disk.exists(self._directory / each.transaction) for each in records)

    def keep(self, rest: LogRecord) -> None:
        """Keep back what is left of a record, durably."""
        if not on_disk.is_directory(self._directory):
            disk.make_directory(self._directory)
            disk.sync_directory(self._directory.parent)
        mark = self._root / rest.mark
        if rest.departures and not on_disk.exists(mark):
            disk.write_new_file(mark, b"")
        disk.sync_directory(mark.parent)
        staged = self._directory / f"{rest.transaction}.new"
        disk.remove_file(staged)
        content = dump(rest)
        disk.write_new_file(staged, content + hashlib.sha256(content).digest())
        disk.rename(staged, self._directory / rest.transaction)
        disk.sync_directory(self._directory)

    def remove(self, done: LogRecord) -> None:
        """Forget one that was carried out, durably."""
        disk.remove_file(self._directory / done.transaction)
        disk.sync_directory(self._directory)


def places(root: Path) -> list[Path]:
    """Where the records lie that are kept back."""
    names = on_disk.list_files(str(root / HELD))
    return [root / HELD / name for name in names if not name.endswith(".new")]


def load(root: Path, path: Path) -> LogRecord:
    """Read what was kept back, whether it fits the files or not.

    Raises:
        DamagedStorageError: it cannot be read, or is not of this store.
    """
    try:
        content = on_disk.read_file(str(path), _ANY_LENGTH) or b""
    except OSError as error:
        raise on_disk.unreadable_error(path, error) from error
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[:-size]).digest() != content[-size:]:
        raise damaged(path, "its checksum is wrong")
    try:
        found = load_record(content[:-size])
        check_record(root, found)
    except ValueError as error:
        raise damaged(path, str(error)) from error
    return found


def without(record: LogRecord, held: Iterable[LogRecord]) -> LogRecord:
    """What of a record is not kept back."""
    kept = {path for other in held for path in other.paths}

    def is_free(action: Action) -> bool:
        return kept.isdisjoint(paths_of(action))

    return evolve(
        record,
        patches=[each for each in record.patches if is_free(each)],
        replacements=[each for each in record.replacements if is_free(each)],
        departures=[each for each in record.departures if is_free(each)],
        arrivals=[each for each in record.arrivals if is_free(each)],
        documents=[each for each in record.documents if is_free(each)],
    )


def part_of(record: LogRecord, place: str) -> LogRecord:
    """What of a record belongs to a sequence or a path; all of it, to the root of the store and to
    where it is staged."""

    def is_of_it(path: str) -> bool:
        return place in ("", TRANSACTIONS) or meets(territory(path), place)

    return evolve(
        record,
        patches=[each for each in record.patches if is_of_it(each.path)],
        replacements=[each for each in record.replacements if is_of_it(each.destination)],
        departures=[],
        arrivals=[each for each in record.arrivals if is_of_it(each.destination)],
        documents=[each for each in record.documents if is_of_it(each.path)],
    )
