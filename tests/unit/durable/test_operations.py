"""Tests of operations on recorded runs whose flow, records or store do not allow what is asked, and of their owners."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.codec.classes import allow_no_import
from taskrun.codec.codec import Codec, Codecs
from taskrun.core.run import Run
from taskrun.core.states import RunState
from taskrun.core.step import step
from taskrun.durable import heartbeat
from taskrun.durable.commit_groups import CommitGroup
from taskrun.durable.history import resolve_run_id
from taskrun.durable.journal import Journal
from taskrun.durable.recorder import Recorder, recorder_of
from taskrun.durable.records import Owner
from taskrun.errors import (
    FencedError,
    RevertError,
    RunCancelled,
    RunError,
    StepError,
    StoreError,
)
from taskrun.steps.sequence import Sequence
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual

PAUSE = '<suspend name="pause"/>'
NAP = '<sleep name="nap" sleepMillisExpr="9s"/>'


def claim_by_another(store: MemoryStore) -> None:
    """Claim the run "r" for another process."""
    store.claim("r", Owner("elsewhere", 1, "x"), time.time(), -1)


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_a_resume_without_the_original_file(bench: Bench, change: str) -> None:
    """A run whose file was deleted or edited is resumed with the recorded text."""
    path = bench.write(task(f'{PAUSE}<step name="z"><source>"old"</source></step>'))
    manager = TaskManager(store=MemoryStore())
    run = manager.run(path)
    if change == "deleted":
        path.unlink()
    else:
        path.write_text(task(f'{PAUSE}<step name="z"><source>"new"</source></step>'), "utf-8")
    assert manager.resume(run.run_id).result == "old"


@step("chain")
class Chain(Sequence):
    """A step type that only one of the managers has."""


def test_a_flow_that_cannot_be_compiled_here(bench: Bench) -> None:
    """A manager without the step types of the flow cannot resume its run, and the run stays as it is."""
    store = MemoryStore()
    path = bench.write(task(f'<chain name="c"><steps>{PAUSE}</steps></chain>'))
    run = TaskManager(store=store, steps=[Chain]).run(path)
    with pytest.raises(StoreError, match=r"cannot be compiled here: (.|\n)*chain(.|\n)*--flow FILE"):
        TaskManager(store=store).resume(run.run_id)
    assert TaskManager(store=store, steps=[Chain]).resume(run.run_id).status == "SUCCEEDED"


class Broken(MemoryStore):
    """A store of another package whose list of runs is damaged."""

    def runs(self, *_: Any, **__: Any) -> Any:
        """Raise an error that is no StoreError."""
        raise ValueError("bad row")


def test_a_list_of_runs_that_cannot_be_read() -> None:
    """Any error about malformed data becomes a StoreError."""
    with pytest.raises(StoreError, match=r"the list of runs cannot be read: it is damaged \(ValueError: bad row\)"):
        resolve_run_id(Broken(), "3f")


def test_a_failure_without_a_recorded_error() -> None:
    """A record of a failed step that has no error is replayed as a RuntimeError."""
    store = MemoryStore()
    recorder = Recorder(Journal(store, "r", 1, (), CommitGroup(store)), Codecs(), allow_no_import)
    failure = recorder.failure(None)
    assert (type(failure), str(failure)) == (RuntimeError, "a failure whose error was not recorded")


def test_a_run_that_has_succeeded_is_not_run_again(bench: Bench) -> None:
    """A rerun of a succeeded run needs a step to begin with."""
    manager = TaskManager(store=MemoryStore())
    manager.run(bench.write(task('<step name="a"><source>1</source></step>')), run_id="r")
    with pytest.raises(StoreError, match=r"run r has succeeded\n.*--from STEP"):
        manager.rerun("r")
    assert manager.rerun("r", from_step="a").result == 1


@pytest.mark.parametrize("recorded", [False, True])
def test_cancelling_a_run_of_the_same_manager(bench: Bench, recorded: bool) -> None:
    """The coroutine cancels a run that is being executed, and reports whether there is one."""
    path = bench.write(task(NAP))

    async def main() -> None:
        manager = TaskManager(store=MemoryStore() if recorded else "memory:")
        assert not await manager.cancel_async("nobody")
        running = asyncio.ensure_future(manager.run_async(path, run_id="r"))
        await asyncio.sleep(1)
        assert await manager.cancel_async("r", "enough")
        with pytest.raises(RunCancelled, match="enough"):
            await running
        assert not await manager.cancel_async("r")

    assert run_virtual(main()) == (None, 1000)


def test_a_run_that_is_claimed_while_it_is_cancelled(bench: Bench) -> None:
    """The rollback of a suspended run stops when another process claims the run."""
    store = MemoryStore()
    said: list[str] = []
    functions = {"claim": lambda: claim_by_another(store), "say": said.append}
    steps = "".join(
        f'<step name="{name}"><source>1</source><revert>{code}</revert></step>'
        for name, code in (("a", 'say("a")'), ("b", 'say("b"); claim()'))
    )
    manager = TaskManager(store=store, functions=functions)
    manager.run(bench.write(task(steps + PAUSE)), run_id="r")
    with pytest.raises(FencedError):
        manager.cancel("r")
    assert said == ["b"]
    assert store.load("r").owner == Owner("elsewhere", 1, "x")
    assert manager.active == ()


@pytest.mark.parametrize("revert", ["", '<revert>say("undo")</revert>'])
def test_the_heartbeat_finds_another_owner(bench: Bench, monkeypatch: pytest.MonkeyPatch, revert: str) -> None:
    """A run that another process has claimed stops at the next heartbeat, without handlers and compensations."""
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0)
    store = MemoryStore()
    said: list[str] = []
    steps = f'<step name="a"><source>1</source>{revert}</step>{NAP}'
    flow = f'<sequential name="s"><steps>{steps}</steps><finally>say("finally")</finally></sequential>'
    path = bench.write(task(flow))

    async def main() -> None:
        running = asyncio.ensure_future(
            TaskManager(store=store, functions={"say": said.append}).run_async(path, run_id="r")
        )
        await asyncio.sleep(1)
        claim_by_another(store)
        await running

    with pytest.raises(FencedError):
        run_virtual(main())
    assert said == []
    assert store.load("r").state is RunState.RUNNING


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("by", ["task", "id"])
def test_a_run_that_is_cancelled_when_it_starts(bench: Bench, by: str, turns: int) -> None:
    """The run is CANCELLED, or was never created, after any number of turns of the event loop."""
    store = MemoryStore()
    path = bench.write(task(f'<step name="a"><source>1</source><revert>2</revert></step>{NAP}'))

    async def main() -> None:
        manager = TaskManager(store=store)
        running = asyncio.ensure_future(manager.run_async(path, run_id="r"))
        for _ in range(turns):
            await asyncio.sleep(0)
        if by == "task" or not manager.cancel("r"):
            running.cancel()
        with pytest.raises((asyncio.CancelledError, RunCancelled)):
            await running
        assert manager.active == ()

    run_virtual(main())
    assert [run.state for run in store.runs()] in ([], [RunState.CANCELLED])


def test_a_run_that_is_cancelled_before_its_task_begins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler may cancel a run that is active, but whose asyncio task does not exist yet."""
    store = MemoryStore()
    manager = TaskManager(store=store)
    monkeypatch.setattr(heartbeat.Heartbeat, "start", lambda _: manager.cancel("r"))
    path = bench.write(task('<step name="a"><source>1</source><revert>2</revert></step>'))
    with pytest.raises(RunCancelled):
        run_virtual(manager.run_async(path, run_id="r"))
    run = store.load("r")
    assert (run.state, run.owner, store.records("r")) == (RunState.CANCELLED, None, [])


