"""<simple>: run a bean as a step.

    <simple name="audit" bean="audit"><input name="order"/></simple>

The bean is a Task, an object with a method ``execute``, or a callable. What a Task provides are outputs of the step; when
the step declares none, they are variables of its caller. The rest is as for ``<invoke>``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from taskrun.calls.python_calls import call
from taskrun.calls.task_calls import (
    execute_task,
    has_revert,
    names_for_revert,
    revert_with,
    task_of,
    values_for_revert,
)
from taskrun.compile.callable_checks import argument_problems, bean_problems, callee_problems
from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Step, step
from taskrun.durable.compensation import failures_by_path, revert_partial_work
from taskrun.errors import Diagnostic, PluginError


@step("simple")
class Simple(Step):
    """A bean that is a step."""

    bean: str

    async def run(self, frame: Frame) -> Completion:
        """Call the bean with the step's inputs."""
        bean = frame.run.beans.get(self.bean)
        task = task_of(bean)
        if task is None:
            return completion_of(await call(frame, function_of(bean, self.bean)))
        if not task.has_revert:
            return await execute_task(frame, task)
        values = values_for_revert(frame, task)
        try:
            return await execute_task(frame, task)
        except (Exception, asyncio.CancelledError) as error:
            if not frame.run.is_aborted:
                await revert_partial_work(frame, lambda failure: _revert(frame, task, values, failure, failure), error)
            raise

    @property
    def undoes(self) -> bool:
        """A bean may have a ``revert``, which only the run knows."""
        return True

    def compensation_data(self, frame: Frame) -> Mapping[str, Any] | None:
        """What ``<revert>`` and the bean's ``revert`` need."""
        own, bean = Step.compensation_data(self, frame), frame.run.beans.get(self.bean)
        return {**(own or {}), **values_for_revert(frame, bean)} if has_revert(bean) else own

    async def undo(self, frame: Frame, done: Completion) -> None:
        """Run ``<revert>``, then the bean's ``revert``."""
        await Step.undo(self, frame, done)
        bean = frame.run.beans.get(self.bean)
        if has_revert(bean):
            scope = frame.scope
            values = {name: scope[name] for name in names_for_revert(bean) if scope.has(name)}
            await _revert(frame, bean, values, done.result, scope["failure"])

    @property
    def reads_unknown(self) -> bool:
        """Without inputs, it reads what the parameters are called."""
        return not self.inputs

    def provides(self, context: LinkContext | None) -> frozenset[str] | None:
        """Without outputs, what the bean provides, if it is a Task that is known by now."""
        if self.outputs:
            return frozenset()
        if context is None or self.bean not in context.services.beans:
            return None
        try:
            task = task_of(context.services.beans.get(self.bean))
        except PluginError:
            return None
        return frozenset() if task is None else task.provides

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """The bean exists, can be run, and takes the inputs."""
        problems = list(bean_problems(self, context, self.bean))
        if problems or self.bean not in context.services.beans:  # what the task's own <beans> makes is not there yet
            return problems
        try:
            bean = context.services.beans.get(self.bean)
            task = task_of(bean)
            if task is None:
                return callee_problems(self, context, function_of(bean, self.bean))
        except PluginError as error:
            return [self.node.problem("unknown-method", str(error), attribute="bean")]
        return argument_problems(self, context, task.step_parameters, task.name)


def function_of(bean: Any, name: str) -> Callable[..., Any]:
    """Return what to call of a bean: its ``execute``, else the bean itself; raises PluginError when it has neither."""
    execute = getattr(bean, "execute", None)
    if callable(execute):
        return execute  # type: ignore[no-any-return]
    if callable(bean):
        return bean  # type: ignore[no-any-return]
    raise PluginError(f"bean '{name}' is a {type(bean).__name__}: neither a callable nor something with execute()")


async def _revert(frame: Frame, bean: Any, values: Mapping[str, Any], result: Any, failure: Exception) -> None:
    await revert_with(frame, bean, values, result=result, failure=failure, failures=failures_by_path(failure))
