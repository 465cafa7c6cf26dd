"""Handlers of functions, lambdas and comprehensions in the evaluator ``asteval``.

Rules: each of them executes in its own activation, whose parent is the activation that defined it, so that names have
lexical scope. A native function with the same parameters binds the arguments. A function may outlive its evaluation;
each call then gets a new budget.
"""

# ruff: noqa: D102 - a handler on_<node> evaluates the node of that name

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from taskrun.script.asteval.activation import ReturnSignal
from taskrun.script.asteval.lower import LoweredFunction
from taskrun.script.asteval.statements import StatementHandlers
from taskrun.script.sandbox.budget import Budget
from taskrun.script.sandbox.guard import Opaque
from taskrun.script.variables import Comprehension


class ScriptFunction(Opaque):
    """Function or lambda that a script defined; Python code can call it like any other function."""

    __slots__ = ("_activation", "_bind", "_function")

    def __init__(self, activation: FunctionHandlers, function: LoweredFunction) -> None:
        module = {"__name__": __name__}
        bind = FunctionType(function.signature, module, function.name, tuple(map(activation.run, function.defaults)))
        bind.__kwdefaults__ = {name: activation.run(default) for name, default in function.keyword_defaults.items()}
        bind.__qualname__ = function.name
        self._bind = bind
        self._activation = activation
        self._function = function

    def __call__(self, /, *arguments: Any, **keywords: Any) -> Any:
        variables = self._bind(*arguments, **keywords)
        activation = self._activation
        if not activation.budget.ended:
            return activation.child(variables).run_function_body(self._function)
        budget = Budget(activation.budget.limits)
        try:
            return activation.child(variables, budget).run_function_body(self._function)
        finally:
            budget.end()

    @property
    def __name__(self) -> str:
        return self._function.name

    def __repr__(self) -> str:
        return f"<function {self._function.name}>"


class FunctionHandlers(StatementHandlers):
    """Methods ``on_<node>`` that evaluate function definitions, lambdas and comprehensions."""

    def run_function_body(self, function: LoweredFunction) -> Any:
        """Execute the statements, or the expression, of a function in this activation; return the function's result."""
        if not isinstance(function.body, list):
            return self.run(function.body)
        signal = self.run_block(function.body)
        return signal.value if isinstance(signal, ReturnSignal) else None

    def on_loweredfunction(self, node: LoweredFunction) -> ScriptFunction:
        return ScriptFunction(self, node)

    def on_listcomp(self, node: ast.ListComp) -> list[Any]:
        activation, iterator = self.start_comprehension(node)
        return [activation.run(node.elt) for _ in activation.iterate_combinations(node, 0, iterator)]

    def on_setcomp(self, node: ast.SetComp) -> set[Any]:
        activation, iterator = self.start_comprehension(node)
        return {activation.run(node.elt) for _ in activation.iterate_combinations(node, 0, iterator)}

    def on_dictcomp(self, node: ast.DictComp) -> dict[Any, Any]:
        activation, iterator = self.start_comprehension(node)
        return {
            activation.run(node.key): activation.run(node.value)
            for _ in activation.iterate_combinations(node, 0, iterator)
        }

    def on_generatorexp(self, node: ast.GeneratorExp) -> Iterator[Any]:
        activation, iterator = self.start_comprehension(node)
        combinations = activation.iterate_combinations(node, 0, iterator)
        return map(lambda _: activation.run(node.elt), combinations)  # noqa: C417 - not a generator

    def start_comprehension(self, node: Comprehension) -> tuple[Any, Iterator[Any]]:
        """Return a new activation for a comprehension, and the iterator of its first ``for``.

        As in Python, the first iterable is evaluated in the enclosing activation, which is this one.
        """
        return self.child({}), iter(self.run(node.generators[0].iter))

    def iterate_combinations(self, node: Comprehension, depth: int, iterator: Iterator[Any]) -> Iterator[None]:
        """Assign the variables of a comprehension, and yield None for each combination that meets its conditions.

        Parameters: ``depth`` is the index of the ``for`` to run, ``iterator`` yields its items; the ``for`` clauses
        behind it are run recursively.
        """
        generator = node.generators[depth]
        last = depth == len(node.generators) - 1
        for value in iterator:
            self.bind(generator.target, value)
            if all(self.run(condition) for condition in generator.ifs):
                if last:
                    yield
                else:
                    yield from self.iterate_combinations(
                        node, depth + 1, iter(self.run(node.generators[depth + 1].iter))
                    )
