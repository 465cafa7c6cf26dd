"""returnType: convert the RESULT of a step to a type.

    <step name="n" returnType="int"><source>text</source></step>

Rules: values are converted to the same types, and by the same rules, as the values of inputs with ``type``. Null stays
null. If the value cannot be converted, the step fails.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.completion import RESULT, Completion
from taskrun.core.frame import Frame
from taskrun.core.step import Decorator, Inner, decorator
from taskrun.core.traits import DecoratorTraits
from taskrun.value_types import Type


@decorator("returnType", rank=5, attribute=True)
class ReturnType(Decorator):
    """Decorator for ``returnType``: converts RESULT to a type."""

    traits: ClassVar[DecoratorTraits] = DecoratorTraits(may_suspend=False)

    return_type: Type

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the body and convert its RESULT, unless that is None; raises ValueError if it cannot be converted."""
        done = await inner(frame)
        if done.outputs.get(RESULT) is None:
            return done
        try:
            value = self.return_type.convert(done.outputs[RESULT])
        except ValueError as error:
            raise ValueError(f"returnType: {error}") from None
        return done._replace(outputs={**done.outputs, RESULT: value})
