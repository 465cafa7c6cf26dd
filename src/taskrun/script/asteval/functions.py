"""Methods that evaluate functions, lambdas and comprehensions in the evaluator ``asteval``.

Rules: each execution of a function or comprehension has its own activation. Its parent is the activation that defined
it, so that names have lexical scope. A native Python function with the same parameters assigns the arguments to them. A
function may be called after the evaluation that defined it has ended; each such call gets a new budget.
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
    """Function or lambda that a script has defined, as a callable object; Python code can call it like any function.

    Scripts can call it too, but cannot read its attributes.
    """

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
        """Execute the statements of a function, or the expression of a lambda, and return its result.

        ``self`` is the activation that was created for this call, with the arguments as its variables.
        """
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
        """Return a new activation for a comprehension, and an iterator over the items of its first ``for``.

        As in Python, the first iterable is evaluated outside of the comprehension, that is in this activation.
        """
        return self.child({}), iter(self.run(node.generators[0].iter))

    def iterate_combinations(self, node: Comprehension, depth: int, iterator: Iterator[Any]) -> Iterator[None]:
        """Run the ``for`` clauses of a comprehension; yield None each time its element is to be evaluated.

        At that moment the variables of the clauses are assigned, and their conditions are true. Parameters: ``depth``
        is the index of the ``for`` clause to begin with, ``iterator`` yields its items. The clauses behind it are run
        recursively.
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
