"""Objects for scripts: results of steps, the step, the task, errors; paths of frames; events as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.completion import RESULT, Completion, Signal
from taskrun.core.events import RunStarted, StepStarted, as_mapping
from taskrun.core.script_views import ErrorBean, StepResult, StepResults
from taskrun.source import Location


def results() -> StepResults:
    made = StepResults()
    made.add(StepResult("b", Completion({RESULT: 2, "n": 5})))
    made.add(StepResult("a", Completion({RESULT: 1}, Signal.EXIT)))
    made.add(StepResult("c", ValueError("no"), Location("f", 1, 2)))
    return made


def test_results_of_steps() -> None:
    found = results()
    assert (found.size(), len(found), found.isEmpty(), found.isAllSuccess()) == (3, 3, False, False)
    assert StepResults().isEmpty()
    assert StepResults().getFirstSuccessResultBean() is None
    assert list(found.getStepResultBeanMap()) == ["b", "a", "c"]
    assert [item.stepName for item in found.getStepResultBeans()] == ["b", "a", "c"]
    assert found.getSuccessStepResultValues() == [2, 1]
    assert found.getSuccessOutputs("n") == [5, None]
    assert (found.sum("n"), found.count("n")) == (5, 1)
    first = found.getFirstSuccessResultBean()
    assert first is found["b"] is found.b is found.getStepResultBean("b")
    assert (found.getStepResultValue("a"), found.getStepResultValue("x")) == (1, None)
    assert (found.getStepOutput("b", "n"), found.getStepOutput("x", "n")) == (5, None)
    found.sort({"a": 0, "b": 1})
    assert list(found) == ["a", "b", "c"]
    assert repr(found).startswith("StepResults({'a': StepResult(")
    with pytest.raises(AttributeError, match="there is no result of a step 'x'; there are: a, b, c"):
        _ = found.x
    with pytest.raises(AttributeError):
        _ = found._x


def test_the_result_of_a_step() -> None:
    found = results()
    assert found.a.nextStepName == "@exit"
    assert found.a["result"] == 1
    assert found.a["isSuccess"]()
    assert StepResult("s", Completion({}, target="t")).nextStepName == "t"
    for name in ("_x", "nope", 3):
        item: Any = name
        with pytest.raises(KeyError):
            found.a[item]
    error = found.c.error
    assert error is not None
    assert (error.errorCode, error.description, error.sourceLocation) == ("ValueError", "no", "f:1:2")


def test_an_error_has_its_cause_and_group_members() -> None:
    error = KeyError("outer")
    error.__cause__ = ValueError("inner")
    shown = ErrorBean(error)
    assert shown.cause is not None
    assert shown.cause.description == "inner"
    group = ErrorBean(ExceptionGroup("both", [ValueError("1"), TypeError("2")]))
    assert [item.errorCode for item in group.details] == ["ValueError", "TypeError"]


def test_an_error_has_its_own_code_and_parameters() -> None:
    class Refused(Exception):
        error_code = "shop.refused"
        params = {"order": 7}  # noqa: RUF012 - as users write it
        status = 409
        biz_fatal = True

    shown = ErrorBean(Refused("no"))
    assert (shown.errorCode, shown.params, shown.status, shown.bizFatal) == ("shop.refused", {"order": 7}, 409, True)


def test_views_of_the_step_and_the_task(bench: Bench) -> None:
    flow = task(
        """<step name="a"><flags enable="fast"/><source>
v = [taskStepRt.stepName, stepRt.stepPath, stepRt.taskName, stepRt.attempt, stepRt.flags, stepRt.isCancelled(),
     stepRt.runId == taskRt.runId, taskRt.taskName, taskRt.taskVersion, taskRt.isCancelled(), str(stepRt), str(taskRt)]
return v</source></step>""",
        attributes='name="views" version="3"',
    )
    assert bench.run(flow).result == [
        "a", "main/a", "views", 1, ["fast"], False,
        True, "views", 3, False, "StepView('main/a')", "TaskView('views')",
    ]  # fmt: skip


@pytest.mark.parametrize("view", ["stepRt", "taskRt"])
def test_a_script_can_cancel_its_run(bench: Bench, view: str) -> None:
    ran = bench.run(task(f'<step name="a"><source>{view}.cancel("enough")</source></step>'))
    assert type(ran.error).__name__ == "RunCancelled"
    assert "enough" in str(ran.error)


def paths(bench: Bench, body: str) -> list[str]:
    ran = bench.run(task(body), watch=True)
    assert ran.error is None
    return [event.path for event in ran.events if isinstance(event, StepStarted)]


LEAF = '<step name="s"><source>1</source></step>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'<loop name="l" itemsExpr="[7, 8]"><steps>{LEAF}</steps></loop>', ["main/l", "main/l[0]/s", "main/l[1]/s"]),
        (
            f'<fork name="f" varName="v"><producer>[7, 8]</producer><steps>{LEAF}</steps></fork>',
            ["main/f", "main/f[0]/s", "main/f[1]/s"],
        ),
    ],
)
def test_paths(bench: Bench, body: str, expected: list[str]) -> None:
    assert paths(bench, body) == expected


def test_events_as_json() -> None:
    event = StepStarted("r", "main/a", "step", Location("f", 1, 2))
    assert as_mapping(event) == {
        "event": "StepStarted", "run_id": "r", "path": "main/a", "tag": "step", "location": "f:1:2",
    }  # fmt: skip
    assert as_mapping(RunStarted("r", "flow", "file"))["parent"] is None
