"""<invoke>: call a method of a bean.

    <invoke name="pay" bean="shop" method="pay">
      <input name="order"/>
      <output name="receipt"/>
    </invoke>

Rules: the inputs are passed as arguments by their names. If the step declares no inputs, each parameter of the method
gets the variable of the same name. An ``async`` method is awaited; any other runs in a worker thread, or where the
attribute ``executor`` says. The RESULT is the value that the method returns. If that is a mapping or tuple, its items
become the declared outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from taskrun.calls.python_calls import call
from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic, PluginError, near_hint
from taskrun.model.callable_checks import bean_callee_problems


class InferredArguments(Traits):
    """Traits of a step that calls Python: if it has no inputs, it reads the variables that the parameters name."""

    __slots__ = ()

    def reads_unknown(self, step: Step) -> bool:
        """Return whether the step reads variables that the file does not name: True if it declares no inputs.

        The arguments are then found by the signature of the function.
        """
        return not step.inputs


@step("invoke")
class Invoke(Step):
    """Step ``<invoke>``: calls a method of a bean."""

    traits: ClassVar[Traits] = InferredArguments()

    bean: str
    method: str

    async def run(self, frame: Frame) -> Completion:
        """Call the method with the inputs of the step and return its value as RESULT."""
        return completion_of(await call(frame, method_of(frame.run.beans.get(self.bean), self.bean, self.method)))

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """Return diagnostics: the bean or its method does not exist, or the method does not accept the inputs."""
        return bean_callee_problems(
            self, context, self.bean, "method", lambda bean: method_of(bean, self.bean, self.method)
        )


def method_of(bean: Any, name: str, method: str) -> Callable[..., Any]:
    """Return the public method ``method`` of a bean.

    Raises PluginError if there is none; the message suggests a similar name.
    """
    found = None if method.startswith("_") else getattr(bean, method, None)
    if not callable(found):
        hint = near_hint(method, [known for known in dir(bean) if not known.startswith("_")])
        raise PluginError(f"bean '{name}' has no method '{method}'" + (f"; {hint}" if hint else ""))
    return found  # type: ignore[no-any-return]
