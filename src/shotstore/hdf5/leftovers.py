"""What programs that were killed, or copies that were made at a bad moment, leave in
``.shotstore``."""

from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, journal
from shotstore.hdf5.journal import Journal
from shotstore.hdf5.journal_check import check_journal
from shotstore.hdf5.report import Finding
from shotstore.hdf5.store import CONTROL, TRANSACTIONS, Store

JOURNAL = f"{CONTROL}/journal"


def find_journal(store: Store) -> tuple[Finding | None, Journal | None]:
    """A commit that was not carried out to its end, while commits are kept out: what to say of it,
    and the journal if it can be read.

    Nothing is said where the next session that reads the store finishes it.
    """
    path = store.root / JOURNAL
    content = disk.read_file(str(path))
    if content is None or store.is_archive:
        return None, None
    explanation = "a program was killed in a commit, or the store was copied in that moment"
    try:
        found = journal.load(content, path)
        check_journal(store.root, found)
        problem = _misfit(store.root, found)
    except ValueError as error:
        found, problem = None, f"it is none that shotstore wrote for this store ({error})"
    except DamagedStorageError:
        found, problem = None, "it is not as it was written"
    if problem is not None:
        return (
            Finding(
                "damage",
                path,
                f"A commit was not carried out to its end ({explanation}), and cannot be: "
                f"{problem}.",
                "Copy the store again while no program writes to it, or restore it from a backup. "
                f"To go on without that commit, move {JOURNAL} out of the store, then verify it "
                "again.",
            ),
            found,
        )
    if not store.read_only:
        return None, found
    return (
        Finding(
            "note",
            path,
            f"A commit was not carried out to its end: {explanation}. What it changes was not "
            "checked.",
            "Nothing is lost: the next program that opens the store and may write to it finishes "
            "the commit. Then verify it again.",
        ),
        found,
    )


def find_staged(store: Store) -> list[Finding]:
    """Files that a killed program was preparing; nothing while a session is writing."""
    root = store.root / TRANSACTIONS
    if store.is_archive or not disk.is_directory(root) or store.locks.is_writing():
        return []
    found = [root / name for name in sorted(disk.list_directories(str(root)))]
    if store.locks.is_writing():
        return []  # it has begun meanwhile, and what was found may be its own
    return [
        Finding(
            "note",
            path,
            f"A program was killed while it prepared a commit, and has left "
            f"{disk.size_of_tree(str(path))} bytes.",
            "Nothing to do: the next session that writes removes them.",
        )
        for path in found
        if disk.is_directory(path)
    ]


def _misfit(root: Path, found: Journal) -> str | None:
    """Why the journal cannot belong to these files, as a clause."""
    moved = {rename.source: rename.destination for rename in found.departures}
    arrived = {rename.source: rename.destination for rename in found.arrivals}
    if not any(disk.exists(root / slot) for slot in moved.values()):
        for patch in found.patches:
            path = root / patch.path
            if not disk.is_regular_file(path):
                if not moved:
                    return f"{path} is missing"
            elif path.stat().st_size < patch.committed:
                return (
                    f"{path} has {path.stat().st_size} bytes, {patch.committed} were committed "
                    "before"
                )
    for rename in (*found.replacements, *found.arrivals):
        if not disk.exists(root / rename.source) and not disk.exists(root / rename.destination):
            # A slot is filled by a departure that may be still to come.
            source = next((a for a, slot in moved.items() if slot == rename.source), None)
            if source is None or not disk.exists(root / source):
                return f"{root / rename.source} is missing"
    for source, slot in moved.items():
        places = (source, slot, arrived.get(slot, slot))
        if slot in arrived and not any(disk.exists(root / place) for place in places):
            return f"{root / source} is missing"
    return None
