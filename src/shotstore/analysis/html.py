"""Sequences and shots as a notebook shows them.

Little is read: what the document of a sequence knows, the parameters of some shots, and a few
frames. The markup takes its colours from the page, be it light or dark.
"""

import base64
import html
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from shotstore.analysis.frames import (
    Frame,
    as_bytes,
    colours,
    places_of_frames,
    png,
    reduced,
    shown_range,
)
from shotstore.analysis.points import default_x, value_text
from shotstore.analysis.recipes import (
    local_parameters,
    not_readable,
    not_readable_line,
    readable_globals,
)
from shotstore.analysis.tables import INDEX, SequenceTable, TableColumn, number_values
from shotstore.analysis.times import local_texts
from shotstore.errors import ExperimentSessionNotActiveError
from shotstore.model import Data, Parameter
from shotstore.model.quantities import is_quantity, unit_to_text
from shotstore.records.columns import time_column
from shotstore.records.summaries import SequenceSummary
from shotstore.session import Sequence, Shot
from shotstore.state import State

_EDGE = 120
"""Pixels of a thumbnail; half as many on the screens of today"""
_MOST_FRAMES = 6
_MOST_LABELS = 3
_MOST_BYTES = 48 * 2**20
"""Of frames, which are read within a tenth of a second"""
_MOST_SHOTS = 200
"""Whose parameters are read"""
_MOST_ROWS = 40
_LONGEST_TEXT = 200
_STATE_COLOURS = {
    State.DRAFT: "#8a919c",
    State.PREPARING: "#c98a12",
    State.RUNNING: "#1a8fb5",
    State.FINISHED: "#2f9e5b",
    State.INTERRUPTED: "#c98a12",
    State.CRASHED: "#d1495b",
}
_FAINT = "opacity:.65"
_CELL = "text-align:left;padding:1px 14px 1px 0;border:none;vertical-align:baseline"
_MONOSPACE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"


def sequence_html(sequence: Sequence) -> str:
    """Return a sequence as HTML: state, times, tags, what it varies, parameters, data, frames.

    If its session is over, the storage is asked anew: at the end of a cell, the ``with`` block
    mostly is. It never raises: where something cannot be read, it says so.
    """
    try:
        with _alive(sequence) as there:
            return _card(_sequence_parts(there))
    except Exception as error:  # an error in a repr would hide what the cell is about
        return _card(_failure(repr(sequence), error))


def shot_html(shot: Shot) -> str:
    """Return a shot as HTML: times, parameters, data, frames. It never raises, and also asks anew
    if its session is over."""
    try:
        with _alive(shot.sequence) as there:
            return _card(_shot_parts(there.get_shot(shot.index)))
    except Exception as error:
        return _card(_failure(repr(shot), error))


@contextmanager
def _alive(sequence: Sequence) -> Iterator[Sequence]:
    """The sequence, or the same one in a session that can be asked."""
    try:
        _ = sequence.session.paths.does_path_exists(sequence.path)
    except ExperimentSessionNotActiveError:
        with sequence.session.storage.session() as session:
            yield Sequence(sequence.path, session)
    else:
        yield sequence


def _sequence_parts(sequence: Sequence) -> Iterable[str]:
    sequence.get_state()  # of a folder there would be a summary for each sequence in it
    [summary] = sequence.session.sequences.get_summaries(sequence.path)
    yield _heading(str(summary.path), _badge(summary.state))
    yield _progress(summary)
    yield _tags(summary.tags)
    if summary.note:
        yield f'<div style="margin:4px 0;white-space:pre-wrap">{_text(summary.note)}</div>'
    if summary.state is State.CRASHED:
        error = sequence.get_traceback_summary()
        yield (
            f'<div style="margin:4px 0;color:{_STATE_COLOURS[State.CRASHED]}">'
            f"{_text(error.headline)}</div>"
        )
    if line := not_readable_line(not_readable(sequence.session.sequences, sequence.path)):
        yield f'<div style="margin:4px 0;{_FAINT}">{_text(line)}</div>'
    table = SequenceTable(sequence)
    yield from _columns(sequence, summary, table)
    if len(table):
        yield _thumbnails(sequence, table)


