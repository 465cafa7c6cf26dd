"""Translation of ``switch``, ``break`` and ``continue``.

Rules: a ``switch`` computes the index of the matching case and then executes the statements from that case on, until a
``break``. It becomes a Python loop with one iteration, so that ``break`` leaves it. A ``continue`` inside it belongs to
the loop around it: it sets a variable and leaves the Python loop; behind that, the variable makes the outer loop
continue.
"""

# ruff: noqa: D102 - a method do_<rule> translates the statement of that grammar rule

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.ir import LocalName
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.functions import FunctionTranslator
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.variables import LOAD, STORE


class JumpTranslator(FunctionTranslator):
    """Translator of ``switch``, ``break`` and ``continue`` to Python's AST.

    ``jumps`` has one entry for each enclosing function, loop and ``switch``, the innermost last. The entry is
    ``"function"``, ``"loop"`` or, for a ``switch``, the name of a variable. A ``continue`` inside the ``switch`` sets
    this variable to true.
    """

    def __init__(self, position: object) -> None:
        super().__init__(position)  # type: ignore[arg-type]
        self.jumps: list[str] = []

    def enter_function(self) -> None:
        super().enter_function()
        self.jumps.append("function")

    def leave_function(self) -> set[str]:
        self.jumps.pop()
        return super().leave_function()

    def do_break_(self, node: SyntaxNode) -> list[ast.stmt]:
        if not self.jumps or self.jumps[-1] == "function":
            raise ProblemsError([Problem(node.start, SYNTAX, "not valid XScript: 'break' outside of a loop or switch")])
        return [ast.Break()]

    def do_continue_(self, node: SyntaxNode) -> list[ast.stmt]:
        around = next((kind for kind in reversed(self.jumps) if kind in {"loop", "function"}), "function")
        if around == "function":
            raise ProblemsError([Problem(node.start, SYNTAX, "not valid XScript: 'continue' outside of a loop")])
        return self._continue_statements()

    def do_switch(self, node: SyntaxNode) -> list[ast.stmt]:
        subject, *cases = node.nodes
        value, chosen, continued = self.temporary(), self.temporary(), self.temporary()
        set_value = ast.Assign([LocalName(value, STORE)], self.expression(subject))
        set_chosen = ast.Assign([LocalName(chosen, STORE)], self._case_index(cases, value))
        self.variables.open_block()
        self.jumps.append(continued)
        branches: list[ast.stmt] = []
        for position, case in enumerate(cases):
            statements = case.nodes if case.kind == "default" else case.nodes[1:]
            body = self.block(statements) or [ast.Pass()]
            test = ast.Compare(LocalName(chosen, LOAD), [ast.LtE()], [ast.Constant(position)])
            branches.append(self.with_position(ast.If(test, body, []), case))
        self.jumps.pop()
        self.variables.close_block()
        if not branches:
            return [set_value]
        once = ast.For(LocalName(self.temporary(), STORE), ast.Tuple([ast.Constant(None)], LOAD), branches, [])
        clear = ast.Assign([LocalName(continued, STORE)], ast.Constant(False))
        statements_: list[ast.stmt] = [set_value, set_chosen, clear, once]
        if any(kind == "loop" for kind in self._jump_targets()):
            again: list[ast.stmt] = self._continue_statements()
            statements_.append(ast.If(LocalName(continued, LOAD), again, []))
        return statements_

    def _continue_statements(self) -> list[ast.stmt]:
        """Return the Python statements for a ``continue`` at the current position.

        Directly in a loop it is Python's own. In a ``switch``, which is a Python loop too, they set a variable and
        leave it.
        """
        innermost = self.jumps[-1]
        if innermost == "loop":
            return [ast.Continue()]
        return [ast.Assign([LocalName(innermost, STORE)], ast.Constant(True)), ast.Break()]

    def _jump_targets(self) -> list[str]:
        """Return the loops and ``switch`` statements that a jump here could leave, the innermost first.

        These are the entries of ``jumps`` inside the innermost function.
        """
        found: list[str] = []
        for kind in reversed(self.jumps):
            if kind == "function":
                break
            found.append(kind)
        return found

    def _case_index(self, cases: Sequence[SyntaxNode], value: str) -> ast.expr:
        """Return an expression for the index of the case at which a ``switch`` starts.

        It is the first case that equals the variable ``value``, else the default, else the number of cases, which
        selects none.
        """
        default = next((position for position, case in enumerate(cases) if case.kind == "default"), len(cases))
        choice: ast.expr = ast.Constant(default)
        for position in range(len(cases) - 1, -1, -1):
            case = cases[position]
            if case.kind == "case":
                test = self.with_position(
                    self.operation("equal", LocalName(value, LOAD), self.expression(case.nodes[0])), case
                )
                choice = ast.IfExp(test, ast.Constant(position), choice)
        return choice
