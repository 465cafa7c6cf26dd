"""What ``validator`` and ``onEnter`` share: a script that runs before a step's body."""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.fields import Own
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, base
from taskrun.core.traits import DecoratorTraits


@base
class Entry(Decorator):
    """A script on entry; its value is ignored."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    body: Own

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script, then the step."""
        frame.eval(self.body)
        return await inner(frame)
