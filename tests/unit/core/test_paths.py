"""Paths of frames: numbers of visits, iterations, branches and attempts; jumps in bodies."""

from __future__ import annotations

import pytest
from small_flows import Bench, task

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.events import StepRetried, StepSkipped, StepStarted
from taskrun.errors import RunError


def started(bench: Bench, body: str, **settings: object) -> list[str]:
    """Run steps and return the paths of the started steps in their order."""
    ran = bench.run(task(body), watch=True, **settings)
    assert ran.error is None, ran.error
    return [event.path for event in ran.events if isinstance(event, StepStarted)]


COUNTED = '<step name="{0}"><input name="n" optional="true"/><source>(n or 0) + 1</source><output name="n" value="${{RESULT}}"/>'


def test_a_second_visit_has_its_number(bench: Bench) -> None:
    """A step that is entered again because of a jump, and the steps after it, get the next number."""
    body = f"""
        <step name="first"><source>0</source></step>
        {COUNTED.format("a")}</step>
        <step name="b"/>
        <choose name="again"><decider>n &lt; 3</decider><case match="true" to="a"><steps/></case></choose>
        <step name="last"/>"""
    assert started(bench, body.replace("<decider>", '<input name="n"/><decider>')) == [
        "main/first", "main/a", "main/b", "main/again", "main/again/case1",
        "main/a~2", "main/b~2", "main/again~2", "main/again~2/case1",
        "main/a~3", "main/b~3", "main/again~3", "main/last",
    ]  # fmt: skip


def test_a_jump_forwards_is_a_first_visit(bench: Bench) -> None:
    """Steps that were passed over have not been visited."""
    body = '<step name="a" next="c"/><step name="b"/><step name="c"/><step name="d" next="@exit"/><step name="e"/>'
    assert started(bench, body) == ["main/a", "main/c", "main/d"]


def test_a_skipped_over_step_has_its_first_visit_later(bench: Bench) -> None:
    """Visits are counted per step, not per jump."""
    body = """
        <step name="a" next="c"/>
        <step name="b" next="d"/>
        <step name="c" next="b"/>
        <step name="d"/>"""
    assert started(bench, body) == ["main/a", "main/c", "main/b", "main/d"]


def test_iterations_and_branches_have_their_index(bench: Bench) -> None:
    """The index counts from 0 and is part of the paths of inner steps."""
    body = """
        <loop-n name="l" beginExpr="5" endExpr="6"><steps><step name="s"/></steps></loop-n>
        <fork-n name="f" countExpr="2"><steps><step name="s"/></steps></fork-n>
        <step name="after"/>"""
    assert started(bench, body) == [
        "main/l", "main/l[0]/s", "main/l[1]/s", "main/f", "main/f[0]/s", "main/f[1]/s", "main/after",
    ]  # fmt: skip


def test_attempt_branch_visit_and_iteration_in_one_path(bench: Bench) -> None:
    """A second attempt in a branch of a second visit in an iteration."""
    body = """
        <loop-n name="l" beginExpr="1" endExpr="1"><steps>
          <step name="start"/>
          <fork-n name="f" countExpr="1"><steps>
            <sequential name="s"><retry maxRetryCount="1"/><steps>
              <simple name="flaky" bean="flaky"/>
            </steps></sequential>
          </steps></fork-n>
          <simple name="again" bean="once" nextOnError="start"/>
        </steps></loop-n>"""
    calls: list[str] = []

    def flaky() -> None:
        calls.append("flaky")
        if len(calls) == 4:
            raise OSError

    def once() -> None:
        calls.append("once")
        if calls.count("once") == 1:
            raise OSError

    found = started(bench, body, beans={"flaky": flaky, "once": once})
    assert found[-4:] == ["main/l[0]/f~2", "main/l[0]/f~2[0]/s", "main/l[0]/f~2[0]/s/flaky", "main/l[0]/again~2"]
    calls.clear()
    calls.append("shift")
    found = started(bench, body, beans={"flaky": flaky, "once": once})
    assert "main/l[0]/f~2[0]/s#2/flaky" in found


