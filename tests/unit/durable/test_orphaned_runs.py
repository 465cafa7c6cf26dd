"""Tests of runs that are suspended, cancelled and resumed by other tasks, with and without a store."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.core.states import RunState, StepState
from taskrun.errors import RecordedError, RevertError, RunCancelled, RunOwnedError, StepError, TransitionError
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual


class Gate:
    """A step that waits until the test opens it."""

    def __init__(self) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()
        self.effects: list[Any] = []

    async def wait(self) -> str:
        """Wait until the gate is open."""
        self.entered.set()
        await self.opened.wait()
        return "opened"

    def say(self, what: Any) -> None:
        """Append a text to the list of reports."""
        self.effects.append(what)


NOTE = 'inject("gate").say'
REVERT = f"<revert>{NOTE}('undo ' + result)</revert>"


def with_started_run(
    bench: Bench, body: str, work: Callable[[TaskManager, Gate, Any], Awaitable[Any]], **settings: Any
) -> Any:
    """Start a run, and call ``work`` when its step ``wait`` has started."""
    path = bench.write(task(body))

    async def both() -> Any:
        gate = Gate()
        manager = TaskManager(beans={"gate": gate}, **settings)
        running = asyncio.create_task(manager.run_async(path, run_id="r"))
        await gate.entered.wait()
        return await work(manager, gate, running)

    return run_virtual(both())[0]


WAITS = f"""
  <step name="a"><source>"a"</source>{REVERT}</step>
  <parallel name="p"><steps>
    <sequential name="s"><steps>
      <invoke name="wait" bean="gate" method="wait">{REVERT}</invoke>
      <step name="b"><source>{NOTE}("b") or "b"</source>{REVERT}</step>
    </steps></sequential>
    <loop name="l" maxCount="100"><steps>
      <sleep name="nap" sleepMillisExpr="100"/>
    </steps></loop>
  </steps></parallel>
  <step name="c"><source>{NOTE}("c") or "c"</source></step>"""


def test_suspended_by_a_request(bench: Bench) -> None:
    """Running steps finish, no new ones start, nothing is rolled back; the resumed run executes the rest."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        assert manager.suspend("r")
        await asyncio.sleep(1)
        assert not running.done()
        gate.opened.set()
        result = await running
        assert (result.status, result.waiting, gate.effects) == ("SUSPENDED", (), [])
        states = {one.key: one.state for one in manager.store.records("r")}
        assert states["main/p/s/wait"] is StepState.SUCCEEDED
        assert "main/p/s/b" not in states
        naps = sum(key.endswith("nap") for key in states)
        assert 0 < naps < 10
        assert not manager.suspend("r")
        result = await manager.resume_async("r")
        assert (result.status, gate.effects) == ("SUCCEEDED", ["b", "c"])

    with_started_run(bench, WAITS, work, store=MemoryStore())


def test_suspended_by_a_request_and_cancelled(bench: Bench) -> None:
    """Cancelling a suspended run rolls it back."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        manager.suspend("r")
        await asyncio.sleep(1)
        gate.opened.set()
        await running
        assert await manager.cancel_async("r")
        assert gate.effects == ["undo opened", "undo a"]
        assert manager.store.load("r").state is RunState.CANCELLED
        assert not await manager.cancel_async("r")

    with_started_run(bench, WAITS, work, store=MemoryStore())


@pytest.mark.parametrize("recorded", [False, True])
def test_cancelled_by_a_request(bench: Bench, recorded: bool) -> None:
    """The running step is stopped, the completed steps are rolled back, and the run is CANCELLED."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        assert manager.cancel("r", "enough")
        with pytest.raises(RunCancelled, match="enough"):
            await running
        assert gate.effects == ["undo a"]
        assert manager.active == ()
        if recorded:
            assert manager.store.load("r").state is RunState.CANCELLED
            with pytest.raises(TransitionError):
                await manager.resume_async("r")

    with_started_run(bench, WAITS, work, store=MemoryStore() if recorded else None)


