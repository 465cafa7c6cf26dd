"""<loop>: run steps again and again, for each item or while a condition holds.

    <loop name="each" itemsExpr="orders" varName="order" indexName="i" maxCount="100">
      <while>not stopped</while>
      <until>RESULT == 'found'</until>
      <input name="orders"/>
      <steps>
        <step name="look"><input name="order"/><source>order['state']</source></step>
      </steps>
    </loop>

Rules: ``itemsExpr`` is evaluated once. Without it, the loop runs until ``while``, ``until`` or ``maxCount`` stops it
(``maxCount="0"``: no limit). ``while`` is evaluated before each iteration: false ends the loop. ``until`` is evaluated
after it: true ends the loop. The item and the index (from 0) are variables in the scope of the loop. ``<exit>`` in the
body ends the iteration; the loop continues with the next one. The RESULT of the loop is that of its last iteration.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Collection, Iterable, Iterator
from typing import Any, ClassVar

from taskrun.core.body import TURN, Body
from taskrun.core.completion import NEXT, RESULT, Completion, Signal
from taskrun.core.fields import Expr
from taskrun.core.frame import Frame
from taskrun.core.step import Step, base, step
from taskrun.core.traits import Traits
from taskrun.errors import Diagnostic
from taskrun.script.script import Script
from taskrun.value_types import Type

_NEXT = Signal.NEXT


@base
class BaseLoop(Step):
    """Base class of ``<loop>`` and ``<loop-n>``: the names of their variables, and the body."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True)

    var_name: str | None = None
    index_name: str | None = None
    steps: Body

    def stores(self) -> Iterator[str]:
        """Yield the names of the variables that the loop sets: ``varName`` (the item) and ``indexName`` (its index)."""
        yield from filter(None, (self.var_name, self.index_name))

    @staticmethod
    def decides(frame: Frame, script: Script, name: str, index: int) -> bool:
        """Return whether the condition ``script`` is true in the iteration ``index``; ``name`` is while or until.

        The value is a decision: in a resumed run the recorded value is returned.
        """
        return bool(frame.remember(name, lambda: bool(frame.eval(script)), script.text, index))

    async def iterate(self, frame: Frame, items: Iterable[Any], until: Script | None = None) -> Completion:
        """Run the body for each item until ``until`` is true after an iteration; return the completion of the loop.

        If an iteration ends the task or suspends the run, the loop returns the completion of this iteration.
        """
        scope, body, var_name, index_name = frame.scope, self.steps, self.var_name, self.index_name
        run_sync = body.run_sync
        for index, item in enumerate(items):
            if var_name:
                scope[var_name] = item
            if index_name:
                scope[index_name] = index
            frame.index = index
            done = await body.run(frame) if run_sync is None else run_sync(frame)
            if done.signal is not _NEXT:
                return done
            if until is not None and self.decides(frame, until, "until", index):
                break
            if not (index + 1) % TURN:
                await asyncio.sleep(0)
        frame.index = None
        return Completion({RESULT: scope[RESULT]}) if RESULT in scope else NEXT


@step("loop")
class Loop(BaseLoop):
    """Step ``<loop>``: runs its body for each item, or while a condition is true."""

    items: Expr | None = None
    var_type: Type | None = None
    max_count: int = 0
    while_: Script | None = None
    until: Script | None = None

    def run(self, frame: Frame) -> Awaitable[Completion]:
        """Run the body until there is no further item, or ``while``, ``until`` or ``maxCount`` stops the loop."""
        return self.iterate(frame, self._items(frame), self.until)

    def _items(self, frame: Frame) -> Iterator[Any]:
        """Yield the items, converted to ``varType``, as long as ``maxCount`` and ``while`` allow.

        Without ``itemsExpr`` the items are None.
        """
        items: Iterable[Any] = itertools.repeat(None) if self.items is None else self._elements(frame, self.items)
        for index, item in enumerate(items):
            if self.max_count and index >= self.max_count:
                return
            if self.while_ is not None and not self.decides(frame, self.while_, "while", index):
                return
            yield item if self.var_type is None else self.var_type.convert(item)

    def _elements(self, frame: Frame, expression: Script) -> Iterable[Any]:
        """Evaluate ``itemsExpr`` and return the items, which a resumed run takes from the records.

        A collection is recorded as a whole; the items of an iterator, which may be endless, are recorded one by one.
        """
        journal = frame.run.journal
        if frame.recorded("items") is not None:
            elements = frame.remember("items", lambda: _as_list(frame.eval(expression)), expression.text)
        else:
            elements = frame.eval(expression)
            if not isinstance(elements, Iterable | None):
                raise TypeError(f"itemsExpr of '{self.name}' gave {elements!r}; a collection is expected")
            if journal.records and (elements is None or isinstance(elements, Collection)):
                elements = frame.remember("items", lambda: _as_list(elements), expression.text)
            elif journal.records:
                return self._recorded_one_by_one(frame, iter(elements or ()), expression)
        return elements if elements is not None else ()

    def _recorded_one_by_one(self, frame: Frame, elements: Iterator[Any], expression: Script) -> Iterator[Any]:
        """Yield the items of an iterator; each one is recorded when the loop reaches it, for a resumed run."""
        taken = 0

        def take() -> list[Any]:
            nonlocal taken
            before, taken = taken, index + 1
            return list(itertools.islice(elements, index - before, index - before + 1))

        for index in itertools.count():
            found = frame.remember("item", take, expression.text, index)
            if not found:
                return
            yield found[0]

    def analyze(self) -> Iterable[Diagnostic]:
        """Yield a diagnostic if nothing stops the loop: it has no items, no maximum count and no condition."""
        if self.items is None and not self.max_count and self.while_ is None and self.until is None:
            yield self.node.problem(
                "endless-loop", "nothing stops this loop", hint="give it itemsExpr, maxCount, <while> or <until>"
            )


def _as_list(elements: Any) -> list[Any] | None:
    """Return a collection as a list, which can be recorded; None for null."""
    return elements if elements is None else list(elements)
