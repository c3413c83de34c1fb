"""What was committed and could not be carried out, for one sequence or one path.

Its directory may not be written to, or the disk fails there. It is kept back in a journal of its
own, ``.shotstore/held/<id>``, and read as it was committed, while all else goes on. It is carried
out once that is possible: when the store is opened, or somebody wants to change it.
"""

import errno
from collections.abc import Iterable
from pathlib import Path

from attrs import evolve, frozen

from shotstore.hdf5 import disk, journal, on_disk
from shotstore.hdf5.files import is_given_up, is_later
from shotstore.hdf5.journal import Journal, paths_of
from shotstore.hdf5.journal_check import check_journal, why_no_fit
from shotstore.hdf5.territories import meets, territory

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


def problem(root: Path, rest: Journal, error: Exception) -> Problem:
    """What there is to say of a failure."""
    names = [name for name in (getattr(error, "filename", None),) if name]
    remedy = _REMEDIES.get(getattr(error, "errno", None) or 0)
    return Problem(
        file=Path(names[0]) if names else root / min(paths_of(rest)),
        why=str(error).rstrip("."),
        remedy=(
            f"{remedy}, and write to it again, or open the store anew"
            if remedy
            else "Look after the disk; copy everything off it if it is failing"
        ),
        paths=_territories(rest),
    )


def _territories(rest: Journal) -> frozenset[str]:
    return frozenset(
        territory(path) for path in paths_of(rest) if not path.startswith(".shotstore/tx/")
    )


def misfit(root: Path, rest: Journal) -> Problem | None:
    """What there is to say where what was kept back is for files that are gone, or are others by
    now; None if it still fits."""
    why = why_no_fit(root, rest)
    if why is None and is_given_up(root, rest):
        why = f"it changes {root / rest.patches[0].path}, which another program has cut off"
    for replacement in rest.replacements:
        if why is None and is_later(root, replacement):
            why = f"{root / replacement.destination} was changed since"
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


def why_kept(root: Path, rest: Journal) -> OSError:
    """What keeps a journal from being carried out, as far as permissions tell."""
    for denial in journal.denials(root, rest):
        return PermissionError(errno.EACCES, denial)
    return OSError(f"the disk has failed at {root / min(paths_of(rest))}")


class HeldBack:
    """The journals of a store that are kept back."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory = root / HELD

    def journals(self) -> list[Journal]:
        """All of them.

        Raises:
            DamagedStorageError: one cannot be read, or is not of this store.
        """
        return [load(self._root, path) for path in places(self._root)]

    def keep(self, rest: Journal) -> None:
        """Keep back what is left of a journal, durably."""
        if not on_disk.is_directory(self._directory):
            disk.make_directory(self._directory)
            disk.sync_directory(self._directory.parent)
        staging = self._root / ".shotstore" / "tx" / rest.transaction
        if not on_disk.is_directory(staging):
            disk.make_directory(staging)
            disk.sync_directory(staging.parent)
        if rest.has_moves and not on_disk.exists(staging / journal.MARK):
            disk.write_new_file(staging / journal.MARK, b"")
            disk.sync_directory(staging)
        staged = self._directory / f"{rest.transaction}.new"
        disk.remove_file(staged)
        disk.write_new_file(staged, journal.dump(rest))
        disk.rename(staged, self._directory / rest.transaction)
        disk.sync_directory(self._directory)

    def remove(self, done: Journal) -> None:
        """Forget one that was carried out, durably."""
        disk.remove_file(self._directory / done.transaction)
        disk.sync_directory(self._directory)


def places(root: Path) -> list[Path]:
    """Where the journals lie that are kept back."""
    names = on_disk.list_files(str(root / HELD))
    return [root / HELD / name for name in names if not name.endswith(".new")]


def load_checked(root: Path, path: Path) -> Journal:
    """Read a journal that was found in a store.

    Raises:
        DamagedStorageError: it cannot be read, is not of this store, or does not fit the files.
    """
    found = load(root, path)
    why = why_no_fit(root, found)
    if why is not None:
        raise journal.damaged(path, why)
    return found


def load(root: Path, path: Path) -> Journal:
    """The same, whether it fits the files or not."""
    try:
        content = on_disk.read_file(str(path), _ANY_LENGTH)
    except OSError as error:
        raise on_disk.unreadable_error(path, error) from error
    if content is None:
        raise journal.damaged(path, "it is no file")
    found = journal.load(content, path)
    try:
        check_journal(root, found)
    except ValueError as error:
        raise journal.damaged(path, str(error)) from error
    return found


def without(found: Journal, held: Iterable[Journal]) -> Journal:
    """What of a journal is not kept back."""
    renames, patched = set(), set()
    for other in held:
        renames |= {*other.replacements, *other.departures, *other.arrivals}
        patched |= {patch.path for patch in other.patches}
    return evolve(
        found,
        patches=[patch for patch in found.patches if patch.path not in patched],
        replacements=[each for each in found.replacements if each not in renames],
        departures=[each for each in found.departures if each not in renames],
        arrivals=[each for each in found.arrivals if each not in renames],
    )
