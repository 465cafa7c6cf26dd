"""Tests of loop and loop-n: how many iterations run, with which variables, and how they end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import Bench, task

REPORT = '<step name="t"><input name="x"/><input name="i"/><source>report(x, i)\nreturn x</source></step>'


def run_loop(bench: Bench, loop: str, **inputs: Any) -> tuple[list[Any], Any]:
    """Run a loop whose body reports item and index; return the reports and how the run ended."""
    seen: list[Any] = []
    ran = bench.run(task(loop.replace("{}", REPORT)), inputs, functions={"report": lambda *what: seen.append(what)})
    return seen, ran


@settings(max_examples=60)
@given(
    begin=st.integers(-9, 9), end=st.integers(-9, 9), step=st.one_of(st.none(), st.integers(-4, 4).filter(bool)), typed=st.booleans()
)  # fmt: skip
def test_counting(bench: Bench, begin: int, end: int, step: int | None, typed: bool) -> None:
    """Both numbers are included, and the step is added, as in a Python range."""
    attribute = "" if step is None and typed else f' stepExpr="{step}"'
    loop = f'<loop-n name="l" beginExpr="{begin}" endExpr="{end}"{attribute} varName="x" indexName="i"><steps>{{}}</steps></loop-n>'
    seen, ran = run_loop(bench, loop)
    assert ran.error is None
    stride = 1 if step is None else step
    expected = list(range(begin, end + (1 if stride > 0 else -1), stride))
    assert seen == [(number, index) for index, number in enumerate(expected)]
    assert ran.result == (expected[-1] if expected else None)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('beginExpr="1" endExpr="9" stepExpr="0"', "stepExpr of 'l' gave 0: the loop would never end"),
        ('beginExpr="1.0" endExpr="9"', "beginExpr of 'l' gave 1.0; a whole number is expected"),
        ('beginExpr="1" endExpr="True"', "endExpr of 'l' gave True; a whole number is expected"),
        ('beginExpr="1" endExpr="2" stepExpr="\'1\'"', "stepExpr of 'l' gave '1'; a whole number is expected"),
    ],
)
def test_wrong_numbers(bench: Bench, attributes: str, message: str) -> None:
    """A number that is not whole, or a step of 0, makes the step fail."""
    _, ran = run_loop(bench, f'<loop-n name="l" {attributes}><steps>{{}}</steps></loop-n>'.replace("{}", "<step/>"))
    assert str(ran.cause) == message


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("[3, 1]", [3, 1]),
        ("(3, 1)", [3, 1]),
        ("{'a': 1, 'b': 2}", ["a", "b"]),
        ("'xy'", ["x", "y"]),
        ("range(2)", [0, 1]),
        ("[]", []),
        ("None", []),
        ("(n for n in [1, 2])", [1, 2]),
    ],
)
def test_items_of_every_kind(bench: Bench, items: str, expected: list[Any]) -> None:
    """Every iterable can be items of a loop; null counts as no items."""
    loop = f'<loop name="l" itemsExpr="{items}" varName="x" indexName="i"><steps>{{}}</steps></loop>'
    seen, ran = run_loop(bench, loop)
    assert ran.error is None
    assert seen == [(item, index) for index, item in enumerate(expected)]


def test_values_that_are_not_iterable(bench: Bench) -> None:
    """A value that is not iterable makes the step fail, and the message shows the value."""
    _, ran = run_loop(bench, '<loop name="l" itemsExpr="5"><steps><step/></steps></loop>')
    assert "itemsExpr of 'l' gave 5" in str(ran.cause)


def test_items_are_converted(bench: Bench) -> None:
    """Items are converted to varType; the loop fails at an item that cannot be converted."""
    loop = '<loop name="l" itemsExpr="[\'1\', \'2\', \'x\']" varName="x" varType="int" indexName="i"><steps>{}</steps></loop>'
    seen, ran = run_loop(bench, loop)
    assert seen == [(1, 0), (2, 1)]
    assert str(ran.cause) == "'x' is not of type int"


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ('maxCount="2"><', 2),
        ('maxCount="9"><', 5),
        ('maxCount="0"><', 5),
        ("><while>RESULT is None or RESULT &lt; 3</while><", 3),
        ("><while>False</while><", 0),
        ("><until>x == 2</until><", 2),
        ("><until>True</until><", 1),
        ('maxCount="4"><while>i is None or i &lt; 9</while><until>x == 9</until><', 4),
    ],
)
def test_conditions_that_stop_a_loop(bench: Bench, condition: str, count: int) -> None:
    """A loop ends when ``while`` is false before an iteration, ``until`` is true after it, or at ``maxCount``."""
    loop = f'<loop name="l" itemsExpr="[1, 2, 3, 4, 5]" varName="x" indexName="i" {condition}input name="i" optional="true"/><steps>{{}}</steps></loop>'
    seen, ran = run_loop(bench, loop)
    assert ran.error is None
    assert len(seen) == count


def test_a_loop_without_items_runs_up_to_max_count(bench: Bench) -> None:
    """A loop without items runs up to ``maxCount``, and its variable is null."""
    seen, ran = run_loop(bench, '<loop name="l" maxCount="3" varName="x" indexName="i"><steps>{}</steps></loop>')
    assert seen == [(None, 0), (None, 1), (None, 2)]
    assert ran.result is None


@pytest.mark.parametrize(
    ("inside", "seen"),
    [('<exit name="e"><when>x == 2</when></exit>', [1, 3]), ('<end name="e"><when>x == 2</when></end>', [1])],
    ids=["exit", "end"],
)
def test_signals_in_a_loop(bench: Bench, inside: str, seen: list[int]) -> None:
    """An exit continues with the next iteration, an end ends the task."""
    body = f'<loop name="l" itemsExpr="[1, 2, 3]" varName="x"><steps>{inside}<step name="t"><input name="x"/><source>report(x)</source></step></steps></loop><step name="after"><source>report("after")</source></step>'
    reported: list[Any] = []
    assert bench.run(task(body), functions={"report": reported.append}).error is None
    assert reported == [*seen, *(["after"] if "exit" in inside else [])]


def test_iterations_share_one_scope(bench: Bench) -> None:
    """All iterations share one scope, so an iteration reads the variables that the one before exported."""
    body = """<loop name="l" itemsExpr="[1, 2, 3]" varName="x"><input name="sum" value="${0}"/><steps>
        <step name="s"><input name="sum"/><input name="x"/><source>sum + x</source><output name="sum" value="${RESULT}"/></step>
      </steps><output name="sum"/></loop>"""
    assert bench.run(task(body, tail='<output name="sum"/>')).outputs == {"sum": 6}


@pytest.mark.parametrize("count", [127, 128, 129, 1000])
def test_long_loops(bench: Bench, count: int) -> None:
    """A long loop has the same result although it yields to the event loop between iterations."""
    body = f'<loop-n name="l" beginExpr="1" endExpr="{count}" varName="x"><steps><step name="s"><input name="x"/><source>x</source></step></steps></loop-n>'
    ran = bench.run(task(body))
    assert (ran.result, ran.elapsed) == (count, 0)
