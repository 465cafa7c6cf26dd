"""Tests of rare cases of recorded runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from crashing import World, Worlds
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.codec.classes import allow_no_import
from taskrun.codec.codec import Codecs
from taskrun.codec.exception_state import rebuild_exception
from taskrun.core.control import CANCEL, CANCEL_ONLY, SUSPEND, RunAborted
from taskrun.core.inputs import resolve_inputs
from taskrun.core.journal import ErrorRecord
from taskrun.core.run import Run
from taskrun.core.scope import Scope
from taskrun.core.states import RunState
from taskrun.durable.commit_groups import CommitGroup
from taskrun.durable.heartbeat import Heartbeat
from taskrun.durable.journal import Journal
from taskrun.durable.recorder import Recorder
from taskrun.durable.records import Owner, RunRecord
from taskrun.durable.revive_exception import revive
from taskrun.errors import FencedError, InputError, RevertError, StepError, StoreError, UnsavableValueError
from taskrun.model.call_graph import reachable_flows
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual

PAUSE = '<suspend name="pause"/>'


def test_values_that_can_be_recorded() -> None:
    assert Codecs().can_save([1, {"a": None}])
    assert not Codecs().can_save(object())


def test_a_class_whose_constructor_returns_another_class() -> None:
    with pytest.raises(TypeError, match="OSError made a FileNotFoundError"):
        rebuild_exception(OSError, [2, "no such file"], {})


def test_a_module_that_does_not_exist_any_more() -> None:
    error = revive(ErrorRecord("taskrun.gone.Lost", "it is lost"), Codecs(), allow_no_import)
    assert (type(error).__name__, str(error)) == ("RecordedError", "it is lost")


def test_a_run_is_resumed_with_its_original_text(bench: Bench) -> None:
    """A resumed run uses the recorded texts of its flow and of the tasks that it called."""
    called = bench.write(task(f"{PAUSE}<step name='z'><source>'old'</source></step>"), "called_old.task.xml")
    path = bench.write(task('<call-task name="c" taskModelPath="called_old.task.xml"/>'))
    manager = TaskManager(store=MemoryStore())
    run = manager.run(path)
    called.write_text(task(f"{PAUSE}<step name='z'><source>'new'</source></step>"), "utf-8")
    path.write_text("no flow any more", "utf-8")
    assert manager.resume(run.run_id).result == "old"


def test_a_decision_whose_text_has_changed_and_whose_value_has_not(bench: Bench) -> None:
    flow = f'<if name="i"><condition>{{}}</condition><then><steps>{PAUSE}<step name="z"><source>7</source></step></steps></then></if>'
    manager = TaskManager(store=MemoryStore())
    run = manager.run(bench.write(task(flow.format("1 == 1"))))
    assert manager.resume(run.run_id, flow=bench.write(task(flow.format("2 == 2")))).result == 7


def test_variables_that_cannot_be_recorded(bench: Bench) -> None:
    (problem,) = bench.problems(task('<step name="a" persisVars="x"><source>1</source></step>'))
    assert "persisVars has no meaning here" in problem.message


def test_inputs_of_a_resume_are_checked_again(bench: Bench) -> None:
    flow = bench.load(task('<suspend name="s"><input name="n" type="int" mandatory="true"/></suspend>'))
    (step,) = flow.model.children()
    assert resolve_inputs(step.inputs, {"n": "3"}, Scope(None)) == {"n": 3}
    with pytest.raises(InputError, match="mandatory and missing"):
        resolve_inputs(step.inputs, {}, Scope(None))


def test_flows_that_cannot_be_loaded(bench: Bench) -> None:
    manager = TaskManager()
    flow = manager.flows.get(str(bench.write(task('<call-task name="c" taskModelPath="nowhere.task.xml"/>'))))
    assert [found.path for found in reachable_flows(flow, manager._services_for(flow))] == [flow.path]


def test_an_input_that_cannot_be_recorded(bench: Bench) -> None:
    path = bench.write(task("<step name='a'><source>1</source></step>"))
    with pytest.raises(UnsavableValueError, match=r"input \['x'\] cannot be recorded"):
        TaskManager(store=MemoryStore()).run(path, {"x": object()})


def recorder_of(store: MemoryStore) -> Recorder:
    store.create(RunRecord(run_id="r", flow="f", state=RunState.RUNNING, owner=Owner.here()))
    return Recorder(Journal(store, "r", 1, (), CommitGroup(store)), Codecs(), allow_no_import)


def test_damaged_records_abort_the_run() -> None:
    recorder = recorder_of(MemoryStore())
    assert recorder.value(None) is None
    assert isinstance(recorder.failure(None), RuntimeError)
    with pytest.raises(RunAborted, match="cannot be read"):
        recorder.value("{")


def test_a_store_that_cannot_be_read() -> None:
    store = MemoryStore()
    recorder = recorder_of(store)
    store.close()
    recorder.request(CANCEL)
    assert isinstance(recorder.journal.problem, StoreError)


def test_a_run_without_a_task_cannot_be_cancelled(bench: Bench) -> None:
    manager = TaskManager()
    flow = bench.load(task("<step name='a'><source>1</source></step>"))
    run = Run(manager._services_for(flow), flow)
    assert not run.control.cancel_threadsafe("kill", revert=True)
    loop = asyncio.new_event_loop()
    loop.close()

    class Over:
        def get_loop(self) -> asyncio.AbstractEventLoop:
            return loop

    run.control.task = Over()  # type: ignore[assignment]
    assert not run.control.cancel_threadsafe("kill", revert=True)


def test_the_heartbeat_of_a_run(bench: Bench) -> None:
    """Each request is obeyed once, and a run that another process has claimed is stopped."""
    store = MemoryStore()
    recorder = recorder_of(store)
    manager = TaskManager()
    flow = bench.load(task("<step name='a'><source>1</source></step>"))
    run = Run(manager._services_for(flow), flow, run_id="r")
    run.record_in(recorder)

    async def ticks() -> None:
        heartbeat = Heartbeat(run.control, recorder.journal)
        heartbeat.stop()  # before it was started
        store.request("r", SUSPEND)
        for _ in range(2):
            heartbeat._tick()
        assert run.control.suspending
        store.request("r", CANCEL_ONLY)
        heartbeat._tick()
        assert not run.control.reverts
        store.claim("r", Owner.here(), 0.0, -1e12)
        heartbeat._last = -1e12
        heartbeat._tick()
        store.close()
        heartbeat._tick()
        heartbeat.stop()

    run_virtual(ticks())
    assert isinstance(recorder.journal.problem, FencedError)


class Stubborn:
    """A bean whose ``execute`` and ``revert`` fail."""

    def execute(self) -> None:
        """Raise an error."""
        raise ValueError("no")

    def revert(self, result: Any, context: Any) -> None:
        """Raise an error."""
        raise LookupError(f"{context.path} stays: {result}")


def test_a_failed_task_whose_revert_fails(bench: Bench) -> None:
    with pytest.raises(StepError) as caught:
        TaskManager(beans={"b": Stubborn()}).run(bench.write(task('<simple name="s" bean="b"/>')))
    assert isinstance(caught.value.__cause__, RevertError)
    assert [str(one) for one in caught.value.__cause__.exceptions] == ["no", "main/s stays: no"]


class Revertible:
    """A bean that records the path of each step that it compensates."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def execute(self) -> int:
        """Return a number."""
        return 1

    def revert(self, context: Any) -> None:
        """Record the path of the step."""
        self.paths.append(context.path)


