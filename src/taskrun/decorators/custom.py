"""<decorator>: put a decorator of your own, or one of the shipped ones, next to a step's body.

    <decorator name="audit" order="10" audit:level="full" xmlns:audit="audit"/>
    <decorator name="retry" retry:maxRetryCount="3" retry:retryDelay="1s" xmlns:retry="retry"/>

Rules: the decorator is the bean of the attribute ``bean``, else what ``<source>`` returns (variables: ``decoratorModel``, the
parameters, and ``step``, the step's name), else a shipped one (``retry``, ``timeout``, ``rateLimit``), else the bean
``taskStepDecorator_<name>``. The bean is ``async (frame, inner) -> Completion``, or has such an ``around``; when it takes
parameters (``bean(parameters)``), it has ``decorate``. Prefixed attributes are the parameters, by their name without the
prefix. Lower ``order`` is nearer to the body; equal ones are in the order of the file, the first nearest.
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
from taskrun.decorators.named_decorators import SHIPPED, named_decorator
from taskrun.errors import Diagnostic, PluginError, near_hint
from taskrun.script.script import Script
from taskrun.syntax.node import Node

BEAN_PREFIX = "taskStepDecorator_"


class CustomDecoratorTraits(DecoratorTraits):
    """The traits of ``<decorator>``: a named decorator is woven in its place."""

    __slots__ = ()

    def parts(self, decorator: CustomDecorator, _step: Step) -> Iterable[Decorator]:
        """Return the named decorator itself, or this one, which looks the bean up when the step runs."""
        if decorator.is_shipped:
            yield named_decorator(decorator.name, decorator.parameters, decorator.node)
        else:
            yield decorator

    def rank_of(self, decorator: CustomDecorator, _part: Decorator) -> tuple[int, int]:
        """Return the rank of ``<decorator>``, which a named decorator has here too, and the order."""
        return decorator.rank, decorator.order


@decorator("decorator", rank=10)
class CustomDecorator(Decorator):
    """A decorator from outside the language."""

    traits: ClassVar[DecoratorTraits] = CustomDecoratorTraits()

    node: Node
    name: str
    order: int = 100
    bean: str | None = None
    source: Script | None = None
    parameters: Annotated[Mapping[str, str], Prefixed()]

    @property
    def is_shipped(self) -> bool:
        """Whether it is one of the language's own decorators."""
        return self.bean is None and self.source is None and self.name in SHIPPED

    @property
    def bean_name(self) -> str | None:
        """The bean that is the decorator, None when it is a script's value or a shipped one."""
        if self.bean is not None:
            return self.bean
        return None if self.source is not None or self.name in SHIPPED else BEAN_PREFIX + self.name

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Hand the step to the decorator."""
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
                f"decorator '{self.name}' is a {type(found).__name__}: it has no around() and is no function"
            )
        return function(frame, inner)  # type: ignore[no-any-return]

    def analyze(self, _step: Step) -> Iterable[Diagnostic]:
        """The parameters of a shipped decorator are right."""
        if self.is_shipped:
            try:
                named_decorator(self.name, self.parameters, self.node)
            except ValueError as error:
                yield self.node.problem("bad-value", f"decorator '{self.name}': {error}")

    def link(self, context: LinkContext, _step: Step) -> Iterable[Diagnostic]:
        """The bean exists."""
        name = self.bean_name
        if name is not None and not context.has_bean(name):
            hint = near_hint(name, context.bean_names()) or f"shipped decorators are {', '.join(SHIPPED)}"
            attribute = "bean" if self.bean else "name"
            yield self.node.problem("unknown-bean", f"there is no bean '{name}'", hint=hint, attribute=attribute)
