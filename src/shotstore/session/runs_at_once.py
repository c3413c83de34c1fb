"""The shots of several sequences at once: as a table, in a picture, in a file."""

from __future__ import annotations

import abc
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shotstore.records.conflicts import again_after_conflicts
from shotstore.session.asynchronous.awaited import in_thread
from shotstore.session.experiment_session import ExperimentSession

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

    from shotstore.analysis.exporting import Exported
    from shotstore.analysis.pictures.points import Points
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

    async_scan = in_thread(scan)

    def plot(
        self,
        runs: AnyRuns,
        x: str | None = None,
        y: str | Iterable[str] | None = None,
        *,
        where: str | polars.Expr | None = None,
        by: str | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        """Draw columns of several sequences against each other with matplotlib.

        ``storage.plot(storage.find("rabi*", since="today"), "length", "atoms")``

        As :meth:`Sequence.plot`, of the shots of all of them, in the units of the first by path;
        each sequence has its own colour.

        Args:
            runs: As for :meth:`scan`.
            x: As for :meth:`Sequence.plot`. By default what every one of them varies.
            y: One or several. By default the only label that is a number.
            where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
            by: What the colours tell; by default ``"sequence"``, of which sequence a shot is.
            axes: Where to draw; by default a new figure.

        Raises:
            PathNotFoundError, InvalidPathFormatError, TypeError: as :meth:`scan` does.
            DataNotFoundError: none of them has such a column, or a shot that has all that is asked
                for; or there is no sequence at and below the paths.
            IncompatibleUnitsError: the units of two sequences do not fit.
            TransactionConflictError: again and again, one was moved, deleted or reset, or had a
                shot taken again, while it was read.
            InvalidConditionError: ``where`` cannot be understood.
            ColumnKindError: a column holds no numbers.
            MissingPackageError: matplotlib is not installed.
        """
        from shotstore.analysis.pictures.plots import check_axes, draw_points

        check_axes(axes)
        return draw_points(self._points(runs, x, y, where=where, by=by), axes)

    async def async_plot(
        self,
        runs: AnyRuns,
        x: str | None = None,
        y: str | Iterable[str] | None = None,
        *,
        where: str | polars.Expr | None = None,
        by: str | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        """Draw what :meth:`plot` draws, awaited: it is read in a thread, and drawn in this one."""
        from shotstore.analysis.pictures.plots import check_axes, draw_points

        check_axes(axes)
        points = await in_thread(RunsAtOnce._points)(self, runs, x, y, where=where, by=by)
        return draw_points(points, axes)

    def export(
        self,
        runs: AnyRuns,
        file: str | os.PathLike[str],
        *,
        to: str | None = None,
        columns: Collection[str] | None = None,
        where: str | polars.Expr | None = None,
        force: bool = False,
    ) -> Path:
        """Write the shots of several sequences to one file that other programs read.

        ``storage.export(storage.find("rabi*", since="today"), "today.csv")``

        As :meth:`Sequence.export`, of the shots of all of them, in the order of paths and indices.
        The column ``sequence`` says of which each is, and units are those of the first by path.
        The path of one sequence is exported as that sequence.

        Args:
            runs: As for :meth:`scan`.
            file: Where to. Its ending tells the format: .csv, .parquet, .xlsx, .nc or .npz.
            to: The format, where the ending does not tell: csv, parquet, xlsx, netcdf or npz. zip
                and png are for one sequence.
            columns: Parameters and labels; by default all that the format has a place for.
            where: Which shots, as for :meth:`plot`.
            force: Whether to replace a file that exists.

        Returns:
            The file.

        Raises:
            PathNotFoundError, InvalidPathFormatError, TypeError: as :meth:`scan` does.
            ExportError, OSError, InvalidConditionError, MissingPackageError: as
                :meth:`Sequence.export` does; the format may hold one sequence only.
            DataNotFoundError: none of them has such a column, or there is no sequence at and below
                the paths.
            IncompatibleUnitsError: the units of two sequences do not fit.
            TransactionConflictError: as :meth:`plot` does. Nothing was written.

        Warns:
            ExportWarning: a column was left out, or is not in the file as it was recorded.
        """
        done = self._write_file(runs, file, to=to, columns=columns, where=where, force=force)
        done.warn(stacklevel=2)
        return done.file

    async def async_export(
        self,
        runs: AnyRuns,
        file: str | os.PathLike[str],
        *,
        to: str | None = None,
        columns: Collection[str] | None = None,
        where: str | polars.Expr | None = None,
        force: bool = False,
    ) -> Path:
        """Write what :meth:`export` writes, awaited."""
        write_file = in_thread(RunsAtOnce._write_file)
        done = await write_file(self, runs, file, to=to, columns=columns, where=where, force=force)
        done.warn(stacklevel=2)
        return done.file

    def _write_file(
        self, runs: AnyRuns, file: str | os.PathLike[str], /, **options: Any
    ) -> Exported:
        from shotstore.analysis.exporting import write_file
        from shotstore.analysis.runs import Runs

        asked = Runs.of(self, runs)
        only = asked.only()
        if only is None:
            return again_after_conflicts(lambda: write_file(asked, file, **options))
        with self.session() as session:
            return write_file(session.get_sequence(only), file, **options)

    def _points(
        self,
        runs: AnyRuns,
        x: str | None,
        y: str | Iterable[str] | None,
        *,
        where: str | polars.Expr | None,
        by: str | None,
    ) -> Points:
        from shotstore.analysis.pictures.points import collect_points
        from shotstore.analysis.runs import Runs
        from shotstore.analysis.runs.table import RunsTable

        asked = Runs.of(self, runs)
        names = y if y is None or isinstance(y, str) else list(y)

        def collect() -> Points:
            return collect_points(RunsTable.of(asked), x, names, where=where, by=by)

        return again_after_conflicts(collect)
