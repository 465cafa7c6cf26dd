"""Functions that evaluate functions, lambdas and comprehensions in the evaluator ``asteval``.

Rules: ``on_<node>`` evaluates the AST node of that name and returns its value. Each execution of a function or
comprehension has its own activation. Its parent is the activation that defined it, so that names have lexical scope. A
native Python function with the same parameters assigns the arguments to them. A function may be called after the
evaluation that defined it has ended; each such call gets a new budget. A generator expression is evaluated item by
item, as it is consumed.
"""

# ruff: noqa: D103 - a handler on_<node> evaluates the node of that name

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType, MappingProxyType
from typing import Any

from taskrun.script.asteval.activation import Activation, NodeHandlers, ReturnSignal
from taskrun.script.asteval.lower import LoweredFunction
from taskrun.script.asteval.targets import bind
from taskrun.script.sandbox.budget import Budget
from taskrun.script.sandbox.guard import Opaque
from taskrun.script.variables import Comprehension


class ScriptFunction(Opaque):
    """Function or lambda that a script has defined, as a callable object; Python code can call it like any function.

    Scripts can call it too, but cannot read its attributes.
    """

    __slots__ = ("_activation", "_bind", "_function")

    def __init__(self, activation: Activation, function: LoweredFunction) -> None:
        module = {"__name__": __name__}
        bind = FunctionType(function.signature, module, function.name, tuple(map(activation.run, function.defaults)))
        bind.__kwdefaults__ = {name: activation.run(default) for name, default in function.keyword_defaults.items()}
        bind.__qualname__ = function.name
        self._bind = bind
        self._activation = activation
        self._function = function

    def __call__(self, /, *arguments: Any, **keywords: Any) -> Any:
        """Call the function and return its result; after the end of its evaluation, with a new budget."""
        variables = self._bind(*arguments, **keywords)
        activation = self._activation
        if not activation.budget.ended:
            return run_function_body(activation.child(variables), self._function)
        budget = Budget(activation.budget.limits)
        try:
            return run_function_body(activation.child(variables, budget), self._function)
        finally:
            budget.end()

    @property
    def __name__(self) -> str:
        return self._function.name

    def __repr__(self) -> str:
        return f"<function {self._function.name}>"


def run_function_body(activation: Activation, function: LoweredFunction) -> Any:
    """Execute the statements of a function, or the expression of a lambda, and return its result.

    ``activation`` was created for this call; its variables are the arguments.
    """
    if not isinstance(function.body, list):
        return activation.run(function.body)
    signal = activation.run_block(function.body)
    return signal.value if isinstance(signal, ReturnSignal) else None


def on_loweredfunction(activation: Activation, node: LoweredFunction) -> ScriptFunction:
    return ScriptFunction(activation, node)


def on_listcomp(activation: Activation, node: ast.ListComp) -> list[Any]:
    inner, iterator = start_comprehension(activation, node)
    return [inner.run(node.elt) for _ in iterate_combinations(inner, node, 0, iterator)]


def on_setcomp(activation: Activation, node: ast.SetComp) -> set[Any]:
    inner, iterator = start_comprehension(activation, node)
    return {inner.run(node.elt) for _ in iterate_combinations(inner, node, 0, iterator)}


def on_dictcomp(activation: Activation, node: ast.DictComp) -> dict[Any, Any]:
    inner, iterator = start_comprehension(activation, node)
    return {inner.run(node.key): inner.run(node.value) for _ in iterate_combinations(inner, node, 0, iterator)}


def on_generatorexp(activation: Activation, node: ast.GeneratorExp) -> Iterator[Any]:
    inner, iterator = start_comprehension(activation, node)
    combinations = iterate_combinations(inner, node, 0, iterator)
    return map(lambda _: inner.run(node.elt), combinations)  # noqa: C417 - not a generator


def start_comprehension(activation: Activation, node: Comprehension) -> tuple[Activation, Iterator[Any]]:
    """Return a new activation for a comprehension, and an iterator over the items of its first ``for``.

    As in Python, the first iterable is evaluated outside of the comprehension, that is in ``activation``.
    """
    return activation.child({}), iter(activation.run(node.generators[0].iter))


def iterate_combinations(
    activation: Activation, node: Comprehension, depth: int, iterator: Iterator[Any]
) -> Iterator[None]:
    """Run the ``for`` clauses of a comprehension; yield None each time its element is to be evaluated.

    At that moment the variables of the clauses are assigned, and their conditions are true. Parameters: ``activation``
    is that of the comprehension, ``depth`` is the index of the ``for`` clause to begin with, ``iterator`` yields its
    items. The clauses behind it are run recursively.
    """
    generator = node.generators[depth]
    last = depth == len(node.generators) - 1
    for value in iterator:
        bind(activation, generator.target, value)
        if all(activation.run(condition) for condition in generator.ifs):
            if last:
                yield
            else:
                yield from iterate_combinations(
                    activation, node, depth + 1, iter(activation.run(node.generators[depth + 1].iter))
                )


FUNCTION_HANDLERS: NodeHandlers = MappingProxyType(
    {
        LoweredFunction: on_loweredfunction,
        ast.ListComp: on_listcomp,
        ast.SetComp: on_setcomp,
        ast.DictComp: on_dictcomp,
        ast.GeneratorExp: on_generatorexp,
    }
)
"""The handlers of functions, lambdas and comprehensions."""
