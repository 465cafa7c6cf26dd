"""Translation of ``switch``, ``break`` and ``continue``.

Rules: a ``switch`` computes the index of the matching case and then executes the statements from that case on, until a
``break``. It becomes a Python loop with one iteration, so that ``break`` leaves it. A ``continue`` inside it belongs to
the loop around it: it sets a variable and leaves the Python loop; behind that, the variable makes the outer loop
continue.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.jump_targets import JumpTargets
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.translator import Translator
from taskrun.script.xscript.variables import LOAD, STORE


def translate_break(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``break``."""
    if not translator.jumps.may_break:
        raise ProblemsError([Problem(node.start, SYNTAX, "not valid XScript: 'break' outside of a loop or switch")])
    return [ast.Break()]


def translate_continue(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``continue``."""
    if not translator.jumps.may_continue:
        raise ProblemsError([Problem(node.start, SYNTAX, "not valid XScript: 'continue' outside of a loop")])
    return _continue_statements(translator.jumps)


def translate_switch(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate a ``switch`` to a Python loop with one iteration."""
    subject, *cases = node.nodes
    value, chosen, continued = translator.temporary(), translator.temporary(), translator.temporary()
    set_value = ast.Assign([LocalName(value, STORE)], translator.expression(subject))
    set_chosen = ast.Assign([LocalName(chosen, STORE)], _case_index(translator, cases, value))
    translator.variables.open_block()
    translator.jumps.enter_switch(continued)
    branches: list[ast.stmt] = []
    for position, case in enumerate(cases):
        statements = case.nodes if case.kind == "default" else case.nodes[1:]
        body = translator.block(statements) or [ast.Pass()]
        test = ast.Compare(LocalName(chosen, LOAD), [ast.LtE()], [ast.Constant(position)])
        branches.append(translator.with_position(ast.If(test, body, []), case))
    translator.jumps.leave()
    translator.variables.close_block()
    if not branches:
        return [set_value]
    once = ast.For(LocalName(translator.temporary(), STORE), ast.Tuple([ast.Constant(None)], LOAD), branches, [])
    clear = ast.Assign([LocalName(continued, STORE)], ast.Constant(False))
    whole: list[ast.stmt] = [set_value, set_chosen, clear, once]
    if translator.jumps.may_continue:
        whole.append(ast.If(LocalName(continued, LOAD), _continue_statements(translator.jumps), []))
    return whole


def _continue_statements(jumps: JumpTargets) -> list[ast.stmt]:
    """Return the Python statements for a ``continue`` at the current position, where it must be allowed.

    Directly in a loop it is Python's own. In a ``switch``, which is a Python loop too, they set a variable and leave
    it.
    """
    variable = jumps.switch_variable
    if variable is None:
        return [ast.Continue()]
    return [ast.Assign([LocalName(variable, STORE)], ast.Constant(True)), ast.Break()]


def _case_index(translator: Translator, cases: Sequence[SyntaxNode], value: str) -> ast.expr:
    """Return an expression for the index of the case at which a ``switch`` starts.

    It is the first case that equals the variable ``value``, else the default, else the number of cases, which selects
    none.
    """
    default = next((position for position, case in enumerate(cases) if case.kind == "default"), len(cases))
    choice: ast.expr = ast.Constant(default)
    for position in range(len(cases) - 1, -1, -1):
        case = cases[position]
        if case.kind == "case":
            equal = intrinsic("equal", LocalName(value, LOAD), translator.expression(case.nodes[0]))
            choice = ast.IfExp(translator.with_position(equal, case), ast.Constant(position), choice)
    return choice