def test_the_path_of_a_revert(bench: Bench) -> None:
    bean = Revertible()
    flow = bench.write(task('<simple name="s" bean="b"/><step name="z"><source>1 // 0</source></step>'))
    with pytest.raises(StepError):
        TaskManager(beans={"b": bean}).run(flow)
    assert bean.paths == ["main/s"]


def test_a_compensation_that_failed_before_the_process_died(bench: Bench, tmp_path: Path) -> None:
    worlds = Worlds()
    text = task(
        '<step name="a"><source>effect("a")</source><revert>effect("undo a")</revert></step>'
        '<step name="b"><source>effect("b")</source><revert>effect("try b")\n1 // 0</revert></step>'
        '<step name="c"><source>1 // 0</source></step>'
    )
    path = str(bench.write(text))
    whole = World(worlds, {})
    wanted = whole.live(path, [])
    assert wanted.startswith("REVERT_FAILED")
    for number in range(1, whole.store.commits + 1):
        world = World(worlds, {})
        assert world.live(path, [number]) == wanted
        assert sorted(world.effects) == sorted(whole.effects)


def test_a_suspended_branch_without_completed_steps(bench: Bench) -> None:
    """A join that is decided without a suspended branch continues."""
    flow = (
        '<parallel name="p" joinType="anySuccess"><steps><suspend name="s"/><step name="a"><source>1</source></step></steps>'
        "<aggregator>'done'</aggregator></parallel>"
    )
    ran = bench.run(task(flow), store=MemoryStore())
    assert ran.result == "done"
