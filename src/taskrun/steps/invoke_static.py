"""<invoke-static>: call a Python function by its name.

    <invoke-static name="root" method="math:sqrt"><input name="x" value="${16}"/></invoke-static>

    <import as="Orders" class="shop.orders:Orders"/>
    <invoke-static name="load" method="Orders::load"><input name="id"/></invoke-static>

Rules: ``method`` is ``module:function``, or ``Alias::method`` with an ``<import>`` of a class. The module must be on
the allow list: ``--allow 'shop.*'``, ``TaskManager(allow=["shop.*"])``, or ``[tool.taskrun] allow`` in pyproject.toml.
Arguments and results are as for ``<invoke>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from taskrun.calls.python_calls import call
from taskrun.core.beans import ImportNotAllowedError, Imports
from taskrun.core.completion import Completion, completion_of
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Step, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic, PluginError, near_hint
from taskrun.model.callable_checks import callee_problems
from taskrun.steps.invoke import InferredArguments

SEPARATOR = "::"


@step("invoke-static")
class InvokeStatic(Step):
    """Step ``<invoke-static>``: calls a Python function that is imported by its name."""

    traits: ClassVar[Traits] = InferredArguments()

    method: str
    file_imports: Mapping[str, str]

    async def run(self, frame: Frame) -> Completion:
        """Call the function with the inputs of the step and return its value as RESULT."""
        return completion_of(await call(frame, self._function(frame.run.services.imports)))

    def _function(self, imports: Imports) -> Callable[..., Any]:
        """Import and return the function.

        Raises ImportNotAllowedError if its module is not on the allow list, PluginError if it cannot be imported.
        """
        function = imports.get(self._full_name())
        if not callable(function):
            raise PluginError(f"'{self.method}' is not a function")
        return function  # type: ignore[no-any-return]

    def _full_name(self) -> str:
        """Return the name of the function to import; the alias in ``Alias::method`` is replaced by its class.

        Raises PluginError if no ``<import>`` has this alias.
        """
        alias, separator, name = self.method.partition(SEPARATOR)
        if not separator:
            return self.method
        if alias not in self.file_imports:
            hint = near_hint(alias, self.file_imports) or f'add <import as="{alias}" class="package.module:{alias}"/>'
            raise PluginError(f"no <import> has the name '{alias}'; {hint}")
        target = self.file_imports[alias]
        if ":" not in target:
            target = ":".join(target.rsplit(".", 1))
        return f"{target}.{name}"

    def link(self, context: LinkContext) -> Iterable[Diagnostic]:
        """Return diagnostics: the function may not be imported, does not exist, or does not accept the inputs."""
        try:
            function = self._function(context.services.imports)
        except ImportNotAllowedError as error:
            return [self.node.problem("import-not-allowed", str(error), attribute="method")]
        except PluginError as error:
            return [self.node.problem("unknown-function", str(error), attribute="method")]
        return callee_problems(self, context, function)
