"""Declared outputs: evaluate them in the scope of the step after its body.

    <output name="total" type="int"><source>RESULT * 2</source></output>

Rules: the expressions can read RESULT, and STEP_RESULT with all outputs of the body. How the value of an output without
an expression is found: ``core/outputs.py``. A step without outputs, or with RESULT alone and no expression, does not
need this.
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
        """Return the decorator for a step whose declared outputs are more than its unchanged RESULT."""
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
        """Run the body and evaluate the outputs."""
        return self.evaluated(await inner(frame), frame.scope)

    def evaluated(self, done: Completion, scope: Scope) -> Completion:
        """Return the completion with the outputs, evaluated in the scope of the step; ``done`` is that of its body."""
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
