"""Defects of other engines that a flow cannot show: see ``tests/flows/defects/README.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taskrun import TaskManager
from taskrun.core.events import RunFinished, StepFinished
from taskrun.errors import RunCancelled, StepError
from taskrun.observers.metrics import Metrics

STATES = {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT"}
"""What a run or a step can end as until runs are recorded."""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a flow and return its path."""

    def make(steps: str, root: str = "") -> Path:
        path = tmp_path / "flow.task.xml"
        path.write_text(f"<task{root}><steps>{steps}</steps></task>", encoding="utf-8")
        return path

    return make


def test_d09_metrics_distinguish_success_and_failure(write):
    """Timers have the state; a step that is not measured has no timer, whether it fails or not."""
    metrics = Metrics()
    manager = TaskManager(observers=[metrics])
    manager.run(
        write('<step name="a" recordMetrics="true"><source>1</source></step><step name="b"><source>2</source></step>')
    )
    with pytest.raises(StepError):
        manager.run(write('<step name="a" recordMetrics="true"><source>1 // 0</source></step>'))
    with pytest.raises(StepError):
        manager.run(write('<step name="b"><source>1 // 0</source></step>'))
    assert {key: timer.count for key, timer in metrics.timers.items()} == {
        ("taskrun.run", "@main", "", "SUCCEEDED"): 1,
        ("taskrun.run", "@main", "", "FAILED"): 2,
        ("taskrun.step", "@main", "main/a", "SUCCEEDED"): 1,
        ("taskrun.step", "@main", "main/a", "FAILED"): 1,
    }


def test_d11_a_suspended_step_is_not_taken_for_completed(write):
    """The step is recorded as suspended, with the outputs of the steps before it, and succeeds only after the resume."""
    manager = TaskManager(store="memory:")
    flow = write(
        '<step name="a"><source>1</source><output name="x" value="${RESULT}"/></step>'
        '<suspend name="s"><resume-when>go</resume-when><input name="go" type="bool" optional="true"/></suspend>'
        '<step name="b"><source>x + 1</source></step>'
    )

    def states(run_id: str) -> dict[str, str]:
        (root,) = manager.show(run_id).steps
        return {step.name: str(step.record.state) for step in root.steps if step.record}

    run = manager.run(flow)
    assert (run.status, manager.show(run.run_id).run.state) == ("SUSPENDED", "SUSPENDED")
    assert states(run.run_id) == {"a": "SUCCEEDED", "s": "SUSPENDED"}
    again = manager.resume(run.run_id, {"go": False})
    assert again.status == "SUSPENDED"
    assert states(run.run_id) == {"a": "SUCCEEDED", "s": "SUSPENDED"}
    assert manager.resume(run.run_id, {"go": True}).result == 2
    assert states(run.run_id) == {"a": "SUCCEEDED", "s": "SUCCEEDED", "b": "SUCCEEDED"}


def test_d12_a_switch_is_not_taken_for_another(write):
    """feature:on and feature:off are two conditions, and both are evaluated."""
    step = '<step name="a"><source>1</source></step><step name="b" feature:on="x" feature:off="y"><source>2</source></step>'
    for config, expected in (({}, 1), ({"x": True}, 2), ({"y": True}, 1), ({"x": True, "y": True}, 1)):
        assert TaskManager(config=config).run(write(step))["RESULT"] == expected


def test_d16_the_memory_store_keeps_the_place_of_a_step(write):
    """Each record has the whole path, so that the step is found inside its container."""
    manager = TaskManager(store="memory:")
    run = manager.run(
        write(
            '<sequential name="s"><steps><loop name="l" itemsExpr="[1, 2]" varName="i"><steps>'
            '<step name="a"><input name="i"/><source>i</source></step></steps></loop></steps></sequential>'
        )
    )
    keys = {record.key for record in manager.store.records(run.run_id) if record.kind == "step"}
    assert keys == {"main/s", "main/s/l", "main/s/l[0]/a", "main/s/l[1]/a"}


def test_d22_a_resumed_run_has_all_outputs_again(write):
    """Every declared output, not only RESULT, is exported again under the name in its caller."""
    called: list[str] = []
    manager = TaskManager(store="memory:", functions={"note": called.append})
    flow = write(
        '<step name="a"><source>note("a")\nreturn {"x": 1, "y": [2]}</source><output name="x"/>'
        '<output name="y" exportAs="z" toTaskScope="true"/></step>'
        '<suspend name="s"/><step name="b"><source>[x, z]</source></step>'
    )
    run = manager.run(flow)
    assert manager.resume(run.run_id).result == [1, [2]]
    assert called == ["a"]


def test_d23_runs_and_steps_have_one_table_of_states(write):
    """The states of runs and steps are from one set, with the same meaning for both."""
    seen: list[tuple[type, str]] = []
    manager = TaskManager(
        observers=[lambda event: seen.append((type(event), event.status)) if hasattr(event, "status") else None]
    )
    manager.run(write('<step name="a"><source>1</source></step>'))
    for text, error in (
        ('<step name="a"><source>1 // 0</source></step>', StepError),
        ('<sleep name="a" sleepMillisExpr="60000" timeout="1ms"/>', StepError),
        (
            '<step name="c"><source>taskRt.cancel()</source></step><sleep name="a" sleepMillisExpr="60000"/>',
            RunCancelled,
        ),
    ):
        with pytest.raises(error):
            manager.run(write(text))
    for kind in (RunFinished, StepFinished):
        assert {status for event, status in seen if event is kind} == STATES


def test_d24_an_override_is_not_half_applied(write):
    """merge-super and append retain the scripts of both files, and both run."""
    base = write('<step name="a"><source>seen.append(1)</source></step>')
    for operator, body, expected in (
        ("append", "seen.append(2)", [1, 2]),
        ("prepend", "seen.append(2)", [2, 1]),
        ("merge-super", "<c:script>seen.append(2)</c:script><x:super/><c:script>seen.append(3)</c:script>", [2, 1, 3]),
    ):
        delta = base.with_name("delta.task.xml")
        source = f'<source x:override="{operator}">{body}</source>'
        delta.write_text(f'<task x:extends="{base.name}"><steps><step name="a">{source}</step></steps></task>', "utf-8")
        seen: list[int] = []
        TaskManager().run(delta, {"seen": seen})
        assert seen == expected
