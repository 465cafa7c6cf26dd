"""The handlers of what has local variables: functions, lambdas, comprehensions.

Rules: each of them runs in an activation of its own whose parent is the one in which it was written, so names are
lexical and nothing leaks. Arguments are bound by a native function with the same parameters. A function may outlive its
evaluation; it is then called with a budget of its own.
"""

# ruff: noqa: D102 - a handler does what the node it is named for means in Python

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from taskrun.script.asteval.lower import Routine
from taskrun.script.asteval.machine import Returned
from taskrun.script.asteval.statements import Statements
from taskrun.script.sandbox.budget import Budget
from taskrun.script.sandbox.guard import Opaque
from taskrun.script.variables import Comprehension


class Function(Opaque):
    """A function of a script. Python code can call it like any other."""

    __slots__ = ("_bind", "_machine", "_routine")

    def __init__(self, machine: Routines, routine: Routine) -> None:
        module = {"__name__": __name__}
        bind = FunctionType(routine.signature, module, routine.name, tuple(map(machine.run, routine.defaults)))
        bind.__kwdefaults__ = {name: machine.run(default) for name, default in routine.keyword_defaults.items()}
        bind.__qualname__ = routine.name
        self._bind = bind
        self._machine = machine
        self._routine = routine

    def __call__(self, /, *arguments: Any, **keywords: Any) -> Any:
        variables = self._bind(*arguments, **keywords)
        machine = self._machine
        if not machine.budget.ended:
            return machine.child(variables).outcome(self._routine)
        budget = Budget(machine.budget.limits)
        try:
            return machine.child(variables, budget).outcome(self._routine)
        finally:
            budget.end()

    @property
    def __name__(self) -> str:
        return self._routine.name

    def __repr__(self) -> str:
        return f"<function {self._routine.name}>"


class Routines(Statements):
    """Definitions and comprehensions."""

    def outcome(self, routine: Routine) -> Any:
        """Return the result of the function whose activation this is."""
        if not isinstance(routine.body, list):
            return self.run(routine.body)
        signal = self.block(routine.body)
        return signal.value if isinstance(signal, Returned) else None

    def on_routine(self, node: Routine) -> Function:
        return Function(self, node)

    def on_listcomp(self, node: ast.ListComp) -> list[Any]:
        machine, iterator = self.opened(node)
        return [machine.run(node.elt) for _ in machine.each(node, 0, iterator)]

    def on_setcomp(self, node: ast.SetComp) -> set[Any]:
        machine, iterator = self.opened(node)
        return {machine.run(node.elt) for _ in machine.each(node, 0, iterator)}

    def on_dictcomp(self, node: ast.DictComp) -> dict[Any, Any]:
        machine, iterator = self.opened(node)
        return {machine.run(node.key): machine.run(node.value) for _ in machine.each(node, 0, iterator)}

    def on_generatorexp(self, node: ast.GeneratorExp) -> Iterator[Any]:
        machine, iterator = self.opened(node)
        return map(lambda _: machine.run(node.elt), machine.each(node, 0, iterator))  # noqa: C417 - not a generator

    def opened(self, node: Comprehension) -> tuple[Any, Iterator[Any]]:
        """Return a comprehension's activation and its first iterator, which belongs to the activation around it."""
        return self.child({}), iter(self.run(node.generators[0].iter))

    def each(self, node: Comprehension, depth: int, iterator: Iterator[Any]) -> Iterator[None]:
        """Set the variables of the comprehension to each combination that passes its conditions."""
        generator = node.generators[depth]
        last = depth == len(node.generators) - 1
        for value in iterator:
            self.assign(generator.target, value)
            if all(self.run(condition) for condition in generator.ifs):
                if last:
                    yield
                else:
                    yield from self.each(node, depth + 1, iter(self.run(node.generators[depth + 1].iter)))
