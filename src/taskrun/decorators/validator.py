"""<validator>: let a step fail before it runs, by a script that raises.

    <validator>assert amount > 0, 'the amount must be positive'</validator>

Rules: the script can read the inputs of the step and runs before ``onEnter``. It does not run again when a resumed run
re-enters a step that has an ``onReload``. Its value is ignored; when it raises, the step fails with that error.
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
    """Traits of ``<validator>``: it depends on whether the step has an ``onReload``."""

    __slots__ = ()

    def parts(self, decorator: Validator, step: Step) -> Iterable[Decorator]:
        """Return the validator, or one that is skipped when a resumed run re-enters a step with ``onReload``."""
        reloads = any(item.tag == "onReload" for item in step.decorators)
        yield FirstEntryValidator(body=decorator.body) if reloads else decorator


@decorator("validator", rank=91)
class Validator(EntryScript):
    """Decorator for ``<validator>``: runs a script before the step, which fails the step by raising."""

    traits: ClassVar[DecoratorTraits] = ValidatorTraits(may_suspend=False)


@base
class FirstEntryValidator(Validator):
    """Validator of a step with ``<onReload>``; it is skipped when a resumed run re-enters the step."""

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the script if the step is entered for the first time, then the step."""
        if not frame.re_entered:
            frame.eval(self.body)
        return await inner(frame)
