"""A session on a store of files."""

from collections.abc import Callable
from typing import Self

from shotstore.hdf5.copying import copy_files
from shotstore.hdf5.records import HDF5Records
from shotstore.hdf5.transaction import Transaction
from shotstore.paths import PureSequencePath
from shotstore.session import ExperimentSession


class HDF5ExperimentSession(ExperimentSession):
    """A transaction on a store; see `ExperimentSession` for what it promises."""

    @property
    def records(self) -> HDF5Records:
        """What is stored, while the block of the session is running."""
        records = self._records_()
        assert isinstance(records, HDF5Records)
        return records

    @property
    def transaction(self) -> Transaction:
        """The transaction of the session, while its block is running."""
        return self.records.transaction

    def copy_files(
        self,
        path: PureSequencePath,
        source: Self,
        on_copied: Callable[[int, int], object] = lambda *_: None,
    ) -> None:
        """Create a sequence as a copy of the one at the same path of another store, as it is: its
        shots file byte for byte.

        Args:
            path: Of a sequence that has ended, or a draft. Nothing, or an empty folder, is there
                in this store.
            source: A session on the other store, that has changed nothing.
            on_copied: Called now and then with the bytes that were copied and those there are.

        Raises:
            SequenceRunningError: the sequence is preparing or running.
            DamagedStorageError: it cannot be read, or not all of it is there.
            PathError: it cannot be created here, as `SequenceCollection.create` says it.
        """
        copy_files(path, source.transaction, self.transaction, on_copied)
