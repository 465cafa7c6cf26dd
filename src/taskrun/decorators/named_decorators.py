"""Named decorators: those that ``<decorator name="…">`` can select (retry, timeout, rateLimit).

    <decorator name="retry" retry:maxRetryCount="3" retry:retryDelay="1000" retry:maxRetryDelay="300000"/>
    <decorator name="timeout" timeout:timeout="2s"/>
    <decorator name="rateLimit" rateLimit:requestPerSecond="10" rateLimit:maxWait="1s" rateLimit:global="true"/>

Rules: they do the same as ``<retry>``, the attribute ``timeout`` and ``<rate-limit>``, but nearer to the step: they
have the rank of ``<decorator>``, which is inside ``catch``. ``NAMED_DECORATORS`` lists their parameters and defaults.
The values must be constants. Unless the parameters say otherwise, a retry waits 1 s at first, then twice as long each
time, up to 300 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from taskrun.core.duration import EXPECTED, Millis, parse_duration
from taskrun.core.step import Decorator
from taskrun.decorators.rate_limit import RateLimit
from taskrun.decorators.retry import Retry
from taskrun.decorators.timeout import Timeout
from taskrun.errors import near_hint
from taskrun.model.binding_plan import plan_of
from taskrun.script.script import Template
from taskrun.syntax.node import Node

NAMED_DECORATORS: Mapping[str, tuple[type[Decorator], Mapping[str, str | None]]] = MappingProxyType(
    {
        "retry": (
            Retry,
            {"maxRetryCount": None, "retryDelay": "1000", "maxRetryDelay": "300000", "exponentialDelay": "true"},
        ),
        "timeout": (Timeout, {"timeout": None}),
        "rateLimit": (RateLimit, {"requestPerSecond": None, "maxWait": "0", "global": "false"}),
    }
)
"""Name → the class, and the default of each parameter; None for a required parameter."""

_BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})


def named_decorator(name: str, parameters: Mapping[str, str], node: Node) -> Decorator:
    """Return the decorator ``name`` with these parameters, such as a Retry for ``retry``.

    ``node`` is the element of the file. Raises ValueError for a wrong, missing or unknown parameter.
    """
    cls, defaults = NAMED_DECORATORS[name]
    for parameter in parameters:
        if parameter not in defaults:
            hint = near_hint(parameter, defaults) or "it has: " + ", ".join(sorted(defaults))
            raise ValueError(f"no parameter '{parameter}'; {hint}")
    plan = plan_of(cls)
    values: dict[str, Any] = {"node": node} if plan.has_node else {}
    for parameter, default in defaults.items():
        text = parameters.get(parameter, default)
        if text is None:
            raise ValueError(f"the parameter '{parameter}' is missing")
        slot = plan.attributes[parameter]
        try:
            values[slot.field] = _constant(slot.kind, text, node)
        except ValueError as error:
            raise ValueError(f"{parameter}='{text}' is {error}") from None
    if cls is Timeout and not values["timeout"].constant:
        raise ValueError("timeout must be more than 0")
    return cls(**values)


def _constant(kind: Any, text: str, node: Node) -> Any:
    """Convert the text of a parameter to the type ``kind`` of its field; raises ValueError for a wrong text."""
    if kind is int:
        if not text.isdigit():
            raise ValueError("not a whole number from 0")
        return int(text)
    if kind is bool:
        if text not in _BOOLEANS:
            raise ValueError("neither true nor false")
        return _BOOLEANS[text]
    if kind is Millis:
        seconds = parse_duration(text)
        if seconds is None:
            raise ValueError(f"not {EXPECTED}")
        return Millis(seconds)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise ValueError("not a number above 0")
    return Template(text, node, None, constant=True, run=lambda _scope: number)
