"""``switch``, ``break`` and ``continue``.

Rules: a switch first finds the case that matches and then runs the statements from there on. It is a loop of one turn,
so that ``break`` leaves it; a ``continue`` in it leaves that turn first.
"""

# ruff: noqa: D102 - a handler translates the node it is named for

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.ir import LocalName
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.functions import Functions
from taskrun.script.xscript.parse import Part
from taskrun.script.xscript.variables import LOAD, STORE


class Switches(Functions):
    """Translates what jumps; ``jumps`` are the loops and switches around the place, innermost last."""

    def __init__(self, place: object) -> None:
        super().__init__(place)  # type: ignore[arg-type]
        self.jumps: list[str] = []

    def enter(self) -> None:
        super().enter()
        self.jumps.append("function")

    def leave(self) -> set[str]:
        self.jumps.pop()
        return super().leave()

    def do_break_(self, part: Part) -> list[ast.stmt]:
        if not self.jumps or self.jumps[-1] == "function":
            raise ProblemsError([Problem(part.start, SYNTAX, "not valid XScript: 'break' outside of a loop or switch")])
        return [ast.Break()]

    def do_continue_(self, part: Part) -> list[ast.stmt]:
        around = next((kind for kind in reversed(self.jumps) if kind in {"loop", "function"}), "function")
        if around == "function":
            raise ProblemsError([Problem(part.start, SYNTAX, "not valid XScript: 'continue' outside of a loop")])
        innermost = self.jumps[-1]
        if innermost == "loop":
            return [ast.Continue()]
        return [ast.Assign([LocalName(innermost, STORE)], ast.Constant(True)), ast.Break()]

    def do_switch(self, part: Part) -> list[ast.stmt]:
        subject, *cases = part.nodes
        value, chosen, going_on = self.temporary(), self.temporary(), self.temporary()
        set_value = ast.Assign([LocalName(value, STORE)], self.expression(subject))
        set_chosen = ast.Assign([LocalName(chosen, STORE)], self._choice(cases, value))
        self.variables.open()
        self.jumps.append(going_on)
        branches: list[ast.stmt] = []
        for position, case in enumerate(cases):
            statements = case.nodes if case.kind == "default" else case.nodes[1:]
            body = self.block(statements) or [ast.Pass()]
            test = ast.Compare(LocalName(chosen, LOAD), [ast.LtE()], [ast.Constant(position)])
            branches.append(self.at(ast.If(test, body, []), case))
        self.jumps.pop()
        self.variables.close()
        if not branches:
            return [set_value]
        once = ast.For(LocalName(self.temporary(), STORE), ast.Tuple([ast.Constant(None)], LOAD), branches, [])
        clear = ast.Assign([LocalName(going_on, STORE)], ast.Constant(False))
        statements_: list[ast.stmt] = [set_value, set_chosen, clear, once]
        if any(kind == "loop" for kind in self._until_function()):
            again: list[ast.stmt] = self._continued()
            statements_.append(ast.If(LocalName(going_on, LOAD), again, []))
        return statements_

    def _continued(self) -> list[ast.stmt]:
        innermost = self.jumps[-1]
        if innermost == "loop":
            return [ast.Continue()]
        return [ast.Assign([LocalName(innermost, STORE)], ast.Constant(True)), ast.Break()]

    def _until_function(self) -> list[str]:
        found: list[str] = []
        for kind in reversed(self.jumps):
            if kind == "function":
                break
            found.append(kind)
        return found

    def _choice(self, cases: Sequence[Part], value: str) -> ast.expr:
        """Return the position of the case to begin with; that of the default, or after the last, when none matches."""
        default = next((position for position, case in enumerate(cases) if case.kind == "default"), len(cases))
        choice: ast.expr = ast.Constant(default)
        for position in range(len(cases) - 1, -1, -1):
            case = cases[position]
            if case.kind == "case":
                test = self.at(self.operation("equal", LocalName(value, LOAD), self.expression(case.nodes[0])), case)
                choice = ast.IfExp(test, ast.Constant(position), choice)
        return choice
