"""executor: select where the plain functions and scripts of a step run.

    <invoke name="crunch" bean="numbers" method="crunch" executor="process"/>

Values: ``inline`` (on the event loop), ``thread`` (a worker thread), ``process`` (a worker process; needs ``pip install
taskrun[process]``), or the name of a bean that is a ``concurrent.futures.Executor``.

Rules: without the attribute, plain functions run in a worker thread. On a container it is the default of the steps
inside. ``async`` functions always run on the event loop. A script that runs in a worker gets a copy of the variables
that it reads, and the variables that it assigns are copied back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import ClassVar

from taskrun.calls.python_calls import EXECUTORS
from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Decorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.errors import Diagnostic, near_hint


@decorator("executor", rank=50, attribute=True)
class InExecutor(Decorator):
    """Decorator for ``executor``: selects where the plain functions and scripts of a step run."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(moves_work=True)

    executor: str

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Set the executor in the frame, from which the step and the steps inside read it, and run the step."""
        frame.executor = self.executor
        return inner(frame)

    def link(self, context: LinkContext, step: Step) -> Iterable[Diagnostic]:
        """Yield a diagnostic unless the executor is ``inline``, ``thread``, ``process`` or the name of a bean."""
        if self.executor not in EXECUTORS and not context.has_bean(self.executor):
            names = (*EXECUTORS, *context.bean_names())
            hint = near_hint(self.executor, names) or "it is inline, thread, process, or the name of a bean"
            text = f"there is no executor '{self.executor}'"
            yield step.node.problem("unknown-bean", text, hint=hint, attribute="executor")
