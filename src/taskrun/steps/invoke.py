"""<invoke>: call a method of a bean.

    <invoke name="pay" bean="shop" method="pay">
      <input name="order"/>
      <output name="receipt"/>
    </invoke>

The arguments are the inputs by name; without inputs the method's parameters are taken from the variables of the same
names. An ``async`` method is awaited; any other runs in a worker thread, or where ``executor`` says. What it returns is
the RESULT; a mapping or tuple is spread onto the declared outputs.
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
    """The traits of a step that calls Python: without inputs, it reads the variables that the parameters name."""

    __slots__ = ()

    def reads_unknown(self, step: Step) -> bool:
        """Return whether the arguments are inferred from the signature."""
        return not step.inputs


@step("invoke")
class Invoke(Step):
    """A call of a bean's method."""

    traits: ClassVar[Traits] = InferredArguments()

    bean: str
    method: str

    async def run(self, frame: Frame) -> Completion:
        """Call the method with the step's inputs."""
        return completion_of(await call(frame, method_of(frame.run.beans.get(self.bean), self.bean, self.method)))

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """The bean exists, has the method, and the method takes the inputs."""
        return bean_callee_problems(
            self, context, self.bean, "method", lambda bean: method_of(bean, self.bean, self.method)
        )


def method_of(bean: Any, name: str, method: str) -> Callable[..., Any]:
    """Return a bean's public method, or raise PluginError with the near name."""
    found = None if method.startswith("_") else getattr(bean, method, None)
    if not callable(found):
        hint = near_hint(method, [known for known in dir(bean) if not known.startswith("_")])
        raise PluginError(f"bean '{name}' has no method '{method}'" + (f"; {hint}" if hint else ""))
    return found  # type: ignore[no-any-return]
