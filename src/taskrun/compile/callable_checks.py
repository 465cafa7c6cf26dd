"""Checks before the run that the steps which call Python share: the bean exists, the function takes the arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from taskrun.calls.python_calls import Signature
from taskrun.compile.variables import ALWAYS
from taskrun.errors import Diagnostic, PluginError, near_hint

if TYPE_CHECKING:
    from taskrun.core.services import Host
    from taskrun.core.step import Step


def bean_problems(step: Step, host: Host, bean: str) -> Iterator[Diagnostic]:
    """Yield that there is no such bean."""
    if not host.has_bean(bean):
        hint = near_hint(bean, host.bean_names()) or (
            "give it with TaskManager(beans={…}), <beans> or an entry point taskrun.beans"
        )
        yield step.node.problem("unknown-bean", f"there is no bean '{bean}'", hint=hint, attribute="bean")


def bean_callee_problems(
    step: Step, host: Host, bean: str, attribute: str, find: Callable[[Any], Callable[..., Any]]
) -> list[Diagnostic]:
    """Return what is wrong with calling a bean: ``find`` returns the function to call of it, or raises PluginError."""
    problems = list(bean_problems(step, host, bean))
    if problems or bean not in host.beans:  # what the task's own <beans> makes is not there yet
        return problems
    try:
        function = find(host.beans.get(bean))
    except PluginError as error:
        return [step.node.problem("unknown-method", str(error), attribute=attribute)]
    return list(callee_problems(step, host, function))


def callee_problems(step: Step, host: Host, function: Callable[..., Any]) -> Iterator[Diagnostic]:
    """Yield the arguments that the function does not take or that nothing can give."""
    name = f"{getattr(function, '__qualname__', None) or type(function).__qualname__}()"
    return argument_problems(step, host, Signature.of(function), name)


def argument_problems(step: Step, host: Host, signature: Signature, called: str) -> Iterator[Diagnostic]:
    """Yield the arguments that what is called does not take or that nothing can give."""
    if step.inputs:
        nodes = {item.name: item.node for item in step.inputs}
        for name, problem in signature.problems(tuple(nodes)):
            text = f"'{step.name}' calls {called}: {problem}"
            yield nodes.get(name, step.node).problem("wrong-arguments", text)
        return
    visible = host.visible(step)
    if visible is None:
        return
    for name in signature.needed:
        if name not in visible:
            hint = near_hint(name, visible - ALWAYS) or f'add <input name="{name}"> with a value'
            text = f"'{step.name}' calls {called}, whose parameter '{name}' no variable can give"
            yield step.node.problem("missing-argument", text, hint=hint)
