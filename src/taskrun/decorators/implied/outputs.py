"""Declared outputs: evaluate them in the scope of the step after its body.

    <output name="total" type="int"><source>RESULT * 2</source></output>

Rules: the expression of an output can read RESULT, and ``STEP_RESULT``, a mapping of all outputs of the body.
``core/outputs.py`` finds the value of an output without an expression. The decorator is not used for a step that
declares no outputs, or only RESULT without an expression or type.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import RESULT, Completion
from taskrun.core.frame import Frame
from taskrun.core.outputs import Output, OutputLookup
from taskrun.core.scope import Scope
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.model.variables import own_names


@decorator("outputs", rank=30)
class Outputs(ImpliedDecorator):
    """Implied decorator that evaluates the declared outputs of a step after its body."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False, implied_by=("outputs",))

    outputs: tuple[Output, ...]
    by_name: OutputLookup

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> Outputs | None:
        """Return the decorator for a step with declared outputs, None if there are none or only RESULT, unchanged."""
        declared = step.outputs
        if not declared or (len(declared) == 1 and declared[0].name == RESULT and declared[0].untouched):
            return None
        names = tuple(item.name for item in declared if item.by_name and item.name != RESULT)
        set_by_body = frozenset(own_names(step, with_inputs=False))
        inner = [item for child in step.children() for item in child.outputs]
        renamed = frozenset(item.name for item in inner if item.to_task_scope or item.variable != item.name)
        leaf = not any(True for _ in step.children())
        return cls(outputs=declared, by_name=OutputLookup(names, set_by_body, leaf, renamed))

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the body and return its completion with the declared outputs."""
        return self.evaluated(await inner(frame), frame.scope)

    def evaluated(self, done: Completion, scope: Scope) -> Completion:
        """Return the completion ``done`` of the body with the declared outputs added, evaluated in ``scope``."""
        if done.suspended:
            return done
        returned = done.outputs
        scope["STEP_RESULT"] = returned
        scope[RESULT] = returned.get(RESULT)
        outputs = dict(returned)
        for item in self.outputs:
            if item.source is not None:
                value = item.source.run(scope)
            elif item.value is not None:
                value = item.value.run(scope)
            else:
                value = self.by_name.find(item.name, returned, scope)
            outputs[item.name] = value if item.type is None and item.schema is None else item.convert(value)
        return Completion(outputs, done.signal, done.target)
