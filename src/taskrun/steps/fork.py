"""<fork>: run the same steps at the same time for each element of a collection.

    <fork name="each" varName="file" indexName="index" joinType="allComplete">
      <producer>return files</producer>
      <steps>
        <step name="count"><input name="file"/><source>len(file)</source></step>
      </steps>
      <aggregator>return aggResults.getSuccessStepResultValues()</aggregator>
    </fork>

Every branch has a scope of its own below the fork's, with the element, its index (from 0) and the fork's inputs. The
results are kept under ``"1"``, ``"2"`` …; a branch that the join did not wait for counts as cancelled. To limit how many
run at a time, put a ``<throttle>`` on a step inside.
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
from taskrun.steps.join import Joining, Start, join


@base
class Forking(Joining):
    """The base of the steps that run one body many times."""

    numbered = True

    index_name: str | None = None
    steps: Body

    def stores(self) -> Iterator[str]:
        """The variables of a branch."""
        yield "STEP_RESULTS"
        if self.index_name:
            yield self.index_name

    def fork(self, frame: Frame, elements: Collection[Any], name: str | None = None) -> Awaitable[Completion]:
        """Run the body once for each element, which is the variable ``name`` there, and join the branches."""
        body, index_name = self.steps, self.index_name
        inputs = {item.name: frame.scope[item.name] for item in self.inputs if item.name in frame.scope}
        keys = [str(number) for number in range(1, len(elements) + 1)]

        def starts() -> Iterator[Start]:
            may_suspend, run_sync = body.may_suspend, body.run_sync
            unwinds = run_sync is None and frame.run.flow.compensates
            for index, element in enumerate(elements):
                branch = frame.branch(index)
                scope = branch.scope
                if inputs:
                    scope.update(inputs)
                if name:
                    scope[name] = element
                if index_name:
                    scope[index_name] = index
                run = partial(with_compensation, inner=body.run, index=index) if unwinds else body.run
                yield keys[index], run_sync or run, branch, may_suspend, run_sync is not None

        return join(frame, self, starts(), {key: index for index, key in enumerate(keys)})


@step("fork")
class Fork(Forking):
    """Concurrent branches, one for each element that the producer returns."""

    var_name: str
    producer: Script

    def stores(self) -> Iterator[str]:
        """The variables of a branch."""
        yield from Forking.stores(self)
        yield self.var_name

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Ask the producer and run the body for each element."""
        elements = frame.remember("items", lambda: self._produced(frame), self.producer.text)
        return self.fork(frame, elements, self.var_name)

    def _produced(self, frame: Frame) -> list[Any]:
        elements = frame.eval(self.producer)
        if elements is None:
            raise ValueError(f"the producer of '{self.name}' returned null; a collection is expected")
        if isinstance(elements, str | bytes) or not isinstance(elements, Iterable):
            raise TypeError(
                f"the producer of '{self.name}' returned {elements!r} ({type(elements).__name__}); a collection is expected"
            )
        return list(elements)
