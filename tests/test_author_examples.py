"""Runs the step types and decorators that docs/python.md shows to authors in every way that there is to run a flow.

The classes are those of the page. Their flow has effects outside of the run, which are compared: a run that dies after
any record and is resumed, that is resumed after its failure, cancelled, or rolled back, does nothing twice.
"""

from __future__ import annotations

import asyncio
import random
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from crashing import CrashingStore
from pages import Block, parts
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.errors import RunCancelled, StepError, StoreError
from taskrun.stores import MemoryStore
from taskrun.testing import run_virtual

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
EXAMPLES = {"shout", "first-of", "sampled", "stamped"}

LEAF = """<step name="{name}" useParentScope="true"><source>effect("{name}"); {source}</source>\
<revert>effect("undo {name}")</revert></step>"""
BODY = (
    LEAF.format(name="before", source="return 1")
    + '<first-of name="f"><steps>'
    + f"<sequential name='first'><steps>{LEAF.format(name='inner', source='return 2')}"
    + f"{LEAF.format(name='fails', source='raise ValueError()')}</steps></sequential>"
    + '<sampled name="s" below="1000000"><steps>'
    + LEAF.format(name="second", source="return effect('number ' + str(number))")
    + '<delay name="d" delayMillisExpr="100"/>'
    + LEAF.format(name="third", source="return effect('number ' + str(number))")
    + """<shout name="loud" textExpr="'done'" times="2"><stamped label="ok"/></shout>"""
    + "</steps></sampled></steps></first-of>"
)
END = LEAF.format(name="last", source="return decide()") + '<step name="end"><source>"[ok] DONEDONE"</source></step>'
DONE = ["before", "inner", "fails", "undo inner", "second", "number N", "third", "number N", "last"]


@pytest.fixture(scope="module")
def classes() -> list[type]:
    """Return the classes in the block of the page with a title."""
    module = sys.modules["author_examples"] = types.ModuleType("author_examples")  # where the classes look names up
    names = module.__dict__
    found = [part for part in parts(PAGE.read_text("utf-8")) if isinstance(part, Block) and part.language == "python"]
    titled = [block for block in found if any(f'title="{name}"' in block.words for name in EXAMPLES)]
    assert len(titled) == len(EXAMPLES)
    names["TaskManager"] = TaskManager
    for block in titled:
        exec(compile(block.text, str(PAGE), "exec"), names)
    return [names[name] for name in ("Shout", "FirstOf", "Sampled", "Stamped")]


class Outside:
    """The state outside of a run: its effects, which stop with the process of the store, and a decision."""

    def __init__(self, store: Any = None) -> None:
        self.store = store
        self.effects: list[str] = []
        self.fails = False

    def effect(self, name: str) -> None:
        """Record an effect outside of the run."""
        if not getattr(self.store, "dead", False):
            self.effects.append(name)

    def decide(self) -> None:
        """Fail as often as configured."""
        if self.fails:
            raise ConnectionError

    @property
    def seen(self) -> list[str]:
        """The effects; a random number of the run is shown as N, and is the same everywhere."""
        numbers = {name for name in self.effects if name.startswith("number")}
        assert len(numbers) <= 1, "the remembered number has changed"
        return ["number N" if name.startswith("number") else name for name in self.effects]


def manager_of(classes: list[type], outside: Outside, **settings: Any) -> TaskManager:
    functions = {"effect": outside.effect, "decide": outside.decide}
    return TaskManager(steps=classes, functions=functions, store=outside.store, **settings)


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("observed", [False, True], ids=["unobserved", "observed"])
def test_runs(bench: Bench, classes: list[type], recorded: bool, observed: bool) -> None:
    """The flow succeeds, with the same effects whether it is recorded or observed or not."""
    outside = Outside(MemoryStore() if recorded else None)
    events: list[Any] = []
    manager = manager_of(classes, outside, observers=[events.append] if observed else ())
    assert run_virtual(manager.run_async(bench.write(task(BODY + END))))[0].result == "[ok] DONEDONE"
    assert outside.seen == DONE
    assert bool(events) is observed


def resumed_after(flow: Path, classes: list[type], death: int) -> tuple[Outside, bool]:
    """Run a flow in a process that is killed after so many commits, resume it in others, and return the effects."""
    store = CrashingStore()
    outside = Outside(store)
    store.left = death
    died = False
    while True:
        random.seed(death + died)
        manager = manager_of(classes, outside)
        try:
            run_virtual(
                manager.resume_async("r", stale_after=-1) if died else manager.run_async(flow, run_id="r")
            )  # fmt: skip
        except StoreError:
            assert store.dead
            died, store.left = True, None
            continue
        except StepError:
            pass
        return outside, died


@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "rolled back"])
def test_killed_after_each_record(bench: Bench, classes: list[type], fails: bool) -> None:
    """A run that is killed after its first, second, third … commit and resumed has the effects of an uninterrupted one."""
    end = LEAF.format(name="last", source="raise ValueError()") if fails else END
    flow = bench.write(task(BODY + end))
    reverted = ["undo third", "undo second", "undo before"] if fails else []
    for death in range(1, 100):
        outside, died = resumed_after(flow, classes, death)
        assert outside.seen == DONE + reverted, f"it died after {death} records"
        assert outside.store.load("r").state == ("REVERTED" if fails else "SUCCEEDED")
        if not died:
            assert death > 8
            return
    raise AssertionError("it dies for ever")


def test_resumed_after_a_failure(bench: Bench, classes: list[type]) -> None:
    """Only the failed step of a failed run is executed again; the handled failure is not."""
    outside = Outside(MemoryStore())
    outside.fails = True
    flow = bench.write(task((BODY + END).replace("<revert>", "<!-- ").replace("</revert>", " -->")))
    manager = manager_of(classes, outside)
    with pytest.raises(StepError):
        run_virtual(manager.run_async(flow, run_id="r"))
    outside.fails = False
    assert run_virtual(manager_of(classes, outside).resume_async("r"))[0].result == "[ok] DONEDONE"
    assert outside.seen == [*(name for name in DONE if not name.startswith("undo")), "last"]


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_cancelled_inside_the_container(bench: Bench, classes: list[type], recorded: bool) -> None:
    """A run that is cancelled inside the container is rolled back."""
    outside = Outside(MemoryStore() if recorded else None)
    manager = manager_of(classes, outside)
    flow = bench.write(task(BODY + END))

    async def cancelled() -> None:
        run = asyncio.create_task(manager.run_async(flow, run_id="r"))
        await asyncio.sleep(0.05)
        manager.cancel("r")
        with pytest.raises(RunCancelled):
            await run

    run_virtual(cancelled())
    assert outside.seen == [*DONE[: DONE.index("third")], "undo second", "undo before"]
