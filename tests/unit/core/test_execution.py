"""Ends of runs: states, raised exceptions, cancellation by the flow and from outside, and the events."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import Completion, TaskManager
from taskrun.core.completion import Signal
from taskrun.core.events import RunFinished, RunStarted, StepFinished
from taskrun.core.execution import failed_step, state_after
from taskrun.core.run import Run
from taskrun.core.traceback_notes import StepNote
from taskrun.errors import RevertError, RunCancelled, StepError, StepTimeout
from taskrun.source import Location
from taskrun.testing import run_virtual

HOUR = '<delay name="d" delayMillisExpr="1h"/>'


def states(bench: Bench, body: str, **settings: Any) -> list[tuple[str, str | None]]:
    """Run steps and return state and error of each run that ended."""
    ran = bench.run(task(body), watch=True, **settings)
    return [(event.status, event.error) for event in ran.events if isinstance(event, RunFinished)]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("<step/>", ("SUCCEEDED", None)),
        ('<step name="a"><source>1/0</source></step>', ("FAILED", "ZeroDivisionError: division by zero")),
        (
            '<delay name="d" delayMillisExpr="1h" timeout="1s"/>',
            ("TIMED_OUT", "StepTimeout: not done within timeout=1000 ms"),
        ),
        ('<step name="a"><source>taskRt.cancel()</source></step><delay delayMillisExpr="1"/>', ("CANCELLED", None)),
    ],
)
def test_the_states_in_which_runs_end(bench: Bench, body: str, state: tuple[str, str | None]) -> None:
    """RunFinished has the state of the run and its error."""
    assert states(bench, body) == [state]


def test_the_states_in_which_steps_end(bench: Bench) -> None:
    """A step inside a step that timed out is CANCELLED."""
    body = '<sequential name="s" timeout="1s"><steps><step name="a"/><delay name="d" delayMillisExpr="1h"/></steps></sequential>'
    ran = bench.run(task(body), watch=True)
    ended = [(event.path, event.status) for event in ran.events if isinstance(event, StepFinished)]
    assert ended == [("main/s/a", "SUCCEEDED"), ("main/s/d", "CANCELLED"), ("main/s", "TIMED_OUT")]


def test_a_failed_run_names_the_innermost_step(bench: Bench) -> None:
    """The StepError has its path, location and state; the exception of the step is the cause."""
    ran = bench.run(
        task('<sequential name="s"><steps>\n<step name="a"><source>1/0</source></step></steps></sequential>')
    )
    error = ran.error
    assert isinstance(error, StepError)
    assert (error.path, error.location.line, error.status) == ("main/s/a", 4, "FAILED")
    assert str(error) == "main/s/a failed: ZeroDivisionError: division by zero"


def test_a_failure_of_the_root_step_has_its_path(bench: Bench) -> None:
    """A wrong output of the task fails at the path ``main``."""
    ran = bench.run(task("<step/>", tail='<output name="x" value="${1/0}"/>'))
    assert isinstance(ran.error, StepError)
    assert (ran.error.path, ran.error.location.line) == ("main", 1)


def test_a_failed_step_is_found_by_its_note() -> None:
    """Other notes of the exception are ignored."""
    error = StepTimeout("late")
    assert failed_step(error) is None
    error.add_note("by hand")
    error.add_note(StepNote("main/a", Location("f", 1, 2)))
    note = failed_step(error)
    assert note is not None
    assert (note.path, str(note)) == ("main/a", "in step main/a (f:1:2)")


def test_the_state_of_a_failed_run(bench: Bench) -> None:
    """It depends on the exception and on whether steps were compensated."""
    manager = TaskManager()
    flow = manager.load(bench.write(task('<step name="a"/>')))
    run = Run(manager._services_for(flow), flow)
    assert state_after(run, StepTimeout("late")) == "TIMED_OUT"
    assert state_after(run, ValueError("v")) == "FAILED"
    run.rollback.compensated.add("main/a")
    assert state_after(run, StepTimeout("late")) == "REVERTED"
    assert state_after(run, RevertError.of(ValueError("v"), [ValueError("w")])) == "REVERT_FAILED"


async def started(manager: TaskManager, path: Any, run_id: str = "id") -> asyncio.Task[Any]:
    """Start a run that waits, and return its task."""
    run = asyncio.create_task(manager.run_async(path, run_id=run_id))
    await asyncio.sleep(0.001)
    assert manager.active == (run_id,)
    return run


def test_cancelling_by_id(bench: Bench) -> None:
    """The run ends with RunCancelled, which has the reason; the awaiting task is not cancelled."""

    async def main() -> None:
        manager = TaskManager()
        run = await started(manager, bench.write(task(HOUR)))
        assert manager.cancel("id", "enough")
        with pytest.raises(RunCancelled, match="the run was cancelled \\(enough\\)") as caught:
            await run
        assert caught.value.exit_status == 130
        assert manager.active == ()
        assert not manager.cancel("id")
        assert run.cancelling() == 0

    run_virtual(main())


def test_cancelling_the_awaiting_task(bench: Bench) -> None:
    """The run ends with CancelledError."""

    async def main() -> None:
        manager = TaskManager()
        run = await started(manager, bench.write(task(HOUR)))
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert manager.active == ()

    run_virtual(main())


def test_cancelling_both_cancels_the_awaiting_task(bench: Bench) -> None:
    """A timeout of the caller is raised also if the run is cancelled at the same moment."""

    async def main() -> None:
        manager = TaskManager()
        loop = asyncio.get_running_loop()
        loop.call_at(1, manager.cancel, "id")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(1):
                await manager.run_async(bench.write(task(HOUR)), run_id="id")

    run_virtual(main())


@pytest.mark.parametrize("view", ["taskRt", "stepRt"])
def test_a_run_that_cancels_itself_in_its_last_step(bench: Bench, view: str) -> None:
    """The run ends with RunCancelled; code after it is not cancelled."""

    async def main() -> None:
        with pytest.raises(RunCancelled, match="done"):
            await TaskManager.run_async(
                bench.write(task(f'<step name="a"><source>{view}.cancel("done")</source></step>'))
            )
        await asyncio.sleep(1)

    run_virtual(main())


def test_a_cancellation_after_the_end_of_the_run_has_no_effect(bench: Bench) -> None:
    """The task that awaited the run is not cancelled."""

    async def main() -> str:
        active: list[Any] = []

        async def last() -> None:
            active.append(manager._active["id"])

        manager = TaskManager(beans={"last": last})
        result = await manager.run_async(bench.write(task('<simple name="a" bean="last"/>')), run_id="id")
        active[0].cancel()
        await asyncio.sleep(1)
        return result.status

    assert run_virtual(main()) == ("SUCCEEDED", 1000)


def test_cancelling_from_another_thread(bench: Bench) -> None:
    """The event loop of the run is woken."""
    running = threading.Event()
    manager = TaskManager(beans={"hold": running.set})
    ended: list[BaseException] = []

    def run() -> None:
        try:
            manager.run(bench.write(task(f'<simple name="a" bean="hold"/>{HOUR}')), run_id="id")
        except RunCancelled as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert running.wait(20)
    assert manager.cancel("id")
    thread.join(20)
    assert len(ended) == 1


def test_only_catch_internal_exception_handles_a_cancellation(bench: Bench) -> None:
    """The run continues and can be cancelled again; no other handler has handled the cancellation."""
    body = """
        <sequential name="s" catchInternalException="true"><catch>return 'handled'</catch>
          <steps>
            <selector name="sel"><steps>
              <sequential name="in" allowFailure="true"><retry maxRetryCount="5"/><catch>return 'no'</catch>
                <finally>1 / 0</finally>
                <steps><delay name="d" delayMillisExpr="1h"/></steps></sequential>
              <step name="x"><source>'no'</source></step>
            </steps></selector>
          </steps></sequential>
        <step name="after"><source>(RESULT, taskRt.isCancelled())</source></step>
        <simple name="wait" bean="wait"/>"""

    async def main() -> None:
        async def wait() -> None:
            await asyncio.sleep(5)

        manager = TaskManager(beans={"wait": wait})
        path = bench.write(task(body, tail='<output name="r" value="${RESULT}"/>'))
        run = await started(manager, path)
        manager.cancel("id")
        await asyncio.sleep(1)
        assert manager.cancel("id", "again")
        with pytest.raises(RunCancelled, match="again"):
            await run

    run_virtual(main())


def test_a_handled_cancellation(bench: Bench) -> None:
    """The value of the catch is the result of the step, and the run is not cancelled afterwards."""
    body = """
        <delay name="s" delayMillisExpr="1h" catchInternalException="true"><catch>return 'handled'</catch></delay>
        <step name="after"><source>(RESULT, taskRt.isCancelled())</source></step>"""

    async def main() -> None:
        run = await started(manager := TaskManager(), bench.write(task(body)))
        manager.cancel("id")
        assert (await run).result == ("handled", False)
        assert run.cancelling() == 0

    run_virtual(main())


def test_a_finally_that_fails_after_a_cancellation(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Its failure is logged, and the run is still cancelled."""
    body = """<sequential name="out" allowFailure="true"><catch>return 1</catch><steps>
      <delay name="d" delayMillisExpr="1h"><finally>1 / 0</finally></delay></steps></sequential>"""

    async def main() -> None:
        run = await started(manager := TaskManager(), bench.write(task(body)))
        manager.cancel("id")
        with pytest.raises(RunCancelled):
            await run

    with caplog.at_level(logging.WARNING, "taskrun"):
        run_virtual(main())
    assert "main/out/d: <finally> failed after a cancellation: ZeroDivisionError" in caplog.text


