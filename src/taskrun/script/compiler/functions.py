"""Node handlers of functions, lambdas and comprehensions: these become native Python ones that charge the budget.

Rules: arguments, closures and scopes are exactly Python's. Each call of a function and each iteration of a
comprehension consumes one tick. A function may be called after the evaluation that defined it has ended, for example as
a callback; each such call renews the budget. A lambda without calls and comprehensions needs no budget.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import BUDGET, STORE, TICK, TICKS, assign, call, load, scope_variable
from taskrun.script.compiler.emitter import Emitter, NodeHandlers
from taskrun.script.compiler.targets import assignment_target, metered_unpacking
from taskrun.script.parameters import without_annotations
from taskrun.script.variables import Comprehension

_METERED_NODES = (ast.Call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_HAS_OUTLIVED = "_o"  # whether the evaluation had ended when the function was called


def emitted_parameters(emitter: Emitter, node: ast.arguments) -> ast.arguments:
    """Return the parameters of a function without annotations and with guarded replacements of default values."""
    keyword_defaults = [emitter.visit(default) if default else None for default in node.kw_defaults]
    return without_annotations(node, defaults=emitter.visit_all(node.defaults), keyword_defaults=keyword_defaults)


def emit_lambda(emitter: Emitter, node: ast.Lambda) -> ast.expr:
    """Return the replacement of a lambda; its body charges the budget only if it has calls or comprehensions."""
    arguments = emitted_parameters(emitter, node.args)
    emitter.enter_function(node)
    body = emitter.visit(node.body)
    emitter.leave_function()
    if any(isinstance(part, _METERED_NODES) for part in ast.walk(node.body)):
        emitter.require_budget()
        bare = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        body = call("_metered_lambda", load(BUDGET), ast.Lambda(bare, body))
    return ast.Lambda(arguments, body)


def emit_function_def(emitter: Emitter, node: ast.FunctionDef) -> list[ast.stmt]:
    """Return the statements that define a function and, if its name is not local, store it in the scope."""
    emitter.require_budget()
    if node.name.startswith("_") and node.name != "_" and "@" not in node.name:
        raise AssertionError(f"the sandbox checks did not refuse the name '{node.name}'")
    arguments = emitted_parameters(emitter, node.args)
    emitter.enter_function(node)
    body = emitter.visit_block(node.body)
    emitter.leave_function()
    nonlocals = [part for part in body if isinstance(part, ast.Nonlocal)]
    rest = [part for part in body if not isinstance(part, ast.Nonlocal)]
    renew = ast.If(load(_HAS_OUTLIVED), [ast.Expr(ast.Call(_budget_attribute("renew"), [], []))], [])
    end = ast.If(load(_HAS_OUTLIVED), [ast.Expr(ast.Call(_budget_attribute("end"), [], []))], [])
    tick = ast.Expr(ast.Call(load(TICK), [], []))
    whole = [
        *nonlocals,
        assign(_HAS_OUTLIVED, _budget_attribute("ended")),
        renew,
        ast.Try([tick, *rest], [], [], [end]),
    ]
    defined = ast.FunctionDef(node.name, arguments, whole, [], None)
    if emitter.is_local(node.name) or "@" in node.name:
        return [defined]
    return [defined, ast.Assign([scope_variable(node.name, STORE)], load(node.name))]


def emit_comprehension(emitter: Emitter, node: Comprehension) -> ast.expr:
    """Return the replacement of a comprehension, in which each iteration charges the budget one tick.

    The first iterable is replaced before the iteration variables become local, because Python evaluates it outside
    of the comprehension.
    """
    emitter.require_budget()
    first = node.generators[0]
    outermost = emitter.visit_iterable(first.iter)
    emitter.enter_comprehension(node)
    for generator in node.generators:
        items = outermost if generator is first else emitter.visit_iterable(generator.iter)
        generator.iter = call("_compress", metered_unpacking(items, generator.target), load(TICKS))
        generator.target = assignment_target(emitter, generator.target)
        generator.ifs = emitter.visit_all(generator.ifs)
    if isinstance(node, ast.DictComp):
        node.key, node.value = emitter.visit(node.key), emitter.visit(node.value)
    else:
        node.elt = emitter.visit(node.elt)
    emitter.leave_comprehension()
    return node


def _budget_attribute(name: str) -> ast.Attribute:
    """Return the AST node that reads the attribute ``name`` of the budget of the evaluation."""
    return ast.Attribute(load(BUDGET), name, ast.Load())


FUNCTION_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Lambda: emit_lambda,
        ast.FunctionDef: emit_function_def,
        ast.ListComp: emit_comprehension,
        ast.SetComp: emit_comprehension,
        ast.DictComp: emit_comprehension,
        ast.GeneratorExp: emit_comprehension,
    }
)
