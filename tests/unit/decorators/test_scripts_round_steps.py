"""Tests of catch, finally, when, validator, onEnter, returnType, allowFailure, nextOnError and dump."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.events import FailureIgnored, StepSkipped, ValueDumped


def test_an_error_of_a_catch_has_the_failure_as_its_context(bench: Bench) -> None:
    """An error that a catch raises has the caught failure as its context; a failure raised again is unchanged."""
    ran = bench.run(task('<step name="a"><source>1/0</source><catch>[][0]</catch></step>'))
    assert isinstance(ran.cause, IndexError)
    assert isinstance(ran.cause.__context__, ZeroDivisionError)
    ran = bench.run(task('<step name="a"><source>1/0</source><catch>raise exception</catch></step>'))
    assert isinstance(ran.cause, ZeroDivisionError)


def test_the_variable_of_a_catch_hides_one_temporarily(bench: Bench) -> None:
    """The variable ``exception`` hides one of the step only while the catch runs."""
    body = """<step name="a"><input name="exception" value="mine"/><source>1/0</source><catch>return str(exception)</catch>
        <output name="x" value="${exception}"/><output name="r" value="${RESULT}"/></step>"""
    ran = bench.run(task(body, tail='<output name="x"/><output name="r"/>'))
    assert ran.outputs == {"x": "mine", "r": "division by zero"}


def test_a_finally_reads_the_exception(bench: Bench) -> None:
    """``exception`` is null after a success or a caught failure; an error of the finally replaces the result."""
    reported: list[Any] = []
    body = """<step name="a"><source>{}</source>{}<finally>report(exception)</finally></step>"""
    for source, catch in (("1", ""), ("1/0", "<catch>1</catch>"), ("1/0", "")):
        bench.run(
            task(body.format(source, catch)), functions={"report": lambda what: reported.append(type(what).__name__)}
        )
    assert reported == ["NoneType", "NoneType", "ZeroDivisionError"]
    ran = bench.run(task('<step name="a"><source>1</source><finally>[][0]</finally></step>'))
    assert isinstance(ran.cause, IndexError)


def test_a_condition_reads_the_scope_of_the_caller(bench: Bench) -> None:
    """A condition reads the variables of the caller, its assignments are dropped, its errors are those of the step."""
    body = """<step name="a"><when>y = x
return y == 1</when><input name="x" value="${2}"/><source>return x</source></step>
      <step name="b"><source>return [x, y]</source><catch>return [x, 'no y']</catch></step>"""
    assert bench.run(task(body), {"x": 1}).result == [1, "no y"]
    ran = bench.run(task('<step name="a"><when>1 / 0</when></step>'), watch=True)
    assert ran.notes == ["main/a"]
    ran = bench.run(task('<step name="a"><when>\n  1 == \\\n  2</when></step>'), watch=True)
    (skipped,) = [event for event in ran.events if isinstance(event, StepSkipped)]
    assert (skipped.path, skipped.reason, skipped.location.line) == ("main/a", "when '1 == \\ 2' was false", 3)


def test_a_skipped_step_leaves_everything_as_it_was(bench: Bench) -> None:
    """A skipped step evaluates no input, does not change RESULT, and its ``next`` is not followed."""
    body = """<step name="a"><source>5</source></step>
      <step name="b" next="d"><when>False</when><input name="x"><source>1/0</source></input><output name="y"/></step>
      <step name="c"><input name="RESULT"/><source>RESULT + 1</source></step><step name="d" ignoreResult="true"/>"""
    assert bench.run(task(body)).result == 6


def test_scripts_that_run_on_entry(bench: Bench) -> None:
    """Validator and onEnter run in this order, once, before the permits and the attempts, and read the inputs."""
    reported: list[Any] = []
    body = """<step name="a"><input name="x" value="${1}"/><validator>report('validator', x)</validator><onEnter>report('enter', x)</onEnter>
      <retry maxRetryCount="1"/><source>report('body', attempt)
