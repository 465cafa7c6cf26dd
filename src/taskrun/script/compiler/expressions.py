"""The handlers of expressions: what is guarded in them, and how.

Rules: each operand is evaluated once and in Python's order. Where Python's own operation cannot do harm for operands of
the types at hand it is emitted as such, behind a test of the exact types; everything else is a call of an operation.
"""

# ruff: noqa: D102 - a handler turns the node it is named for into what does the same, guarded

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import (
    STORE,
    both,
    call,
    choice,
    constant,
    is_kind,
    is_number,
    kind_is_in,
    load,
)
from taskrun.script.compiler.emitter import Emitter
from taskrun.script.ir import Intrinsic
from taskrun.script.sandbox.guard import GUARDED_METHODS, refused_attribute

_CHECKED = MappingProxyType(
    {ast.Mult: "_multiply", ast.Pow: "_power", ast.LShift: "_shift", ast.Mod: "_modulo", ast.Add: "_add"}
)
_LITERALS = (
    ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
    ast.JoinedStr, ast.Lambda,
)  # fmt: skip
_MOST_TEXTS = 3  # how many values an f-string has that is measured afterwards only
_SMALL = 1 << 31
_HARMLESS = frozenset(
    {
        "abs", "bool", "chr", "date", "datetime", "float", "inject", "isinstance", "len", "logDebug", "logError",
        "logInfo", "logWarn", "masked", "now", "ord", "print", "repr", "round", "time", "timedelta", "today",
        "uuid",
    }
)  # fmt: skip