def _columns(sequence: Sequence, summary: SequenceSummary, table: SequenceTable) -> Iterable[str]:
    parameters = [column for column in table.columns.values() if column.is_parameter]
    rows = _spread(len(table), _MOST_SHOTS)
    found = table.read([column.name for column in parameters], rows)
    varied: dict[str, str] = {}
    constant: dict[str, str] = {}
    for column in parameters:
        values = number_values(found[column.name])
        present = values[~np.isnan(values)]
        if not present.size:
            continue
        low, high = float(present.min()), float(present.max())
        span = _amount(low, column)
        if low != high:
            span = f"{span} to {_amount(high, column)}"
        if present.size < values.size:
            varied[column.name] = f"{span} (in {present.size} of {values.size} shots)"
        else:
            (constant if low == high else varied)[column.name] = span
    for name, planned in summary.varied.items():
        done = varied.get(name) or constant.pop(name, "")
        is_done = summary.number_of_shots == summary.expected_number_of_shots
        if not done or (is_done and planned.first is not None):
            varied[name] = str(planned)
        else:
            varied[name] = done if is_done else f"{done} (planned: {planned})"
    yield _section("Varied", varied)
    data = {column.name: _what(column) for column in table.columns.values() if column.is_label}
    yield _section("Data", data)
    if not constant and not len(table) and summary.state is not State.DRAFT:
        globals_ = readable_globals(sequence.get_global_parameters)
        if globals_ is not None:
            constant = {name: str(expression) for name, expression in globals_.flatten()}
    yield _section("Constant", constant, is_open=False)


def _shot_parts(shot: Shot) -> Iterable[str]:
    start, end = shot.get_start_time(), shot.get_end_time()
    yield _heading(f"{shot.sequence_path}", f'<span style="{_FAINT}">shot {shot.index}</span>')
    yield f'<div style="{_FAINT}">{_time(start)}, took {_duration(end - start)}</div>'
    parameters = shot.get_parameters()
    local = local_parameters(shot.sequence)
    set_by_it = {name: _parameter(value) for name, value in parameters.items() if name in local}
    others = {name: _parameter(value) for name, value in parameters.items() if name not in local}
    yield _section("Parameters", set_by_it or others)
    if set_by_it:
        yield _section("Other parameters", others, is_open=False)
    data = shot.get_data()
    yield _section("Data", {label: _value(value) for label, value in data.items()})
    frames = {label: value for label, value in data.items() if _is_frame(value)}
    pictures = []
    for label, frame in list(frames.items())[: 2 * _MOST_LABELS]:
        small = reduced(np.asarray(frame), 2 * _EDGE)
        pictures.append(_picture(small, *shown_range([small]), label, 2 * _EDGE))
    yield _strip(pictures)


