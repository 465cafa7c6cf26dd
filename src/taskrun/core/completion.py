"""How a step ends when it does not raise.

Rules: control flow is a value, failure is an exception; the two are never mixed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

RESULT = "RESULT"
NO_OUTPUTS: Mapping[str, Any] = MappingProxyType({})


class Signal(enum.Enum):
    """What the container of a finished step does next."""

    NEXT = "go on with the next sibling, or with the completion's target"
    EXIT = "leave the nearest enclosing sequence"
    END = "end the whole task"
    SUSPEND = "stop here, to be resumed"


class Completion(NamedTuple):
    """The outputs of a step (its value under ``RESULT``), a signal, and the sibling to go to instead of the next."""

    outputs: Mapping[str, Any] = NO_OUTPUTS
    signal: Signal = Signal.NEXT
    target: str | None = None

    @property
    def result(self) -> Any:
        """The step's value, None when it has none."""
        return self.outputs.get(RESULT)

    @property
    def suspended(self) -> bool:
        """Whether the step has not ended: with ``@suspend`` as the target it has, and the run stops behind it."""
        return self.signal is Signal.SUSPEND and self.target is None

    @property
    def truthy(self) -> bool:
        """Whether a selector takes this result: its RESULT is true, or it has other outputs but no RESULT."""
        outputs = self.outputs
        return bool(outputs[RESULT]) if RESULT in outputs else bool(outputs)


NEXT = Completion()

_ended = tuple.__new__
_NEXT = Signal.NEXT


def completed(outputs: Mapping[str, Any]) -> Completion:
    """Return ``Completion(outputs)``, made the fast way."""
    return _ended(Completion, (outputs, _NEXT, None))


SIGNAL_TARGETS: Mapping[str, Signal] = MappingProxyType(
    {"@exit": Signal.EXIT, "@end": Signal.END, "@suspend": Signal.SUSPEND}
)


def completion_of(value: Any) -> Completion:
    """Return what a body's value means: None is no output, a Completion is itself, all else is the RESULT."""
    if value is None:
        return NEXT
    if type(value) is Completion:
        return value
    return completed({RESULT: value})


def jump_to(target: str | None, outputs: Mapping[str, Any]) -> Completion:
    """Return the completion that goes to ``target``: a sibling's name, ``@exit``, ``@end``, ``@suspend``, None for the next."""
    if target is None:
        return Completion(outputs)
    signal = SIGNAL_TARGETS.get(target)
    if signal is None or signal is Signal.SUSPEND:
        return Completion(outputs, signal or Signal.NEXT, target)  # see decorators.pause
    return Completion(outputs, signal)
