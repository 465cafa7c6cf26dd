"""Limits of the size, time and ticks of a script, and the error of a script that exceeds them.

Rules: limits are settings and do not change. What an evaluation has used is counted by its Budget.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskrun.errors import TaskrunError


class ScriptBudgetError(TaskrunError):
    """Error of a script that used up its time or its ticks. An ``except`` in a script does not catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one script and of each of its evaluations.

    Attributes:
        seconds: Time of one evaluation in seconds, without the time spent in ``await``.
        ticks: Number of ticks of one evaluation. A turn of a loop or of a comprehension, a call of a function of the
            script, and an item that a function such as ``sum`` consumes cost one tick each.
        source_length: Maximal number of characters of the text, checked at compile time.
        source_nodes: Maximal number of AST nodes of the script, checked at compile time.
        source_depth: Maximal nesting depth of the syntax tree, checked at compile time.
    """

    seconds: float = 10.0
    ticks: int = 10_000_000
    source_length: int = 50_000
    source_nodes: int = 20_000
    source_depth: int = 100
