"""<fork>: run the same steps concurrently, once for each element of a collection.

    <fork name="each" varName="file" indexName="index" joinType="allComplete">
      <producer>return files</producer>
      <steps>
        <step name="count"><input name="file"/><source>len(file)</source></step>
      </steps>
      <aggregator>return aggResults.getSuccessStepResultValues()</aggregator>
    </fork>

Rules: the script ``producer`` returns the collection. There is one branch for each element, with a scope of its own
below that of the fork. In it, ``varName`` is the element and ``indexName`` its index (from 0); the inputs of the fork
are copied to it. The RESULT is the value of ``aggregator``; without it, the results of the branches by the names
``"1"``, ``"2"`` …. The result of a branch that the join did not wait for is a cancellation. ``steps/join.py`` explains
``joinType``. To limit how many branches run at a time, put a ``<throttle>`` on a step inside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

from taskrun.core.body import Body
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import base, step
from taskrun.durable.compensation import with_compensation
from taskrun.script.script import Script
from taskrun.steps.join import BranchingStep, BranchSpec, join


@base
class BaseFork(BranchingStep):
    """Base class of ``<fork>`` and ``<fork-n>``, which run one body in many concurrent branches."""

    numbered = True

    index_name: str | None = None
    steps: Body

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that the fork sets: ``STEP_RESULTS``, and ``indexName`` of the branches."""
        yield "STEP_RESULTS"
        if self.index_name:
            yield self.index_name

    def fork(self, frame: Frame, elements: Collection[Any], name: str | None = None) -> Awaitable[Completion]:
        """Run the body once for each element, in concurrent branches, join them, and return the completion.

        ``name`` is the variable of a branch that has the element, None for none.
        """
        body, index_name = self.steps, self.index_name
        inputs = {item.name: frame.scope[item.name] for item in self.inputs if item.name in frame.scope}
        keys = [str(number) for number in range(1, len(elements) + 1)]

        def specs() -> Iterator[BranchSpec]:
            may_suspend, run_sync = body.may_suspend, body.run_sync
            compensates = run_sync is None and frame.run.flow.compensates
            for index, element in enumerate(elements):
                branch = frame.branch(index)
                scope = branch.scope
                if inputs:
                    scope.update(inputs)
                if name:
                    scope[name] = element
                if index_name:
                    scope[index_name] = index
                run = partial(with_compensation, inner=body.run, index=index) if compensates else body.run
                yield keys[index], run_sync or run, branch, may_suspend, run_sync is not None

        return join(frame, self, specs(), {key: index for index, key in enumerate(keys)})


@step("fork")
class Fork(BaseFork):
    """Step ``<fork>``: runs its body in one concurrent branch for each element of a collection."""

    var_name: str
    producer: Script

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that the fork sets: those of BaseFork, and ``varName`` of the branches."""
        yield from BaseFork.stores(self)
        yield self.var_name

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Evaluate the producer, a decision of a recorded run, and run the body for each element."""
        elements = frame.remember("items", lambda: self._evaluate_producer(frame), self.producer.text)
        return self.fork(frame, elements, self.var_name)

    def _evaluate_producer(self, frame: Frame) -> list[Any]:
        """Evaluate the producer and return the elements as a list.

        Raises ValueError for null, TypeError for a text or another value that is no collection.
        """
        elements = frame.eval(self.producer)
        if elements is None:
            raise ValueError(f"the producer of '{self.name}' returned null; a collection is expected")
        if isinstance(elements, str | bytes) or not isinstance(elements, Iterable):
            raise TypeError(
                f"the producer of '{self.name}' returned {elements!r} ({type(elements).__name__}); a collection is expected"
            )
        return list(elements)
