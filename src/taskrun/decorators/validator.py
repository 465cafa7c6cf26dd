"""<validator>: let a step fail before it runs, by a script that raises.

    <validator>assert amount > 0, 'the amount must be positive'</validator>

Rules: the script can read the inputs of the step, and runs before ``onEnter``. If it raises, the step fails with that
exception; its value is ignored. When a resumed run enters the step a second time, the script runs again, unless the
step has an ``onReload``, which runs instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from taskrun.core.completion import Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, Step, base, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.decorators.entry_script import EntryScript


class ValidatorTraits(DecoratorTraits):
    """Traits of ``<validator>``: the decorator that is woven depends on whether the step has an ``<onReload>``."""

    __slots__ = ()

    def parts(self, decorator: Validator, step: Step) -> Iterable[Decorator]:
        """Yield the decorator to weave: a FirstEntryValidator if the step has an ``<onReload>``, else ``decorator``."""
        reloads = any(item.tag == "onReload" for item in step.decorators)
        yield FirstEntryValidator(body=decorator.body) if reloads else decorator


@decorator("validator", rank=91)
class Validator(EntryScript):
    """Decorator for ``<validator>``: runs a script before the step; if the script raises, the step fails."""

    traits: ClassVar[DecoratorTraits] = ValidatorTraits(may_suspend=False)


@base
class FirstEntryValidator(Validator):
    """Validator of a step with ``<onReload>``: does nothing when a resumed run enters the step a second time."""

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script unless a resumed run enters the step a second time; then run the step."""
        if not frame.re_entered:
            frame.eval(self.body)
        return await inner(frame)
