"""<decorator>: wrap the body of a step in a decorator of your own, or in one of the named decorators.

    <decorator name="audit" order="10" audit:level="full" xmlns:audit="audit"/>
    <decorator name="retry" retry:maxRetryCount="3" retry:retryDelay="1s" xmlns:retry="retry"/>

Rules: the first of these that is given or exists is the decorator:

  1. the bean that the attribute ``bean`` names;
  2. the value of the script ``<source>``, which can read ``decoratorModel`` (a dict of the parameters) and ``step``
     (the name of the step);
  3. the named decorator ``retry``, ``timeout`` or ``rateLimit``, if ``name`` is one of these;
  4. the bean ``taskStepDecorator_<name>``.

The bean or value is a function ``async (frame, inner) -> Completion``, or an object with such a method ``around``. If
it takes parameters, it has a method ``decorate(parameters)`` instead, which returns such a function or object. The
parameters are the attributes with a prefix, by their names without the prefix. A smaller ``order`` is nearer to the
body; of decorators with equal ``order`` the first one in the file is nearest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Annotated, Any, ClassVar

from taskrun.core.completion import Completion
from taskrun.core.fields import Prefixed
from taskrun.core.frame import Frame
from taskrun.core.link_context import LinkContext
from taskrun.core.step import Decorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.decorators.named_decorators import NAMED_DECORATORS, named_decorator
from taskrun.errors import Diagnostic, PluginError, near_hint
from taskrun.script.script import Script
from taskrun.syntax.node import Node

BEAN_PREFIX = "taskStepDecorator_"


class CustomDecoratorTraits(DecoratorTraits):
    """Traits of ``<decorator>``: they replace an element that selects a named decorator by that decorator."""

    __slots__ = ()

    def parts(self, decorator: CustomDecorator, _step: Step) -> Iterable[Decorator]:
        """Yield what is woven for the element: the named decorator that it selects, else ``decorator`` itself.

        ``decorator`` looks up its bean, or runs its script, when the step runs.
        """
        if decorator.is_named:
            yield named_decorator(decorator.name, decorator.parameters, decorator.node)
        else:
            yield decorator

    def rank_of(self, decorator: CustomDecorator, _part: Decorator) -> tuple[int, int]:
        """Return the rank of ``<decorator>`` and ``order``; a named decorator has this rank, not its usual one."""
        return decorator.rank, decorator.order


@decorator("decorator", rank=10)
class CustomDecorator(Decorator):
    """Decorator for ``<decorator>``: wraps a step in a bean, in the value of a script, or in a named decorator."""

    traits: ClassVar[DecoratorTraits] = CustomDecoratorTraits()

    node: Node
    name: str
    order: int = 100
    bean: str | None = None
    source: Script | None = None
    parameters: Annotated[Mapping[str, str], Prefixed()]

    @property
    def is_named(self) -> bool:
        """Whether the attribute ``name`` selects a named decorator, such as ``retry``."""
        return self.bean is None and self.source is None and self.name in NAMED_DECORATORS

    @property
    def bean_name(self) -> str | None:
        """The name of the bean that is used as the decorator; None if a script or a named decorator is used instead."""
        if self.bean is not None:
            return self.bean
        return None if self.source is not None or self.name in NAMED_DECORATORS else BEAN_PREFIX + self.name

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Look up the bean or evaluate the script, and let the decorator found run the step.

        Raises PluginError when it is not a decorator.
        """
        found: Any
        if self.bean_name is not None:
            found = frame.run.beans.get(self.bean_name)
        else:
            found = frame.call(self.source, decoratorModel=dict(self.parameters), step=frame.step.name)  # type: ignore[arg-type]
        decorate = getattr(found, "decorate", None)
        if callable(decorate):
            found = decorate(dict(self.parameters))
        function = getattr(found, "around", found)
        if not callable(function):
            raise PluginError(
                f"decorator '{self.name}' is a {type(found).__name__}: it has no around() and is not a function"
            )
        return function(frame, inner)  # type: ignore[no-any-return]

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """Yield a diagnostic if the parameters of a named decorator are wrong, unknown or missing."""
        if self.is_named:
            try:
                named_decorator(self.name, self.parameters, self.node)
            except ValueError as error:
                yield self.node.problem("bad-value", f"decorator '{self.name}': {error}")

    def link(self, context: LinkContext, _step: Step) -> Iterable[Diagnostic]:
        """Yield a diagnostic if there is no bean of the name that is used as the decorator."""
        name = self.bean_name
        if name is not None and not context.has_bean(name):
            hint = near_hint(name, context.bean_names()) or f"built-in decorators are {', '.join(NAMED_DECORATORS)}"
            attribute = "bean" if self.bean else "name"
            yield self.node.problem("unknown-bean", f"there is no bean '{name}'", hint=hint, attribute=attribute)
