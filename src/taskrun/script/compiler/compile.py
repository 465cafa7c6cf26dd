"""A checked syntax tree to the code of one native function ``script(scope)``.

    x + 1    becomes    def script(_S, …):
                            try:
                                return _S["x"] + 1
                            except Exception as _X:
                                _E(_X)              # notes the place, trims the traceback
                                raise

Rules: a program that cannot run for long, because it has no loops and calls nothing that has any, has no budget and
costs what the native expression costs. The tree is used up.
"""

from __future__ import annotations

import ast
from types import CodeType

from taskrun.script.compiler.ast_builders import (
    BUDGET,
    LOAD,
    NAMESPACE,
    SCOPE,
    TICK,
    TICKS,
    VALUE,
    assign,
    call,
    constant,
    load,
)
from taskrun.script.compiler.matching import MatchEmitter

FUNCTION_NAME = "script"


def compile_program(body: list[ast.stmt], *, namespace: frozenset[str], lenient: bool, suspends: bool) -> CodeType:
    """Return the code of the function of a program.

    Parameters: ``table`` are the names that may be found in the table of names, ``lenient`` makes an unknown variable
    None, ``suspends`` makes it a coroutine function. The function's parameters are the scope, what explains an error,
    the namespace, and the limits.
    """
    emitter = MatchEmitter(namespace, lenient=lenient)
    last = body[-1] if body else None
    ends = isinstance(last, (ast.Expr, ast.Return, ast.Raise))
    emitter.stores_value = not ends and any(isinstance(node, ast.Expr) for node in _statements_outside_functions(body))
    statements = emitter.visit_block(body[:-1] if isinstance(last, ast.Expr) else body)
    if isinstance(last, ast.Expr):
        statements.append(ast.copy_location(ast.Return(emitter.visit(last.value)), last))
    elif emitter.stores_value:
        statements = [assign(VALUE, constant(None)), *statements, ast.Return(load(VALUE))]
    tree = ast.Module([_function(statements, emitter, suspends)], [])
    ast.fix_missing_locations(tree)
    module = compile(tree, "<script>", "exec", dont_inherit=True, optimize=0)
    return next(found for found in module.co_consts if isinstance(found, CodeType))


def _function(body: list[ast.stmt], emitter: MatchEmitter, suspends: bool) -> ast.stmt:
    note = [ast.Expr(call("_E", load("_X"))), ast.Raise(None, None)]
    handler = ast.ExceptHandler(load("Exception"), "_X", note)
    guarded = ast.Try(body or [ast.Pass()], [handler], [], [])
    whole: list[ast.stmt] = [guarded]
    if emitter.needs_budget:
        guarded.finalbody = [ast.Expr(ast.Call(ast.Attribute(load(BUDGET), "end", LOAD), [], []))]
        whole = [
            assign(BUDGET, call("_begin_budget", load("_L"))),
            assign(TICKS, ast.Attribute(load(BUDGET), "ticks", LOAD)),
            assign(TICK, ast.Attribute(load(BUDGET), "tick", LOAD)),
            guarded,
        ]
    parameters = [ast.arg(name) for name in (SCOPE, "_E", NAMESPACE, "_L")]
    arguments = ast.arguments(posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[])
    if suspends:
        return ast.AsyncFunctionDef(FUNCTION_NAME, arguments, whole, [], None)
    return ast.FunctionDef(FUNCTION_NAME, arguments, whole, [], None)


def _statements_outside_functions(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a program at any depth, without those of its functions."""
    found: list[ast.stmt] = []
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.stmt):
            found.append(node)
        if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            todo.extend(ast.iter_child_nodes(node))
    return found
