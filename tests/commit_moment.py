"""When, among the changes of a disk, a transaction is committed."""

from pathlib import PurePath

from shotstore.hdf5.disk import Operation
from shotstore.hdf5.log.log_file import START


class CommitMoment:
    """Told of every change before it is made, knows whether a record has reached the log."""

    def __init__(self) -> None:
        self.has_come = False
        """Whether a transaction was committed before the change that was told last."""
        self._is_record_written = False
        self._is_synced = False

    def note(self, operation: Operation) -> bool:
        """Take note of a change that is about to be made; return `has_come`."""
        self.has_come |= self._is_synced
        if PurePath(operation.path).name == "log":
            if operation.kind == "write":
                self._is_record_written |= operation.offset >= START
            self._is_synced |= operation.kind == "sync" and self._is_record_written
        return self.has_come
