"""Sequences and shots as a notebook shows them.

Little is read: what the document of a sequence knows, parameters, and a few frames.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from shotstore.analysis.pictures import markup
from shotstore.analysis.pictures.frames import places_of_frames, reduced, shown_range, spread
from shotstore.analysis.pictures.images import caption_name
from shotstore.analysis.recipes import (
    local_parameters,
    not_readable,
    not_readable_line,
    readable_globals,
)
from shotstore.analysis.tables import INDEX, SequenceTable
from shotstore.analysis.tables.gaps import present_or_none
from shotstore.analysis.tables.variation import constant_texts, parameter_values, varied_texts
from shotstore.analysis.times import local_texts
from shotstore.model import Data, Parameter
from shotstore.model.quantities import is_quantity, unit_to_text, without_unit
from shotstore.model.value_texts import duration_text, pretty_unit, type_text, value_text
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.summaries import SequenceSummary
from shotstore.state import State

_EDGE = 120
"""Pixels of a thumbnail; half as many on the screens of today"""
_MOST_FRAMES = 6
_MOST_LABELS = 3
_MOST_BYTES = 48 * 2**20
"""Of frames, which are read within a tenth of a second"""
_MOST_SHOTS = 200
"""Whose parameters are looked at for what to write below the frames"""
_LONGEST_TEXT = 200


def sequence_html(name: str, reading: AbstractContextManager[SequenceReader]) -> str:
    """Return a sequence as HTML: state, times, tags, what it varies, parameters, data, frames.

    It never raises: where something cannot be read, it says so.

    Args:
        name: What to call the sequence where it cannot be read.
        reading: Gives its reader.
    """
    return _card(name, reading, _sequence_parts)


def shot_html(name: str, reading: AbstractContextManager[SequenceReader], index: int) -> str:
    """Return a shot as HTML: times, parameters, data, frames. It never raises.

    Args:
        name: What to call the shot where it cannot be read.
        reading: Gives the reader of its sequence.
        index: Of the shot.
    """
    return _card(name, reading, lambda sequence: _shot_parts(sequence, index))


def _card(
    name: str,
    reading: AbstractContextManager[SequenceReader],
    parts: Callable[[SequenceReader], Iterable[str]],
) -> str:
    try:
        with reading as sequence:
            return markup.card(parts(sequence))
    except Exception as error:  # in a repr it would hide what the cell is about
        return markup.card(markup.failure(name, error))


def _sequence_parts(sequence: SequenceReader) -> Iterable[str]:
    summary = sequence.get_summary()
    yield markup.heading(str(summary.path), markup.badge(summary.state))
    yield markup.progress(summary)
    yield markup.tags(summary.tags)
    if summary.note:
        yield markup.line(summary.note, "white-space:pre-wrap")
    if summary.state is State.CRASHED:
        error = sequence.get_exception()
        colour = f"color:{markup.STATE_COLOURS[State.CRASHED]}"
        yield markup.line(error.headline, colour)
    if line := not_readable_line(not_readable(sequence)):
        yield markup.line(line, markup.FAINT)
    table = SequenceTable(sequence)
    yield from _columns(table, summary)
    if len(table):
        yield _thumbnails(table)


def _columns(table: SequenceTable, summary: SequenceSummary) -> Iterable[str]:
    values = parameter_values(table)
    yield markup.section("Varied", varied_texts(summary, values))
    yield markup.section("Data", {label: type_text(kind) for label, kind in table.data.items()})
    if table.results:
        types = {name: type_text(kind) for name, kind in table.results.items()}
        yield markup.section("Results", types)
    constant = constant_texts(summary, values)
    if not len(table) and summary.state is not State.DRAFT:
        globals_ = readable_globals(table.reader.get_global_parameters)
        if globals_ is not None:
            constant |= {name: str(expression) for name, expression in globals_.flatten()}
    yield markup.section("Constant", constant, is_open=False)


def _shot_parts(sequence: SequenceReader, index: int) -> Iterable[str]:
    start, end = sequence.get_shot_start_time(index), sequence.get_shot_end_time(index)
    attempts = sequence.count_attempts(index)
    title = f"shot {index}" + (f", attempt {attempts}" if attempts > 1 else "")
    yield markup.heading(f"{sequence.path}", f'<span style="{markup.FAINT}">{title}</span>')
    took = duration_text(end - start)
    yield markup.line(f"{markup.time_text(start)}, took {took}", markup.FAINT)
    yield markup.tags(sequence.results.get_tags(index))
    if note := sequence.results.get_note(index):
        yield markup.line(note, "white-space:pre-wrap")
    parameters = sequence.get_shot_parameters(index)
    local = local_parameters(sequence)
    set_by_it = {name: _parameter(value) for name, value in parameters.items() if name in local}
    others = {name: _parameter(value) for name, value in parameters.items() if name not in local}
    yield markup.section("Parameters", set_by_it or others)
    if set_by_it:
        yield markup.section("Other parameters", others, is_open=False)
    data = sequence.get_all_shot_data(index)
    yield markup.section("Data", {label: _value(value) for label, value in data.items()})
    if results := sequence.results.get_results(index):
        yield markup.section("Results", {name: _value(value) for name, value in results.items()})
    plain = {label: without_unit(value)[0] for label, value in (data | results).items()}
    frames = {label: value for label, value in plain.items() if _is_frame(value)}
    pictures = []
    for label, frame in list(frames.items())[: 2 * _MOST_LABELS]:
        small = reduced(np.asarray(frame), 2 * _EDGE)
        pictures.append(markup.picture(small, *shown_range([small]), label, 2 * _EDGE))
    yield markup.strip(pictures)


def _thumbnails(table: SequenceTable) -> str:
    """A row of frames for each of the first labels that have some."""
    images = [column for column in table.columns.values() if column.is_image][:_MOST_LABELS]
    if not images:
        return ""
    size = sum(column.row_size for column in images)
    rows = spread(len(table), max(1, min(_MOST_FRAMES, _MOST_BYTES // size)))
    above = table.default_x() if len(table) <= _MOST_SHOTS else table.columns[INDEX]
    found = table.read({above.name, *(column.name for column in images)}, rows)
    name, values = caption_name(table, above), present_or_none(found[above.name])
    captions = [f"{name} {value_text(value, above.units)}" for value in values]
    strips = []
    for column in images:
        places = places_of_frames(found[column.name])
        tiles = {place: reduced(found[column.name].values[place], _EDGE) for place in places}
        low, high = shown_range(tiles.values())
        pictures = [
            markup.picture(tile, low, high, captions[place], _EDGE) for place, tile in tiles.items()
        ]
        strips.append(markup.line(column.name, f"{markup.FAINT};font-size:.85em"))
        strips.append(markup.strip(pictures))
    return "".join(strips)


def _parameter(value: Parameter) -> str:
    if is_quantity(value):
        return value_text(value.magnitude, unit_to_text(value.units))
    return value_text(value)


def _value(value: Data) -> str:
    magnitude, unit = without_unit(value)
    if unit is not None and not isinstance(magnitude, np.ndarray):
        return value_text(magnitude, unit)
    if unit:
        return f"{_value(magnitude)}, in {pretty_unit(unit)}"
    value = magnitude
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{value.dtype}, {' x '.join(map(str, value.shape))}"
    if isinstance(value, np.ndarray):
        return local_texts(value.reshape(1))[0] if value.dtype.kind == "M" else str(value)
    text = value_text(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _is_frame(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.ndim == 2
        and value.dtype.kind in "biuf"
        and value.size > 0
    )
