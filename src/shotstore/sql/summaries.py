"""What is known of many sequences without their shots: one query, however many they are."""

import json
from functools import partial

from sqlalchemy import ColumnElement, ScalarSelect, Text, cast, func, select

from shotstore.model import IterationConfiguration, Serializer
from shotstore.paths import PureSequencePath
from shotstore.records.summaries import RangesWhenAsked, Remembered, SequenceSummary, holds_text
from shotstore.sql.loading import loading
from shotstore.sql.tables import AnyRow, sequences, shots
from shotstore.sql.tree import Node, Tree, below_with

RememberedRanges = Remembered[RangesWhenAsked]
"""What recipes tell of their parameters."""


def counted_shots() -> ScalarSelect[int]:
    """How many shots of a row of `sequences` there are."""
    return select(func.count()).where(shots.c.sequence_id == sequences.c.path_id).scalar_subquery()


def number_of_shots() -> ColumnElement[int]:
    """The same, without counting those of one that has ended."""
    return func.coalesce(sequences.c.number_of_shots, counted_shots()).label("number_of_shots")


def read_summaries(tree: Tree, path: PureSequencePath) -> list[tuple[Node, AnyRow]]:
    """The sequences at and below a path, with what `summary` needs to know.

    Raises:
        PathNotFoundError: nothing is at the path.
    """
    return tree.rows_below(tree.get(path), _SUMMARIES)


def summary(
    node: Node, row: AnyRow, serializer: Serializer, remembered: RememberedRanges
) -> SequenceSummary:
    """What is known of a sequence.

    Raises:
        DamagedStorageError: a value is not what was stored.
    """
    assert node.state is not None
    with loading(f"Sequence {node.path}"):
        load = partial(_load_iteration, row.iteration, serializer)
        ranges = remembered.get(row.iteration.encode(), partial(RangesWhenAsked, load))
        return SequenceSummary(
            path=node.path,
            created=node.created,
            state=node.state,
            start_time=row.start_time,
            stop_time=row.stop_time,
            number_of_shots=row.number_of_shots,
            expected_number_of_shots=row.expected_number_of_shots,
            tags=frozenset(row.tags),
            note=row.note,
            ranges=ranges,
        )


def find_text(tree: Tree, path: PureSequencePath, text: str) -> set[PureSequencePath]:
    """The sequences at and below a path that hold the text.

    Raises:
        PathNotFoundError: nothing is at the path.
    """
    return {
        node.path
        for node, row in tree.rows_below(tree.get(path), _TEXTS)
        if holds_text(text, row.iteration, row.time_lanes, row.exception, row.note)
    }


def _load_iteration(iteration: str, serializer: Serializer) -> IterationConfiguration:
    return serializer.load_iteration(json.loads(iteration))


_SUMMARIES = below_with(
    sequences.c.start_time,
    sequences.c.stop_time,
    number_of_shots(),
    sequences.c.expected_number_of_shots,
    sequences.c.tags,
    sequences.c.note,
    cast(sequences.c.iteration, Text).label("iteration"),
)
_TEXTS = below_with(
    sequences.c.iteration, sequences.c.time_lanes, sequences.c.exception, sequences.c.note
)