class Expressions(Emitter):
    """Attributes, calls, operators, texts."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if refused_attribute(node.attr) or not isinstance(node.ctx, ast.Load):
            raise AssertionError(f"the attribute '{node.attr}' has passed the checks")
        value, name = self.visit(node.value), self.temporary()
        if node.attr in GUARDED_METHODS or name is None:
            self.budget = self.budget or node.attr in GUARDED_METHODS
            return call("_attribute", value, constant(node.attr))
        test = kind_is_in(ast.NamedExpr(ast.Name(name, STORE), value), "_PLAIN")
        own = ast.Attribute(load(name), node.attr, ast.Load())
        return choice(test, own, call("_attribute", load(name), constant(node.attr)))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return self.given(self.called(node), _shown(node.func))

    def called(self, node: ast.Call) -> ast.Call:
        """Return a call whose result is not guarded yet."""
        function = node.func
        harmless = isinstance(function, ast.Name) and function.id in _HARMLESS
        if isinstance(function, ast.Attribute):
            harmless = not (isinstance(function.value, ast.Name) and function.value.id in self.table)
        self.budget = self.budget or not harmless
        callee = self.visit(function)
        if not harmless:
            callee = self.callee(callee)
        return ast.Call(callee, self.all(node.args), self.all(node.keywords))

    def callee(self, function: ast.expr) -> ast.expr:
        """Return what is called; a type that consumes its arguments gets them through the budget."""
        name = self.temporary()
        if name is None:
            return call("_callee", function)
        test = is_kind(ast.NamedExpr(ast.Name(name, STORE), function), "type")
        return choice(test, call("_callee", load(name)), load(name))

    def given(self, value: ast.expr, giver: str) -> ast.expr:
        """Return the result of a call, guarded."""
        name = self.temporary()
        if name is None:
            return call("_given", value, constant(giver))
        test = kind_is_in(ast.NamedExpr(ast.Name(name, STORE), value), "_PLAIN")
        return choice(test, load(name), call("_given", load(name), constant(giver)))

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.budget = True
        value = self.called(node.value) if isinstance(node.value, ast.Call) else self.visit(node.value)
        shown = _shown(node.value.func if isinstance(node.value, ast.Call) else node.value)
        return self.given(ast.Await(call("_awaited", load("_B"), value, constant(shown))), shown)

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        if not isinstance(node.ctx, ast.Load):
            return ast.Starred(self.visit(node.value), node.ctx)
        self.budget = True
        return ast.Starred(call("_ticked", self.visit(node.value)), node.ctx)

    def visit_Intrinsic(self, node: Intrinsic) -> ast.expr:
        self.budget = True
        return call("_x_" + node.operation, *self.all(node.arguments))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        return self.operation(node.op, left, right)

    def operation(self, operator: ast.operator, left: ast.expr, right: ast.expr, prefix: str = "") -> ast.expr:
        """Return the guarded operation; ``prefix`` names a variant of the checked one."""
        checked = _CHECKED.get(type(operator))
        native = ast.BinOp(left, operator, right)
        if checked is None or (type(operator) is ast.Add and (_is_number(left) or _is_number(right)) and not prefix):
            return native
        careful = prefix + checked
        if type(operator) in {ast.Pow, ast.LShift} or not _is_simple(right):
            return call(careful, left, right)
        value = kind = left
        if not isinstance(left, ast.Name):
            name = self.temporary()
            if name is None:
                return call(careful, left, right)
            value, kind = load(name), ast.NamedExpr(ast.Name(name, STORE), left)
        test = is_number(kind) if type(operator) is not ast.Mult else _product_is_small(kind, value, right)
        return choice(test, ast.BinOp(value, operator, right), call(careful, value, right))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.children(node)
        if any(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops):
            node.left, *node.comparators = [_quiet(operand) for operand in (node.left, *node.comparators)]
        for index, operator in enumerate(node.ops):
            if isinstance(operator, (ast.In, ast.NotIn)) and not _is_display(node.comparators[index]):
                node.comparators[index] = call("_container", node.comparators[index])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.children(node)
        if isinstance(node.value, _LITERALS):
            node.value = call("_itself", node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = self.all(node.values)
        if sum(isinstance(part, ast.FormattedValue) for part in parts) > _MOST_TEXTS:
            return call("_joined", *(ast.JoinedStr([part]) for part in parts))
        return call("_measured", ast.JoinedStr(parts))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        value = self.visit(node.value)
        specification = node.format_spec
        if specification is None and node.conversion == -1:
            return ast.FormattedValue(call("_showable", value), -1, None)
        written = ast.JoinedStr(self.all(specification.values)) if isinstance(specification, ast.JoinedStr) else None
        text = call("_formatted", value, constant(node.conversion), written or constant(""))
        return ast.FormattedValue(text, -1, None)


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else "it"


def _quiet(node: ast.expr) -> ast.expr:
    """Return an operand of ``is`` about which Python does not warn."""
    return call("_itself", node) if isinstance(node, ast.Constant) and node.value is not None else node


def _is_number(node: ast.expr) -> bool:
    """Whether this is surely a number that makes no other one much bigger."""
    return isinstance(node, ast.Constant) and type(node.value) in {int, float} and abs(node.value) < _SMALL  # type: ignore[arg-type]


def _product_is_small(first: ast.expr, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return the test whether a product is one of a float, or of small integers; ``first`` binds the left operand."""
    tests = [is_kind(left, "int"), _is_small(left)]
    if not _is_number(right) and ast.dump(left) != ast.dump(right):
        tests += [is_kind(right, "int"), _is_small(right)]
    return ast.BoolOp(ast.Or(), [is_kind(first, "float"), both(*tests)])


def _is_small(node: ast.expr) -> ast.expr:
    return ast.Compare(constant(-_SMALL), [ast.Lt(), ast.Lt()], [node, constant(_SMALL)])


def _is_simple(node: ast.expr) -> bool:
    """Whether evaluating it again is cheap and changes nothing: a constant or a Python variable, or one of the scope."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == "_S" and isinstance(node.slice, ast.Constant)
    return isinstance(node, (ast.Constant, ast.Name))


def _is_display(node: ast.expr) -> bool:
    return isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Constant))
