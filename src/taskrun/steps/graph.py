"""<graph>: run each step as soon as the steps that it waits for have ended.

    <graph name="build" enterSteps="fetch,lint" exitSteps="publish">
      <steps>
        <step name="fetch"> … </step>
        <step name="lint"> … </step>
        <step name="test" waitSteps="fetch"> … </step>
        <step name="publish"><input name="log"><source>STEP_RESULTS.test.result</source></input> … </step>
        <step name="alarm" waitErrorSteps="test"> … </step>
      </steps>
    </graph>

Rules: the steps in ``enterSteps`` start at once. Any other step starts when all its waits are satisfied
(``graph_edges.py`` says which steps it waits for). When one of the ``exitSteps`` succeeds, the graph completes with its
outputs, and the steps that still run are cancelled. ``STEP_RESULTS`` has the results of the steps by name.

A step that ``when`` skips counts as a success without outputs. If a step fails and another one waits for its failure,
that one starts; otherwise the graph fails with the same exception. When a step suspends the run, no further step is
started and the running ones are run to their end. Then the graph is suspended, unless an exit step has succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from taskrun.core.branches import Branches
from taskrun.core.completion import Completion, Signal
from taskrun.core.frame import Frame
from taskrun.core.script_views import StepResult, StepResults
from taskrun.core.step import Step, base, step
from taskrun.core.traits import Traits
from taskrun.durable.compensation import mark_handled, may_handle
from taskrun.durable.discard_branches import discard, drop_wait_points
from taskrun.errors import Diagnostic, RunError
from taskrun.steps.graph_edges import Edges, Wait, edge_problems

if TYPE_CHECKING:
    from taskrun.core.weave import Program


@base
class BaseGraph(Step):
    """Base class of ``<graph>`` and of a task in graph mode: runs steps concurrently, in the order of their waits."""

    traits: ClassVar[Traits] = Traits(
        may_suspend=False, children_jump=False, concurrent_children=True, marks_handled=True
    )

    enter_steps: frozenset[str] = frozenset()
    exit_steps: frozenset[str] = frozenset()
    steps: tuple[Step, ...]

    async def run(self, frame: Frame) -> Completion:
        """Run the steps of the graph, and discard suspended steps if the graph ends all the same.

        Discarding a step compensates what it had completed and removes its wait points.
        """
        suspended: list[str] = []
        try:
            done = await self._run(frame, suspended)
        except BaseException:
            drop_wait_points(frame, frame.path)
            raise
        if done.signal is not Signal.SUSPEND:
            await discard(frame, map(frame.path_of, suspended))
        return done

    async def _run(self, frame: Frame, suspended: list[str]) -> Completion:
        """Start the enter steps, then each step whose waits are satisfied, until an exit step has succeeded.

        The names of steps that suspend the run are appended to ``suspended``.
        """
        results = frame.scope["STEP_RESULTS"] = StepResults()
        programs = cast("tuple[Program, ...]", self.steps)
        edges = Edges.of(child.model for child in programs)
        waiting = {name: dict(waits) for name, waits in edges.waits.items()}
        ready = [child for child in programs if child.name in self.enter_steps]
        started = {child.name for child in ready}
        async with Branches() as branches:
            while True:
                for child in ready:
                    await branches.start(child.name, partial(child.run, frame), child.may_suspend)
                if not branches.unfinished:
                    if suspended:
                        return Completion(signal=Signal.SUSPEND)
                    raise RunError(self._stuck(waiting, started))
                key, outcome = await branches.next()
                name = str(key)
                if isinstance(outcome, Completion) and outcome.signal is Signal.SUSPEND:
                    suspended.append(name)
                    ready = []
                    continue
                results.add(StepResult(name, outcome))
                failed = not isinstance(outcome, Completion)
                if isinstance(outcome, Exception):
                    if not edges.awaits_failure(name) or not may_handle(frame.run, outcome):
                        raise outcome
                    mark_handled(frame.run, frame.path_of(name), "waitErrorSteps")
                if isinstance(outcome, Completion) and name in self.exit_steps:
                    return Completion(outcome.outputs)
                ready = [] if suspended else self._newly_ready(name, failed, waiting, started)

    def _newly_ready(
        self, ended: str, failed: bool, waiting: dict[str, dict[str, Wait]], started: set[str]
    ) -> list[Program]:
        """Return the programs of the steps that can start because the step ``ended`` has ended; ``failed``: it failed.

        ``waiting`` has the waits of each step that are not satisfied yet, ``started`` the names of started steps; both
        are updated.
        """
        ready = []
        for child in cast("tuple[Program, ...]", self.steps):
            waits = waiting[child.name]
            wait = waits.get(ended)
            if child.name in started or wait is None or not wait.is_satisfied(failed):
                continue
            del waits[ended]
            if not waits:
                started.add(child.name)
                ready.append(child)
        return ready

    def _stuck(self, waiting: dict[str, dict[str, Wait]], started: set[str]) -> str:
        """Return the error message for a graph in which no step runs although no exit step has succeeded."""
        left = [
            f"'{name}' waits for {', '.join(waits)}" for name, waits in waiting.items() if waits and name not in started
        ]
        text = f"nothing runs in '{self.name}' and no exit step has ended"
        return f"{text}: {'; '.join(left)}" if left else text

    def stores(self) -> Iterator[str]:
        """Yield the name of the variable that the graph sets: ``STEP_RESULTS``, the results of the steps."""
        yield "STEP_RESULTS"

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield diagnostics: enter or exit steps are missing or unknown, steps wait for each other, or never start."""
        return edge_problems(self, self.steps, self.enter_steps, self.exit_steps)


@step("graph")
class Graph(BaseGraph):
    """Step ``<graph>``: runs steps concurrently, each after the steps that it waits for."""


@step("graph-task")
class GraphTask(BaseGraph):
    """Root of a flow with ``graphMode="true"``: the top-level steps form a graph."""
