"""Activation: the state of one execution of a script, of a function in it, or of a comprehension.

Rules: an activation is never shared, so evaluations can be nested and run in several tasks and threads. A function or
generator of a script can be used after the script has ended, because it keeps its activation. Activations have little
state and are cheap to create. The exceptions of a script are Python's own; ``failures`` finds the failed AST node in
the traceback.
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
    """Result of a statement that has executed ``return``: carries the value and ends all enclosing blocks of code."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: Any = value


class LoopSignal:
    """Result of a statement that has executed ``break`` or ``continue``: ends the blocks of code inside the loop.

    There are two instances: BREAK and CONTINUE.
    """

    __slots__ = ()


BREAK = LoopSignal()
CONTINUE = LoopSignal()
Signal = ReturnSignal | LoopSignal | None


class Activation:
    """State of one execution of a script, function or comprehension; evaluates AST nodes by methods ``on_<node>``.

    Parameters: ``namespace`` contains the names that the script can read besides its variables. ``variables`` are the
    local variables of a function or comprehension. ``parent`` is the activation in which the function or comprehension
    was defined, None for a script. The attribute ``value`` is that of the expression statement that was executed last.
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
        """Return a new activation for one execution of a function or comprehension that this activation has defined.

        Parameters: ``variables`` are its local variables. ``budget`` is given for a function that is called after the
        evaluation has ended; otherwise the budget of this activation is used.
        """
        return self.__class__(self.scope, self.namespace, budget or self.budget, variables, self)

    def run(self, node: ast.AST) -> Any:
        """Consume a tick and evaluate an AST node.

        Returns the value of an expression. For a statement, returns a ReturnSignal or LoopSignal if it has executed a
        ``return``, ``break`` or ``continue``, else None.
        """
        self.tick()
        return self.handlers[node.__class__](self, node)

    def ancestor(self, hops: int) -> Activation:
        """Return the activation that is ``hops`` parents outwards: 0 is this one, 1 its parent."""
        activation: Any = self
        for _ in range(hops):
            activation = activation.parent
        return cast("Activation", activation)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign ``value`` to an assignment target: a variable, an item, or a tuple or list of targets.

        The subclass StatementHandlers implements it.
        """
        raise NotImplementedError

    def unknown_variable_error(self, name: str) -> UnknownVariableError:
        """Return the error for a name that is neither a variable nor in the namespace.

        Its message has a hint, such as the most similar name.
        """
        return UnknownVariableError(unknown_variable(name, self.scope, self.namespace), name=name)
