"""Base class of ``validator``, ``onEnter`` and ``onReload``: a script that runs before the body of a step."""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, base
from taskrun.core.traits import DecoratorTraits


@base
class EntryScript(Decorator):
    """Base class of decorators that run a script before the body of the step; the value of the script is ignored."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script, then the step; if the script raises, the step fails without being run."""
        frame.eval(self.body)
        return await inner(frame)
