"""Tests of third-party containers that handle failures of their children and use only the documented interface."""

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
    """Container with the result of its first step that does not fail."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the steps until one does not fail."""
        for child in self.steps[:-1]:
            try:
                return await child.run(frame)
            except Exception:  # noqa: BLE001 - the next one
                continue
        return await self.steps[-1].run(frame)


@step("fallback")
class Fallback(Step):
    """Container that runs its second step while it handles the failure of the first one."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the first step, and the second one if the first fails."""
        try:
            return await self.steps[0].run(frame)
        except Exception:  # noqa: BLE001
            return await self.steps[1].run(frame)


@step("tolerant")
class Tolerant(Step):
    """Container that runs all steps in order and ignores failures."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run all steps."""
        for child in self.steps:
            try:
                await child.run(frame)
            except Exception:  # noqa: BLE001
                continue
        return NEXT


@step("reraising")
class Reraising(Step):
    """Container that replaces the failure of its step by another one."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the step and convert its failure."""
        try:
            return await self.steps[0].run(frame)
        except Exception as error:
            raise RuntimeError("it failed") from error


@step("gathered")
class Gathered(Step):
    """Container that runs its steps concurrently and fails with the first failure."""

    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the steps concurrently."""
        await asyncio.gather(*(child.run(frame) for child in self.steps))
        return NEXT


class Calls:
    """A bean whose calls are recorded and fail for the names in ``failing``."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failing = {"first", "second", "later"}

    def call(self, name: str) -> str:
        """Record a call; raise an error if it is to fail."""
        self.made.append(name)
        if name in self.failing:
            raise ConnectionError(name)
        return name


def call(name: str, more: str = "") -> str:
    """Record a call; raise an error if it is to fail."""
    return f'<invoke name="{name}" bean="calls" method="call" executor="inline"><input name="name" value="{name}"/>{more}</invoke>'


def manager_of(calls: Calls, store: MemoryStore) -> TaskManager:
    steps = [FirstOf, Fallback, Tolerant, Reraising, Gathered]
    return TaskManager(store=store, steps=steps, beans={"calls": calls})


def resumed(bench: Bench, body: str, repair: Callable[[Calls], None]) -> list[str]:
    """Run a flow that fails, repair the last failure, resume the run, and return the calls."""
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
def test_a_failure_that_a_container_propagates_is_retried(bench: Bench, tag: str) -> None:
    more = call("other") if tag == "gathered" else ""
    body = f'<{tag} name="c"><steps>{call("first")}{more}</steps></{tag}>'
    made = resumed(bench, body, lambda calls: calls.failing.clear())
    assert made.count("first") == 2
    assert made.count("other") == bool(more)


@pytest.mark.parametrize("store", [None, "memory:"])
@pytest.mark.parametrize("tag", ["first-of", "fallback", "selector"])
def test_a_handled_rollback_does_not_make_the_run_reverted(bench: Bench, tag: str, store: str | None) -> None:
    """A run that fails after a handled rollback is FAILED, not REVERTED, and can be resumed."""
    reverted: list[str] = []
    inner = f'<sequential name="s"><steps><step name="u"><source>1</source><revert>note("u")</revert></step>{call("first")}</steps></sequential>'
    body = f'<{tag} name="c"><steps>{inner}{call("second")}</steps></{tag}>'
    steps = [FirstOf, Fallback]
    manager = TaskManager(store=store, steps=steps, beans={"calls": Calls()}, functions={"note": reverted.append})
    with pytest.raises(StepError) as caught:
        manager.run(bench.write(task(body)))
    assert (reverted, caught.value.status) == (["u"], "FAILED")


@pytest.mark.parametrize("store", [None, "memory:"])
@pytest.mark.parametrize("tag", ["first-of", "fallback", "tolerant"])
def test_no_container_handles_a_failure_that_rolls_back_the_run(bench: Bench, tag: str, store: str | None) -> None:
    reverted: list[str] = []
    calls = Calls()
    done = '<step name="u"><source>1</source><revert>note("u")</revert></step>'
    fatal = call("first", '<retry maxRetryCount="0" revertAll="true"/>')
    body = f'{done}<{tag} name="c"><steps>{fatal}{call("fine")}</steps></{tag}>'
    settings: dict[str, Any] = {"steps": [FirstOf, Fallback, Tolerant], "functions": {"note": reverted.append}}
    manager = TaskManager(store=store, beans={"calls": calls}, **settings)
    with pytest.raises(StepError, match="first") as caught:
        manager.run(bench.write(task(body)))
    assert (calls.made, reverted, caught.value.status) == (["first"], ["u"], "REVERTED")
