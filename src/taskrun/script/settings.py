"""What the owner of scripts decides about them.

Rules: settings are frozen; the cache is the only thing in them that changes, and it belongs to the owner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from taskrun.script.builtins import NAMES
from taskrun.script.limits import Limits
from taskrun.script.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSettings:
    """The limits of scripts, names that they have besides the usual ones, and a cache of compiled texts.

    Parameters: ``evaluator`` is ``"compiled"`` or ``"asteval"``; ``imports`` returns the object that an ``import`` of
    XScript names, or raises PluginError. ``functions`` is copied; its values can be anything, callables above all. ``cache`` is any mapping that
    the owner keeps (a dict will do): texts that are the same are then compiled once. ``table`` is the resulting table.
    """

    limits: Limits = field(default_factory=Limits)
    functions: Mapping[str, Any] = field(default_factory=dict)
    evaluator: str = "compiled"
    imports: Callable[[str], Any] | None = None
    cache: MutableMapping[tuple[str, bool, str], Program] | None = None
    table: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Put the table of names together."""
        object.__setattr__(self, "table", MappingProxyType({**NAMES, **self.functions}))
