"""How much a script may use, and the counter that stops it.

Rules: a budget belongs to one evaluation and is shared by everything that the evaluation starts (functions, generator
expressions). Once used up it stays used up, so a script that swallows the error is stopped by its next node. What a
script leaves behind (a function, a generator expression) is no longer held to the evaluation's deadline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import monotonic

from taskrun.errors import TaskrunError

_STRIDE = 256  # nodes between two looks at the clock


class ScriptBudgetError(TaskrunError):
    """A script took too long or evaluated too much. No ``except`` of a script catches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one script may use.

    Parameters: ``seconds`` and ``nodes`` (of the syntax tree, each time they are evaluated) for one evaluation;
    ``source_length`` in characters, ``source_nodes`` and ``source_depth`` for the text, checked when it is compiled.
    """

    seconds: float = 10.0
    nodes: int = 10_000_000
    source_length: int = 50_000
    source_nodes: int = 20_000
    source_depth: int = 100


class Budget:
    """Counts the evaluated nodes of one evaluation: each takes 1 from ``left``; below 0 calls for ``refill``."""

    __slots__ = ("deadline", "ended", "left", "limits", "rest")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = min(_STRIDE, limits.nodes)
        self.rest = limits.nodes - self.left
        self.deadline = monotonic() + limits.seconds
        self.ended = False

    def refill(self) -> None:
        """Allow the next stretch of nodes, or raise ScriptBudgetError."""
        if self.rest <= 0:
            raise ScriptBudgetError(f"the script was stopped: it evaluated more than {self.limits.nodes:,} nodes")
        if monotonic() > self.deadline:
            raise ScriptBudgetError(f"the script was stopped: it ran longer than {self.limits.seconds:g} s")
        self.left = min(_STRIDE, self.rest)
        self.rest -= self.left

    def end(self) -> None:
        """Note that the evaluation is over."""
        self.ended = True
        self.deadline = math.inf
