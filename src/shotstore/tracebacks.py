"""What is kept of the error that a sequence crashed with."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Iterator
from typing import Any, Self

import attrs
import cattrs

# Retries in a loop chain as many exceptions as there were tries: more than JSON can nest.
_MAX_DEPTH = 50
_MAX_EXCEPTIONS = 1000
_MAX_REPEATS = 3  # of a line that calls itself, as the interpreter shows it

_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


@attrs.frozen
class FrameSummary:
    """One line of a traceback."""

    file_name: str
    line_number: int | None
    function: str
    source: str | None
    """The line of code, stripped; None where its file could not be read."""


@attrs.frozen
class TracebackSummary:
    """An exception and where it came from, as a value that can be stored.

    ``str`` renders it as the interpreter does.
    """

    exception_type: str
    """The name of the class, with its module unless that is ``builtins`` or ``__main__``."""
    message: str
    notes: tuple[str, ...] = ()
    frames: tuple[FrameSummary, ...] = ()
    """From where it was caught to where it was raised."""
    cause: TracebackSummary | None = None
    """What it was raised ``from``."""
    context: TracebackSummary | None = None
    """What was being handled when it was raised; None where the exception suppresses that."""
    exceptions: tuple[TracebackSummary, ...] = ()
    """The members of an exception group."""

    @classmethod
    def from_exception(cls, exception: BaseException) -> TracebackSummary:
        """Summarise an exception.

        A message that cannot be had is replaced by one that says so, and lone surrogates, which no
        file can hold, by backslash escapes. Left out are an exception that leads back to itself,
        and all that is 50 exceptions away or more, or beyond 1000 exceptions in total.
        """
        summary = _summarise(exception, frozenset(), iter(range(_MAX_EXCEPTIONS)))
        assert summary is not None
        return summary

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Return the summary that :meth:`to_json` was called on.

        Raises:
            ValueError: the content is not that of a summary.
        """
        try:
            return _converter.structure(content, cls)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"This is not a traceback summary: {content!r:.200}.") from error

    @property
    def headline(self) -> str:
        """The class without its module, and the message: ``CameraError: no frame came``."""
        kind = self.exception_type.rpartition(".")[2]
        return f"{kind}: {self.message}" if self.message else kind

    def to_json(self) -> dict[str, Any]:
        """Return the summary as dicts, lists, texts, numbers and None, fit for JSON."""
        content: dict[str, Any] = _converter.unstructure(self)
        return content

    def __str__(self) -> str:
        return "\n".join(_render(self, depth=0))


_converter = cattrs.Converter(
    detailed_validation=False, unstruct_collection_overrides={tuple: list}
)


def _summarise(
    exception: BaseException | None, above: frozenset[int], budget: Iterator[int]
) -> TracebackSummary | None:
    """Summarise the exception, unless it is among those above it or one too many."""
    if exception is None or id(exception) in above or len(above) == _MAX_DEPTH:
        return None
    if next(budget, None) is None:
        return None
    above |= {id(exception)}
    suppressed = exception.__suppress_context__
    members = exception.exceptions if isinstance(exception, BaseExceptionGroup) else ()
    summaries = [_summarise(member, above, budget) for member in members]
    return TracebackSummary(
        exception_type=_name_type(type(exception)),
        message=_text(exception, "exception"),
        notes=_get_notes(exception),
        frames=tuple(map(_summarise_frame, traceback.extract_tb(exception.__traceback__))),
        cause=_summarise(exception.__cause__, above, budget),
        context=None if suppressed else _summarise(exception.__context__, above, budget),
        exceptions=tuple(summary for summary in summaries if summary is not None),
    )


def _summarise_frame(frame: traceback.FrameSummary) -> FrameSummary:
    return FrameSummary(
        file_name=_storable(frame.filename),
        line_number=frame.lineno,
        function=_storable(frame.name),
        source=_storable(frame.line) if frame.line else None,
    )


def _name_type(exception_type: type[BaseException]) -> str:
    module, name = exception_type.__module__, exception_type.__qualname__
    return _storable(name if module in ("builtins", "__main__") else f"{module}.{name}")


def _get_notes(exception: BaseException) -> tuple[str, ...]:
    notes = getattr(exception, "__notes__", None)
    if notes is None:
        return ()
    if not isinstance(notes, list | tuple):  # anything can be assigned to it
        notes = (notes,)
    return tuple(_text(note, "note") for note in notes)


def _text(said: object, what: str) -> str:
    try:
        return _storable(str(said))
    except Exception:
        return f"<{what} str() failed>"


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _render(summary: TracebackSummary, depth: int) -> Iterator[str]:
    """Yield the lines of the summary, inside ``depth`` exception groups.

    The layout is that of ``traceback.TracebackException.format``.
    """
    margin = "  " * depth + "| " if depth else ""
    for before, link in ((summary.cause, _CAUSE), (summary.context, _CONTEXT)):
        if before is not None:
            yield from _render(before, depth)
            yield from (margin, margin + link, margin)
            break
    if summary.exceptions:
        yield from _render_group(summary, depth)
        return
    if summary.frames:
        yield f"{margin}Traceback (most recent call last):"
    for line in _render_own(summary):
        yield margin + line


def _render_group(summary: TracebackSummary, depth: int) -> Iterator[str]:
    corner = "| " if depth else "+ "
    depth = max(depth, 1)
    indent = "  " * depth
    if summary.frames:
        yield f"{indent}{corner}Exception Group Traceback (most recent call last):"
    for line in _render_own(summary):
        yield f"{indent}| {line}"
    for number, member in enumerate(summary.exceptions, start=1):
        yield f"{indent}{'+-' if number == 1 else '  '}+---------------- {number} ----------------"
        yield from _render(member, depth + 1)
    if not summary.exceptions[-1].exceptions:  # otherwise it has closed the frame by its own
        yield f"{indent}  +------------------------------------"


def _render_own(summary: TracebackSummary) -> Iterator[str]:
    for frame, repeats in itertools.groupby(summary.frames):
        count = len(list(repeats))
        for _ in range(min(count, _MAX_REPEATS)):
            yield f'  File "{frame.file_name}", line {frame.line_number}, in {frame.function}'
            if frame.source:
                yield f"    {frame.source}"
        if more := max(count - _MAX_REPEATS, 0):
            yield f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]"
    said = f"{summary.exception_type}: {summary.message}" if summary.message else None
    yield from (said or summary.exception_type).split("\n")
    for note in summary.notes:
        yield from note.split("\n")
