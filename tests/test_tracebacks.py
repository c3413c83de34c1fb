"""What a crash leaves behind can be stored, and reads like the interpreter's traceback."""

import json
import re
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.tracebacks import FrameSummary, TracebackSummary


class ReadoutError(Exception):
    pass


def _caught(function: Callable[[], object]) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def _fail() -> None:
    raise ReadoutError("no frame")


def _fail_from_a_cause() -> None:
    try:
        _fail()
    except ReadoutError as error:
        raise RuntimeError("shot 3\nfailed") from error


def _fail_in_a_handler() -> None:
    try:
        _fail()
    except ReadoutError:
        raise RuntimeError("shot 3 failed")  # noqa: B904


def _fail_without_context() -> None:
    try:
        _fail()
    except ReadoutError:
        raise RuntimeError("shot 3 failed") from None


def _fail_with_notes() -> None:
    error = ValueError("too hot")
    error.add_note("the laser is off")
    error.add_note("two\nlines")
    raise error


def _fail_in_groups() -> None:
    inner = ExceptionGroup("devices", [_caught(_fail_from_a_cause), _caught(_fail)])
    group = ExceptionGroup("shot", [TypeError("a"), inner, ValueError("b\nc")])
    group.add_note("a note")
    raise group


def _fail_after_groups() -> None:
    member = _caught(_fail_in_groups)
    try:
        raise ExceptionGroup("last", [KeyError("k"), ExceptionGroup("nested", [ValueError()])])
    except ExceptionGroup as group:
        raise ExceptionGroup("outer", [member]) from group


def _recurse() -> None:
    _recurse()


@pytest.mark.parametrize(
    "function",
    [
        _fail,
        _fail_from_a_cause,
        _fail_in_a_handler,
        _fail_without_context,
        _fail_with_notes,
        _fail_in_groups,
        _fail_after_groups,
        _recurse,
    ],
)
def test_a_summary_renders_as_the_interpreter_does(function: Callable[[], object]) -> None:
    error = _caught(function)
    rendered = "".join(traceback.format_exception(error))
    without_carets = re.sub(r"^[ |]*\^+\n|^[ |]*[~^]{2,}\n", "", rendered, flags=re.MULTILINE)
    assert str(TracebackSummary.from_exception(error)) + "\n" == without_carets


def test_a_summary_keeps_what_was_said_and_where() -> None:
    summary = TracebackSummary.from_exception(_caught(_fail))
    assert summary.exception_type == f"{__name__}.ReadoutError"
    assert summary.message == "no frame"
    last = summary.frames[-1]
    assert last == FrameSummary(
        __file__, _fail.__code__.co_firstlineno + 1, "_fail", 'raise ReadoutError("no frame")'
    )


def test_builtin_exceptions_are_named_without_their_module() -> None:
    assert TracebackSummary.from_exception(ValueError()).exception_type == "ValueError"


def test_cause_and_context_are_kept() -> None:
    summary = TracebackSummary.from_exception(_caught(_fail_from_a_cause))
    assert summary.cause is not None
    assert summary.cause.message == "no frame"
    assert summary.context is None

    summary = TracebackSummary.from_exception(_caught(_fail_in_a_handler))
    assert summary.cause is None
    assert summary.context is not None
    assert summary.context.message == "no frame"


def test_a_suppressed_context_is_left_out() -> None:
    summary = TracebackSummary.from_exception(_caught(_fail_without_context))
    assert summary.cause is None
    assert summary.context is None


def test_members_of_a_group_are_kept_in_order() -> None:
    summary = TracebackSummary.from_exception(_caught(_fail_in_groups))
    first, inner, last = summary.exceptions
    assert (first.message, last.message) == ("a", "b\nc")
    assert [member.message for member in inner.exceptions] == ["shot 3\nfailed", "no frame"]


def test_causes_that_lead_in_a_circle_are_left_out() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    first.__context__ = first
    first.__suppress_context__ = False
    summary = TracebackSummary.from_exception(first)
    assert summary == TracebackSummary(
        "ValueError", "first", cause=TracebackSummary("ValueError", "second")
    )


def test_a_chain_of_thousands_of_tries_can_still_be_stored() -> None:
    error = ValueError(0)
    for attempt in range(1, 5000):
        later = ValueError(attempt)
        later.__context__ = error
        error = later
    summary = TracebackSummary.from_exception(error)
    assert summary.message == "4999"
    assert TracebackSummary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


def test_groups_that_share_their_members_do_not_explode() -> None:
    error: Exception = ValueError("shared")
    for _ in range(30):
        error = ExceptionGroup("twice", [error, error])
    assert len(json.dumps(TracebackSummary.from_exception(error).to_json())) < 1_000_000


def test_a_message_that_cannot_be_had_is_replaced() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    error = MuteError()
    error.__notes__ = [error, 7]  # type: ignore[list-item]
    summary = TracebackSummary.from_exception(error)
    assert summary.message == "<exception str() failed>"
    assert summary.notes == ("<note str() failed>", "7")


@pytest.mark.parametrize(("assigned", "notes"), [(None, ()), ("text", ("text",)), ((1,), ("1",))])
def test_notes_may_be_anything(assigned: object, notes: tuple[str, ...]) -> None:
    error = ValueError()
    error.__notes__ = assigned  # type: ignore[assignment]
    assert TracebackSummary.from_exception(error).notes == notes


def test_lone_surrogates_become_escapes() -> None:
    error = OSError("no file caf\udce9")
    error.add_note("\ud800")
    summary = TracebackSummary.from_exception(error)
    assert summary.message == r"no file caf\udce9"
    assert summary.notes == (r"\ud800",)


def test_rendering_reads_no_file() -> None:
    frame = FrameSummary(__file__, 1, "function", None)
    summary = TracebackSummary("ValueError", "", frames=(frame,))
    assert str(summary).splitlines() == [
        "Traceback (most recent call last):",
        f'  File "{__file__}", line 1, in function',
        "ValueError",
    ]


_frames = st.builds(
    FrameSummary, st.text(), st.none() | st.integers(1), st.text(), st.none() | st.text(min_size=1)
)
_summaries = st.recursive(
    st.builds(
        TracebackSummary,
        st.text(),
        st.text(),
        st.lists(st.text()).map(tuple),
        st.lists(_frames).map(tuple),
    ),
    lambda summaries: st.builds(
        TracebackSummary,
        st.text(),
        st.text(),
        cause=st.none() | summaries,
        context=st.none() | summaries,
        exceptions=st.lists(summaries, max_size=3).map(tuple),
    ),
)


@given(_summaries)
def test_a_summary_comes_back_from_json(summary: TracebackSummary) -> None:
    content = json.loads(json.dumps(summary.to_json()))
    assert content == summary.to_json()
    assert TracebackSummary.from_json(content) == summary
    # Inside a group each line is indented.
    assert all(line in str(summary) for line in summary.exception_type.split("\n"))


@pytest.mark.parametrize("content", [{}, {"exception_type": "ValueError"}, [], None, "text"])
def test_json_of_something_else_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="not a traceback summary"):
        TracebackSummary.from_json(content)
