"""Completions: the outputs of a step that succeeded, and the signal or jump for its container.

Rules: control flow is a return value, a failure is an exception.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

RESULT = "RESULT"
NO_OUTPUTS: Mapping[str, Any] = MappingProxyType({})


class Signal(enum.Enum):
    """Request of a finished step to its container."""

    NEXT = "run the following step, or the target of the completion"
    EXIT = "end the body of the nearest enclosing sequence"
    END = "end the whole task"
    SUSPEND = "suspend the run"


class Completion(NamedTuple):
    """Successful end of a step: its outputs (its value under ``RESULT``), a signal, and the sibling to jump to.

    ``target`` None means the following step.
    """

    outputs: Mapping[str, Any] = NO_OUTPUTS
    signal: Signal = Signal.NEXT
    target: str | None = None

    @property
    def result(self) -> Any:
        """The output RESULT, None if there is none."""
        return self.outputs.get(RESULT)

    @property
    def suspended(self) -> bool:
        """Whether the run is suspended inside the step; with the target ``@suspend`` it is suspended after the step."""
        return self.signal is Signal.SUSPEND and self.target is None

    @property
    def truthy(self) -> bool:
        """Whether a selector accepts the completion: RESULT is true, or there is no RESULT but other outputs."""
        outputs = self.outputs
        return bool(outputs[RESULT]) if RESULT in outputs else bool(outputs)


NEXT = Completion()

_ended = tuple.__new__
_NEXT = Signal.NEXT


def completed(outputs: Mapping[str, Any]) -> Completion:
    """Return ``Completion(outputs)``; faster than the constructor."""
    return _ended(Completion, (outputs, _NEXT, None))


SIGNAL_TARGETS: Mapping[str, Signal] = MappingProxyType(
    {"@exit": Signal.EXIT, "@end": Signal.END, "@suspend": Signal.SUSPEND}
)


def completion_of(value: Any) -> Completion:
    """Return the completion for the return value of a body.

    None means no outputs, a Completion is returned unchanged, any other value is the RESULT.
    """
    if value is None:
        return NEXT
    if type(value) is Completion:
        return value
    return completed({RESULT: value})


def jump_to(target: str | None, outputs: Mapping[str, Any]) -> Completion:
    """Return the completion for a jump to a sibling, ``@exit``, ``@end`` or ``@suspend``; None means no jump."""
    if target is None:
        return Completion(outputs)
    signal = SIGNAL_TARGETS.get(target)
    if signal is None or signal is Signal.SUSPEND:
        return Completion(outputs, signal or Signal.NEXT, target)  # the decorator of the step suspends the run after it
    return Completion(outputs, signal)
