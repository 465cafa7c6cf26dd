"""Paths of frames, and what bodies do with jumps: visits, iterations, branches and attempts are told apart."""

from __future__ import annotations

import pytest
from small_flows import Bench, task

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.events import StepRetried, StepSkipped, StepStarted
from taskrun.errors import RunError


def started(bench: Bench, body: str, **settings: object) -> list[str]:
    """Run steps and return the paths of those that began, in that order."""
    ran = bench.run(task(body), watch=True, **settings)
    assert ran.error is None, ran.error
    return [event.path for event in ran.events if isinstance(event, StepStarted)]


COUNTED = '<step name="{0}"><input name="n" optional="true"/><source>(n or 0) + 1</source><output name="n" value="${{RESULT}}"/>'


def test_a_second_visit_has_its_number(bench: Bench) -> None:
    """What is entered again through a jump is another visit: it and all that follows it."""
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
    """What was left out has not been visited."""
    body = '<step name="a" next="c"/><step name="b"/><step name="c"/><step name="d" next="@exit"/><step name="e"/>'
    assert started(bench, body) == ["main/a", "main/c", "main/d"]


def test_what_was_left_out_and_is_entered_later_is_visited_first(bench: Bench) -> None:
    """Visits are counted per step, not per jump."""
    body = """
        <step name="a" next="c"/>
        <step name="b" next="d"/>
        <step name="c" next="b"/>
        <step name="d"/>"""
    assert started(bench, body) == ["main/a", "main/c", "main/b", "main/d"]


def test_iterations_and_branches_have_their_index(bench: Bench) -> None:
    """The index counts from 0 and belongs to what is inside."""
    body = """
        <loop-n name="l" beginExpr="5" endExpr="6"><steps><step name="s"/></steps></loop-n>
        <fork-n name="f" countExpr="2"><steps><step name="s"/></steps></fork-n>
        <step name="after"/>"""
    assert started(bench, body) == [
        "main/l", "main/l[0]/s", "main/l[1]/s", "main/f", "main/f[0]/s", "main/f[1]/s", "main/after",
    ]  # fmt: skip


def test_everything_at_once(bench: Bench) -> None:
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
    """A retried attempt is told with its own path; a step that failed for good is told as the step."""
    ran = bench.run(task('<step name="a"><source>1/0</source><retry maxRetryCount="2"/></step>'), watch=True)
    retried = [(event.path, event.attempt) for event in ran.events if isinstance(event, StepRetried)]
    assert retried == [("main/a", 1), ("main/a#2", 2)]
    assert ran.notes == ["main/a"]


def test_notes_name_each_step_from_within(bench: Bench) -> None:
    """The innermost step comes first; visits and iterations are in the paths."""
    body = """
        <sequential name="a"><steps>
          <loop name="l" itemsExpr="[1, 0]" varName="x"><steps>
            <step name="s"><input name="x"/><source>1 / x</source></step>
          </steps></loop>
        </steps></sequential>"""
    ran = bench.run(task(body))
    assert ran.notes == ["main/a/l[1]/s", "main/a/l", "main/a"]
    assert [ran.error.path, ran.error.location.line] == ["main/a/l[1]/s", 6]  # type: ignore[union-attr]


def test_a_skipped_step_is_told_by_its_visit(bench: Bench) -> None:
    """Also the event of a step that is left out knows which visit it is."""
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


def test_a_called_task_goes_on_from_its_callers_path(bench: Bench) -> None:
    """The steps of a called task are below the step that calls it."""
    bench.write(task('<step name="inside"/>'), "paths_called.task.xml")
    body = '<call-task name="c" taskModelPath="paths_called.task.xml"/>'
    assert started(bench, body) == ["main/c", "main/c/inside"]


def test_a_completion_may_name_no_sibling(bench: Bench) -> None:
    """A jump that a bean invents fails, with the near name."""

    async def jump() -> Completion:
        return Completion({}, target="lats")

    ran = bench.run(task('<simple name="a" bean="jump"/><step name="last"/>'), beans={"jump": jump})
    assert isinstance(ran.cause, RunError)
    assert str(ran.cause) == "cannot jump to 'lats': the body of main has no such step; did you mean 'last'?"
    ran = bench.run(task('<simple name="a" bean="jump"/>'), beans={"jump": jump})
    assert str(ran.cause) == "cannot jump to 'lats': the body of main has no such step; it has: a"


def test_a_target_of_the_last_step_is_not_handed_on(bench: Bench) -> None:
    """A jump is used up by the body in which it happens."""
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
    """The result is the last one that counts."""
    assert bench.run(task(f'<sequential name="s"><steps>{body}</steps></sequential>')).result == result


def test_the_names_of_a_body_say_where_they_stand() -> None:
    """A body without steps is one too, and never suspends."""
    empty = Body.of(())
    assert list(empty) == []
    assert not empty.may_suspend
