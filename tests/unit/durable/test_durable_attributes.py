"""Tests of the attributes about recording, each with a small flow, a store in memory and a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taskrun import Task, TaskManager
from taskrun.errors import DecisionChangedError, FlowError, StepError, StoreError

PAUSE = '<suspend name="s"/>'


class Place:
    """A folder with a TaskManager whose flows can call ``say``."""

    def __init__(self, folder: Path) -> None:
        self.effects: list[Any] = []
        self.folder = folder
        self.manager = TaskManager(
            store="memory:", functions={"say": self.effects.append}, beans={"book": Book(self.effects)}
        )

    def write(self, steps: str, head: str = "", name: str = "flow") -> Path:
        """Write a flow and return its path."""
        path = self.folder / f"{name}.task.xml"
        path.write_text(f"<task>{head}<steps>{steps}</steps></task>", "utf-8")
        return path

    def texts(self, run_id: str) -> str:
        """Return all recorded values of a run as text."""
        run = self.manager.store.load(run_id)
        records = self.manager.store.records(run_id)
        return "\n".join([run.inputs, run.outputs or "", *(f"{one.inputs} {one.outputs}" for one in records)])


class Book(Task):
    """A Task whose compensation needs a password."""

    def __init__(self, effects: list[Any]) -> None:
        super().__init__()
        self.effects = effects

    def execute(self, seat: int, password: str) -> str:
        """Report the booking."""
        return f"{seat} with {len(password)}"

    def revert(self, result: str, seat: int, password: str) -> None:
        """Report the compensation."""
        self.effects.append((result, seat, password))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return an empty folder with a TaskManager."""
    return Place(tmp_path)


def test_an_unrecorded_output_is_null_after_a_resume(place: Place) -> None:
    """The value of an output with persist="false" is not in the store, not even as a part of RESULT."""
    flow = place.write(
        '<step name="a"><source>{"x": 1, "key": "SECRET"}</source><output name="x"/><output name="key" persist="false"/></step>'
        f'{PAUSE}<step name="z"><source>[x, key]</source></step>'
    )
    run = place.manager.run(flow)
    assert "SECRET" not in place.texts(run.run_id)
    assert place.manager.resume(run.run_id).result == [1, None]


def test_an_unrecorded_input_is_given_again_for_compensation(place: Place) -> None:
    """An input with persist="false" is given again by the resume, and then available to scripts and ``revert``."""
    flow = place.write(
        '<step name="a"><source>1</source><revert>say(["a", password])</revert></step><simple name="b" bean="book"/>'
        f'{PAUSE}<step name="z"><source>1 // 0</source></step>',
        '<input name="seat"/><input name="password" persist="false"/>',
    )
    run = place.manager.run(flow, {"seat": 5, "password": "SECRET"})
    assert "SECRET" not in place.texts(run.run_id)
    with pytest.raises(StepError, match="main/z failed"):
        place.manager.resume(run.run_id, {"password": "again"})
    assert place.effects == [("5 with 6", 5, "again"), ["a", "again"]]


def test_the_innermost_input_decides_whether_it_is_recorded(place: Place) -> None:
    """An input of a step hides the input of the task with the same name."""
    flow = place.write(
        '<step name="a"><input name="x" value="shown"/><source>1</source><revert>say(x)</revert></step>' + PAUSE,
        '<input name="x" persist="false"/>',
    )
    run = place.manager.run(flow, {"x": "SECRET"})
    assert place.manager.cancel(run.run_id)
    assert place.effects == ["shown"]


def test_an_unrecorded_step_gets_its_persisted_outputs_back(place: Place) -> None:
    """The persisted outputs are set before the inputs are evaluated, in the scope of the container or of the task."""
    flow = place.write(
        '<sequential name="q"><steps><step name="page" saveState="false"><input name="cursor" optional="true"/>'
        '<source>say(cursor)\nreturn (cursor or 0) + 1</source><output name="cursor" value="${RESULT}" persist="true"/></step>'
        f"{PAUSE}</steps></sequential>"
    )
    run = place.manager.run(flow)
    place.manager.resume(run.run_id)
    assert place.effects == [None, 1]


def test_a_changed_decision_does_not_change_the_run(place: Place) -> None:
    """After DecisionChangedError the run can be resumed with its own flow."""
    body = '<if name="i"><condition>n {} 5</condition><then><steps>' + PAUSE + "</steps></then></if>"
    head = '<input name="n"/>'
    run = place.manager.run(place.write(body.format("&gt;"), head), {"n": 6})
    with pytest.raises(
        DecisionChangedError, match=r"main/i:condition was True .*\(n > 5\) and would be False now \(n < 5\)"
    ):
        place.manager.resume(run.run_id, flow=place.write(body.format("&lt;"), head, "other"))
    assert "n > 5" in place.manager.store.load(run.run_id).text
    assert place.manager.resume(run.run_id).status == "SUCCEEDED"


def test_a_flow_without_a_compensated_step_does_not_change_the_run(place: Place) -> None:
    """No handler catches the error; with its own flow the run is rolled back."""
    body = '<sequential name="q"><steps><step name="{}"><source>1</source><revert>say("undo")</revert></step></steps></sequential>'
    end = f'{PAUSE}<step name="z"><source>1 // 0</source></step>'
    run = place.manager.run(place.write(body.format("a") + end))
    with pytest.raises(StoreError, match="the flow has no step main/q/a"):
        place.manager.resume(run.run_id, flow=place.write(body.format("x") + end, name="o2"))
    assert place.effects == []
    with pytest.raises(StepError, match="main/z"):
        place.manager.resume(run.run_id)
    assert (place.effects, place.manager.show(run.run_id).run.state) == (["undo"], "REVERTED")


def test_an_unrecorded_output_of_the_task(place: Place) -> None:
    """The caller of the run gets the output; a later resume of the succeeded run does not."""
    flow = place.write('<step name="a" saveState="false"><source>"SECRET"</source></step>')
    flow.write_text(
        flow.read_text("utf-8").replace("</task>", '<output name="x" value="${RESULT}" persist="false"/></task>')
    )
    run = place.manager.run(flow)
    assert run["x"] == "SECRET"
    assert "SECRET" not in place.texts(run.run_id)
    assert place.manager.resume(run.run_id)["x"] is None


def test_on_reload_of_the_task(place: Place) -> None:
    """``onReload`` of the task runs once per resume, instead of its validator."""
    flow = place.write(PAUSE, '<onReload>say("back")</onReload><validator>say("checked")</validator>')
    run = place.manager.run(flow)
    place.manager.resume(run.run_id)
    assert place.effects == ["checked", "back"]


def test_revert_is_refused_on_the_task(place: Place) -> None:
    """``<revert>`` on the task is an error of the flow, not ignored."""
    with pytest.raises(FlowError, match=r"no-meaning.*<revert> has no meaning here"):
        place.manager.load(place.write(PAUSE, "<revert>1</revert>"))
