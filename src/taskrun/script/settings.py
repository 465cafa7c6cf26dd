"""Settings of scripts: limits, evaluator, additional names and cache.

Rules: settings are frozen. Only the cache changes; it belongs to the creator of the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from taskrun.script.builtins import NAMES
from taskrun.script.limits import Limits
from taskrun.script.program import ScriptProgram


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSettings:
    """Settings with which scripts are compiled and run.

    Attributes:
        limits: Limits of each script.
        functions: Names added to the namespace, with callables or any other values.
        evaluator: ``"compiled"`` or ``"asteval"``.
        imports: Returns the object that an ``import`` of XScript names, or raises PluginError. None refuses imports.
        cache: Any mutable mapping, such as a dict, in which equal texts share one program. None disables caching.
        namespace: The resulting namespace: the built-in names and ``functions``.
    """

    limits: Limits = field(default_factory=Limits)
    functions: Mapping[str, Any] = field(default_factory=dict)
    evaluator: str = "compiled"
    imports: Callable[[str], Any] | None = None
    cache: MutableMapping[tuple[str, bool, str], ScriptProgram] | None = None
    namespace: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Merge the built-in names and ``functions`` into the namespace."""
        object.__setattr__(self, "namespace", MappingProxyType({**NAMES, **self.functions}))
