"""All shots of a sequence at once: as a table, as arrays, in a picture, in a file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy.typing as npt

from shotstore.errors import ExperimentSessionNotActiveError
from shotstore.model import Data, DataSchema
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import as_flag
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.values import StoredResults
from shotstore.session.closest import naming_closest_sequence
from shotstore.session.sequence_collection import SequenceCollection

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray
    from matplotlib.axes import Axes

    from shotstore.session.experiment_session import ExperimentSession


class ShotsAtOnce:
    """What a :class:`~shotstore.Sequence` does with all of its shots."""

    __slots__ = ()

    path: PureSequencePath
    session: ExperimentSession

    def get_data_schema(self) -> DataSchema:
        """Return the type and shape of the data that the shots have, by label."""
        with self._sequences() as sequences:
            return sequences.get_data_schema(self.path)

    def get_result_schema(self) -> DataSchema:
        """Return the type and shape of the results that the shots have, by name."""
        with self._sequences() as sequences:
            return sequences.get_result_schema(self.path)

    def set_results(self, columns: object, *, by: str = "") -> None:
        """Store what an analysis has found for many shots at once: at any time, also while the
        sequence runs on.

        What was recorded does not change. Of a result that is stored again, the newest counts, and
        the earlier ones are kept.

        Args:
            columns: A dict of columns, or a frame of polars or pandas. Its column ``shot_index``
                says of which shots the others are, each a result by its name: an array with an
                item for each shot, or a list. None, and null in a frame, takes a result away.
            by: What has found them, to be told later: ``"fit_cloud 1.2"``.

        Raises:
            ShotNotFoundError: the sequence has no shot of one of the indices.
            ValueError: there is no ``shot_index``, or a shot comes twice in it; the columns are of
                different lengths; a name is that of a recorded label or parameter, or cannot be
                stored. Nothing was stored.
            TypeError: a value is of a type that cannot be stored, or an argument of another type.
        """
        with self._sequences() as sequences:
            sequences.set_many_results(self.path, columns, by=by)

    @overload
    def get_results(self, *, history: Literal[False] = False) -> dict[int, dict[str, Data]]: ...

    @overload
    def get_results(self, *, history: Literal[True]) -> list[StoredResults]: ...

    def get_results(
        self, *, history: bool = False
    ) -> dict[int, dict[str, Data]] | list[StoredResults]:
        """Return the results that count, by name, of each shot that has some, by its index.

        Args:
            history: Whether to return all that was ever stored instead, as a list of
                :class:`~shotstore.StoredResults` in the order of storing.
        """
        with self._sequences() as sequences:
            if as_flag(history, "history"):
                return sequences.get_results(self.path, history=True)
            return sequences.get_results(self.path)

    def remove_results(self, names: Collection[str]) -> None:
        """Take results away from all shots that have them, by their names; they stay in the
        history.

        Raises:
            DataNotFoundError: no shot has a result of one of the names. Nothing was changed.
            TypeError: ``names`` is a single text.
        """
        with self._sequences() as sequences:
            sequences.remove_results(self.path, names)

    def scan(self) -> polars.LazyFrame:
        """Return the shots as a polars LazyFrame, which reads what a query asks for and no more.

        ``sequence.scan().filter(polars.col("detuning") > 5).select("atoms").collect()`` reads
        the detunings, and then the frames of those shots alone. See
        :meth:`SequenceCollection.scan` for the columns.

        It is to be collected before the session ends; ``storage.scan(path)`` is not bound to one.

        Raises:
            MissingPackageError: polars is not installed.
        """
        with self._sequences() as sequences:
            return sequences.scan(self.path)

    def to_arrays(self, names: Collection[str] | None = None) -> dict[str, npt.NDArray[Any]]:
        """Return the shots, by increasing index, as a numpy array for each column.

        Args:
            names: Parameters and labels, called as in :meth:`scan`, but complex numbers are one
                column; by default all. The last part of a name is enough where only one ends in
                it; the array has the name that is given here. The rest is not read.

        Returns:
            ``shot_index``, ``shot_start_time`` and ``shot_end_time`` (datetime64, in UTC), and the
            names, each of shape (number of shots, ...). Parameters are in the units of
            :meth:`get_parameter_schema`. Where values are missing there is NaN, for which integers
            become floats; texts, lists, dicts, arrays of differing shapes, and integers that no
            float holds exactly, are objects, with None.

        Raises:
            DataNotFoundError: there is no such column; the message names close ones.
            IncompatibleUnitsError: a parameter has units that cannot be converted.
            TypeError: ``names`` is a single text.
        """
        from shotstore.analysis.tables.arrays import to_arrays

        return to_arrays(self, names)

    def to_pandas(self, names: Collection[str] | None = None) -> pandas.DataFrame:
        """Return what :meth:`to_arrays` does as a pandas DataFrame.

        Its index is ``shot_index``, its times are aware, a frame is an object in its row, and
        ``.attrs["units"]`` has the units.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        from shotstore.analysis.tables.arrays import to_pandas

        return to_pandas(self, names)

    def to_xarray(self, names: Collection[str] | None = None) -> xarray.Dataset:
        """Return what :meth:`to_arrays` does as an xarray Dataset.

        Its dimension is ``shot``, with the indices as coordinate, so that ``.sel(shot=3)`` is the
        shot of index 3. Arrays of one shape share further dimensions: ``y`` and ``x`` for frames,
        ``sample`` for traces; those of a second shape are ``y_2`` and ``x_2``. A label that is
        called ``shot`` is ``data.shot``. Each parameter has its unit as the attribute ``units``.

        Raises:
            MissingPackageError: xarray is not installed.
        """
        from shotstore.analysis.tables.arrays import to_xarray

        return to_xarray(self, names)

    # Pictures and files

    def plot(
        self,
        x: str | None = None,
        y: str | Iterable[str] | None = None,
        *,
        where: str | polars.Expr | None = None,
        by: str | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        """Draw columns against each other with matplotlib: ``sequence.plot("detuning", "atoms")``.

        A point for each shot, and where x repeats the mean with its standard error. See
        :func:`shotstore.analysis.plot` for more; it also draws what was computed.

        Args:
            x: A parameter, a label, or ``"shot_start_time"``; the last part of its name is enough.
                By default what the sequence varies.
            y: One or several. By default the only label that is a number.
            where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
            by: What the colours tell.
            axes: Where to draw; by default a new figure.

        Raises:
            DataNotFoundError: there is no such column, or no shot that has all that is asked for.
            InvalidConditionError: ``where`` cannot be understood.
            ColumnKindError: a column holds no numbers.
            TypeError: an argument is of another type. Nothing was read.
            MissingPackageError: matplotlib is not installed.
        """
        from shotstore.analysis import plot

        return plot(self, x, y, where=where, by=by, axes=axes)

    def plot_image(
        self,
        label: str,
        *,
        mean: bool = False,
        where: str | polars.Expr | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        """Draw the frames of the shots side by side, or their mean, with matplotlib.

        See :func:`shotstore.analysis.plot_image` for more; it also draws what was computed.

        Args:
            label: Under which the frames are.
            mean: Whether to draw the mean of all frames.
            where: Which shots, as for :meth:`plot`.
            axes: Where to draw; by default a new figure.

        Raises:
            DataNotFoundError: there is no such label, or no shot that has all that is asked for.
            InvalidConditionError: ``where`` cannot be understood.
            ColumnKindError: the label holds no frames, or frames that differ in shape, which have
                no mean.
            TypeError: an argument is of another type. Nothing was read.
            MissingPackageError: matplotlib is not installed.
        """
        from shotstore.analysis import plot_image

        return plot_image(self, label, mean=mean, where=where, axes=axes)

    def export(
        self,
        file: str | os.PathLike[str],
        *,
        to: str | None = None,
        columns: Collection[str] | None = None,
        where: str | polars.Expr | None = None,
        force: bool = False,
    ) -> Path:
        """Write the shots to a file that other programs read: ``sequence.export("rabi.csv")``.

        See :func:`shotstore.analysis.export` for the formats.

        Args:
            file: Where to. Its ending tells the format: .csv, .parquet, .xlsx, .nc, .npz or .zip.
            to: The format, where the ending does not tell: csv, parquet, xlsx, netcdf, npz, png
                (a folder with a picture for each frame) or zip.
            columns: Parameters and labels; by default all that the format has a place for.
            where: Which shots, as for :meth:`plot`.
            force: Whether to replace a file that exists.

        Returns:
            The file, or the folder.

        Raises:
            TypeError: an argument is of another type. Nothing was read.
            ExportError: the format is not known, or cannot hold what is asked for.
            FileExistsError: the file exists.
            OSError: its directory does not exist, or a directory is in its place.
            DataNotFoundError: there is no such column.
            InvalidConditionError: ``where`` cannot be understood.
            MissingPackageError: a package is not installed.

        Warns:
            ExportWarning: a column was left out, or is not in the file as it was recorded. The
                message says which, and why.
        """
        from shotstore.analysis.exporting import write_file

        done = write_file(self, file, to=to, columns=columns, where=where, force=force)
        done.warn(stacklevel=2)
        return done.file

    def _repr_html_(self) -> str:
        from shotstore.analysis.pictures.cards import sequence_html

        return sequence_html(repr(self), self._reading())

    def _reader_(self) -> SequenceReader:
        with self._sequences() as sequences:  # names the closest one where there is none
            sequences.get_stats(self.path)
        return self.session._reader_().get_sequence(self.path)

    @contextmanager
    def _reading(self) -> Iterator[SequenceReader]:
        """Give its reader, in a session anew if this one is over: at the end of a cell, the block
        mostly is."""
        with ExitStack() as stack:
            try:
                reader = self._reader_()
            except ExperimentSessionNotActiveError:
                session = stack.enter_context(self.session.storage.session())
                reader = session.get_sequence(self.path)._reader_()
            yield reader

    def _sequences(self) -> AbstractContextManager[SequenceCollection]:
        return naming_closest_sequence(self.path, self.session.sequences)
