"""``units.json``: what the units of the lab mean that a store belongs to."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.known_documents import KnownDocuments
from shotstore.model.unit_definitions import UnitDefinition, add_definitions

UNITS = "units.json"


class UnitDocument:
    """That of a store, read again whenever it has changed."""

    def __init__(self, root: Path, known: KnownDocuments) -> None:
        """``root`` is the store, or a folder in one: its own is then the next one above."""
        above = (folder for folder in (root, *root.parents) if on_disk.exists(folder / UNITS))
        self.file = next(above, root) / UNITS
        self._place = str(self.file)
        self._known = known
        self._seen: bytes | None = None

    def give_to_process(self) -> None:
        """Let this process know the units.

        A damaged document is left to those who ask for what is in it.

        Raises:
            UnitConflictError: one of them means something else here already.
        """
        # Without the time that an error for a missing file takes.
        if self._seen is None and not os.access(self._place, os.F_OK):
            return  # as in most stores
        content = self._known.read(self._place, None)
        if content is None or content == self._seen:
            return
        with contextlib.suppress(DamagedStorageError):
            definitions = load_units(content, self.file)
            add_definitions(map(UnitDefinition.parse, definitions), str(self.file.parent))
        self._seen = content


def load_units(content: bytes, file: Path) -> tuple[str, ...]:
    """The definitions in the content of ``units.json``.

    Raises:
        DamagedStorageError: the content is not such a document.
    """
    keys = documents.load("units", content, file)
    try:
        return definitions_in(keys)
    except (ValueError, TypeError) as error:
        raise documents.damaged_error(file, str(error)) from error


def definitions_in(keys: Mapping[str, Any]) -> tuple[str, ...]:
    """The definitions in the keys of a document.

    Raises:
        ValueError, TypeError: these are not the keys of such a document.
    """
    definitions = keys.get("definitions")
    if not isinstance(definitions, list):
        raise TypeError("it has no list of definitions")
    return tuple([str(UnitDefinition.parse(text)) for text in definitions])
