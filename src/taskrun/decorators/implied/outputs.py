"""Round a body with declared outputs: evaluate them in the step's scope.

    <output name="total" type="int"><source>RESULT * 2</source></output>

Rules: RESULT and STEP_RESULT (all that the body returned) are variables of the step by then. How an output without an
expression finds its value: ``core/outputs.py``. A step without outputs, or with RESULT alone and no expression, has no
need of this.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import RESULT, Completion
from taskrun.core.frame import Frame
from taskrun.core.outputs import ByName, Output
from taskrun.core.scope import Scope
from taskrun.core.step import ImpliedDecorator, Inner, Step, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.core.weave import WeaveSettings
from taskrun.model.variables import own_names


@decorator("outputs", rank=30)
class Outputs(ImpliedDecorator):
    """The output expressions of a step."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    outputs: tuple[Output, ...]
    by_name: ByName

    @classmethod
    def implied(cls, step: Step, _settings: WeaveSettings) -> Outputs | None:
        """Round every step that declares outputs which are more than its RESULT as it is."""
        declared = step.outputs
        if not declared or (len(declared) == 1 and declared[0].name == RESULT and declared[0].untouched):
            return None
        names = tuple(item.name for item in declared if item.by_name and item.name != RESULT)
        set_by_body = frozenset(own_names(step, with_inputs=False))
        inner = [item for child in step.children() for item in child.outputs]
        renamed = frozenset(item.name for item in inner if item.to_task_scope or item.variable != item.name)
        leaf = not any(True for _ in step.children())
        return cls(outputs=declared, by_name=ByName(names, set_by_body, leaf, renamed))

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the body and evaluate the outputs."""
        return self.evaluated(await inner(frame), frame.scope)

    def evaluated(self, done: Completion, scope: Scope) -> Completion:
        """Return the completion with the outputs, evaluated in the step's scope after its body completed so."""
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
            outputs[item.name] = value if item.type is None and item.schema is None else item.admit(value)
        return Completion(outputs, done.signal, done.target)
