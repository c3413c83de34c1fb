"""The shots of the sequences: recorded one by one, read one by one or many at once."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from shotstore.model import Data, DataSchema, Parameter, ParameterSchema, Serializer, check_data
from shotstore.model.parameters import check_plain_parameters
from shotstore.paths import AnyPath, as_path
from shotstore.records.arguments import (
    as_data_id,
    as_flag,
    as_mapping,
    as_rows,
    as_shot_id,
    as_shot_index,
    as_texts,
)
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.content import ShotRecord
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.sequence_writer import SequenceWriter
from shotstore.records.stored_records import AnyRecords
from shotstore.records.times import shot_times
from shotstore.records.values import Attempt, DataId, ShotId

if TYPE_CHECKING:
    import polars


class ShotCollection:
    """What a :class:`~shotstore.SequenceCollection` does with shots."""

    def __init__(self, records: AnyRecords, serializer: Serializer) -> None:
        self._records = records
        self._serializer = serializer

    def create_shot(
        self,
        shot_id: ShotId,
        shot_parameters: Mapping[str, Parameter],
        shot_data: Mapping[str, Data],
        shot_start_time: datetime,
        shot_end_time: datetime,
        *,
        replace: bool = False,
    ) -> None:
        """Record a shot of a running sequence.

        Args:
            shot_id: The sequence, and an index that it has no shot of; any order, gaps allowed.
            shot_parameters: The parameters of the shot, by name.
            shot_data: What was measured, by label. An array is stored with its type and shape, and
                a pint quantity of a number or of an array with its unit.
            shot_start_time: An aware time in any zone.
            shot_end_time: An aware time in any zone, not before the start.
            replace: Whether the sequence may have a shot of this index, which is taken again: this
                one counts from here on, and the earlier one is kept; see
                :meth:`get_shot_attempts`.

        Raises:
            SequenceNotRunningError: the sequence is not running.
            ShotExistsError: it has a shot of this index, and ``replace`` is False.
            ValueError: the index is negative or not below the expected number of shots, a time
                has no time zone, the shot ends before it starts, or a name, label or text cannot be
                stored.
            TypeError: the index is not an integer, or a parameter or data (the message names
                its label) is of a type that cannot be stored, such as an array of objects.
        """
        as_shot_id(shot_id)
        parameters = as_mapping(shot_parameters, "The parameters of a shot")
        data = as_mapping(shot_data, "The data of a shot")
        start, end = shot_times(shot_start_time, shot_end_time)
        shot = ShotRecord(start, end, check_plain_parameters(parameters), check_data(data))
        writer = SequenceWriter(shot_id.sequence_path, self._records, self._serializer)
        writer.append_shot(shot_id.index, shot, replace=as_flag(replace, "replace"))

    def get_shots(self, path: AnyPath) -> list[ShotId]:
        """Return the shots that the sequence has, in the order they were recorded.

        One that was taken again is where it was recorded last.
        """
        place = as_path(path)
        return [ShotId(place, index) for index in self._reader(place).get_shot_indices()]

    def get_shot_attempts(self, path: AnyPath, shot_index: int) -> list[Attempt]:
        """Return how a shot was recorded before it was taken again, the first attempt first; with
        all data. What is read of the shot otherwise is of the last one, which is not among these.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._reader(path).get_attempts(as_shot_index(shot_index))

    def get_shot_parameters(self, path: AnyPath, shot_index: int) -> dict[str, Parameter]:
        """Return the parameters of a shot, by name.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._reader(path).get_shot_parameters(as_shot_index(shot_index))

    def get_all_shot_data(self, path: AnyPath, shot_index: int) -> dict[str, Data]:
        """Return all data of a shot, by label, in the types and shapes that were stored.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._reader(path).get_all_shot_data(as_shot_index(shot_index))

    def get_shot_data_by_label(self, data: DataId) -> Data:
        """Return the data of a shot under one label.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            DataNotFoundError: the shot has no data under the label; the message names close
                ones.
        """
        shot, label = as_data_id(data).shot_id, data.data_label
        reader = SequenceReader(shot.sequence_path, self._records, self._serializer)
        return reader.get_shot_data_by_labels(shot.index, [label])[label]

    def get_shot_data_by_labels(
        self, path: AnyPath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        """Return the data of a shot under some labels, by label; the rest is not read.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            DataNotFoundError: the shot has no data under one or more of the labels; the message
                names them all, and close ones.
            TypeError: ``labels`` is a single text.
        """
        return self._reader(path).get_shot_data_by_labels(
            as_shot_index(shot_index), as_texts(labels, "labels")
        )

    def get_shot_start_time(self, path: AnyPath, shot_index: int) -> datetime:
        """Return when the shot began, in UTC.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._reader(path).get_shot_start_time(as_shot_index(shot_index))

    def get_shot_end_time(self, path: AnyPath, shot_index: int) -> datetime:
        """Return when the shot ended, in UTC.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """
        return self._reader(path).get_shot_end_time(as_shot_index(shot_index))

    def get_parameter_schema(self, path: AnyPath) -> ParameterSchema:
        """Return the types and units of the parameters that the shots have.

        Of a sequence with shots it is read off the shots. Before that it is computed from the
        iteration and the global parameters: those of the launch or, for a draft, the session's.

        Raises:
            ValueError: it has no shots, and its recipe cannot be evaluated.
        """
        return self._reader(path).get_parameter_schema()

    # Many shots at once

    def get_data_schema(self, path: AnyPath) -> DataSchema:
        """Return the type and shape of the data that the shots have, by label."""
        return self._reader(path).get_data_schema()

    def scan(self, path: AnyPath) -> "polars.LazyFrame":
        """Return the shots as a polars LazyFrame, which reads what a query asks for and no more.

        Its columns are ``sequence``, ``shot_index``, ``shot_start_time``, ``shot_end_time`` (in
        UTC), then one a parameter, in the unit of :meth:`get_parameter_schema`, and one a label. A
        label with the name of one of the others is ``data.<label>``. Missing values are null.
        Conditions on parameters are applied before any array is read.

        It has the shots that the session sees when it is collected, by increasing index, and is to
        be collected before the session ends, after which it raises
        :class:`~shotstore.ExperimentSessionNotActiveError`.

        Raises:
            MissingPackageError: polars is not installed.
        """
        from shotstore.analysis.scanning import scan_sequence

        return scan_sequence(self._reader(path))

    def get_columns(
        self,
        path: AnyPath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        """Return some parameters and labels of many shots as arrays; the rest is not read.

        A parameter comes in the type and unit of :meth:`get_parameter_schema`, data in the type of
        :meth:`get_data_schema`.

        Args:
            path: The sequence.
            parameters: Names of parameters, without those that are not asked for.
            labels: Labels of data.
            rows: Which shots, by their places in :meth:`get_shots`; by default all.

        Raises:
            DataNotFoundError: no shot has such a parameter, or data under such a label.
            IndexError: a row is not there.
            IncompatibleUnitsError: a parameter has units that cannot be converted.
            TypeError: ``parameters`` or ``labels`` is a single text.
        """
        return self._reader(path).get_columns(
            parameters=as_texts(parameters, "parameters"),
            labels=as_texts(labels, "labels"),
            rows=as_rows(rows),
        )

    def _reader(self, path: AnyPath) -> SequenceReader:
        return SequenceReader(as_path(path), self._records, self._serializer)

    def _writer(self, path: AnyPath) -> SequenceWriter:
        return SequenceWriter(as_path(path), self._records, self._serializer)
