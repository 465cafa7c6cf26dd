"""Container steps of other packages that handle failures of their children, written with the documented interface alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import NEXT, Completion, Frame, Step, TaskManager, step
from taskrun.errors import StepError
from taskrun.stores.memory import MemoryStore


@step("first-of")
class FirstOf(Step):
    """The result of the first step that does not fail."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        for child in self.steps[:-1]:
            try:
                return await child.run(frame)
            except Exception:  # noqa: BLE001 - the next one
                continue
        return await self.steps[-1].run(frame)


@step("fallback")
class Fallback(Step):
    """The second step, run inside the handler of the first one's failure."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        try:
            return await self.steps[0].run(frame)
        except Exception:  # noqa: BLE001
            return await self.steps[1].run(frame)


@step("tolerant")
class Tolerant(Step):
    """All steps in order, whether they fail or not."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        for child in self.steps:
            try:
                await child.run(frame)
            except Exception:  # noqa: BLE001
                continue
        return NEXT


@step("reraising")
class Reraising(Step):
    """One step, whose failure becomes another one."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        try:
            return await self.steps[0].run(frame)
        except Exception as error:
            raise RuntimeError("it failed") from error


@step("gathered")
class Gathered(Step):
    """All steps at once; the first failure is that of the step."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        await asyncio.gather(*(child.run(frame) for child in self.steps))
        return NEXT


class Calls:
    """A bean whose methods fail as long as they are told to, and note that they were called."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failing = {"first", "second", "later"}

    def call(self, name: str) -> str:
        self.made.append(name)
        if name in self.failing:
            raise ConnectionError(name)
        return name


def call(name: str, more: str = "") -> str:
    return f'<invoke name="{name}" bean="calls" method="call" executor="inline"><input name="name" value="{name}"/>{more}</invoke>'


def manager_of(calls: Calls, store: MemoryStore) -> TaskManager:
    steps = [FirstOf, Fallback, Tolerant, Reraising, Gathered]
    return TaskManager(store=store, steps=steps, beans={"calls": calls})


def resumed(bench: Bench, body: str, repair: Callable[[Calls], None]) -> list[str]:
    """Run a flow that fails, repair what failed last, resume it, and return the calls."""
    calls, store = Calls(), MemoryStore()
    with pytest.raises(StepError):
        manager_of(calls, store).run(bench.write(task(body)), run_id="r")
    assert store.load("r").state == "FAILED"
    repair(calls)
    assert manager_of(calls, store).resume("r").status == "SUCCEEDED"
    return calls.made


@pytest.mark.parametrize("tag", ["first-of", "fallback", "selector"])
def test_a_failure_that_a_container_has_handled_is_not_repeated(bench: Bench, tag: str) -> None:
    body = f'<{tag} name="c"><steps>{call("first")}{call("second")}</steps></{tag}>'
    assert resumed(bench, body, lambda calls: calls.failing.discard("second")) == ["first", "second", "second"]


def test_a_container_that_has_completed_has_handled_all_failures(bench: Bench) -> None:
    body = f'<tolerant name="c"><steps>{call("first")}{call("second")}</steps></tolerant>{call("later")}'
    assert resumed(bench, body, lambda calls: calls.failing.clear()) == ["first", "second", "later", "later"]


def test_failures_inside_a_container_that_is_not_recorded_are_handled_too(bench: Bench) -> None:
    body = (
        f'<tolerant name="c" saveState="false"><steps>{call("first")}{call("second")}</steps></tolerant>{call("later")}'
    )
    assert resumed(bench, body, lambda calls: calls.failing.clear()) == ["first", "second", "later", "later"]


@pytest.mark.parametrize("tag", ["reraising", "gathered"])
def test_a_failure_that_a_container_raises_on_is_tried_again(bench: Bench, tag: str) -> None:
    more = call("other") if tag == "gathered" else ""
    body = f'<{tag} name="c"><steps>{call("first")}{more}</steps></{tag}>'
    made = resumed(bench, body, lambda calls: calls.failing.clear())
    assert made.count("first") == 2
    assert made.count("other") == bool(more)


@pytest.mark.parametrize("store", [None, "memory:"])
@pytest.mark.parametrize("tag", ["first-of", "fallback", "selector"])
def test_what_was_rolled_back_inside_does_not_make_the_run_reverted(bench: Bench, tag: str, store: str | None) -> None:
    """The run has failed after a handled rollback: it is FAILED and can be resumed, not REVERTED."""
    undone: list[str] = []
    inner = f'<sequential name="s"><steps><step name="u"><source>1</source><revert>note("u")</revert></step>{call("first")}</steps></sequential>'
    body = f'<{tag} name="c"><steps>{inner}{call("second")}</steps></{tag}>'
    steps = [FirstOf, Fallback]
    manager = TaskManager(store=store, steps=steps, beans={"calls": Calls()}, functions={"note": undone.append})
    with pytest.raises(StepError) as caught:
        manager.run(bench.write(task(body)))
    assert (undone, caught.value.status) == (["u"], "FAILED")


@pytest.mark.parametrize("store", [None, "memory:"])
@pytest.mark.parametrize("tag", ["first-of", "fallback", "tolerant"])
def test_no_container_handles_a_failure_that_rolls_back_the_run(bench: Bench, tag: str, store: str | None) -> None:
    undone: list[str] = []
    calls = Calls()
    done = '<step name="u"><source>1</source><revert>note("u")</revert></step>'
    fatal = call("first", '<retry maxRetryCount="0" revertAll="true"/>')
    body = f'{done}<{tag} name="c"><steps>{fatal}{call("fine")}</steps></{tag}>'
    settings: dict[str, Any] = {"steps": [FirstOf, Fallback, Tolerant], "functions": {"note": undone.append}}
    manager = TaskManager(store=store, beans={"calls": calls}, **settings)
    with pytest.raises(StepError, match="first") as caught:
        manager.run(bench.write(task(body)))
    assert (calls.made, undone, caught.value.status) == (["first"], ["u"], "REVERTED")
