"""The table of names of one program: the settings', what its dialect adds, and what it imports.

Rules: an import is looked up when the script is compiled, so that a wrong one is an error of the file.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from taskrun.errors import PluginError
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import Program
from taskrun.script.settings import ScriptSettings


def table_of(program: Program, settings: ScriptSettings) -> Mapping[str, Any]:
    """Return the names that a program may read besides variables; raises ProblemsError for an import without object."""
    if not program.lenient:
        return settings.table
    from taskrun.script.xscript.names import NAMES

    tables: list[Any] = [settings.table, NAMES]
    if program.imports:
        tables.insert(0, {name: _imported(*source, settings) for name, source in program.imports.items()})
    return ChainMap(*tables)


def _imported(path: str, at: int, settings: ScriptSettings) -> Any:
    if settings.imports is None:
        message = f"'{path}' cannot be imported: scripts import nothing here"
        raise ProblemsError([Problem(at, UNSUPPORTED, message, "allow its module: --allow or TaskManager(allow=…)")])
    try:
        return settings.imports(path)
    except PluginError as error:
        raise ProblemsError([Problem(at, UNSUPPORTED, str(error))]) from None
