"""Data flow analysis of a script: the variables that it reads from its scope and assigns there.

Rules: a name counts as read unless the script has certainly assigned it before that point. A name that is assigned on
one way only is therefore in ``reads`` and in ``stores``; a search for misspelt names uses ``reads - stores``.
Parameters and local variables of functions, lambdas and comprehensions are not variables of the scope, as in Python.
Annotations are not evaluated and do not count.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class ProgramVariables(NamedTuple):
    """Names that a script may read from its scope (``reads``) and assign there (``stores``)."""

    reads: frozenset[str]
    stores: frozenset[str]


def find_variables(body: Iterable[ast.AST]) -> ProgramVariables:
    """Return the variables that a script reads from its scope and assigns there; ``body`` are its statements."""
    analysis = _VariableAnalysis()
    analysis.block(body)
    return ProgramVariables(frozenset(analysis.reads), frozenset(analysis.stores))


def bound_names(body: Iterable[ast.AST]) -> set[str]:
    """Return the local variables of a function without its parameters: the names that its ``body`` assigns."""
    found: set[str] = set()
    todo = [(node, False) for node in body]
    while todo:
        node, in_comprehension = todo.pop()
        children: Iterable[ast.AST] = ast.iter_child_nodes(node)
        if isinstance(node, ast.NamedExpr):
            found.add(node.target.id)
            children = [node.value]
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and not in_comprehension:
            found.add(node.id)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
            if isinstance(node, ast.FunctionDef):
                found.add(node.name)
            children = defaults(node)
        todo.extend((child, in_comprehension or isinstance(node, COMPREHENSIONS)) for child in children)
    return found


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function in one list, including ``*args`` and ``**kwargs``."""
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument for argument in (*listed, arguments.vararg, arguments.kwarg) if argument]


def function_names(node: ast.FunctionDef | ast.Lambda) -> frozenset[str]:
    """Return the local variables of a function: its parameters and the names that its body assigns."""
    body: Iterable[ast.AST] = node.body if isinstance(node, ast.FunctionDef) else [node.body]
    return frozenset([parameter.arg for parameter in parameters(node.args)]).union(bound_names(body))


def defaults(node: ast.FunctionDef | ast.Lambda) -> list[ast.expr]:
    """Return the AST nodes of a function's default values, which are evaluated when the function is defined."""
    return [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]


def iteration_names(node: Comprehension) -> frozenset[str]:
    """Return the iteration variables of a comprehension: ``x`` in ``[x + 1 for x in xs]``."""
    targets = (name for generator in node.generators for name in ast.walk(generator.target))
    return frozenset(name.id for name in targets if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store))


class _VariableAnalysis:
    """AST visitor that walks a script in evaluation order and collects ``reads`` and ``stores``.

    ``assigned`` are the names that have certainly been assigned when the current position is reached. ``locals`` are
    the local variables of each enclosing function and comprehension, the outermost first.
    """

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.stores: set[str] = set()
        self.assigned: set[str] = set()
        self.locals: list[set[str]] = []

    def block(self, nodes: Iterable[ast.AST]) -> None:
        """Analyze AST nodes in the given order, which must be the order of evaluation."""
        for node in nodes:
            self.visit(node)

    def visit(self, node: ast.AST) -> None:
        """Visit an AST node by the method ``visit_<Node>`` of its type, or its children if there is no such method."""
        method: Callable[[ast.AST], None] | None = getattr(self, "visit_" + type(node).__name__, None)
        if method:
            method(node)
        else:
            self.block(ast.iter_child_nodes(node))

    def either(self, *ways: Iterable[ast.AST]) -> None:
        """Visit blocks of code of which only one is executed, such as those of ``if`` and ``else``.

        Afterwards ``assigned`` has the names that every block assigns. Blocks that end by ``return``, ``raise``,
        ``break`` or ``continue`` do not count, because the code that follows is not reached through them.
        """
        before, after = set(self.assigned), []
        for way in ways:
            nodes = list(way)
            self.assigned = set(before)
            self.block(nodes)
            if not (nodes and isinstance(nodes[-1], (ast.Return, ast.Raise, ast.Break, ast.Continue))):
                after.append(self.assigned)
        self.assigned = set.intersection(*after) if after else before

    def inside(self, names: Iterable[str], nodes: Iterable[ast.AST]) -> None:
        """Visit the AST nodes inside a function or comprehension whose local variables are ``names``.

        Assignments in it do not count as certain for the code behind it, because it may run later or never.
        """
        before = set(self.assigned)
        self.locals.append(set(names))
        self.block(nodes)
        self.locals.pop()
        self.assigned = before

    def is_local(self, name: str) -> bool:
        """Return whether a name is a local variable of an enclosing function or comprehension."""
        return any(name in names for names in self.locals)

    def store(self, name: str) -> None:
        """Record that the script assigns a name of its scope; local variables and ``_`` are not recorded."""
        if name != "_" and not self.is_local(name):
            self.stores.add(name)
            self.assigned.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.store(node.id)
        elif isinstance(node.ctx, ast.Del):
            self.assigned.discard(node.id)
        elif node.id not in self.assigned and not self.is_local(node.id):
            self.reads.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.block([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
        self.block([node.value, node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.block([node.value, node.target])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.block([node.value, node.target])

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.either(node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self.either([node.body], [node.orelse])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self.either(node.values[1:], ())

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.either([node.target, *node.body], ())
        self.either(node.orelse, ())

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.either(node.body, ())
        self.either(node.orelse, ())

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.assigned)
        self.block([*node.body, *node.orelse])
        ends = [] if isinstance((node.orelse or node.body)[-1], (ast.Return, ast.Raise)) else [self.assigned]
        for handler in node.handlers:
            self.assigned = set(before)
            self.visit(handler)
            if not isinstance(handler.body[-1], (ast.Return, ast.Raise, ast.Break, ast.Continue)):
                ends.append(self.assigned)
        self.assigned = set(before)
        self.block(node.finalbody)
        if ends:
            self.assigned |= set.intersection(*ends)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before, after = set(self.assigned), []
        for case in node.cases:
            self.assigned = set(before)
            self.block([case.pattern, *([case.guard] if case.guard else []), *case.body])
            after.append(self.assigned)
        last = node.cases[-1]
        complete = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        self.assigned = set.intersection(*after) if complete else before

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.block([node.pattern] if node.pattern else [])
        if node.name:
            self.store(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self.store(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.block([*node.keys, *node.patterns])
        if node.rest:
            self.store(node.rest)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type:
            self.visit(node.type)
        if node.name:
            self.assigned.add(node.name)
        self.block(node.body)
        self.assigned.discard(node.name or "")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.block(defaults(node))
        self.inside(function_names(node), [node.body])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.block(defaults(node))
        self.store(node.name)
        self.inside(function_names(node), node.body)

    def visit_comprehensions(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        rest = [part for other in others for part in (other.iter, other.target, *other.ifs)]
        self.inside(iteration_names(node), [first.target, *first.ifs, *rest, *results])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehensions
