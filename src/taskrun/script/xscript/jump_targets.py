"""Jump targets of XScript: the loops and ``switch`` statements to which ``break`` and ``continue`` refer."""

from __future__ import annotations

_FUNCTION = "function"
_LOOP = "loop"


class JumpTargets:
    """Functions, loops and ``switch`` statements that enclose the current position of the translation.

    A ``switch`` has the name of a Python variable: a ``continue`` inside the ``switch`` sets it to true, see ``switch``.
    """

    __slots__ = ("_enclosing",)

    def __init__(self) -> None:
        self._enclosing: list[str] = []  # the innermost last; for a switch the name of its variable

    def enter_function(self) -> None:
        """Begin a function: jumps in it cannot leave it."""
        self._enclosing.append(_FUNCTION)

    def enter_loop(self) -> None:
        """Begin the body of a loop."""
        self._enclosing.append(_LOOP)

    def enter_switch(self, variable: str) -> None:
        """Begin the cases of a ``switch``; ``variable`` is the name of the variable that a ``continue`` sets."""
        self._enclosing.append(variable)

    def leave(self) -> None:
        """End the innermost function, loop or ``switch``."""
        self._enclosing.pop()

    @property
    def may_break(self) -> bool:
        """Whether a ``break`` is allowed here: a loop or ``switch`` encloses it in the same function."""
        return bool(self._enclosing) and self._enclosing[-1] != _FUNCTION

    @property
    def may_continue(self) -> bool:
        """Whether a ``continue`` is allowed here: a loop encloses it in the same function."""
        nearest = (target for target in reversed(self._enclosing) if target in {_LOOP, _FUNCTION})
        return next(nearest, _FUNCTION) == _LOOP

    @property
    def switch_variable(self) -> str | None:
        """The variable of the ``switch`` that encloses this position; None if a loop or function is nearer."""
        innermost = self._enclosing[-1] if self._enclosing else _FUNCTION
        return None if innermost in {_LOOP, _FUNCTION} else innermost
