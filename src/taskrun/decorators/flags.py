"""<flags>: skip a step depending on flags, and change the flags for a step and the steps inside it.

    <flags match="fast and not (draft or EMPTY)" enable="checked" disable="draft" rename="fast=quick"/>

Rules: flags are words such as ``fast``, which are set when a run starts. ``match`` is a condition on the flags of the
caller of the step: names of flags with ``and``, ``or``, ``not`` or ``!``, and parentheses. ``EMPTY`` is true if no flag
is set, ``ANY`` if at least one is. If the condition is false, the step is skipped, in the same way as by ``<when>``.

The other attributes change the flags that the step and the steps inside see: first ``rename`` renames flags, then
``enable`` adds flags, then ``disable`` removes flags.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import ClassVar

from taskrun.core.completion import NEXT, Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, Step, base, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.errors import Diagnostic
from taskrun.source import Location
from taskrun.syntax.boolean import Condition, Grammar, Tokens
from taskrun.syntax.node import Node


class FlagsTraits(DecoratorTraits):
    """Traits of ``<flags>``: the weaver replaces the element by a FlagMatch and a FlagChange, at different ranks."""

    __slots__ = ()

    def parts(self, decorator: Flags, step: Step) -> Iterable[Decorator]:
        """Yield the decorators to weave: a FlagMatch if there is ``match``, a FlagChange if flags are changed."""
        if decorator.match is not None:
            yield FlagMatch(
                text=decorator.match, match=parse_match(decorator.match), step_name=step.name, at=decorator.node.at
            )
        if decorator.enable or decorator.disable or decorator.rename:
            yield FlagChange(
                enable=decorator.enable, disable=decorator.disable, rename=parse_renames(decorator.rename or "")
            )


@decorator("flags", rank=141)
class Flags(Decorator):
    """Element ``<flags>`` as read from the file; the weaver replaces it by a FlagMatch and a FlagChange."""

    traits: ClassVar[DecoratorTraits] = FlagsTraits()

    node: Node
    match: str | None = None
    enable: frozenset[str] = frozenset()
    disable: frozenset[str] = frozenset()
    rename: str | None = None

    def analyze(self, step: Step) -> Iterable[Diagnostic]:
        """Yield a diagnostic if ``match`` or ``rename`` cannot be parsed, or if the root has ``match``.

        The root has no caller whose flags could be compared.
        """
        checks: tuple[tuple[str, str | None, Callable[[str], object]], ...] = (
            ("match", self.match, parse_match),
            ("rename", self.rename, parse_renames),
        )
        for attribute, text, parse in checks:
            try:
                if text is not None:
                    parse(text)
            except ValueError as error:
                yield self.node.problem("bad-value", f"{attribute}='{text}': {error}", attribute=attribute)
        if self.match is not None and step.tag in {"task", "graph-task"}:
            yield self.node.problem("no-caller", "flags match has no meaning on the task itself", attribute="match")

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the step; never called in a run, because the weaver replaces this decorator by those of ``parts``."""
        return inner(frame)


@base
class FlagMatch(Decorator):
    """Decorator for ``match`` of ``<flags>``: skips a step unless the flags of the caller satisfy the condition.

    It is outside the call of the step, so that the inputs of a skipped step are not evaluated.
    """

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)
    rank: ClassVar[int] = 141

    text: str
    match: Condition[frozenset[str]]
    step_name: str
    at: Location

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Run the step if the flags of the caller satisfy the condition; else skip it."""
        return inner(frame) if self.match(frame.flags) else self._skip(frame)

    async def _skip(self, frame: Frame) -> Completion:
        """Emit StepSkipped, if the run has observers, and return a completion without outputs."""
        run = frame.run
        if run.traced:
            shown = ", ".join(sorted(frame.flags)) or "no flag"
            reason = f"flags '{self.text}' did not match ({shown})"
            from taskrun.core.events import StepSkipped

            run.emit(StepSkipped(run.run_id, frame.path_of(self.step_name), reason, self.at))
        return NEXT


@base
class FlagChange(Decorator):
    """Decorator for ``enable``, ``disable``, ``rename`` of ``<flags>``: changes the flags for a step and its body."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)
    rank: ClassVar[int] = 119

    enable: frozenset[str]
    disable: frozenset[str]
    rename: Mapping[str, str]

    def around(self, frame: Frame, inner: Inner) -> Awaitable[Completion]:
        """Set the changed flags in the frame of the step, where the steps inside find them, and run the step."""
        renamed = frozenset(self.rename.get(flag, flag) for flag in frame.flags)
        frame.flags = (renamed | self.enable) - self.disable
        return inner(frame)


def parse_renames(text: str) -> dict[str, str]:
    """Return a dict from old to new name for a text like ``a=b,c=d``; raises ValueError for any other text."""
    found = {}
    for part in filter(None, re.split(r"[,\s]+", text)):
        old, equals, new = part.partition("=")
        if not (old and equals and new):
            raise ValueError(f"'{part}' is not a rename; write old=new")
        found[old] = new
    return found


def parse_match(text: str) -> Condition[frozenset[str]]:
    """Return the function that tells whether a set of flags satisfies the condition ``text``.

    Raises ValueError if the text is not a condition.

    >>> parse_match("fast and not EMPTY")(frozenset({"fast"}))
    True
    """
    return _MATCHES.parse(text)


def _flag(name: str, _rest: Tokens) -> Condition[frozenset[str]]:
    """Return the condition for one word of ``match``: the name of a flag, ``EMPTY`` or ``ANY``."""
    if name == "EMPTY":
        return lambda flags: not flags
    if name == "ANY":
        return bool
    return lambda flags: name in flags


_MATCHES = Grammar(token=re.compile(r"[()!]|[^\s()!]+"), operand=_flag, operand_name="a flag's name")
