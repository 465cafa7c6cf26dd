"""Activation of a script: the state of one execution of the script, of a function in it, or of a comprehension.

Rules: activations are never shared, so that evaluations may be nested, run in several tasks and threads, and leave
functions behind. They have little state and are cheap to create. Exceptions of a script are Python's own and propagate
through the handlers; ``failures`` finds the failed node in the traceback.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from taskrun.script.asteval.lower import LocalVariable, LoweredFunction
from taskrun.script.sandbox.budget import Budget
from taskrun.script.sandbox.checks import EXPRESSIONS, STATEMENTS
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.unknown_name import unknown_variable


class ReturnSignal:
    """Result of a statement that executed ``return``: carries the value and ends the enclosing blocks of code."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: Any = value


class LoopSignal:
    """Result of a statement that executed ``break`` or ``continue``; ends the enclosing blocks up to the loop."""

    __slots__ = ()


BREAK = LoopSignal()
CONTINUE = LoopSignal()
Signal = ReturnSignal | LoopSignal | None


class Activation:
    """State of one execution of a script, function or comprehension; evaluates AST nodes by methods ``on_<node>``.

    Parameters: ``namespace`` are the names that the script can read besides variables, ``variables`` the local
    variables of a function or comprehension, ``parent`` is the activation in which that was defined. The attribute
    ``value`` is the value of the last expression statement.
    """

    handlers: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Any]]]

    def __init_subclass__(cls) -> None:
        kinds = {*STATEMENTS, *EXPRESSIONS, LocalVariable, LoweredFunction} - {ast.FunctionDef, ast.Lambda, ast.Starred}
        named = {kind: "on_" + kind.__name__.lower() for kind in kinds}
        cls.handlers = {kind: getattr(cls, name) for kind, name in named.items() if hasattr(cls, name)}

    def __init__(
        self,
        scope: Names,
        namespace: Mapping[str, Any],
        budget: Budget,
        variables: dict[str, Any] | None = None,
        parent: Activation | None = None,
    ) -> None:
        self.scope = scope
        self.namespace = namespace
        self.budget = budget
        self.tick: Callable[[], int] = budget.tick
        self.variables: dict[str, Any] = {} if variables is None else variables
        self.parent = parent
        self.value: Any = None

    def child(self, variables: dict[str, Any], budget: Budget | None = None) -> Any:
        """Return a new activation of a function or comprehension that is defined in this one."""
        return self.__class__(self.scope, self.namespace, budget or self.budget, variables, self)

    def run(self, node: ast.AST) -> Any:
        """Evaluate an AST node: return the value of an expression, or for a statement its signal or None.

        The signal is a ReturnSignal or LoopSignal if a ``return``, ``break`` or ``continue`` was executed.
        """
        self.tick()
        return self.handlers[node.__class__](self, node)

    def ancestor(self, hops: int) -> Activation:
        """Return the activation that is ``hops`` levels outwards along the parents; 0 is this one."""
        activation: Any = self
        for _ in range(hops):
            activation = activation.parent
        return cast("Activation", activation)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign ``value`` to an assignment target; implemented by the subclass StatementHandlers."""
        raise NotImplementedError

    def unknown_variable_error(self, name: str) -> UnknownVariableError:
        """Return the error for a name that is no variable, with the most similar name as a hint."""
        return UnknownVariableError(unknown_variable(name, self.scope, self.namespace), name=name)