if attempt == 1: raise OSError</source></step>"""
    ran = bench.run(task(body), functions={"report": lambda *what: reported.append(what)})
    assert ran.error is None
    assert reported == [("validator", 1), ("enter", 1), ("body", 1), ("body", 2)]
    ran = bench.run(task('<step name="a"><validator>assert False, "no"</validator><catch>1</catch></step>'))
    assert str(ran.cause) == "no"


@pytest.mark.parametrize(
    ("source", "kind", "result"),
    [("'3'", "int", 3), ("None", "int", None), ("['1']", "list&lt;int&gt;", [1]), ("1", "str", "1")],
)
def test_a_result_of_a_type(bench: Bench, source: str, kind: str, result: Any) -> None:
    """The result is converted to the type; null stays null."""
    assert bench.run(task(f'<step name="a" returnType="{kind}"><source>{source}</source></step>')).result == result


def test_a_result_of_another_type(bench: Bench) -> None:
    """A result that cannot be converted is a failure of the step, which its catch can handle."""
    ran = bench.run(task('<step name="a" returnType="int"><source>"x"</source></step>'))
    assert str(ran.cause) == "returnType: 'x' is not of type int"
    assert bench.run(task('<step name="a" returnType="int"><source>"x"</source><catch>7</catch></step>')).result == 7


def test_an_allowed_failure(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """An allowed failure is logged and reported; there is no result, and ``next`` is followed."""
    body = """<step name="before"><output name="x" value="old"/><source>1</source></step>
      <step name="a" allowFailure="true" next="c"><source>1/0</source><output name="x" value="new"/></step>
      <step name="b"><source>1/0</source></step><step name="c"><input name="RESULT"/><source>[x, RESULT]</source></step>"""
    with caplog.at_level(logging.WARNING, "taskrun"):
        ran = bench.run(task(body), watch=True)
    assert ran.result == ["old", None]
    (ignored,) = [event for event in ran.events if isinstance(event, FailureIgnored)]
    assert (ignored.path, ignored.error, ignored.location.line) == ("main/a", "ZeroDivisionError: division by zero", 4)
    assert "main/a failed and was allowed to: ZeroDivisionError: division by zero" in caplog.text
    ran = bench.run(task('<step name="a" allowFailure="false"><source>1/0</source></step>'))
    assert isinstance(ran.cause, ZeroDivisionError)


def test_next_on_error(bench: Bench) -> None:
    """After a failure the step of nextOnError runs, and the error is a variable with code, text, location and cause."""
    body = """<step name="a" nextOnError="c" errorName="e"><source>{}</source></step>
      <step name="b" next="@exit"><source>'fine'</source></step>
      <step name="c"><input name="e"/><source>return [e.errorCode, e.description, e.sourceLocation[-4:], e.cause]</source></step>"""
    assert bench.run(task(body.format("1"))).result == "fine"
    assert bench.run(task(body.format("1/0"))).result == ["ZeroDivisionError", "division by zero", ":3:1", None]


@pytest.mark.parametrize(("target", "result"), [("@exit", 1), ("@end", None)])
def test_special_targets_of_next_on_error(bench: Bench, target: str, result: Any) -> None:
    """``nextOnError`` may leave the sequence or end the task."""
    body = f"""<sequential name="s"><steps><step name="a" nextOnError="{target}"><source>1/0</source></step></steps></sequential>
      <step name="b"><source>1</source></step>"""
    assert bench.run(task(body)).result == result


def test_dumped_values(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Dumped inputs and outputs of steps and of the task are logged and sent as events."""
    body = """<step name="a"><input name="x" dump="true" value="${n + 1}"/><source>return x + 1</source>
        <output name="y" dump="true"/><output name="z" exportAs="zz" dump="true" toTaskScope="true" value="${9}"/></step>"""
    text = task(body, head='<input name="n" dump="true"/>', tail='<output name="y" dump="true"/>')
    with caplog.at_level(logging.INFO, "taskrun"):
        ran = bench.run(text, {"n": 1}, watch=True)
    dumped = [
        (event.path, event.kind, event.name, event.value) for event in ran.events if isinstance(event, ValueDumped)
    ]
    assert dumped == [
        ("main", "input", "n", 1), ("main/a", "input", "x", 2), ("main/a", "output", "y", 3),
        ("main/a", "output", "z", 9), ("main", "output", "y", 3),
    ]  # fmt: skip
    assert "main/a input x = 2" in caplog.text
