"""How numbers, times and ranges are written for people."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from shotstore.model.finite_json import json_text

if TYPE_CHECKING:
    from shotstore.records.summaries import SequenceSummary


def printable(text: str) -> str:
    """Return the text without what would make a terminal do something else than print it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def counted(number: int, what: str) -> str:
    """ "1 shot", "2 shots", "2 entries"."""
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def readable_size(size: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{size} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def readable_time(time: datetime, *, seconds: bool = False) -> str:
    """A time on the clock of this machine; in UTC where that has none for it."""
    text = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    try:
        return time.astimezone().strftime(text)
    except (OverflowError, ValueError, OSError):
        return time.astimezone(UTC).strftime(text)


def time_span(summary: "SequenceSummary") -> timedelta | None:
    """How long a sequence has been running, or has run."""
    if summary.start_time is None or (summary.stop_time is None and not summary.state.is_active()):
        return None
    return (summary.stop_time or datetime.now(UTC)) - summary.start_time


def progress(summary: "SequenceSummary") -> str:
    """ "12/24" shots, or "12" where nobody knows how many there will be."""
    expected = summary.expected_number_of_shots
    return f"{summary.number_of_shots}{'' if expected is None else f'/{expected}'}"


def print_json(content: object, *, indent: int | None = 2) -> None:
    """Print what a program is to read. Numbers that JSON does not know, such as NaN, are null.

    Args:
        content: What is told.
        indent: How far to indent what is inside; None for all on one line.
    """
    typer.echo(json_text(content, indent))
