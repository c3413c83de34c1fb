"""What programs that were killed, or copies that were made at a bad moment, leave in
``.shotstore``."""

from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import held_back, journal, on_disk
from shotstore.hdf5.checks.findings import unreadable
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.journal import Journal
from shotstore.hdf5.journal_check import check_journal, why_no_fit
from shotstore.hdf5.store import CONTROL, TRANSACTIONS, Store

JOURNAL = f"{CONTROL}/journal"


def find_journal(store: Store) -> tuple[Finding | None, Journal | None]:
    """A commit that was not carried out to its end, while commits are kept out: what to say of it,
    and the journal if it can be read.

    Nothing is said where the next session that reads the store finishes it.
    """
    path = store.root / JOURNAL
    try:
        content = on_disk.read_file(str(path), longest=2**63)
    except OSError as error:
        return unreadable(path, error), None
    if content is None or store.is_archive:
        return None, None
    explanation = "a program was killed in a commit, or the store was copied in that moment"
    found, problem = None, None
    try:
        found = journal.load(content, path)
        check_journal(store.root, found)
        problem = why_no_fit(store.root, found) or _what_is_missing(store.root, found)
    except ValueError as error:
        problem = str(error)
    except DamagedStorageError:
        problem = "it is not as it was written"
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


def find_damaged_held(store: Store) -> list[Finding]:
    """What was kept back and cannot be read, while commits are kept out."""
    found = []
    for path in [] if store.is_archive else held_back.places(store.root):
        try:
            held_back.load(store.root, path)
        except DamagedStorageError as error:
            problem = f"What was committed, and kept back here, cannot be read. {error}"
            remedy = "Until then nothing in the store can be read."
            found.append(Finding("damage", path, problem, remedy))
    return found


def find_staged(store: Store) -> list[Finding]:
    """Files that a killed program was preparing; nothing while a session is writing."""
    root = store.root / TRANSACTIONS
    if store.is_archive or not on_disk.is_directory(root) or store.locks.is_writing():
        return []
    names = {*on_disk.list_directories(str(root))} - store.commits.staging_in_use()
    found = [root / name for name in sorted(names)]
    found += store.abandoned()
    if store.locks.is_writing():
        return []  # it has begun meanwhile, and what was found may be its own
    return [
        Finding(
            "note",
            path,
            f"A program was killed while it prepared a commit, and has left "
            f"{on_disk.size_of_tree(str(path))} bytes.",
            "Nothing to do: the next session that writes removes them.",
        )
        for path in found
        if on_disk.is_directory(path)
    ]


def _what_is_missing(root: Path, found: Journal) -> str | None:
    """What the journal moves and is at no place where it could be, as a clause."""
    moved = {rename.destination: rename.source for rename in found.departures}
    arrived = {rename.source: rename.destination for rename in found.arrivals}
    for rename in (*found.replacements, *found.arrivals, *found.departures):
        places = {rename.source, rename.destination}
        # What goes to another place goes by a slot.
        for slot in tuple(places):
            places |= {moved.get(slot, slot), arrived.get(slot, slot)}
        goes = rename in found.departures and rename.destination not in arrived
        if not goes and not any(on_disk.exists(root / place) for place in places):
            return f"it moves {root / rename.source}, which is missing"
    return None