def test_both_the_run_and_the_awaiting_task_are_cancelled_before_the_run_begins(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CancelledError is raised in the awaiting task, and the run is CANCELLED."""
    store = MemoryStore()
    path = bench.write(task('<step name="a"><source>1</source><revert>2</revert></step>'))

    async def main() -> None:
        manager = TaskManager(store=store)

        def cancel_both(_: object) -> None:
            manager.cancel("r")
            asyncio.get_running_loop().call_soon(running.cancel)

        monkeypatch.setattr(heartbeat.Heartbeat, "start", cancel_both)
        running = asyncio.ensure_future(manager.run_async(path, run_id="r"))
        with pytest.raises(asyncio.CancelledError):
            await running

    run_virtual(main())
    assert store.load("r").state is RunState.CANCELLED


def test_the_task_that_rolls_a_run_back_is_cancelled(bench: Bench) -> None:
    """The rollback of a suspended run ends and the run is CANCELLED; then CancelledError is raised."""
    store = MemoryStore()
    said: list[str] = []

    async def main() -> None:
        entered, opened = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            entered.set()
            await opened.wait()

        manager = TaskManager(store=store, functions={"say": said.append}, beans={"wait": wait})
        steps = (
            '<step name="a"><source>1</source><revert>say("a")</revert></step>'
            '<step name="b"><source>1</source><revert>await inject("wait")()\nsay("b")</revert></step>'
        )
        await manager.run_async(bench.write(task(steps + PAUSE)), run_id="r")
        cancelling = asyncio.ensure_future(manager.cancel_async("r"))
        await entered.wait()
        cancelling.cancel()
        await asyncio.sleep(1)
        opened.set()
        with pytest.raises(asyncio.CancelledError):
            await cancelling

    run_virtual(main())
    run = store.load("r")
    assert (said, run.state, run.owner) == (["b", "a"], RunState.CANCELLED, None)


UNDONE = '<step name="a"><source>1</source><revert>say("undo")</revert></step>'


@pytest.mark.parametrize(("steps", "expected"), [(UNDONE + "{}", ["undo"]), ("{}" + UNDONE, [])])
def test_a_bean_that_cancels_the_awaiting_task_and_itself(bench: Bench, steps: str, expected: list[str]) -> None:
    """CancelledError is raised in the awaiting task; the run is CANCELLED, and rolled back if there is something to undo."""
    store = MemoryStore()
    said: list[str] = []
    path = bench.write(task(steps.format('<simple name="b" bean="leave"/>')))

    async def main() -> None:
        async def leave() -> None:
            running.cancel()
            raise asyncio.CancelledError

        manager = TaskManager(store=store, beans={"leave": leave}, functions={"say": said.append})
        running = asyncio.ensure_future(manager.run_async(path, run_id="r"))
        with pytest.raises(asyncio.CancelledError):
            await running

    run_virtual(main())
    assert said == expected
    assert store.load("r").state is RunState.CANCELLED


def test_a_run_without_a_recorder(bench: Bench) -> None:
    """A run that is not recorded cannot be suspended."""
    flow = bench.load(task('<step name="a"><source>1</source></step>'))
    with pytest.raises(RunError, match="cannot be suspended, because it is not recorded"):
        recorder_of(Run(TaskManager()._services_for(flow), flow))


def test_outputs_that_cannot_be_recorded(bench: Bench) -> None:
    """A run without compensations fails, too, if its outputs cannot be recorded."""
    store = MemoryStore()
    flow = task('<step name="a"><source>1</source></step>', tail='<output name="x"><source>object()</source></output>')
    with pytest.raises(StepError, match=r"main failed: UnsavableValueError: the result of the run: \['x'\]"):
        TaskManager(store=store, functions={"object": object}).run(bench.write(flow), run_id="r")
    assert store.load("r").state is RunState.FAILED


class Stubborn:
    """A bean that fails and whose revert fails, too."""

    def execute(self) -> None:
        """Raise an error."""
        raise ValueError("no")

    def revert(self) -> None:
        """Raise an error."""
        raise LookupError("not undone")


def test_a_recorded_task_that_fails_and_cannot_be_undone(bench: Bench) -> None:
    """The run ends as REVERT_FAILED, although none of its completed steps was compensated."""
    store = MemoryStore()
    with pytest.raises(StepError) as caught:
        TaskManager(store=store, beans={"b": Stubborn()}).run(bench.write(task('<simple name="s" bean="b"/>')))
    assert isinstance(caught.value.__cause__, RevertError)
    assert [run.state for run in store.runs()] == [RunState.REVERT_FAILED]


class Money:
    """A value that needs a codec."""


MONEY = Codec("money", Money, lambda _: 1, lambda _: Money())


def test_a_rerun_that_cannot_read_an_inherited_value(bench: Bench) -> None:
    """A new run that inherits a value without a codec for it has FAILED."""
    store = MemoryStore()
    beans = {"make": Money}
    steps = '<simple name="a" bean="make"/><step name="b" in:m="RESULT"><source>m.amount</source></step>'
    path = bench.write(task(steps))
    with pytest.raises(StepError):
        TaskManager(store=store, beans=beans, codecs=[MONEY]).run(path, run_id="r")
    with pytest.raises(StoreError, match="money"):
        TaskManager(store=store, beans=beans).rerun("r", new_id="new")
    assert store.load("new").state is RunState.FAILED
    assert store.load("new").owner is None
