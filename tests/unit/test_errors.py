"""Errors: the text of a problem, similar names, and exit statuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.errors import (
    AnalysisError,
    BindError,
    Diagnostic,
    ExtendError,
    FlowError,
    InputError,
    PluginError,
    RateLimitTimeout,
    RunCancelled,
    RunError,
    SchemaError,
    StepError,
    StepTimeout,
    TaskrunError,
    ThrottleTimeout,
    XmlError,
    near_hint,
    nearest,
)
from taskrun.source import Location, Source, snippet

PLACE = Location("flow.task.xml", 2, 5)


def test_a_problem_shows_its_line_with_a_caret() -> None:
    """The text has location, severity, code and message, then the source line, a caret, and a hint if there is one."""
    problem = Diagnostic(location=PLACE, code="bad", message="no", hint="say yes", line="abc def", severity="warning")
    assert str(problem) == (
        "flow.task.xml:2:5: warning[bad]: no\n    abc def\n        ^\n    hint: say yes"
    )  # fmt: skip
    assert str(Diagnostic(location=PLACE, code="bad", message="no")) == "flow.task.xml:2:5: error[bad]: no"


def test_the_caret_is_below_its_character() -> None:
    """Tabs are preserved; of a long line only the part around the caret is shown."""
    assert snippet("\tx = 1", 2) == "    \tx = 1\n    \t^"
    line = "".join(str(number % 10) for number in range(1, 1001))
    shown, caret = snippet(line, 500).split("\n")
    assert len(shown) == 4 + 160
    assert shown[caret.index("^")] == line[499]


@given(text=st.text(st.sampled_from("ab\n\r\t é"), max_size=40), data=st.data())
def test_offsets_and_places_are_the_same_thing(text: str, data: st.DataObject) -> None:
    """Offsets are converted to line and column and back, whatever the line ends."""
    source = Source("f", text)
    offset = data.draw(st.integers(0, len(text)))
    place = source.location(offset)
    if text[offset - 1 : offset + 1] != "\r\n":
        assert source.offset(place.line, place.column) == offset
    assert source.line(place.line) == source.line(place.line).rstrip("\r\n")
    assert source.line(0) == source.line(len(source.starts) + 1) == ""


def test_a_refused_flow_carries_every_problem() -> None:
    """The error has all problems in its text and as data."""
    problems = [Diagnostic(location=PLACE, code=code, message="m") for code in ("a", "b")]
    for kind in (XmlError, ExtendError, SchemaError, BindError, AnalysisError):
        error = kind(iter(problems))
        assert error.diagnostics == tuple(problems)
        assert str(error).splitlines() == [str(item) for item in problems]
        assert isinstance(error, FlowError)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FlowError([]), 2),
        (InputError(["a", "b"]), 2),
        (PluginError("x"), 3),
        (RunError("x"), 1),
        (StepError("x", "main/a", PLACE), 1),
        (StepTimeout("x"), 1),
        (ThrottleTimeout("x"), 1),
        (RateLimitTimeout("x"), 1),
        (RunCancelled("x"), 130),
    ],
)
def test_exit_statuses(error: TaskrunError, status: int) -> None:
    """Each error has the exit status of the command."""
    assert error.exit_status == status


def test_attributes_of_errors() -> None:
    """Errors have the problems of inputs, the location of a failed step, and the codes for flows."""
    assert InputError(["a", "b"]).problems == ("a", "b")
    assert str(InputError(["a", "b"])) == "a\nb"
    error = StepError("x", "main/a", PLACE, "TIMED_OUT")
    assert (error.path, error.location, error.status) == ("main/a", PLACE, "TIMED_OUT")
    codes = {cls.error_code for cls in (StepTimeout, ThrottleTimeout, RateLimitTimeout, RunCancelled)}
    assert all(code.startswith("nop.err.task.") for code in codes)
    assert len(codes) == 4
    assert all(issubclass(cls, TimeoutError) for cls in (StepTimeout, ThrottleTimeout, RateLimitTimeout))


@pytest.mark.parametrize(
    ("word", "found"),
    [("totl", "total"), ("TOTAL", "total"), ("COUNT", "count"), ("xyz", None), ("", None)],
)
def test_near_names(word: str, found: str | None) -> None:
    """Misspelt names and names in the other case are similar, distant ones are not."""
    words = ["total", "count", "item"]
    assert nearest(word, words) == found
    assert near_hint(word, words) == (f"did you mean '{found}'?" if found else "")
