"""A cancelled run leaves nothing behind: no task, permit, token, thread or timer; and every finally has run.

Each flow is run again and again beside a second run that shares its TaskManager; one of the two is cancelled one step
of the event loop later each time. The other one must not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.core.run import Run
from taskrun.core.workers import Threads
from taskrun.errors import RunCancelled
from taskrun.testing import VirtualTimeLoop

FLOWS = {
    "sequence": """
        <sequential name="outer"><finally>note('leave', 'outer', who)</finally><steps>
          <step name="in"><source>note('enter', 'outer', who)</source></step>
          <delay name="d" delayMillisExpr="30"/>
          <sequential name="inner"><finally>note('leave', 'inner', who)</finally><steps>
            <step name="in"><source>note('enter', 'inner', who)</source></step>
            <sleep name="s" sleepMillisExpr="20"/>
            <step name="v"><source>7</source></step>
          </steps></sequential>
        </steps></sequential>""",
    "loop": """
        <loop name="l" itemsExpr="range(3)" varName="i"><finally>note('leave', 'l', who)</finally><steps>
          <step name="in"><when>i == 0</when><input name="i"/><source>note('enter', 'l', who)</source></step>
          <simple name="w" bean="wait"/>
          <step name="v"><input name="i"/><source>i + 5</source></step>
        </steps></loop>""",
    "parallel": """
        <parallel name="p"><finally>note('leave', 'p', who)</finally><steps>
          <step name="now"><source>note('enter', 'p', who)</source></step>
          <simple name="a" bean="wait"/>
          <delay name="b" delayMillisExpr="50"/>
        </steps><aggregator>return 7</aggregator></parallel>""",
    "any_success": """
        <parallel name="p" joinType="anySuccess"><steps>
          <sequential name="slow"><finally>note('leave', 'slow', who)</finally><steps>
            <step name="in"><source>note('enter', 'slow', who)</source></step><delay name="d" delayMillisExpr="1h"/>
          </steps></sequential>
          <delay name="quick" delayMillisExpr="5"/>
        </steps><aggregator>return 7</aggregator></parallel>""",
    "fork_throttle": """
        <fork-n name="f" countExpr="5" indexName="i"><steps>
          <sequential name="handled"><finally>note('leave', 'handled', who)</finally>
            <throttle maxConcurrency="2" maxWait="1h"/>
            <steps><step name="in"><source>note('enter', 'handled', who)</source></step><simple name="w" bean="wait"/></steps>
          </sequential>
        </steps><aggregator>return 7</aggregator></fork-n>""",
    "slow_clean_up": """
        <parallel name="p"><finally>note('leave', 'p', who)</finally><steps>
          <step name="in"><source>note('enter', 'p', who)</source></step>
          <simple name="a" bean="tidy"/>
          <fork-n name="b" countExpr="2"><steps><simple name="c" bean="tidy"/></steps></fork-n>
        </steps><aggregator>return 7</aggregator></parallel>""",
    "global_throttle": """
        <fork-n name="f" countExpr="3"><steps>
          <simple name="w" bean="wait"><throttle maxConcurrency="2" maxWait="1h" global="true"/></simple>
        </steps><aggregator>return 7</aggregator></fork-n>""",
    "rate_limit": """
        <fork-n name="f" countExpr="5"><steps>
          <simple name="w" bean="wait"><rate-limit requestPerSecond="2" maxWait="1h"/></simple>
        </steps><aggregator>return 7</aggregator></fork-n>""",
    "global_rate_limit": """
        <fork-n name="f" countExpr="3"><steps>
          <simple name="w" bean="wait"><rate-limit requestPerSecond="2" maxWait="1h" global="true"/></simple>
        </steps><aggregator>return 7</aggregator></fork-n>""",
    "retry": """
        <sequential name="again"><retry maxRetryCount="3" retryDelay="100" maxRetryDelay="1s"/>
          <finally>note('leave', 'again', who)</finally>
          <steps>
            <step name="in"><source>note('enter', 'again', who)</source></step>
            <simple name="w" bean="wait"/>
            <step name="v" useParentScope="true"><source>7 if attempt > 2 else 1 / 0</source></step>
          </steps></sequential>""",
    "attempt_timeout": """
        <sequential name="again" allowFailure="true"><retry maxRetryCount="2" retryDelay="10" attemptTimeout="20"/>
          <finally>note('leave', 'again', who)</finally>
          <steps>
            <step name="in"><source>note('enter', 'again', who)</source></step><delay name="d" delayMillisExpr="1h"/>
          </steps></sequential>
        <step name="v"><source>7</source></step>""",
    "timeout": """
        <sequential name="t" timeout="30" nextOnError="v"><finally>note('leave', 't', who)</finally><steps>
          <step name="in"><source>note('enter', 't', who)</source></step>
          <parallel name="p"><steps><delay name="a" delayMillisExpr="1h"/><simple name="b" bean="wait"/></steps></parallel>
        </steps></sequential>
        <step name="v"><source>7</source></step>""",
    "threads": """
        <parallel name="p"><finally>note('leave', 'p', who)</finally><steps>
          <step name="in"><source>note('enter', 'p', who)</source></step>
          <simple name="a" bean="block"><input name="who"/></simple>
          <simple name="b" bean="block"><input name="who"/></simple>
          <step name="c" executor="thread"><source>1</source></step>
        </steps><aggregator>return 7</aggregator></parallel>""",
    "call_task": """
        <call-task name="c" taskModelPath="cancelled_inside.task.xml"><input name="who"/>
          <finally>note('leave', 'c', who)</finally><onEnter>note('enter', 'c', who)</onEnter></call-task>""",
    "graph": """
        <graph name="g" enterSteps="a,b" exitSteps="e"><finally>note('leave', 'g', who)</finally><steps>
          <step name="a"><source>note('enter', 'g', who)</source></step>
          <simple name="b" bean="wait"/>
          <delay name="c" delayMillisExpr="10" waitSteps="a,b"/>
          <delay name="d" delayMillisExpr="1h" waitSteps="a"/>
          <step name="e" waitSteps="c"><source>7</source></step>
        </steps></graph>""",
    "selector": """
        <selector name="s"><finally>note('leave', 's', who)</finally><steps>
          <step name="in"><source>note('enter', 's', who)</source></step>
          <sequential name="bad"><steps><simple name="w" bean="wait"/><step name="x"><source>1/0</source></step></steps>
          </sequential>
          <sequential name="good"><steps><simple name="w" bean="wait"/><step name="v"><source>7</source></step></steps>
          </sequential>
        </steps></selector>""",
}  # fmt: skip
PLACES = 3
"""How many threads may work at once; the flow with threads takes them all."""

INSIDE = """
<task>
  <input name="who"/>
  <finally>note('leave', 'inside', who)</finally>
  <steps>
    <step name="in"><source>note('enter', 'inside', who)</source></step>
    <simple name="w" bean="wait"/>
    <step name="v"><source>7</source></step>
  </steps>