@pytest.mark.parametrize("recorded", [False, True])
def test_cancel_without_rollback(bench: Bench, recorded: bool) -> None:
    """With ``revert=False`` the run is cancelled without a rollback."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        assert manager.cancel("r", revert=False)
        with pytest.raises(RunCancelled):
            await running
        assert gate.effects == []

    with_started_run(bench, WAITS, work, store=MemoryStore() if recorded else None)


@pytest.mark.parametrize("recorded", [False, True])
def test_cancelling_the_awaiting_task(bench: Bench, recorded: bool) -> None:
    """The rollback ends before CancelledError is raised in the awaiting task."""

    async def work(_: TaskManager, gate: Gate, running: Any) -> None:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert gate.effects == ["undo a"]

    with_started_run(bench, WAITS, work, store=MemoryStore() if recorded else None)


HOLDS = f"""
  <step name="a"><source>"a"</source>{REVERT}</step>
  <step name="b"><source>"b"</source><revert>
    await inject("gate").wait()
    {NOTE}("undo b")
  </revert></step>
  <step name="c"><source>raise ValueError("no")</source></step>"""


@pytest.mark.parametrize("recorded", [False, True])
def test_cancel_during_a_rollback(bench: Bench, recorded: bool) -> None:
    """A rollback is shielded from any number of cancellations; then the run is CANCELLED."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        for _ in range(3):
            manager.cancel("r")
            await asyncio.sleep(1)
        assert not running.done()
        gate.opened.set()
        with pytest.raises(RunCancelled):
            await running
        assert gate.effects == ["undo b", "undo a"]

    with_started_run(bench, HOLDS, work, store=MemoryStore() if recorded else None)


def test_an_owned_run_is_not_resumed(bench: Bench) -> None:
    """Resuming a run of another live process raises RunOwnedError, which names the owner."""

    async def work(manager: TaskManager, gate: Gate, running: Any) -> None:
        with pytest.raises(RunOwnedError):
            await TaskManager(store=manager.store, beans={"gate": gate}).resume_async("r")
        gate.opened.set()
        assert (await running).status == "SUCCEEDED"

    with_started_run(bench, WAITS, work, store=MemoryStore())


def test_resumed_twice_at_once(bench: Bench) -> None:
    """Of two concurrent resumes, one is refused, and the next step is executed once."""
    body = f'<suspend name="ask"><input name="x"/></suspend><step name="a"><source>{NOTE}("a")</source></step>'
    path = bench.write(task(body))

    async def both() -> tuple[list[Any], list[Any]]:
        gate, store = Gate(), MemoryStore()
        managers = [TaskManager(beans={"gate": gate}, store=store) for _ in range(3)]
        await managers[0].run_async(path, run_id="r")
        resumed = [manager.resume_async("r", {"x": 1}) for manager in managers]
        return await asyncio.gather(*resumed, return_exceptions=True), gate.effects

    (results, effects), _ = run_virtual(both())
    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert all(isinstance(one, RunOwnedError | TransitionError) or one.status == "SUCCEEDED" for one in results)
    assert effects == ["a"]


def test_a_commit_that_a_cancellation_interrupts(bench: Bench) -> None:
    """A step that is cancelled while its record is committed is compensated like the others."""
    body = f"""
      <parallel name="p"><steps>
        <step name="kill"><source>
          await inject("nap")(0.01)
          taskRt.cancel()
        </source></step>
        <sequential name="s"><steps>
          <sleep name="a" sleepMillisExpr="10">{REVERT.replace("result", '"a"')}</sleep>
          <sleep name="b" sleepMillisExpr="1000"/>
        </steps></sequential>
      </steps></parallel>"""
    gate = Gate()
    manager = TaskManager(beans={"gate": gate, "nap": asyncio.sleep}, store=MemoryStore())
    with pytest.raises(RunCancelled):
        run_virtual(manager.run_async(bench.write(task(body)), run_id="r"))
    assert gate.effects == ["undo a"]
    assert {one.key: one.state for one in manager.store.records("r")}["main/p/s/a"] is StepState.REVERTED


def test_the_error_of_a_failed_rollback(bench: Bench) -> None:
    """The error is a group with the original failure first; each member has notes of its steps."""
    body = """
      <step name="a"><source>1</source><revert>raise KeyError("not undone")</revert></step>
      <step name="b"><source>raise ValueError("no")</source></step>"""
    store = MemoryStore()
    ran = bench.run(task(body), store=store)
    assert isinstance(ran.error, StepError)
    assert (ran.error.path, ran.error.status) == ("main/b", "REVERT_FAILED")
    assert isinstance(ran.cause, RevertError)
    first, second = ran.cause.exceptions
    assert str(first) == "no"
    assert any("main/a" in note for note in second.__notes__)
    assert ran.cause.__cause__ is first
    recorded = store.load(store.runs()[0].run_id).error
    assert recorded is not None
    assert [one.kind for one in recorded.group] == ["builtins.ValueError", "builtins.KeyError"]


