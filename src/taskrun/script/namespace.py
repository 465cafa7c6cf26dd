"""Namespace of one program: the names of the settings, the names of its dialect, and its imports.

Rules: an import is resolved when the script is compiled, so that a wrong import is reported as a problem of the file.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from taskrun.errors import PluginError
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import ScriptProgram
from taskrun.script.settings import ScriptSettings


def namespace_of(program: ScriptProgram, settings: ScriptSettings) -> Mapping[str, Any]:
    """Return the names that a program can read besides variables.

    Raises ProblemsError if an import of the program cannot be resolved.
    """
    if not program.lenient:
        return settings.namespace
    from taskrun.script.xscript.names import NAMES

    tables: list[Any] = [settings.namespace, NAMES]
    if program.imports:
        tables.insert(0, {name: _imported_object(*source, settings) for name, source in program.imports.items()})
    return ChainMap(*tables)


def _imported_object(path: str, at: int, settings: ScriptSettings) -> Any:
    """Return the object at a dotted path; ``at`` is the index of the import in the text."""
    if settings.imports is None:
        message = f"'{path}' cannot be imported: imports are not available here"
        raise ProblemsError([Problem(at, UNSUPPORTED, message, "allow its module: --allow or TaskManager(allow=…)")])
    try:
        return settings.imports(path)
    except PluginError as error:
        raise ProblemsError([Problem(at, UNSUPPORTED, str(error))]) from None
