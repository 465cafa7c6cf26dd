"""<validator>: a script that refuses a step by raising.

    <validator>assert amount > 0, 'the amount must be positive'</validator>

Rules: it sees the step's inputs and runs before ``onEnter``; a step with ``onReload`` is not checked again when a resumed run
comes back to it. Its value is ignored; what it raises is the step's failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, Step, base, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.decorators.entry_script import Entry


class ValidatorTraits(DecoratorTraits):
    """The traits of ``<validator>``: it depends on whether the step has an ``onReload``."""

    __slots__ = ()

    def parts(self, decorator: Validator, step: Step) -> Iterable[Decorator]:
        """Return the validator, or one that is skipped when a resumed run re-enters a step with ``onReload``."""
        reloads = any(item.tag == "onReload" for item in step.decorators)
        yield FirstTime(body=decorator.body) if reloads else decorator


@decorator("validator", rank=91)
class Validator(Entry):
    """A check before a step."""

    traits: ClassVar[DecoratorTraits] = ValidatorTraits(may_suspend=False)


@base
class FirstTime(Validator):
    """A check that is left out when a resumed run comes back to the step."""

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script when the step is entered for the first time, then the step."""
        if not frame.entered_again:
            frame.eval(self.body)
        return await inner(frame)
