"""Functions that users add to the namespace of scripts: given to the TaskManager, or installed with a Python package.

    [project.entry-points."taskrun.functions"]      # in the pyproject.toml of the package
    slugify = "shop.texts:slugify"

Rules: a name is a Python identifier that does not begin with ``_``. Modules are refused, because every other module can
be reached through their attributes. What an added function may do is the responsibility of the person who adds it. If a
function cannot be loaded, the error names its package.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

from taskrun.errors import PluginError
from taskrun.plugins import entry_points

GROUP = "taskrun.functions"
_REFUSED = (ModuleType, FrameType, CodeType, TracebackType)


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
