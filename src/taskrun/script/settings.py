"""Settings of scripts: limits, evaluator, additional functions and cache.

    [project.entry-points."taskrun.functions"]      # in the pyproject.toml of a package that adds a function
    slugify = "shop.texts:slugify"

Rules: settings are frozen. Only the content of the cache changes; whoever creates the settings owns the cache. Users add
functions with ``TaskManager(functions=…)`` or install packages with them. The name of an added function is a Python
identifier that does not begin with ``_``. Modules are refused, because every other module can be reached through their
attributes. What an added function may do is the responsibility of the person who adds it. If a function cannot be
loaded, the error names its package.
"""

from __future__ import annotations

import keyword
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import CodeType, FrameType, MappingProxyType, ModuleType, TracebackType
from typing import Any

from taskrun.errors import PluginError
from taskrun.plugins import entry_points
from taskrun.script.builtins import NAMES
from taskrun.script.limits import Limits
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import ScriptProgram

GROUP = "taskrun.functions"
_REFUSED = (ModuleType, FrameType, CodeType, TracebackType)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSettings:
    """Settings with which scripts are compiled and run.

    Attributes:
        limits: Limits of each script.
        functions: Names that are added to the namespace, with functions or any other values.
        evaluator: ``"compiled"`` or ``"asteval"``.
        imports: Returns the Python object for the dotted name in an ``import`` of XScript, or raises PluginError. None
            refuses all imports.
        cache: Any mutable mapping, such as a dict. Scripts with equal texts then share one ScriptProgram. None disables
            caching.
        namespace: The resulting namespace: the built-in names and ``functions``; computed, not passed.
    """

    limits: Limits = field(default_factory=Limits)
    functions: Mapping[str, Any] = field(default_factory=dict)
    evaluator: str = "compiled"
    imports: Callable[[str], Any] | None = None
    cache: MutableMapping[tuple[str, bool, str], ScriptProgram] | None = None
    namespace: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compute ``namespace`` from the built-in names and ``functions``, which have priority."""
        object.__setattr__(self, "namespace", MappingProxyType({**NAMES, **self.functions}))

    def namespace_of(self, program: ScriptProgram) -> Mapping[str, Any]:
        """Return the names that a script can read besides variables: ``namespace``, names of its dialect, its imports.

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
        """Return the Python object with a dotted name, which an ``import`` at index ``at`` of the script text names.

        Raises ProblemsError at that index if the object cannot be imported.
        """
        if self.imports is None:
            message = f"'{path}' cannot be imported: imports are not available here"
            raise ProblemsError(
                [Problem(at, UNSUPPORTED, message, "allow its module: --allow or TaskManager(allow=…)")]
            )
        try:
            return self.imports(path)
        except PluginError as error:
            raise ProblemsError([Problem(at, UNSUPPORTED, str(error))]) from None


def checked_functions(functions: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return a copy of ``functions``, a mapping from names to functions or other values, after checking it.

    Raises PluginError for a name that a script cannot write, and for a module, frame, code object or traceback. The
    message begins with ``origin``, the place from which the functions come.
    """
    for name, value in functions.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise PluginError(f"{origin}: {name!r} is not a name that a script can write")
        if isinstance(value, _REFUSED):
            kind = type(value).__name__
            raise PluginError(f"{origin}: '{name}' is a {kind}; add the functions that scripts need one by one")
    return dict(functions)


def installed_functions() -> dict[str, Any]:
    """Load the functions that installed packages register in the entry point group ``taskrun.functions``, by name.

    Raises PluginError if one cannot be loaded or may not be used in scripts.
    """
    found: dict[str, Any] = {}
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "?"
        try:
            found[entry.name] = entry.load()
        except Exception as error:
            raise PluginError(f"the function '{entry.name}' of {package} cannot be loaded: {error!r}") from error
        checked_functions({entry.name: found[entry.name]}, f"entry point {GROUP} of {package}")
    return found
