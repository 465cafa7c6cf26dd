"""Activation: the state of one execution of a script, of a function in it, or of a comprehension.

Rules: an activation is never shared, so evaluations can be nested and run in several tasks and threads. A function or
generator of a script can be used after the script has ended, because it keeps its activation. Activations have little
state and are cheap to create. This module imports no handlers: ``evaluator`` passes their table to the activation of a
script, and each activation passes it to its children. The exceptions of a script are Python's own; ``failures`` finds
the failed AST node in the traceback.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from taskrun.script.sandbox.budget import Budget
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

NodeHandlers = Mapping[type[ast.AST], Callable[["Activation", Any], Any]]
"""For each type of AST node its handler: the function ``(activation, node) -> value`` that evaluates it."""


class Activation:
    """State of one execution of a script, function or comprehension; evaluates AST nodes with a table of node handlers.

    Parameters: ``handlers`` contains the function that evaluates a node, by the type of the node; nodes of a subclass
    are not found. ``namespace`` contains the names that the script can read besides its variables. ``variables`` are
    the local variables of a function or comprehension, and are empty for a script.

    Attributes:
        parent: The activation in which the function or comprehension was defined, None for a script.
        value: The value of the expression statement that was executed last.
    """

    __slots__ = ("budget", "handlers", "namespace", "parent", "scope", "tick", "value", "variables")

    def __init__(
        self,
        handlers: NodeHandlers,
        scope: Names,
        namespace: Mapping[str, Any],
        budget: Budget,
        variables: dict[str, Any],
    ) -> None:
        self.handlers: NodeHandlers = handlers
        self.scope: Names = scope
        self.namespace: Mapping[str, Any] = namespace
        self.budget: Budget = budget
        self.tick: Callable[[], int] = budget.tick
        self.variables: dict[str, Any] = variables
        self.parent: Activation | None = None
        self.value: Any = None

    def child(self, variables: dict[str, Any], budget: Budget | None = None) -> Activation:
        """Return a new activation for one execution of a function or comprehension that this activation has defined.

        Parameters: ``variables`` are its local variables. ``budget`` is given for a function that is called after the
        evaluation has ended; otherwise the budget of this activation is used.
        """
        child = Activation(self.handlers, self.scope, self.namespace, budget or self.budget, variables)
        child.parent = self
        return child

    def run(self, node: ast.AST) -> Any:
        """Consume a tick and evaluate an AST node.

        Returns the value of an expression. For a statement, returns a ReturnSignal or LoopSignal if it has executed a
        ``return``, ``break`` or ``continue``, else None. Raises KeyError for a type of node that has no handler.
        """
        self.tick()
        return self.handlers[node.__class__](self, node)

    def run_block(self, statements: Iterable[ast.stmt]) -> Signal:
        """Execute statements until one returns the signal of a ``return``, ``break`` or ``continue``.

        Returns that signal, or None if all statements were executed.
        """
        for statement in statements:
            signal: Signal = self.run(statement)
            if signal is not None:
                return signal
        return None

    def ancestor(self, hops: int) -> Activation:
        """Return the activation that is ``hops`` parents outwards: 0 is this one, 1 its parent."""
        activation: Any = self
        for _ in range(hops):
            activation = activation.parent
        return cast("Activation", activation)

    def unknown_variable_error(self, name: str) -> UnknownVariableError:
        """Return the error for a name that is neither a variable nor in the namespace.

        Its message has a hint, such as the most similar name.
        """
        return UnknownVariableError(unknown_variable(name, self.scope, self.namespace), name=name)
