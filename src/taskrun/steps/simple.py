"""<simple>: run a bean as a step.

    <simple name="audit" bean="audit"><input name="order"/></simple>

The bean is a callable or has a method ``execute``. The rest is as for ``<invoke>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from taskrun.core.callee import bean_callee_problems
from taskrun.core.calling import call
from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.host import Host
from taskrun.core.step import Step, step
from taskrun.errors import Diagnostic, PluginError


@step("simple")
class Simple(Step):
    """A bean that is a step."""

    bean: str

    async def run(self, frame: Frame) -> Completion:
        """Call the bean with the step's inputs."""
        return completion_of(await call(frame, function_of(frame.run.beans.get(self.bean), self.bean)))

    @property
    def reads_unknown(self) -> bool:
        """Without inputs, it reads what the parameters are called."""
        return not self.inputs

    def check(self, host: Host) -> Iterable[Diagnostic]:
        """The bean exists, can be run, and takes the inputs."""
        return bean_callee_problems(self, host, self.bean, "bean", lambda bean: function_of(bean, self.bean))


def function_of(bean: Any, name: str) -> Callable[..., Any]:
    """Return what to call of a bean: its ``execute``, else the bean itself; raises PluginError when it has neither."""
    execute = getattr(bean, "execute", None)
    if callable(execute):
        return execute  # type: ignore[no-any-return]
    if callable(bean):
        return bean  # type: ignore[no-any-return]
    raise PluginError(f"bean '{name}' is a {type(bean).__name__}: neither a callable nor something with execute()")
