"""Checks of the stage ``link`` for steps that call Python: the bean exists and the function accepts the arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from taskrun.calls.arguments import Parameters
from taskrun.errors import Diagnostic, PluginError, near_hint
from taskrun.model.variables import ENGINE_VARIABLES

if TYPE_CHECKING:
    from taskrun.core.link_context import LinkContext
    from taskrun.core.step import Step


def bean_problems(step: Step, context: LinkContext, bean: str) -> Iterator[Diagnostic]:
    """Yield an error at the attribute ``bean`` of the step if the flow cannot use a bean of that name."""
    if not context.has_bean(bean):
        hint = near_hint(bean, context.bean_names()) or (
            "give it with TaskManager(beans={…}), <beans> or an entry point taskrun.beans"
        )
        yield step.node.problem("unknown-bean", f"there is no bean '{bean}'", hint=hint, attribute="bean")


def bean_callee_problems(
    step: Step, context: LinkContext, bean: str, attribute: str, find: Callable[[Any], Callable[..., Any]]
) -> list[Diagnostic]:
    """Return the problems of a step that calls a function of a bean.

    They are an unknown bean, an unknown function, or wrong arguments. ``find`` gets the bean and returns the function,
    or raises PluginError, which is reported at the XML attribute named ``attribute``.
    """
    problems = list(bean_problems(step, context, bean))
    beans = context.services.beans
    if problems or bean not in beans:  # a bean of the task's own <beans> is created when the run needs it
        return problems
    try:
        function = find(beans.get(bean))
    except PluginError as error:
        return [step.node.problem("unknown-method", str(error), attribute=attribute)]
    return list(callee_problems(step, context, function))


def callee_problems(step: Step, context: LinkContext, function: Callable[..., Any]) -> Iterator[Diagnostic]:
    """Yield an error for each input of the step that ``function`` does not accept, and each argument that it lacks."""
    name = f"{getattr(function, '__qualname__', None) or type(function).__qualname__}()"
    return argument_problems(step, context, Parameters.of(function), name)


def argument_problems(step: Step, context: LinkContext, parameters: Parameters, called: str) -> Iterator[Diagnostic]:
    """Yield an error for each input that no parameter accepts, and for each required parameter without a value.

    The inputs of the step are the arguments. A step without inputs passes the variables that it can read instead.
    ``called`` is the name of the function for messages.
    """
    if step.inputs:
        nodes = {item.name: item.node for item in step.inputs}
        for name, problem in parameters.problems(tuple(nodes)):
            text = f"'{step.name}' calls {called}: {problem}"
            yield nodes.get(name, step.node).problem("wrong-arguments", text)
        return
    visible = context.visible(step)
    if visible is None:
        return
    for name in parameters.needed:
        if name not in visible:
            hint = near_hint(name, visible - ENGINE_VARIABLES) or f'add <input name="{name}"> with a value'
            text = f"'{step.name}' calls {called}, whose parameter '{name}' has no input or variable"
            yield step.node.problem("missing-argument", text, hint=hint)
