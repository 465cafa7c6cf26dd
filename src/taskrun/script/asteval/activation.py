"""One activation of a script: the program itself, a function that it defines, or one of its comprehensions.

Rules: an activation is an object of its own and is never shared, so evaluations may be nested, run in several tasks and
threads, and leave functions behind. It has little state and is cheap to make. Exceptions of a script are Python's own
and travel natively through the handlers; where one came from is read off its traceback.
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
    """The signal of a ``return`` on its way out of the blocks around it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class LoopSignal:
    """The signals of ``break`` and ``continue``."""

    __slots__ = ()


BREAK = LoopSignal()
CONTINUE = LoopSignal()
Signal = ReturnSignal | LoopSignal | None


class Activation:
    """The state of an activation, and the way from a node to its handler ``on_<node>``.

    ``variables`` are the local ones of a function or comprehension, ``parent`` the activation in which it was defined;
    ``value`` is that of the last expression statement.
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
        self.tick = budget.tick
        self.variables = {} if variables is None else variables
        self.parent = parent
        self.value: Any = None

    def child(self, variables: dict[str, Any], budget: Budget | None = None) -> Any:
        """Return the activation of something that is defined in this one."""
        return self.__class__(self.scope, self.namespace, budget or self.budget, variables, self)

    def run(self, node: ast.AST) -> Any:
        """Return the value of an expression, or the signal of a statement."""
        self.tick()
        return self.handlers[node.__class__](self, node)

    def ancestor(self, hops: int) -> Activation:
        """Return the activation that many levels outwards."""
        activation: Any = self
        for _ in range(hops):
            activation = activation.parent
        return cast("Activation", activation)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Bind ``value`` to a target."""
        raise NotImplementedError

    def unknown_variable_error(self, name: str) -> UnknownVariableError:
        """Return the error for a name that cannot be read, with the name that may have been meant."""
        return UnknownVariableError(unknown_variable(name, self.scope, self.namespace), name=name)
