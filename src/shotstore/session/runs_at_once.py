"""The shots of several sequences at once: as a table, in a picture, in a file."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from shotstore.session.experiment_session import ExperimentSession

if TYPE_CHECKING:
    import polars

    from shotstore.analysis.runs import AnyRuns


class RunsAtOnce(abc.ABC):
    """What a :class:`~shotstore.StorageManager` does with the shots of several sequences."""

    @abc.abstractmethod
    def session(self, *, write: bool = False) -> ExperimentSession:
        """Return a session."""

    def scan(self, runs: AnyRuns = "\\") -> polars.LazyFrame:
        r"""Return the shots of several sequences as a polars LazyFrame.

        ``storage.scan(r"\2026\11").filter(polars.col("detuning") > 5)``

        It has the columns that any of them has, named as in :meth:`SequenceCollection.scan`, null
        where a sequence has none, in the unit of the first sequence by path that has the column.
        The shots are in the order of paths and indices, and the column ``sequence`` says of which
        sequence each is.

        The columns are looked up here. What is committed is read each time it is collected, in a
        session of its own for each sequence: at any time, while others run as well.

        Args:
            runs: A sequence, or a folder with all that is in it, by its path; a pattern such as
                ``\2026\*\rabi*``, as for :meth:`StorageManager.find`; what that has found; or a
                list of any of these. By default everything.

        Raises:
            PathNotFoundError: nothing is at a path, no sequence matches a pattern, or the list is
                empty.
            InvalidPathFormatError: a text is not a valid path or pattern.
            TypeError: it is none of these.
            MissingPackageError: polars is not installed.
        """
        from shotstore.analysis.runs import Runs
        from shotstore.analysis.scanning import scan_runs

        return scan_runs(Runs.of(self, runs))
