"""How much a script may use.

Rules: limits are settings of the owner of scripts; what counts them is the Budget of one evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskrun.errors import TaskrunError


class ScriptBudgetError(TaskrunError):
    """A script took too long or evaluated too much. No ``except`` of a script catches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one script may use.

    Parameters: ``seconds`` and ``ticks`` for one evaluation (a tick is a turn of a loop or of a comprehension, a call
    of a function of the script, or an item that a function such as ``sum`` takes); ``source_length`` in characters,
    ``source_nodes`` and ``source_depth`` for the text, checked when it is compiled.
    """

    seconds: float = 10.0
    ticks: int = 10_000_000
    source_length: int = 50_000
    source_nodes: int = 20_000
    source_depth: int = 100
