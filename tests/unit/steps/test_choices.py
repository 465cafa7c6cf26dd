"""Tests of if, choose, selector, exit, end, delay and sleep: which branch runs, and with what result."""

from __future__ import annotations

from typing import Any

import pytest
from small_flows import Bench, task


@pytest.mark.parametrize(
    ("value", "branch"), [("1", "then"), ("0", "else"), ("None", "else"), ("[0]", "then"), ("''", "else")]
)
def test_a_condition_is_true_or_not(bench: Bench, value: str, branch: str) -> None:
    """A condition is converted to a boolean as in Python."""
    body = f"""<if name="i"><condition>{value}</condition><then><steps><step><source>'then'</source></step></steps></then>
      <else><steps><step><source>'else'</source></step></steps></else></if>"""
    assert bench.run(task(body)).result == branch


def test_a_missing_branch(bench: Bench) -> None:
    """A missing branch does nothing and has no result."""
    assert bench.run(task('<step><source>1</source></step><if name="i"><condition>0</condition></if>')).result is None


CHOOSE = """<choose name="c"><decider>{}</decider>
  <case match="1"><steps><step><source>'one'</source></step></steps></case>
  <case match="true"><steps><step><source>'yes'</source></step></steps></case>
  <case match="default"><steps><step><source>'nothing'</source></step></steps></case>
  <case match="None"><steps><step><source>'None'</source></step></steps></case>
  <case match="1.5"><steps><step><source>'float'</source></step></steps></case>{}</choose>"""


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("1", "one"), ("'1'", "one"), ("True", "yes"), ("'true'", "yes"), ("None", "nothing"), ("''", "nothing"),
        ("'default'", "nothing"), ("1.5", "float"), ("2", "other"), ("False", "other"),
    ],
)  # fmt: skip
def test_the_value_of_a_decider_is_compared_as_text(bench: Bench, value: str, result: str) -> None:
    """The value of a decider is compared as text; null and the empty text are ``default``."""
    otherwise = "<otherwise><steps><step><source>'other'</source></step></steps></otherwise>"
    assert bench.run(task(CHOOSE.format(value, otherwise))).result == result


def test_a_choose_without_a_matching_case(bench: Bench) -> None:
    """A choose without a matching case and without otherwise has no result."""
    assert bench.run(task(CHOOSE.format("'?'", ""))).result is None


@pytest.mark.parametrize(
    ("inside", "result"),
    [("<step><source>'x'</source></step>", "to"), ("<end><source>'end'</source></end>", "end"), ("<exit/>", "to")],
)
def test_the_jump_of_a_case(bench: Bench, inside: str, result: str) -> None:
    """The step of ``to`` runs next, unless the steps of the case end the task."""
    body = f"""<choose name="c"><decider>1</decider><case match="1" to="d"><steps>{inside}</steps></case></choose>
      <step name="b"><source>1/0</source></step><step name="d"><source>'to'</source></step>"""
    assert bench.run(task(body)).result == result


def selected(bench: Bench, *steps: str) -> Any:
    """Run a selector with these steps."""
    return bench.run(task(f'<selector name="s"><steps>{"".join(steps)}</steps></selector>'))


ZERO, SEVEN = "<step name='z'><source>0</source></step>", "<step name='v'><source>7</source></step>"
FAILS = "<step name='f'><source>1/0</source></step>"
OUTPUT = "<step name='o'><output name='x' value='1'/></step>"


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        ((ZERO, SEVEN), 7),
        ((FAILS, SEVEN), 7),
        ((FAILS, ZERO), 0),
        ((ZERO,), 0),
        ((SEVEN, FAILS), 7),
        (("<step name='n'/>", SEVEN), 7),
        ((OUTPUT, FAILS), None),
        (("<exit name='e'><source>3</source></exit>", FAILS), 3),
        (("<end name='e'><source>4</source></end>", FAILS), 4),
    ],
)
def test_the_step_that_a_selector_takes(bench: Bench, steps: tuple[str, ...], result: Any) -> None:
    """A selector takes the first step with a true result, or with outputs but no RESULT; a failure is no result."""
    ran = selected(bench, *steps)
    assert ran.error is None
    assert ran.result == result


def test_a_selector_fails_with_its_last_step(bench: Bench) -> None:
    """A selector fails with the failure of its last step if no earlier step has a result."""
    assert isinstance(selected(bench, ZERO, FAILS).cause, ZeroDivisionError)


def test_an_end_ends_the_task_with_its_outputs(bench: Bench) -> None:
    """An end inside sequences and loops ends the task; without a source its result is null."""
    body = """<sequential name="s"><steps><loop name="l" itemsExpr="[1]"><steps><end name="e">{}</end></steps></loop></steps></sequential>
      <step name="never"><source>1/0</source></step>"""
    assert bench.run(task(body.format("<source>9</source>"))).result == 9
    assert bench.run(task(body.format(""))).result is None


@pytest.mark.parametrize("value", ["250", "0.25s", "250ms", "n", "'0.25s'", "${n}", "${n / 1000}s", "d"])
def test_durations_of_waits(bench: Bench, value: str) -> None:
    """A wait may be a constant, an expression of milliseconds or a duration, or a template."""
    from datetime import timedelta

    for tag, attribute in (("delay", "delayMillisExpr"), ("sleep", "sleepMillisExpr")):
        ran = bench.run(task(f'<{tag} name="d" {attribute}="{value}"/>'), {"n": 250, "d": timedelta(milliseconds=250)})
        assert ran.error is None
        assert ran.elapsed == 250


@pytest.mark.parametrize(
    ("value", "error"), [("None", False), ("0", False), ("-5", False), ("'soon'", True), ("True", True), ("[]", True)]
)
def test_values_that_do_not_wait(bench: Bench, value: str, error: bool) -> None:
    """Null and numbers up to 0 do not wait; a value that is not a duration fails."""
    ran = bench.run(task(f'<sleep name="d" sleepMillisExpr="{value}"/>'))
    assert ran.elapsed == 0
    assert (ran.error is not None) is error