@dataclass(frozen=True)
class Point:
    """A dataclass with two numbers."""

    x: int
    y: Decimal


class Stubborn(Exception):
    """An error that can neither be pickled nor created from its text."""

    def __init__(self, one: int, two: Any) -> None:
        super().__init__(f"{one} is stubborn")
        self.two = two

    def __reduce__(self) -> Any:
        raise pickle.PicklingError("no")


VALUES = {
    "day": date(2026, 1, 31),
    "moment": datetime(2026, 1, 31, 8, tzinfo=UTC),
    "span": timedelta(seconds=1.5),
    "price": Decimal("1.10"),
    "set": {3, 1},
    "frozen": frozenset({("a", 1)}),
    "bytes": b"\x00\xff",
    "tuple": (1, (2, [3])),
    "point": Point(1, Decimal("2.50")),
    "keys": {1: "a", (2, 3): "b", "$": 4},
    "big": 10**400,
    "long": "x" * 10_000_000,
}


def test_values_are_equal_after_a_resume(bench: Bench) -> None:
    """An output from before the suspension has the same value and type after the resume."""
    body = """
      <simple name="make" bean="make"><output name="values"><source>RESULT</source></output></simple>
      <parallel name="p"><steps>
        <step name="x"><source>1</source></step>
        <step name="bad"><source>raise ValueError("no")</source></step>
      </steps><joinType/></parallel>
      <step name="fails" nextOnError="ask"><source>raise ValueError("bean")</source></step>
      <suspend name="ask" useParentScope="true"/>
      <simple name="look" bean="look" useParentScope="true">
        <input name="values"/><input name="results" value="${STEP_RESULT_OF_P}"/><input name="error" value="${ERROR}"/>
      </simple>"""
    body = body.replace("<joinType/>", "").replace('<parallel name="p">', '<parallel name="p" joinType="allComplete">')
    body = body.replace(
        '<step name="fails"',
        '<step name="keep" in:r="RESULT"><source>r</source><output name="kept"/></step>\n<step name="fails"',
    )
    body = body.replace("STEP_RESULT_OF_P", "kept")
    seen: dict[str, Any] = {}

    def look(values: Any, results: Any, error: Any) -> None:
        seen.update(values=values, results=results, error=error)

    manager = TaskManager(beans={"make": lambda: VALUES, "look": look}, store=MemoryStore())
    result = manager.run(bench.write(task(body)))
    assert result.status == "SUSPENDED"
    other = TaskManager(beans={"make": lambda: VALUES, "look": look}, store=manager.store)
    assert other.resume(result.run_id).status == "SUCCEEDED"
    assert seen["values"] == VALUES
    assert seen["values"] is not VALUES
    assert {name: type(value) for name, value in seen["values"].items()} == {
        name: type(value) for name, value in VALUES.items()
    }
    assert seen["results"].x.result == 1
    assert seen["results"].bad.error is not None
    assert seen["error"].description == "bean"


def test_errors_that_cannot_be_pickled(bench: Bench) -> None:
    """An error that cannot be pickled is recorded as text, and is a RecordedError after a resume."""
    body = """
      <simple name="a" bean="a" nextOnError="ask"/>
      <suspend name="ask"/>
      <step name="b" in:ERROR="ERROR"><source>[ERROR.description, ERROR.errorCode]</source></step>"""

    def fail() -> None:
        raise Stubborn(1, object())

    manager = TaskManager(beans={"a": fail}, store=MemoryStore())
    result = manager.run(bench.write(task(body)))
    record = next(one for one in manager.store.records(result.run_id) if one.key == "main/a")
    assert record.error is not None
    assert (record.error.kind.rpartition(".")[2], record.error.message) == ("Stubborn", "1 is stubborn")
    resumed = TaskManager(beans={"a": fail}, store=manager.store).resume(result.run_id)
    assert resumed.result[0] == "1 is stubborn"


def test_a_failure_that_cannot_be_pickled(bench: Bench) -> None:
    """The run raises the original exception; its record has the class and the text."""
    store = MemoryStore()

    def fail() -> None:
        raise Stubborn(2, lambda: None)

    ran = bench.run(task('<simple name="a" bean="a"/>'), beans={"a": fail}, store=store)
    assert isinstance(ran.cause, Stubborn)
    assert not isinstance(ran.cause, RecordedError)
    assert store.runs()[0].error is not None