</task>
"""


class CountingLoop(VirtualTimeLoop):
    """A loop in virtual time that calls ``interfere`` after each callback that is scheduled."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduled = 0
        self.interfere: Callable[[int], None] | None = None

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        """Schedule a callback and count it."""
        handle = super().call_soon(callback, *args, context=context)
        if self.interfere is not None:
            self.scheduled += 1
            self.interfere(self.scheduled)
        return handle


@dataclass
class Scene:
    """Two runs of one flow in one event loop, of which the first is cancelled, and the resources left behind."""

    flow: Path
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    runs: list[Run] = field(default_factory=list)
    gates: dict[str, threading.Event] = field(default_factory=lambda: defaultdict(threading.Event))
    hit: bool = False
    complaints: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the TaskManager that the two runs share."""
        self.manager = TaskManager(
            beans={"wait": self.wait, "block": self.block, "tidy": self.tidy},
            functions={"note": lambda *what: self.notes.update([what])},
        )
        self.manager._services = replace(self.manager._services, threads=Threads(PLACES))

    async def wait(self) -> None:
        """Yield to the event loop a few times, once for longer."""
        await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        await asyncio.sleep(0)

    async def tidy(self) -> None:
        """Await for a while, as a clean-up does."""
        try:
            await asyncio.sleep(0.02)
        finally:
            for _ in range(4):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)

    def block(self, who: str) -> None:
        """Block a thread until the gate is open."""
        assert self.gates[who].wait(20)

    def open(self) -> None:
        """Open the gate, so that blocked threads continue."""
        for who in ("other", "again", *(() if self.hit else ("first",))):
            self.gates[who].set()

    def play(self, cancelled_at: list[int], *, by_id: bool = False) -> bool:
        """Run both and cancel the first one at these points of time; return whether it was cancelled."""
        self.hit = False
        self.gates.clear()
        self.notes.clear()
        self.runs.clear()
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            loop = runner.get_loop()
            loop.set_exception_handler(lambda _, context: self.complaints.append(context))
            return runner.run(self._play(loop, cancelled_at, by_id=by_id))  # type: ignore[arg-type]

    async def _play(self, loop: CountingLoop, cancelled_at: list[int], *, by_id: bool) -> bool:
        manager = self.manager
        first = asyncio.create_task(manager.run_async(self.flow, {"who": "first"}, run_id="first"))
        other = asyncio.create_task(manager.run_async(self.flow, {"who": "other"}))

        def interfere(count: int) -> None:
            if count in cancelled_at:
                self.hit = True
                if by_id:
                    manager.cancel("first")
                else:
                    first.cancel()

        loop.call_later(0.005, self.open)
        loop.interfere = interfere
        try:
            done = await asyncio.gather(first, return_exceptions=True)
        finally:
            loop.interfere = None
        assert (await other)["RESULT"] == 7
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await manager.run_async(self.flow, {"who": "again"}))["RESULT"] == 7
        if isinstance(done[0], asyncio.CancelledError | RunCancelled):
            return True
        assert done[0]["RESULT"] == 7
        return False

    def check(self) -> None:
        """Assert that nothing is left of the runs."""
        self.gates["first"].set()
        assert self.complaints == []
        assert self.manager.active == ()
        for limiters in (*(run.limiters for run in self.runs), self.manager._services.limiters):
            assert limiters._permits == {}
            assert all(not bucket._waiting and bucket._timer is None for bucket in limiters._buckets.values())
        for kind, step, who in list(self.notes):
            entered, left = self.notes["enter", step, who], self.notes["leave", step, who]
            assert entered <= left <= entered + (who == "first"), f"{step} of {who}: {entered} in, {left} out ({kind})"


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Collect every Run that is created, also those of called tasks."""
    made: list[Run] = []

    class Kept(Run):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            made.append(self)

    monkeypatch.setattr("taskrun.manager.Run", Kept)
    monkeypatch.setattr("taskrun.core.run.Run", Kept)
    return made


def flow_of(bench: Bench, name: str) -> Path:
    """Write a flow and the files that it calls."""
    bench.write(INSIDE, "cancelled_inside.task.xml")
    return bench.write(task(FLOWS[name], head='<input name="who"/>'), f"cancelled_{name}.task.xml")


@pytest.mark.parametrize("by_id", [False, True], ids=["task", "id"])
@pytest.mark.parametrize("name", FLOWS)
def test_cancelled_at_each_step_of_the_loop(bench: Bench, runs: list[Run], name: str, by_id: bool) -> None:
    """A run cancelled at its first, second, third … step of the loop leaves nothing behind and affects no other run."""
    scene = Scene(flow_of(bench, name), runs=runs)
    for point in range(1, 1_000):
        cancelled = scene.play([point], by_id=by_id)
        scene.check()
        if not cancelled and point > 3:
            return
    raise AssertionError("the run never came to its end")


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(FLOWS)), points=st.lists(st.integers(1, 120), min_size=2, max_size=12))
def test_cancelled_repeatedly(bench: Bench, name: str, points: list[int]) -> None:
    """A run that is cancelled again during its clean-up leaves nothing behind either."""
    scene = Scene(flow_of(bench, name))
    scene.play(points)
    scene.check()
