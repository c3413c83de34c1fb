"""What is in the directories of folders: made of their names once, while these are the same."""

import unicodedata
from collections.abc import Mapping

from attrs import define, field

from shotstore.hdf5.files import join
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, path_name
from shotstore.paths import PureSequencePath

_MOST_NAMES = 2**18


@define
class Folder:
    """The directories in one that stand for paths. Hidden and other people's ones are left out."""

    names: list[str] = field(eq=False)
    """Those of all directories in it, as the system lists them."""
    children: Mapping[str, str]
    """Path name to directory."""
    documents: list[str] = field(eq=False)
    """Where each of these would have the document of a sequence, relative to the root of the
    store."""
    files: list[str] = field(eq=False)
    """The same places, as the system knows them."""
    made: object = field(default=None, eq=False)
    """What was last made of the documents, for who lists them again."""


class KnownFolders:
    """Those of a store that were listed before."""

    def __init__(self) -> None:
        self._known: dict[str, Folder] = {}
        self._names = 0

    def get(self, root: str, directory: str, names: list[str]) -> Folder:
        """The folder in a directory, relative to the root of the store, that holds directories of
        these names."""
        known = self._known.get(directory)
        if known is None or known.names != names:
            self._names += len(names) - (0 if known is None else len(known.names))
            known = folder_of(root, directory, names)
            if self._names > _MOST_NAMES:
                self._known.clear()
                self._names = len(names)
            self._known[directory] = known
        return known


def folder_of(root: str, directory: str, names: list[str]) -> Folder:
    """The folder in a directory, relative to the root of the store, that holds directories of these
    names."""
    # Where two forms of one name lie beside each other, the one that we write counts.
    entries = sorted(names, key=lambda entry: unicodedata.is_normalized("NFC", entry))
    found = {path_name(entry): entry for entry in entries}
    children = {
        name: entry
        for name, entry in found.items()
        if name is not None and PureSequencePath.is_valid_name(name)
    }
    documents = [f"{join(directory, entry)}/{SEQUENCE_DOCUMENT}" for entry in children.values()]
    return Folder(names, children, documents, [f"{root}/{document}" for document in documents])
