"""Branches and their join: what ``parallel``, ``fork`` and ``fork-n`` share.

    joinType="allSuccess"    waits for all branches; fails with the error that came first (the default)
    joinType="anyFailure"    fails as soon as one branch fails; ends when all have succeeded
    joinType="anySuccess"    ends as soon as one branch succeeds; fails when all have failed
    joinType="allComplete"   waits for all branches; never fails

Rules: branches start in order. One that never waits runs to its end before the next is started. When the join is
decided, the unfinished branches are cancelled and the others are not started. With ``autoCancelUnfinished="false"`` all
branches are run to their end, without changing the decision. All branches have ended when the step ends.

When a branch suspends the run, the other branches continue until the join is decided or they have ended. If they decide
the join, the suspended branch counts as cancelled and the step ends. Otherwise, or with
``autoCancelUnfinished="false"``, the step is suspended.
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

BranchSpec: TypeAlias = tuple[str, Callable[[Frame], Any], Frame, bool, bool]
"""Branch to start: its key, its function, its frame, whether it may suspend, and whether the function is synchronous."""


class JoinType(enum.Enum):
    """The rule that decides when concurrent branches are done, and whether they failed.

    The docstring of the module explains the values.
    """

    ALL_SUCCESS = "allSuccess"
    ANY_FAILURE = "anyFailure"
    ANY_SUCCESS = "anySuccess"
    ALL_COMPLETE = "allComplete"


@base
class BranchingStep(Step):
    """Base class of the steps with branches (``parallel``, ``fork``, ``fork-n``), with the settings of their join."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    numbered: ClassVar[bool] = False
    """Whether branches have numbers instead of step names; then cancelled ones have a result too (RunCancelled)."""

    join_type: JoinType = JoinType.ALL_SUCCESS
    auto_cancel_unfinished: bool = True
    aggregator: Script | None = None

    def stores(self) -> Iterable[str]:  # type: ignore[override]
        """Yield the name of the variable that the step sets: ``STEP_RESULTS``, the results of the branches."""
        yield "STEP_RESULTS"


class JoinState:
    """State of the join of one step: the results of the branches so far, and whether they decide the join."""

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

    def add(self, key: str, outcome: Outcome) -> None:
        """Add the outcome of the branch ``key``, a completion or an exception, and decide the join if it suffices.

        After the decision, outcomes are ignored. A failure that rolls back the whole run is raised.
        """
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
        """Return the error that the join fails with, by the outcomes so far; None if it succeeds."""
        if self.join_type is JoinType.ALL_COMPLETE or (self.join_type is JoinType.ANY_SUCCESS and self.succeeded):
            return None
        return self.first_error

    @property
    def must_succeed(self) -> bool:
        """Whether every branch must succeed: one failure then makes the join fail, regardless of the other branches."""
        return self.join_type in {JoinType.ALL_SUCCESS, JoinType.ANY_FAILURE}


async def join(
    frame: Frame, settings: BranchingStep, specs: Iterable[BranchSpec], order: Mapping[str, int]
) -> Completion:
    """Run the branches, join them, and return the completion of the step; raises the error that the join fails with.

    RESULT is the value of the aggregator; without one, the results of the branches. Parameters: ``frame`` is that of
    the step, ``settings`` the step, ``specs`` the branches to start; ``order`` has the position of each branch in the
    results, by its key.
    """
    results = frame.scope["STEP_RESULTS"] = StepResults()
    state = JoinState(settings.join_type, results, frame.run)
    try:
        await _run_all(state, specs, settings.auto_cancel_unfinished)
    except BaseException:
        drop_wait_points(frame, frame.path)
        raise
    if state.suspended and await _stays_suspended(frame, settings, state, order):
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


async def _stays_suspended(frame: Frame, settings: BranchingStep, state: JoinState, order: Mapping[str, int]) -> bool:
    """Return True if the step is suspended because branches are suspended; False if it ends without them.

    If False, the suspended branches are discarded: what they had completed is compensated, and their wait points are
    removed.
    """
    fails = state.first_error is not None and state.must_succeed
    if not settings.auto_cancel_unfinished or not (state.decided or fails):
        return True
    if state.failure() is None:  # else the rollback of the step compensates them with all the others
        numbered, names = settings.numbered, state.suspended
        await discard(frame, [f"{frame.path}[{order[key]}]" if numbered else frame.path_of(key) for key in names])
    drop_wait_points(frame, frame.path)
    return False


def _mark_handled(frame: Frame, settings: BranchingStep, state: JoinState) -> None:
    """Mark the failures of the branches as handled by the join, so that a resume replays them."""
    if state.first_error is None or not may_handle(frame.run, state.first_error):
        return
    for result in state.results.values():
        if result.error is not None and settings.numbered:
            mark_handled(frame.run, frame.path)
        elif result.error is not None:
            mark_handled(frame.run, frame.path_of(result.stepName), settings.join_type.value)


async def _run_all(state: JoinState, specs: Iterable[BranchSpec], cancel: bool) -> None:
    """Start the branches and add their outcomes to ``state``.

    With ``cancel``, stop as soon as the join is decided; the branches that still run are then cancelled.
    """
    async with Branches() as branches:
        for turn, (key, run, frame, may_suspend, is_sync) in enumerate(specs, 1):
            if state.decided and cancel:
                break
            if is_sync:
                try:
                    outcome: Outcome = run(frame)
                except Exception as error:  # noqa: BLE001 - an outcome, which the join raises if it counts
                    outcome = error
                state.add(key, outcome)
            else:
                await branches.start(key, partial(run, frame), may_suspend)
                while branches.ended:
                    _add_outcome(state, await branches.next())
            if not turn % TURN:
                await asyncio.sleep(0)
        while branches.unfinished and not (state.decided and cancel):
            _add_outcome(state, await branches.next())


def _add_outcome(state: JoinState, ended: tuple[object, Outcome]) -> None:
    """Add ``ended``, the key and the outcome of a branch, to the state of the join."""
    key, outcome = ended
    state.add(str(key), outcome)
