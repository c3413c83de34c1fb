"""What programs that were killed, or copies that were made at a bad moment, leave in
``.shotstore``."""

from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import held_back, on_disk
from shotstore.hdf5.checks.findings import what_of
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.log.record import LOG, TRANSACTIONS, LogRecord
from shotstore.hdf5.store import Store


def find_log(store: Store) -> tuple[Finding | None, LogRecord | None]:
    """Commits that were not carried out to their end, while commits are kept out: what to say of
    them, and what they do if that can be read.

    Nothing is said where the next session that reads the store carries them out.
    """
    if store.is_archive or not store.membership.lays_log(store.commits.count()):
        return None, None
    path = store.root / LOG
    explanation = "a program was killed, the power failed, or the store was copied in a commit"
    record, problem = None, None
    try:
        record, _ = store.commits.rounds.read_left(store.commits.count())
    except DamagedStorageError as error:
        problem = what_of(error)
    if problem is not None:
        return (
            Finding(
                "damage",
                path,
                f"Commits were not carried out to their end ({explanation}), and cannot be: "
                f"{problem}.",
                "Copy the store again while no program writes to it, or restore it from a backup. "
                f"To go on without those commits, move {LOG} out of the store, then verify it "
                "again.",
            ),
            record,
        )
    if not store.read_only or record is None or not record.actions:
        return None, record
    return (
        Finding(
            "note",
            path,
            f"Commits were not carried out to their end: {explanation}. What they change was not "
            "checked.",
            "Nothing is lost: the next program that opens the store and may write to it carries "
            "them out. Then verify it again.",
        ),
        record,
    )


def find_damaged_held(store: Store) -> list[Finding]:
    """What was kept back and cannot be read, while commits are kept out."""
    found = []
    for path in [] if store.is_archive else held_back.places(store.root):
        try:
            held_back.load(store.root, path)
        except DamagedStorageError as error:
            problem = f"What was committed, and kept back here, cannot be read: {what_of(error)}."
            remedy = (
                "Until then nothing in the store can be read. Restore the store from a backup; or, "
                "to go on without what is in it, move it out of the store and check the last "
                "changes."
            )
            found.append(Finding("damage", path, problem, remedy))
    return found


def find_staged(store: Store) -> list[Finding]:
    """Files that a killed program was preparing; nothing while a session is writing."""
    root = store.root / TRANSACTIONS
    if store.is_archive or not on_disk.is_directory(root) or store.locks.is_writing():
        return []
    names = {*on_disk.list_names(str(root))} - store.commits.staging_in_use()
    found = [root / name for name in sorted(names)]
    found += store.abandoned()
    if store.locks.is_writing():
        return []  # it has begun meanwhile, and what was found may be its own
    return [
        Finding(
            "note",
            path,
            f"A program was killed while it prepared a commit, and has left {_size(path)} bytes.",
            "Nothing to do: the next session that writes removes them.",
        )
        for path in found
        if on_disk.exists(path)
    ]


def _size(path: Path) -> int:
    is_directory = on_disk.is_directory(path)
    return on_disk.size_of_tree(str(path)) if is_directory else path.lstat().st_size
