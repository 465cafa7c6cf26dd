"""<simple>: run a bean as a step.

    <simple name="audit" bean="audit"><input name="order"/></simple>

Rules: the bean is a ``taskrun.Task``, an object with a method ``execute``, or a callable. The variables that a Task
provides are outputs of the step; if the step declares no outputs, they are set in the scope of its caller. Arguments
and results are as for ``<invoke>``. If the bean has a method ``revert``, it is the compensation of the step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from taskrun.calls.python_calls import call
from taskrun.calls.task_calls import (
    execute_task,
    has_revert,
    names_for_revert,
    revert_with,
    task_of,
    values_for_revert,
)
from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.durable.compensation import failures_by_path, revert_partial_work
from taskrun.errors import Diagnostic, PluginError
from taskrun.model.callable_checks import argument_problems, bean_problems, callee_problems
from taskrun.steps.invoke import InferredArguments


class SimpleTraits(InferredArguments):
    """Traits of ``<simple>``: the bean may be a Task, which provides variables and may have a method ``revert``."""

    __slots__ = ()

    def has_compensation(self, _step: Step) -> bool:
        """Return True, because the bean, which is not known before the run, may have a method ``revert``."""
        return True

    def compensation_data(self, step: Simple, frame: Frame) -> Mapping[str, Any] | None:
        """Return the variables that ``<revert>`` and the method ``revert`` of the bean need; None without either."""
        own, bean = Traits.compensation_data(self, step, frame), frame.run.beans.get(step.bean)
        return {**(own or {}), **values_for_revert(frame, bean)} if has_revert(bean) else own

    async def compensate(self, step: Simple, frame: Frame, completion: Completion) -> None:
        """Compensate the step: run its script ``<revert>``, if any, then the method ``revert`` of the bean, if any."""
        await Traits.compensate(self, step, frame, completion)
        bean = frame.run.beans.get(step.bean)
        if has_revert(bean):
            scope = frame.scope
            values = {name: scope[name] for name in names_for_revert(bean) if scope.has(name)}
            await _revert(frame, bean, values, completion.result, scope["failure"])

    def provides(self, step: Simple, context: LinkContext | None) -> frozenset[str] | None:
        """Return the variables that the step sets in the scope of its caller because a Task provides them.

        The set is empty if the step declares outputs, or if the bean is no Task. None if the bean is not known yet.
        """
        if step.outputs:
            return frozenset()
        if context is None or step.bean not in context.services.beans:
            return None
        try:
            task = task_of(context.services.beans.get(step.bean))
        except PluginError:
            return None
        return frozenset() if task is None else task.provides


@step("simple")
class Simple(Step):
    """Step ``<simple>``: calls a bean that is a Task, has ``execute``, or is callable."""

    traits: ClassVar[Traits] = SimpleTraits()

    bean: str

    async def run(self, frame: Frame) -> Completion:
        """Call the bean with the inputs of the step and return its value.

        If a Task with a method ``revert`` fails or is cancelled, ``revert`` is called at once, to undo its partial
        work.
        """
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

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """Return diagnostics: the bean does not exist, cannot be called, or does not accept the inputs."""
        problems = list(bean_problems(self, context, self.bean))
        if problems or self.bean not in context.services.beans:  # a bean of the task's own <beans> does not exist yet
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
    """Return what to call: the method ``execute`` of a bean, or the bean itself if it is callable.

    Raises PluginError, which names the bean, if it is neither.
    """
    execute = getattr(bean, "execute", None)
    if callable(execute):
        return execute  # type: ignore[no-any-return]
    if callable(bean):
        return bean  # type: ignore[no-any-return]
    raise PluginError(f"bean '{name}' is a {type(bean).__name__}: it is not callable and has no method execute()")


async def _revert(frame: Frame, bean: Any, values: Mapping[str, Any], result: Any, failure: Exception) -> None:
    """Call the method ``revert`` of a bean.

    Parameters: ``values`` are the variables that it needs, ``result`` is what the bean returned, ``failure`` the reason
    for the rollback.
    """
    await revert_with(frame, bean, values, result=result, failure=failure, failures=failures_by_path(failure))
