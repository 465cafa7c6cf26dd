"""Where a script failed: read off the exception's traceback, written on the exception as a note.

Rules: the exception stays the object that was raised; it gets one note, the first time it leaves a script. The frames
of the evaluator are taken out of its traceback, so that it shows the caller and whatever the script called.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import TracebackType
from typing import Any

from taskrun.script.asteval.activation import Activation
from taskrun.script.sandbox.budget import Budget
from taskrun.script.script_source import NOTE

_PACKAGES = ("taskrun.script.", "asteval.")

LocationText = Callable[[ast.AST], str]


def explain(error: Exception, budget: Budget, location_text: LocationText) -> None:
    """Note on ``error`` which expression failed.

    Parameters: ``budget`` of the evaluation that the error leaves, ``place`` says where a node stands.
    """
    run = Activation.run.__code__
    failed: ast.AST | None = None
    kept: list[TracebackType] = []
    step = error.__traceback__
    while step is not None:
        frame = step.tb_frame
        if frame.f_code is run:
            variables: dict[str, Any] = frame.f_locals
            if variables["self"].budget is budget:
                failed = variables["node"]
        if not str(frame.f_globals.get("__name__")).startswith(_PACKAGES):
            kept.append(step)
        step = step.tb_next
    trimmed: TracebackType | None = None
    for step in reversed(kept):
        trimmed = TracebackType(trimmed, step.tb_frame, step.tb_lasti, step.tb_lineno)
    error.__traceback__ = trimmed
    if failed is not None and not any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(NOTE + location_text(failed))
