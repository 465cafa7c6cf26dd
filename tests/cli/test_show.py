"""``taskrun show``: the run and its steps, as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sample_runs import BOOKING, CALLED, GREETING, LOST, START, a_run, dumps

from taskrun.cli.render_values import abbreviate, one_line, untagged
from taskrun.cli.times import format_elapsed
from taskrun.codec.codec import Codec, Codecs
from taskrun.core.journal import ErrorRecord, StepRecord
from taskrun.core.states import RunState
from taskrun.errors import StoreError
from taskrun.stores.open import open_store

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ((BOOKING,), "show_booking.txt"),
        (("3f9a0", "-v"), "show_booking_verbose.txt"),
        ((BOOKING, "--json"), "show_booking.json"),
        (("b0",), "show_lost.txt"),
        (("d000",), "show_waiting.txt"),
    ],
)
def test_show(call, store, words, file):
    """The output equals the golden file."""
    ended = call("show", *words)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (GOLDEN / file).read_text("utf-8")


@pytest.mark.parametrize("file", ["runs.txt", "show_booking.txt"])
def test_the_documentation_contains_the_golden_file(file):
    """The documentation contains the golden file."""
    page = (GOLDEN.parents[1] / "docs/command-line.md").read_text("utf-8")
    assert (GOLDEN / file).read_text("utf-8") in page


def test_tracebacks_for_programs(call, store):
    """Tracebacks are in the JSON only with ``-v``."""
    error = json.loads(call("show", BOOKING, "--json", "-v").out)["error"]
    assert error["traceback"].startswith('  File "shop.py"')
    assert error["cause"]["traceback"].startswith('  File "net.py"')
    assert "traceback" not in json.loads(call("show", BOOKING, "--json").out)["error"]


def test_json_has_the_members_of_the_list(call, store):
    """The members have the names and values of ``runs --json``, except ``error``."""
    listed = {run["run_id"]: run for run in json.loads(call("runs", "--json").out)}
    for run_id in (LOST, GREETING, CALLED):
        shown = json.loads(call("show", run_id, "--json").out)
        assert shown.items() >= listed[run_id].items()
    assert json.loads(call("show", GREETING, "--json").out)["outputs"] == {"greeting": "Hello, Ada!"}


def test_ambiguous_and_unknown_ids(call, store):
    """An ambiguous prefix is rejected; an unknown one is rejected with a suggestion; two runs are too many."""
    ended = call("show", "3f9a")
    assert (ended.status, ended.out) == (3, "")
    assert f"the ids of 2 runs begin with '3f9a':\n    {GREETING}  greet  SUCCEEDED\n    {BOOKING}" in ended.err
    ended = call("show", "3f9b04")
    assert (ended.status, ended.out) == (3, "")
    assert ended.err.endswith("hint: did you mean '3f9a04'? 'taskrun runs' lists them\n")
    assert call("show", "a", "b").status == 2


def test_a_group_of_errors(call, store):
    """Each member of an exception group has its own line, with its cause."""
    opened = open_store(f"sqlite:///{store}")
    cause = ErrorRecord("builtins.KeyError", "'x'")
    group = ErrorRecord("builtins.ExceptionGroup", "two", group=(ErrorRecord("a.B", "b", cause=cause), cause))
    opened.create(a_run("e0", 60, state=RunState.FAILED, error=group))
    opened.close()
    assert call("show", "e0").out.split("error\n")[1] == (
        "  ExceptionGroup: two\n    | a.B: b\n        from KeyError: 'x'\n    | KeyError: 'x'\n"
    )
    assert json.loads(call("show", "e0", "--json").out)["error"]["group"][0]["cause"]["message"] == "'x'"


def test_a_damaged_value(call, store):
    """A damaged value is reported, with exit status 3."""
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run("e0", 60, inputs='{"x": {"$": "date"}}'))
    opened.close()
    for words in (["e0"], ["e0", "--json"]):
        ended = call("show", *words)
        assert (ended.status, ended.out) == (3, "")
        assert "a recorded value is damaged: KeyError: 'v'" in ended.err


def test_a_damaged_time(call, store):
    """A damaged time is reported by ``show`` and ``runs``, with exit status 3."""
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run("e0", 60, started=1e300))
    opened.close()
    for words in (["show", "e0"], ["runs"], ["runs", "--json"]):
        ended = call(*words)
        assert (ended.status, ended.out) == (3, "")
        assert "a recorded time is damaged: 1e+300" in ended.err


def test_ten_thousand_steps(call, store):
    """All of many steps are shown, in reasonable time."""
    opened = open_store(f"sqlite:///{store}")
    opened.create(a_run("e0", 60))
    opened.write("e0", 1, [StepRecord(f"main/loop[{n}]/s", started=START + n) for n in range(10_000)])
    opened.close()
    assert call("show", "e0").out.count("    s  SUCCEEDED\n") == 10_000


class Point(NamedTuple):
    """Class whose instances are recorded."""

    x: int
    y: object


FRACTION = Codec("fraction", Fraction, lambda one: [one.numerator, one.denominator], lambda parts: Fraction(*parts))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ([1, True, "ü", 1.5, {"a": None}], [1, True, "ü", 1.5, {"a": None}]),
        ((1, (2,)), [1, [2]]),
        ({3, 1}, [1, 3]),
        (date(2026, 2, 3), "2026-02-03"),
        (datetime(2026, 2, 3, 4, 5, tzinfo=UTC), "2026-02-03T04:05:00+00:00"),
        (datetime(2026, 7, 3, 4, 5, tzinfo=ZoneInfo("Europe/Paris")), "2026-07-03T04:05:00+02:00"),
        (time(4, 5), "04:05:00"),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (Decimal("1.50"), 1.5),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Decimal("NaN"), "NaN"),
        (float("inf"), "inf"),
        (2**5000, hex(2**5000)),
        (b"\x00\xff", "AP8="),
        (complex(1, 2), "(1+2j)"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (ZoneInfo("Europe/Paris"), "Europe/Paris"),
        (UTC, "UTC"),
        (range(0, 10**12, 2), "range(0, 1000000000000, 2)"),
        ("\udcff", "\udcff"),
        ({1: "a", (1, date(2026, 2, 3)): {"$": 1}}, {"1": "a", '[1, "2026-02-03"]': {"$": 1}}),
        (Point(1, {date(2026, 2, 3)}), {"x": 1, "y": ["2026-02-03"]}),
        (RunState.FAILED, "FAILED"),
        (Fraction(1, 3), [1, 3]),
    ],
    ids=repr,
)
def test_untagged(value, shown, monkeypatch):
    """Each kind of value has a readable form, without importing its class."""
    monkeypatch.setitem(__import__("sys").modules, Point.__module__, __import__("types").SimpleNamespace(Point=Point))
    assert untagged(Codecs([FRACTION]).dumps({"x": value})) == {"x": shown}


@pytest.mark.parametrize("text", ["{", '{"$":"date","v":"x"}', '{"$":"dict","v":[1]}', '{"$":"datetime","v":[1]}'])
def test_not_untagged(text):
    """A damaged value raises StoreError."""
    with pytest.raises(StoreError, match="recorded value"):
        untagged(text)


def test_one_line():
    """Long texts are cut, even if they consist mostly of blanks."""
    assert one_line("a \t b") == "a b"
    assert one_line("abcde", 5) == "abcde"
    assert one_line("abcdef", 5) == "abcd…"
    assert one_line("a" + " " * 100 + "b", 5) == "a…"
    assert len(abbreviate(dumps("x" * 10_000_000))) == 100
    assert abbreviate(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.0004, "<1 ms"), (0.001, "1 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (59.94, "59.9 s"),
        (59.96, "1 m 0 s"), (3599.4, "59 m 59 s"), (3599.6, "1 h 0 m"), (86399, "23 h 59 m"), (86400, "1 d 0 h"),
        (10**7, "115 d 17 h"), (-5, "0 ms"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    """A duration has two units at most, and is never negative."""
    assert format_elapsed(100.0, 100.0 + seconds) == text
