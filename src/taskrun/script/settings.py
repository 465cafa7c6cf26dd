"""Settings of scripts: limits, evaluator, additional names and cache.

Rules: settings are frozen. Only the cache changes; it belongs to the creator of the settings.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from taskrun.errors import PluginError
from taskrun.script.builtins import NAMES
from taskrun.script.limits import Limits
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
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

    def namespace_of(self, program: ScriptProgram) -> Mapping[str, Any]:
        """Return the names that a script can read besides variables: of the settings, its dialect and its imports.

        Raises ProblemsError if an import cannot be resolved: a wrong import is reported as a problem of the file.
        """
        if not program.lenient:
            return self.namespace
        from taskrun.script.xscript.names import NAMES as XSCRIPT_NAMES

        tables: list[Any] = [self.namespace, XSCRIPT_NAMES]
        if program.imports:
            tables.insert(0, {name: self._imported(*source) for name, source in program.imports.items()})
        return ChainMap(*tables)

    def _imported(self, path: str, at: int) -> Any:
        """Return the object at a dotted path; raises ProblemsError at the index ``at`` of the import in the text."""
        if self.imports is None:
            message = f"'{path}' cannot be imported: imports are not available here"
            raise ProblemsError(
                [Problem(at, UNSUPPORTED, message, "allow its module: --allow or TaskManager(allow=…)")]
            )
        try:
            return self.imports(path)
        except PluginError as error:
            raise ProblemsError([Problem(at, UNSUPPORTED, str(error))]) from None
