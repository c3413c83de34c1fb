"""Arrays of single shots, read without HDF5 once it is known where they lie in the file.

What is committed stays as it is, where it is, for as long as the file is open. So no lock is needed
to read it, which HDF5's index of chunks needs, that commits change; and no thread of ours, which is
there for HDF5.
"""

from collections.abc import Collection

from shotstore.errors import StorageError
from shotstore.hdf5.shots.rows import Rows
from shotstore.hdf5.shots.stored_values import Slot, load_data
from shotstore.model import Data


class KnownFrames:
    """The labels under which arrays were read, by the schemas of their shots."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], tuple[Slot, Rows]] = {}

    def note(self, schema: int, slot: Slot, rows: Rows) -> None:
        """Take down that shots of this schema have an array in a slot, in a dataset of its own."""
        self._found[schema, slot.name] = slot, rows

    def read(self, schema: int, row: int, labels: Collection[str]) -> dict[str, Data] | None:
        """The data of a shot; None if it is to be read in another way, or is not as it should be,
        which that will say."""
        found: dict[str, Data] = {}
        try:
            for label in labels:
                known = self._found.get((schema, label))
                if known is None:
                    return None
                slot, rows = known
                stored = rows.read_known(row)
                if stored is None:
                    return None
                found[label] = load_data(slot, stored)
        except (StorageError, ValueError, OSError):
            return None
        return found

    def forget(self) -> None:
        """Forget them all: the file is about to be closed."""
        self._found.clear()
