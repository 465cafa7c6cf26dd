"""What ``parallel``, ``fork`` and ``fork-n`` share: starting branches and joining them.

    joinType="allSuccess"    when all have ended; fails with the error that came first (the default)
    joinType="anyFailure"    when all have succeeded; fails as soon as one fails
    joinType="anySuccess"    as soon as one succeeds; fails when all have failed
    joinType="allComplete"   when all have ended; never fails

Rules: branches start in order; one that cannot suspend runs to its end before the next is started. Once the join is
decided, the unfinished branches are cancelled, and those not started yet are left out; with
``autoCancelUnfinished="false"`` they are all run to their end, the decision stays. No branch outlives the step. When a
branch is suspended, the others are run to their end, and the step is suspended unless they decide the join: then the
branch counts as cancelled.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, TypeAlias

from taskrun.core.body import TURN
from taskrun.core.branches import Branches, Outcome
from taskrun.core.completion import RESULT, Completion, Signal, completion_of
from taskrun.core.frame import Frame
from taskrun.core.run import Run
from taskrun.core.script_views import StepResult, StepResults
from taskrun.core.step import Step, base
from taskrun.core.traits import Traits
from taskrun.durable.compensation import mark_handled, may_handle
from taskrun.durable.discard_branches import discard, drop_wait_points
from taskrun.errors import RunCancelled
from taskrun.script.script import Script

Start: TypeAlias = tuple[str, Callable[[Frame], Any], Frame, bool, bool]
"""A branch: its key, the function that runs it, its frame, whether it may suspend, whether the function is sync."""


class JoinType(enum.Enum):
    """When concurrent branches count as done."""

    ALL_SUCCESS = "allSuccess"
    ANY_FAILURE = "anyFailure"
    ANY_SUCCESS = "anySuccess"
    ALL_COMPLETE = "allComplete"


@base
class Joining(Step):
    """The settings of a join; the base of the steps that have branches."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    numbered: ClassVar[bool] = False
    """Whether a branch that the join did not wait for has a result too: that it was cancelled."""

    join_type: JoinType = JoinType.ALL_SUCCESS
    auto_cancel_unfinished: bool = True
    aggregator: Script | None = None

    def stores(self) -> Iterable[str]:  # type: ignore[override]
        """The variable with the results."""
        yield "STEP_RESULTS"


class Join:
    """The state of one join: the results so far and whether it is decided."""

    def __init__(self, join_type: JoinType, results: StepResults, run: Run) -> None:
        self.join_type = join_type
        self.run = run
        self.suspended: list[str] = []
        self.success_decides: bool = join_type is JoinType.ANY_SUCCESS
        self.failure_decides: bool = join_type is JoinType.ANY_FAILURE
        self.results = results
        self.first_error: Exception | None = None
        self.decided: bool = False
        self.succeeded: bool = False

    def settle(self, key: str, outcome: Outcome) -> None:
        """Take in how a branch ended, unless the join is decided already; raises what undoes the whole run."""
        if isinstance(outcome, Exception) and self.run.rollback.abort_error is not None:
            raise outcome
        if isinstance(outcome, Completion) and outcome.signal is Signal.SUSPEND:
            self.suspended.append(key)
            return
        if self.decided:
            return
        self.results.add(StepResult(key, outcome))
        if isinstance(outcome, Completion):
            self.succeeded = True
            self.decided = self.success_decides
        else:
            self.first_error = self.first_error or outcome
            self.decided = self.failure_decides

    def failure(self) -> Exception | None:
        """Return the error that the join fails with, None when it succeeds."""
        if self.join_type is JoinType.ALL_COMPLETE or (self.join_type is JoinType.ANY_SUCCESS and self.succeeded):
            return None
        return self.first_error

    @property
    def must_succeed(self) -> bool:
        """Whether one failure is the failure of the join, whatever the other branches do."""
        return self.join_type in {JoinType.ALL_SUCCESS, JoinType.ANY_FAILURE}


async def join(frame: Frame, settings: Joining, starts: Iterable[Start], order: Mapping[str, int]) -> Completion:
    """Run the branches, join them, and return what the aggregator makes of the results (without one, the results)."""
    results = frame.scope["STEP_RESULTS"] = StepResults()
    state = Join(settings.join_type, results, frame.run)
    try:
        await _run_all(state, starts, settings.auto_cancel_unfinished)
    except BaseException:
        drop_wait_points(frame, frame.path)
        raise
    if state.suspended and await _waits(frame, settings, state, order):
        return Completion(signal=Signal.SUSPEND)
    for key in order if settings.numbered else ():
        if key not in results:
            results.add(StepResult(key, RunCancelled("the branch was cancelled: the join was decided")))
    results.sort(order)
    if error := state.failure():
        raise error
    _mark_handled(frame, settings, state)
    if settings.aggregator is not None:
        return completion_of(frame.call(settings.aggregator, aggResults=results))
    return Completion({RESULT: results})


async def _waits(frame: Frame, settings: Joining, state: Join, order: Mapping[str, int]) -> bool:
    """Whether the join waits for its suspended branches; if not, they are given up."""
    fails = state.first_error is not None and state.must_succeed
    if not settings.auto_cancel_unfinished or not (state.decided or fails):
        return True
    if state.failure() is None:  # else they are undone with all the others
        numbered, names = settings.numbered, state.suspended
        await discard(frame, [f"{frame.path}[{order[key]}]" if numbered else frame.path_of(key) for key in names])
    drop_wait_points(frame, frame.path)
    return False


def _mark_handled(frame: Frame, settings: Joining, state: Join) -> None:
    """Record that the join has handled the failures of its branches."""
    if state.first_error is None or not may_handle(frame.run, state.first_error):
        return
    for result in state.results.values():
        if result.error is not None and settings.numbered:
            mark_handled(frame.run, frame.path)
        elif result.error is not None:
            mark_handled(frame.run, frame.path_of(result.stepName), settings.join_type.value)


async def _run_all(state: Join, starts: Iterable[Start], cancel: bool) -> None:
    """Start the branches and take in how they end, until the join is decided (unless it must not ``cancel``)."""
    async with Branches() as branches:
        for turn, (key, run, frame, may_suspend, is_sync) in enumerate(starts, 1):
            if state.decided and cancel:
                break
            if is_sync:
                try:
                    outcome: Outcome = run(frame)
                except Exception as error:  # noqa: BLE001 - an outcome, raised again by the join
                    outcome = error
                state.settle(key, outcome)
            else:
                await branches.start(key, partial(run, frame), may_suspend)
                while branches.ended:
                    settle(state, await branches.next())
            if not turn % TURN:
                await asyncio.sleep(0)
        while branches.unfinished and not (state.decided and cancel):
            settle(state, await branches.next())


def settle(state: Join, ended: tuple[object, Outcome]) -> None:
    """Take in a branch's end."""
    key, outcome = ended
    state.settle(str(key), outcome)