def test_attempts_in_events_and_notes(bench: Bench) -> None:
    """Events of attempts have the number of the attempt; the note of the final failure has not."""
    ran = bench.run(task('<step name="a"><source>1/0</source><retry maxRetryCount="2"/></step>'), watch=True)
    retried = [(event.path, event.attempt) for event in ran.events if isinstance(event, StepRetried)]
    assert retried == [("main/a", 1), ("main/a#2", 2)]
    assert ran.notes == ["main/a"]


def test_notes_are_from_the_innermost_step_to_the_outermost(bench: Bench) -> None:
    """Visits and iterations are in the paths."""
    body = """
        <sequential name="a"><steps>
          <loop name="l" itemsExpr="[1, 0]" varName="x"><steps>
            <step name="s"><input name="x"/><source>1 / x</source></step>
          </steps></loop>
        </steps></sequential>"""
    ran = bench.run(task(body))
    assert ran.notes == ["main/a/l[1]/s", "main/a/l", "main/a"]
    assert [ran.error.path, ran.error.location.line] == ["main/a/l[1]/s", 6]  # type: ignore[union-attr]


def test_a_skipped_step_has_the_number_of_its_visit(bench: Bench) -> None:
    """The event StepSkipped has the path with the number."""
    body = """
        <step name="a"/>
        <step name="b"><when>False</when></step>
        <simple name="c" bean="once" nextOnError="a"/>"""
    calls: list[int] = []

    def once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError

    ran = bench.run(task(body), watch=True, beans={"once": once})
    assert [event.path for event in ran.events if isinstance(event, StepSkipped)] == ["main/b", "main/b~2"]


def test_the_paths_of_a_called_task_are_below_its_caller(bench: Bench) -> None:
    """``main/c/inside`` is a step of the task that ``main/c`` calls."""
    bench.write(task('<step name="inside"/>'), "paths_called.task.xml")
    body = '<call-task name="c" taskModelPath="paths_called.task.xml"/>'
    assert started(bench, body) == ["main/c", "main/c/inside"]


def test_a_jump_to_an_unknown_step(bench: Bench) -> None:
    """It fails with the most similar name, or with all names."""

    async def jump() -> Completion:
        return Completion({}, target="lats")

    ran = bench.run(task('<simple name="a" bean="jump"/><step name="last"/>'), beans={"jump": jump})
    assert isinstance(ran.cause, RunError)
    assert str(ran.cause) == "cannot jump to 'lats': the body of main has no such step; did you mean 'last'?"
    ran = bench.run(task('<simple name="a" bean="jump"/>'), beans={"jump": jump})
    assert str(ran.cause) == "cannot jump to 'lats': the body of main has no such step; it has: a"


def test_a_jump_is_not_propagated_to_the_outer_body(bench: Bench) -> None:
    """The target is a step of the body in which the jump occurs."""
    body = """
        <sequential name="s"><steps><step name="x" next="y"><source>1</source></step><step name="y"/></steps></sequential>
        <step name="y2"><source>RESULT</source><input name="RESULT"/></step>"""
    assert bench.run(task(body)).result is None


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("", None),
        ('<step name="a"><source>5</source></step><step name="b"/>', None),
        ('<step name="a"><source>5</source></step><step name="b" ignoreResult="true"><source>6</source></step>', 5),
        ('<step name="a"><source>5</source></step><step name="b"><when>False</when></step>', 5),
        ('<step name="a"><source>5</source></step><exit name="e"><source>8</source></exit>', 8),
    ],
)
def test_the_result_of_a_body(bench: Bench, body: str, result: object) -> None:
    """It is the result of the last step that has one and does not ignore it."""
    assert bench.run(task(f'<sequential name="s"><steps>{body}</steps></sequential>')).result == result


def test_an_empty_body() -> None:
    """It has no steps and never suspends."""
    empty = Body.of(())
    assert list(empty) == []
    assert not empty.may_suspend
