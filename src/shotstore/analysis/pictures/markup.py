"""The markup of what a notebook shows: its colours are those of the page, be it light or dark."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from shotstore.analysis.pictures.frames import Frame, as_bytes, colours
from shotstore.analysis.pictures.png import png
from shotstore.analysis.times import local_texts
from shotstore.model.value_texts import duration_text
from shotstore.records.columns import time_column
from shotstore.records.summaries import SequenceSummary
from shotstore.state import State

_MOST_ROWS = 40
STATE_COLOURS = {
    State.DRAFT: "#8a919c",
    State.PREPARING: "#c98a12",
    State.RUNNING: "#1a8fb5",
    State.FINISHED: "#2f9e5b",
    State.INTERRUPTED: "#c98a12",
    State.CRASHED: "#d1495b",
}
FAINT = "opacity:.65"
_CELL = "text-align:left;padding:1px 14px 1px 0;border:none;vertical-align:baseline"
_MONOSPACE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"


def card(parts: Iterable[str]) -> str:
    """Return the whole of what is shown."""
    # The parts are made here, so that whoever calls this meets their errors.
    return f'<div style="line-height:1.45;max-width:60em">{"".join(parts)}</div>'


def failure(name: str, error: Exception) -> Iterable[str]:
    """Yield what is shown where something cannot be read."""
    yield heading(name, "")
    yield line(str(error), FAINT)


def heading(title: str, beside: str) -> str:
    """Return the first line: a name, and markup beside it."""
    return f'<div><b style="margin-right:10px">{escape(title)}</b>{beside}</div>'


def line(text: str, style: str = "") -> str:
    """Return a text on lines of its own."""
    return f'<div style="margin:4px 0;{style}">{escape(text)}</div>'


def badge(state: State) -> str:
    """Return a state on its colour."""
    return (
        f'<span style="background:{STATE_COLOURS[state]};color:white;border-radius:3px;'
        f'padding:0 7px;font-size:.85em">{escape(state.value)}</span>'
    )


def progress(summary: SequenceSummary) -> str:
    """Return how many shots there are, with a bar, and when it was."""
    done, expected = summary.number_of_shots, summary.expected_number_of_shots
    shots = f"{done} of {expected} shots" if expected is not None else f"{done} shots"
    bar = ""
    if expected:
        part = min(100.0, 100 * done / expected)
        bar = (
            '<span style="display:inline-block;width:120px;height:6px;border-radius:3px;'
            'background:rgba(128,128,128,.3);margin:0 10px 2px 0">'
            f'<span style="display:block;width:{part:.1f}%;height:6px;border-radius:3px;'
            f'background:{STATE_COLOURS[summary.state]}"></span></span>'
        )
    times = [f"created {time_text(summary.created)}"]
    if summary.start_time is not None:
        times = [f"started {time_text(summary.start_time)}"]
        if summary.stop_time is not None:
            times.append(f"took {duration_text(summary.stop_time - summary.start_time)}")
    return f'<div>{bar}{shots} <span style="{FAINT}">· {", ".join(times)}</span></div>'


def tags(tags: Iterable[str]) -> str:
    """Return the tags, each in a frame of its own."""
    shown = "".join(
        '<span style="border:1px solid rgba(128,128,128,.5);border-radius:9px;padding:0 8px;'
        f'margin-right:5px;font-size:.85em">{escape(tag)}</span>'
        for tag in sorted(tags)
    )
    return f'<div style="margin:3px 0">{shown}</div>' if shown else ""


def section(title: str, rows: Mapping[str, str], *, is_open: bool = True) -> str:
    """Return a table of names and values, which can be folded away."""
    if not rows:
        return ""
    cells = "".join(
        f'<tr style="background:none"><td style="{_CELL};{_MONOSPACE}">{escape(name)}</td>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for name, value in list(rows.items())[:_MOST_ROWS]
    )
    more = len(rows) - _MOST_ROWS
    rest = f'<div style="{FAINT}">and {more} more</div>' if more > 0 else ""
    return (
        f'<details{" open" if is_open else ""} style="margin:3px 0">'
        f'<summary style="cursor:pointer;{FAINT}">{escape(title)} ({len(rows)})</summary>'
        f'<table style="margin:0 0 0 1em;border-collapse:collapse;border:none;'
        f'font-size:inherit;color:inherit">{cells}</table>{rest}'
        "</details>"
    )


def strip(pictures: list[str]) -> str:
    """Return pictures side by side."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px">{"".join(pictures)}</div>'


def picture(frame: Frame, low: float, high: float, caption: str, edge: int) -> str:
    """Return a frame in colours, with a caption, of as many pixels in the page."""
    content = png(as_bytes(frame, low, high), palette=colours())
    source = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
    height, width = frame.shape
    scale = edge / max(height, width)
    return (
        f'<div style="font-size:.8em"><img src="{source}" alt="{escape(caption)}" '
        f'width="{round(width * scale)}" height="{round(height * scale)}" '
        'style="display:block;margin:0;max-width:none;image-rendering:auto">'
        f'<span style="{FAINT}">{escape(caption)}</span></div>'
    )


def time_text(time: datetime) -> str:
    """Return a time on the clock of this machine."""
    return local_texts(time_column([time]))[0]
