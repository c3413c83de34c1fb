"""What there is to say of documents and files, wherever they lie."""

import re
import shlex
from pathlib import Path
from typing import Any

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import documents
from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.documents import Format
from shotstore.paths import PureSequencePath

MEND = "Mend it in a text editor, or restore it from a backup."


def check_document(
    what: Format, content: bytes, file: Path, path: PureSequencePath | None
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The keys of a document, or None if it cannot be read; and what there is to say of it."""
    try:
        keys = documents.load(what, content, file)
    except DamagedStorageError as error:
        return None, [Finding("damage", file, f"{what_of(error)}.", MEND, path)]
    except StorageError as error:
        return None, [of_later_version(file, error, path)]
    if documents.is_untouched(content):
        return keys, []
    note = Finding(
        "note",
        file,
        "It was edited outside of shotstore: its checksum is not that of its content.",
        "Nothing to do if that was on purpose; otherwise compare it with a backup.",
        path,
    )
    return keys, [note]


def of_later_version(file: Path, error: StorageError, path: PureSequencePath | None) -> Finding:
    """A file that a newer shotstore has written."""
    problem, _, remedy = str(error).rpartition(". ")
    return Finding("damage", file, f"{problem}.", f"{remedy}.", path)


def what_of(error: StorageError) -> str:
    """What is wrong with a document, without the name of the file and the remedy."""
    return getattr(error, "why", None) or reason(error)


def unreadable(file: Path, error: OSError, path: PureSequencePath | None = None) -> Finding:
    """A file or directory that the system refuses to read."""
    return Finding(
        "damage",
        file,
        f"It cannot be read: {error.strerror or error}.",
        "See to the permissions; if the disk is failing, copy everything off it at once.",
        path,
    )


def typed(path: PureSequencePath) -> str:
    """The path as it is typed in a shell."""
    if any("/" in name for name in path.parts):
        return shlex.quote(str(path))
    return shlex.quote("/".join(path.parts))


def reason(error: BaseException) -> str:
    """What an error says, in one short line."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = " ".join(str(said).split()) or type(error).__name__
    # "Can't synchronously read data (data error detected by Fletcher32 checksum)"
    if "filter returned failure" in text:
        return "the checksum is wrong"
    inner = re.search(r"\((?!.*\()(.*?)\)$", text)
    return (inner[1] if inner else text)[:200]
