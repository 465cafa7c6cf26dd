"""Completions: how a step ended that did not raise.

Rules: a step that succeeds returns a Completion: its outputs, and a signal or a jump that its container obeys. A step
that fails raises an exception. Control flow never uses exceptions.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

RESULT = "RESULT"
NO_OUTPUTS: Mapping[str, Any] = MappingProxyType({})


class Signal(enum.Enum):
    """What a step that has ended asks of its container: to continue, or to end or suspend something."""

    NEXT = "run the following step, or the target of the completion"
    EXIT = "end the body of the nearest enclosing sequence"
    END = "end the whole task"
    SUSPEND = "suspend the run"


class Completion(NamedTuple):
    """Return value of a step that succeeded: its outputs, a signal, and the step to run next.

    ``outputs`` contains the value of the step under the name ``RESULT``. ``target`` is the name of the sibling to jump
    to; None means the following step.
    """

    outputs: Mapping[str, Any] = NO_OUTPUTS
    signal: Signal = Signal.NEXT
    target: str | None = None

    @property
    def result(self) -> Any:
        """The value of the step: its output RESULT, None if there is none."""
        return self.outputs.get(RESULT)

    @property
    def suspended(self) -> bool:
        """Whether the run was suspended inside the step, so that the step has not ended.

        False for the target ``@suspend``: then the step has ended, and the run is suspended after it.
        """
        return self.signal is Signal.SUSPEND and self.target is None

    @property
    def truthy(self) -> bool:
        """Whether a selector accepts the completion (a selector tries its steps until one is accepted).

        True if RESULT is true; if there is no RESULT, true if there are any other outputs.
        """
        outputs = self.outputs
        return bool(outputs[RESULT]) if RESULT in outputs else bool(outputs)


NEXT = Completion()

_ended = tuple.__new__
_NEXT = Signal.NEXT


def completed(outputs: Mapping[str, Any]) -> Completion:
    """Return ``Completion(outputs)``, built without the cost of the constructor; for places that every step passes."""
    return _ended(Completion, (outputs, _NEXT, None))


SIGNAL_TARGETS: Mapping[str, Signal] = MappingProxyType(
    {"@exit": Signal.EXIT, "@end": Signal.END, "@suspend": Signal.SUSPEND}
)


def completion_of(value: Any) -> Completion:
    """Convert what a step's code returned to a Completion.

    None becomes a completion without outputs, a Completion is returned unchanged, any other value becomes the RESULT.
    """
    if value is None:
        return NEXT
    if type(value) is Completion:
        return value
    return completed({RESULT: value})


def jump_to(target: str | None, outputs: Mapping[str, Any]) -> Completion:
    """Return a completion with these outputs that jumps to ``target``; None means no jump.

    ``target`` is the name of a sibling, or ``@exit``, ``@end`` or ``@suspend``, which become signals. With ``@suspend``
    the completion also keeps the target, which tells SuspendAfter that the run is suspended after the step, not inside
    it.
    """
    if target is None:
        return Completion(outputs)
    signal = SIGNAL_TARGETS.get(target)
    if signal is None or signal is Signal.SUSPEND:
        return Completion(outputs, signal or Signal.NEXT, target)  # the decorator of the step suspends the run after it
    return Completion(outputs, signal)
