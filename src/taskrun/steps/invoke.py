"""<invoke>: call a method of a bean.

    <invoke name="pay" bean="shop" method="pay">
      <input name="order"/>
      <output name="receipt"/>
    </invoke>

Rules: the arguments are the inputs by name; a step without inputs passes the variables that have the names of the
parameters. An ``async`` method is awaited; any other runs in a worker thread, or where ``executor`` says. The RESULT is
the value that the method returns; a mapping or tuple is spread onto the declared outputs.
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
    """Traits of a step that calls Python: without inputs, it reads the variables that the parameters name."""

    __slots__ = ()

    def reads_unknown(self, step: Step) -> bool:
        """Return whether the arguments are inferred from the signature of the function."""
        return not step.inputs


@step("invoke")
class Invoke(Step):
    """Step ``<invoke>``: calls a method of a bean."""

    traits: ClassVar[Traits] = InferredArguments()

    bean: str
    method: str

    async def run(self, frame: Frame) -> Completion:
        """Call the method with the inputs of the step."""
        return completion_of(await call(frame, method_of(frame.run.beans.get(self.bean), self.bean, self.method)))

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """Check that the bean exists and has the method, and that the method accepts the inputs."""
        return bean_callee_problems(
            self, context, self.bean, "method", lambda bean: method_of(bean, self.bean, self.method)
        )


def method_of(bean: Any, name: str, method: str) -> Callable[..., Any]:
    """Return a public method of a bean; raises PluginError, with a similar name, when there is none."""
    found = None if method.startswith("_") else getattr(bean, method, None)
    if not callable(found):
        hint = near_hint(method, [known for known in dir(bean) if not known.startswith("_")])
        raise PluginError(f"bean '{name}' has no method '{method}'" + (f"; {hint}" if hint else ""))
    return found  # type: ignore[no-any-return]
