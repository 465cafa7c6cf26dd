"""Location of a failure in a script that asteval evaluates: finds the failed AST node and notes its location.

Rules: the exception object stays the same and gets one note. The frames of the evaluator are removed from its
traceback. The traceback then shows the caller of the script and the functions that the script called.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import TracebackType
from typing import Any

from taskrun.script.asteval.activation import Activation
from taskrun.script.sandbox.budget import Budget
from taskrun.script.traceback_places import add_location_note, is_frame_of, replace_traceback, traceback_entries

_PACKAGES = ("taskrun.script.", "asteval.")

LocationText = Callable[[ast.AST], str]


def explain(error: Exception, budget: Budget, location_text: LocationText) -> None:
    """Add the location of the failed expression to an exception, and remove the evaluator's frames from its traceback.

    Parameters: ``budget`` is that of the evaluation that raised the exception; it tells its frames from those of other
    scripts. ``location_text`` returns ``file:line:column: source line`` of an AST node.
    """
    run = Activation.run.__code__
    failed: ast.AST | None = None
    remaining: list[TracebackType] = []
    for entry in traceback_entries(error):
        if entry.tb_frame.f_code is run:
            variables: dict[str, Any] = entry.tb_frame.f_locals
            if variables["self"].budget is budget:
                failed = variables["node"]
        if not is_frame_of(entry, _PACKAGES):
            remaining.append(entry)
    replace_traceback(error, remaining)
    add_location_note(error, failed, location_text)