def test_cancelling_reaches_called_tasks(bench: Bench) -> None:
    """A called task can read that it is cancelled, and its script can cancel the whole run."""
    bench.write(
        task(
            '<delay name="d" delayMillisExpr="1h"><finally>record(taskRt.isCancelled(), stepRt.isCancelled())</finally></delay>'
        ),
        "execution_waits.task.xml",
    )
    bench.write(
        task('<step name="c"><source>taskRt.cancel("from below")</source></step>'), "execution_cancels.task.xml"
    )
    seen: list[Any] = []

    async def main() -> None:
        manager = TaskManager(functions={"record": lambda *what: seen.extend(what)})
        calls = '<call-task name="c" taskModelPath="execution_{}.task.xml"/>'
        run = await started(manager, bench.write(task(calls.format("waits"))))
        manager.cancel("id")
        with pytest.raises(RunCancelled):
            await run
        with pytest.raises(RunCancelled, match="from below"):
            await manager.run_async(bench.write(task(calls.format("cancels") + HOUR)))

    run_virtual(main())
    assert seen == [True, True]


def test_events_of_called_tasks_name_their_caller(bench: Bench) -> None:
    """RunStarted of a called task has the path of the calling step as ``parent``."""
    bench.write(task("<step/>"), "execution_called.task.xml")
    ran = bench.run(task('<call-task name="c" taskModelPath="execution_called.task.xml"/>'), watch=True)
    begun = [(event.flow, event.parent) for event in ran.events if isinstance(event, RunStarted)]
    assert begun == [("@main", None), ("@main", "main/c")]


def test_a_bean_may_return_a_completion(bench: Bench) -> None:
    """With the signal END it ends the task."""

    async def over() -> Completion:
        return Completion({"RESULT": 3}, Signal.END)

    assert (
        bench.run(
            task('<simple name="a" bean="over"/><step name="b"><source>4</source></step>'), beans={"over": over}
        ).result
        == 3
    )


def test_run_raises_in_an_event_loop(bench: Bench) -> None:
    """``run_async`` must be used there."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match="inside a running event loop: use await"):
            TaskManager.run("x")

    run_virtual(main())


def test_two_concurrent_runs_must_not_have_the_same_id(bench: Bench) -> None:
    """The id can be used again after the end of the run."""

    async def main() -> None:
        manager = TaskManager()
        path = bench.write(task('<delay name="d" delayMillisExpr="10"/>'))
        run = await started(manager, path)
        with pytest.raises(ValueError, match="a run with the id 'id' is being executed"):
            await manager.run_async(path, run_id="id")
        await run
        assert (await manager.run_async(path, run_id="id")).run_id == "id"

    run_virtual(main())