def _thumbnails(sequence: Sequence, table: SequenceTable) -> str:
    """A row of frames for each of the first labels that have some."""
    images = [column for column in table.columns.values() if column.is_image][:_MOST_LABELS]
    if not images:
        return ""
    size = sum(column.row_size for column in images)
    rows = _spread(len(table), max(1, min(_MOST_FRAMES, _MOST_BYTES // size)))
    above = table.columns[default_x(sequence, table)] if len(table) <= _MOST_SHOTS else None
    above = above or table.columns[INDEX]
    names = list({above.name: None} | {column.name: None for column in images})
    found = table.read(names, rows)
    captions = number_values(found[above.name])
    strips = []
    for column in images:
        places = places_of_frames(found[column.name])
        tiles = {place: reduced(found[column.name].values[place], _EDGE) for place in places}
        low, high = shown_range(tiles.values())
        pictures = [
            _picture(tile, low, high, _caption(above, float(captions[place])), _EDGE)
            for place, tile in tiles.items()
        ]
        title = f'<div style="{_FAINT};font-size:.85em;margin-top:6px">{_text(column.name)}</div>'
        strips.append(title + _strip(pictures))
    return "".join(strips)


def _card(parts: Iterable[str]) -> str:
    # The parts are made here, so that whoever calls this meets their errors.
    return f'<div style="line-height:1.45;max-width:60em">{"".join(parts)}</div>'


def _failure(name: str, error: Exception) -> Iterable[str]:
    yield _heading(name, "")
    yield f'<div style="{_FAINT}">{_text(str(error))}</div>'


def _heading(title: str, beside: str) -> str:
    return f'<div><b style="margin-right:10px">{_text(title)}</b>{beside}</div>'


def _badge(state: State) -> str:
    return (
        f'<span style="background:{_STATE_COLOURS[state]};color:white;border-radius:3px;'
        f'padding:0 7px;font-size:.85em">{_text(state.value)}</span>'
    )


def _progress(summary: SequenceSummary) -> str:
    done, expected = summary.number_of_shots, summary.expected_number_of_shots
    shots = f"{done} of {expected} shots" if expected is not None else f"{done} shots"
    bar = ""
    if expected:
        part = min(100.0, 100 * done / expected)
        bar = (
            '<span style="display:inline-block;width:120px;height:6px;border-radius:3px;'
            'background:rgba(128,128,128,.3);margin:0 10px 2px 0">'
            f'<span style="display:block;width:{part:.1f}%;height:6px;border-radius:3px;'
            f'background:{_STATE_COLOURS[summary.state]}"></span></span>'
        )
    times = [f"created {_time(summary.created)}"]
    if summary.start_time is not None:
        times = [f"started {_time(summary.start_time)}"]
        if summary.stop_time is not None:
            times.append(f"took {_duration(summary.stop_time - summary.start_time)}")
    return f'<div>{bar}{shots} <span style="{_FAINT}">· {", ".join(times)}</span></div>'


def _tags(tags: Iterable[str]) -> str:
    shown = "".join(
        '<span style="border:1px solid rgba(128,128,128,.5);border-radius:9px;padding:0 8px;'
        f'margin-right:5px;font-size:.85em">{_text(tag)}</span>'
        for tag in sorted(tags)
    )
    return f'<div style="margin:3px 0">{shown}</div>' if shown else ""


def _section(title: str, rows: Mapping[str, str], *, is_open: bool = True) -> str:
    """A table of two columns, which can be folded away."""
    if not rows:
        return ""
    cells = "".join(
        f'<tr style="background:none"><td style="{_CELL};{_MONOSPACE}">{_text(name)}</td>'
        f'<td style="{_CELL}">{_text(value)}</td></tr>'
        for name, value in list(rows.items())[:_MOST_ROWS]
    )
    more = len(rows) - _MOST_ROWS
    rest = f'<div style="{_FAINT}">and {more} more</div>' if more > 0 else ""
    return (
        f'<details{" open" if is_open else ""} style="margin:3px 0">'
        f'<summary style="cursor:pointer;{_FAINT}">{_text(title)} ({len(rows)})</summary>'
        f'<table style="margin:0 0 0 1em;border-collapse:collapse;border:none;'
        f'font-size:inherit;color:inherit">{cells}</table>{rest}'
        "</details>"
    )


def _strip(pictures: list[str]) -> str:
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px">{"".join(pictures)}</div>'


def _picture(frame: Frame, low: float, high: float, caption: str, edge: int) -> str:
    content = png(as_bytes(frame, low, high), palette=colours())
    source = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
    height, width = frame.shape
    scale = edge / max(height, width)
    return (
        f'<div style="font-size:.8em"><img src="{source}" alt="{_text(caption)}" '
        f'width="{round(width * scale)}" height="{round(height * scale)}" '
        'style="display:block;margin:0;max-width:none;image-rendering:auto">'
        f'<span style="{_FAINT}">{_text(caption)}</span></div>'
    )


def _caption(column: TableColumn, value: float) -> str:
    name = "shot" if column.name == INDEX else column.name.rpartition(".")[2]
    return f"{name} {value_text(value, column.units)}"


def _amount(value: float, column: TableColumn) -> str:
    return value_text(value, column.units)


def _what(column: TableColumn) -> str:
    if column.shape is None:
        return column.kind
    lengths = " x ".join("any" if length is None else str(length) for length in column.shape)
    return f"{column.dtype}, {lengths}" if lengths else str(column.dtype)


def _parameter(value: Parameter) -> str:
    if is_quantity(value):
        return value_text(value.magnitude, unit_to_text(value.units))
    return value_text(value)


def _value(value: Data) -> str:
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


def _spread(count: int, most: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Up to so many rows, the first and the last among them, at equal distances."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)


def _time(time: datetime) -> str:
    return local_texts(time_column([time]))[0]


def _duration(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def _text(text: str) -> str:
    return html.escape(text)
