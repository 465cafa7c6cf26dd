"""Node handlers of expressions: they add guards to attributes, calls, operators and formatted strings.

Rules: each operand is evaluated once and in Python's order. Many operations are harmless for operands of some types.
The emitted code then tests the exact types first: it executes Python's own operation for harmless ones, and calls the
guarded operation for all others.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import (
    BUDGET,
    SCOPE,
    STORE,
    call,
    conditional,
    conjunction,
    constant,
    load,
    type_is,
    type_is_in,
    type_is_number,
)
from taskrun.script.compiler.emitter import Emitter, NodeHandlers
from taskrun.script.ir import Intrinsic
from taskrun.script.sandbox.guard import GUARDED_METHODS, refused_attribute

_CHECKED = MappingProxyType(
    {ast.Mult: "_multiply", ast.Pow: "_power", ast.LShift: "_shift", ast.Mod: "_modulo", ast.Add: "_add"}
)
_LITERALS = (
    ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
    ast.JoinedStr, ast.Lambda,
)  # fmt: skip
_MAX_VALUES_MEASURED_ONCE = 3  # with more values, an f-string is measured before it is joined
_SMALL_LIMIT = 1 << 31
_UNMETERED = frozenset(
    {
        "abs", "bool", "chr", "date", "datetime", "float", "inject", "isinstance", "len", "logDebug", "logError",
        "logInfo", "logWarn", "masked", "now", "ord", "print", "repr", "round", "time", "timedelta", "today",
        "uuid",
    }
)  # fmt: skip


def emit_attribute(emitter: Emitter, node: ast.Attribute) -> ast.expr:
    """Return the replacement of ``value.name``, which reads a value of any type that is not harmless by the guard."""
    if refused_attribute(node.attr) or not isinstance(node.ctx, ast.Load):
        raise AssertionError(f"the sandbox checks did not refuse the attribute '{node.attr}'")
    value, name = emitter.visit(node.value), emitter.new_temporary()
    if node.attr in GUARDED_METHODS or name is None:
        emitter.require_budget(node.attr in GUARDED_METHODS)
        return call("_attribute", value, constant(node.attr))
    test = type_is_in(ast.NamedExpr(ast.Name(name, STORE), value), "_PLAIN")
    own = ast.Attribute(load(name), node.attr, ast.Load())
    return conditional(test, own, call("_attribute", load(name), constant(node.attr)))


def emit_call(emitter: Emitter, node: ast.Call) -> ast.expr:
    """Return the replacement of a call, which meters the called function and checks the result."""
    return checked_result(emitter, unchecked_call(emitter, node), _display_name(node.func))


def unchecked_call(emitter: Emitter, node: ast.Call) -> ast.Call:
    """Return the replacement of a call without the check of its result, which ``checked_result`` adds.

    If the called function could run for long, the script gets a budget, and ``metered_callee`` replaces the
    function.
    """
    function = node.func
    unmetered = isinstance(function, ast.Name) and function.id in _UNMETERED
    if isinstance(function, ast.Attribute):
        unmetered = not (isinstance(function.value, ast.Name) and function.value.id in emitter.namespace)
    emitter.require_budget(not unmetered)
    callee = emitter.visit(function)
    if not unmetered:
        callee = metered_callee(emitter, callee)
    return ast.Call(callee, emitter.visit_all(node.args), emitter.visit_all(node.keywords))


def metered_callee(emitter: Emitter, function: ast.expr) -> ast.expr:
    """Return an expression for what is called instead of ``function``: a type is replaced by its metered variant.

    Types such as ``list`` consume an iterable. Their metered variants charge the budget for each item. At run time,
    any other function is called as it is.
    """
    name = emitter.new_temporary()
    if name is None:
        return call("_metered_callee", function)
    test = type_is(ast.NamedExpr(ast.Name(name, STORE), function), "type")
    return conditional(test, call("_metered_callee", load(name)), load(name))


def checked_result(emitter: Emitter, value: ast.expr, function_name: str) -> ast.expr:
    """Return an expression that evaluates a call and checks that the script may receive the result.

    At run time the check raises TypeError for a refused result, such as a module or a coroutine that is not
    awaited. Parameters: ``value`` is the AST node of the call, ``function_name`` the name of the function for the
    message.
    """
    name = emitter.new_temporary()
    if name is None:
        return call("_checked_result", value, constant(function_name))
    test = type_is_in(ast.NamedExpr(ast.Name(name, STORE), value), "_PLAIN")
    return conditional(test, load(name), call("_checked_result", load(name), constant(function_name)))


def emit_await(emitter: Emitter, node: ast.Await) -> ast.expr:
    """Return the replacement of ``await``, which pauses the clock of the budget and checks the result."""
    emitter.require_budget()
    value = unchecked_call(emitter, node.value) if isinstance(node.value, ast.Call) else emitter.visit(node.value)
    shown = _display_name(node.value.func if isinstance(node.value, ast.Call) else node.value)
    return checked_result(emitter, ast.Await(call("_awaited", load(BUDGET), value, constant(shown))), shown)


def emit_starred(emitter: Emitter, node: ast.Starred) -> ast.expr:
    """Return the replacement of ``*value``: where its items are read, each of them charges the budget one tick."""
    if not isinstance(node.ctx, ast.Load):
        return ast.Starred(emitter.visit(node.value), node.ctx)
    emitter.require_budget()
    return ast.Starred(call("_ticked", emitter.visit(node.value)), node.ctx)


def emit_intrinsic(emitter: Emitter, node: Intrinsic) -> ast.expr:
    """Return the call of the built-in operation of XScript that an Intrinsic names."""
    emitter.require_budget()
    return call("_x_" + node.operation, *emitter.visit_all(node.arguments))


def emit_bin_op(emitter: Emitter, node: ast.BinOp) -> ast.expr:
    """Return the replacement of ``left operator right``, which checks the size of the result."""
    left, right = emitter.visit(node.left), emitter.visit(node.right)
    return checked_operation(emitter, node.op, left, right)


def checked_operation(
    emitter: Emitter, operator: ast.operator, left: ast.expr, right: ast.expr, *, in_place: bool = False
) -> ast.expr:
    """Return an expression for ``left operator right`` that raises OverflowError if the result would be too large.

    Operations whose result is certainly small remain Python's own. With ``in_place``, the expression gives the
    value that an assignment such as ``left += right`` assigns.
    """
    checked = _CHECKED.get(type(operator))
    native = ast.BinOp(left, operator, right)
    if checked is None or (
        type(operator) is ast.Add and (_is_small_number(left) or _is_small_number(right)) and not in_place
    ):
        return native
    function = "_in_place_" + type(operator).__name__ if in_place else checked
    if type(operator) in {ast.Pow, ast.LShift} or not _is_cheap_to_repeat(right):
        return call(function, left, right)
    value = kind = left
    if not isinstance(left, ast.Name):
        name = emitter.new_temporary()
        if name is None:
            return call(function, left, right)
        value, kind = load(name), ast.NamedExpr(ast.Name(name, STORE), left)
    test = type_is_number(kind) if type(operator) is not ast.Mult else _product_is_small(kind, value, right)
    return conditional(test, ast.BinOp(value, operator, right), call(function, value, right))


def emit_compare(emitter: Emitter, node: ast.Compare) -> ast.expr:
    """Return the comparison itself with replaced operands; the search of ``in`` in an iterable charges the budget."""
    emitter.visit_children(node)
    if any(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops):
        node.left, *node.comparators = [_without_warning(operand) for operand in (node.left, *node.comparators)]
    for index, operator in enumerate(node.ops):
        if isinstance(operator, (ast.In, ast.NotIn)) and not _is_container_display(node.comparators[index]):
            node.comparators[index] = call("_container", node.comparators[index])
    return node


def emit_subscript(emitter: Emitter, node: ast.Subscript) -> ast.expr:
    """Return ``value[key]`` itself with replaced parts; a literal ``value`` is put into a call to avoid a warning."""
    emitter.visit_children(node)
    if isinstance(node.value, _LITERALS):
        node.value = call("_unchanged", node.value)
    return node


def emit_joined_str(emitter: Emitter, node: ast.JoinedStr) -> ast.expr:
    """Return the replacement of an f-string, which checks the size of the text."""
    parts = emitter.visit_all(node.values)
    if sum(isinstance(part, ast.FormattedValue) for part in parts) > _MAX_VALUES_MEASURED_ONCE:
        return call("_joined", *(ast.JoinedStr([part]) for part in parts))
    return call("_measured", ast.JoinedStr(parts))


def emit_formatted_value(emitter: Emitter, node: ast.FormattedValue) -> ast.expr:
    """Return the replacement of a part ``{value!r:format}`` of an f-string, formatted by a guarded operation."""
    value = emitter.visit(node.value)
    specification = node.format_spec
    if specification is None and node.conversion == -1:
        return ast.FormattedValue(call("_showable", value), -1, None)
    written = (
        ast.JoinedStr(emitter.visit_all(specification.values)) if isinstance(specification, ast.JoinedStr) else None
    )
    text = call("_formatted", value, constant(node.conversion), written or constant(""))
    return ast.FormattedValue(text, -1, None)


def _display_name(node: ast.AST) -> str:
    """Return the name of a called function for messages.

    For an attribute it is the last name (``b`` of ``a.b``), for a variable its name, for anything else "it".
    """
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else "it"


def _without_warning(node: ast.expr) -> ast.expr:
    """Return an operand of ``is`` in a form for which Python emits no SyntaxWarning: a literal is put into a call."""
    return call("_unchanged", node) if isinstance(node, ast.Constant) and node.value is not None else node


def _is_small_number(node: ast.expr) -> bool:
    """Return whether an AST node is an int or float literal between -2**31 and 2**31 (both excluded)."""
    return isinstance(node, ast.Constant) and type(node.value) in {int, float} and abs(node.value) < _SMALL_LIMIT  # type: ignore[arg-type]


def _product_is_small(first: ast.expr, left: ast.expr, right: ast.expr) -> ast.expr:
    """Return the AST node of a test that the product of ``left`` and ``right`` cannot become too large.

    The test is true if the left operand is a float, or both are ints between -2**31 and 2**31. Parameters: ``left``
    reads the variable with the left operand; ``first`` also evaluates the operand and sets that variable.
    """
    tests = [type_is(left, "int"), _small_test(left)]
    if not _is_small_number(right) and ast.dump(left) != ast.dump(right):
        tests += [type_is(right, "int"), _small_test(right)]
    return ast.BoolOp(ast.Or(), [type_is(first, "float"), conjunction(*tests)])


def _small_test(node: ast.expr) -> ast.expr:
    """Return the AST node of the test ``-2**31 < node < 2**31``."""
    return ast.Compare(constant(-_SMALL_LIMIT), [ast.Lt(), ast.Lt()], [node, constant(_SMALL_LIMIT)])


def _is_cheap_to_repeat(node: ast.expr) -> bool:
    """Return whether an AST node is a constant or reads a variable.

    Such a node may be emitted twice, because evaluating it is cheap and has no side effect.
    """
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id == SCOPE and isinstance(node.slice, ast.Constant)
    return isinstance(node, (ast.Constant, ast.Name))


def _is_container_display(node: ast.expr) -> bool:
    """Return whether an AST node is a list, tuple, set, dict or constant written in the script.

    As the right operand of ``in`` it is as short as the text of the script, so its items need not be charged to the
    budget.
    """
    return isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Constant))


EXPRESSION_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Attribute: emit_attribute,
        ast.Call: emit_call,
        ast.Await: emit_await,
        ast.Starred: emit_starred,
        Intrinsic: emit_intrinsic,
        ast.BinOp: emit_bin_op,
        ast.Compare: emit_compare,
        ast.Subscript: emit_subscript,
        ast.JoinedStr: emit_joined_str,
        ast.FormattedValue: emit_formatted_value,
    }
)
