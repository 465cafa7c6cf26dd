"""Functions that users add to the namespace: passed to the TaskManager, or installed with a package.

    [project.entry-points."taskrun.functions"]
    slugify = "shop.texts:slugify"

Rules: a name must be one that a script can write. Modules are refused, because every other module can be reached
through their attributes. What an added function may do is the responsibility of the person who adds it. A function that
cannot be loaded is an error that names its package.
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
    """Return a copy of ``functions``, names with functions or other values, after checking names and values.

    Raises PluginError for an invalid name and for a module, frame, code object or traceback. ``origin`` begins the
    message.
    """
    for name, value in functions.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise PluginError(f"{origin}: {name!r} is not a name that a script can write")
        if isinstance(value, _REFUSED):
            kind = type(value).__name__
            raise PluginError(f"{origin}: '{name}' is a {kind}; add the functions that scripts need one by one")
    return dict(functions)


def installed_functions() -> dict[str, Any]:
    """Load the functions of the entry point group ``taskrun.functions`` and return them by name."""
    found: dict[str, Any] = {}
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "?"
        try:
            found[entry.name] = entry.load()
        except Exception as error:
            raise PluginError(f"the function '{entry.name}' of {package} cannot be loaded: {error!r}") from error
        checked_functions({entry.name: found[entry.name]}, f"entry point {GROUP} of {package}")
    return found
