"""Compilation of the checked syntax tree of a script to the code object of one native function ``script(scope, …)``.

    x + 1    becomes    def script(_S, …):
                            try:
                                return _S["x"] + 1
                            except Exception as _X:
                                _E(_X)              # adds the location, trims the traceback
                                raise

Rules: a budget is created only for a script that has loops, or calls that could run for long. Every other script costs
about as much as the same code in Python. The compilation changes the given tree, so nothing else may use it afterwards.
"""

from __future__ import annotations

import ast
from types import CodeType

from taskrun.script.compiler.ast_builders import (
    BUDGET,
    EXPLAIN,
    LIMITS,
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
    """Return the code object of the native function that executes the statements ``body`` of a script.

    The native function has the parameters scope, function that adds the location to an exception, namespace and limits.
    Parameters: ``namespace`` contains the names of the namespace that the script reads. With ``lenient``, reading an
    unknown variable gives None instead of an error (XScript). With ``suspends``, the native function is a coroutine
    function, because the script contains ``await``.
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
    tree = ast.Module([_function_definition(statements, emitter, suspends)], [])
    ast.fix_missing_locations(tree)
    module = compile(tree, "<script>", "exec", dont_inherit=True, optimize=0)
    return next(found for found in module.co_consts if isinstance(found, CodeType))


def _function_definition(body: list[ast.stmt], emitter: MatchEmitter, suspends: bool) -> ast.stmt:
    """Return the AST node of the native function ``script``, whose statements are ``body``.

    They are put into a ``try``, which adds the location to an exception. If the emitter has found that the script can
    run for long, statements that create and end a budget are added. With ``suspends`` it is an ``async def``.
    """
    note = [ast.Expr(call(EXPLAIN, load("_X"))), ast.Raise(None, None)]
    handler = ast.ExceptHandler(load("Exception"), "_X", note)
    guarded = ast.Try(body or [ast.Pass()], [handler], [], [])
    whole: list[ast.stmt] = [guarded]
    if emitter.needs_budget:
        guarded.finalbody = [ast.Expr(ast.Call(ast.Attribute(load(BUDGET), "end", LOAD), [], []))]
        whole = [
            assign(BUDGET, call("_begin_budget", load(LIMITS))),
            assign(TICKS, ast.Attribute(load(BUDGET), "ticks", LOAD)),
            assign(TICK, ast.Attribute(load(BUDGET), "tick", LOAD)),
            guarded,
        ]
    parameters = [ast.arg(name) for name in (SCOPE, EXPLAIN, NAMESPACE, LIMITS)]
    arguments = ast.arguments(posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[])
    if suspends:
        return ast.AsyncFunctionDef(FUNCTION_NAME, arguments, whole, [], None)
    return ast.FunctionDef(FUNCTION_NAME, arguments, whole, [], None)


def _statements_outside_functions(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return all statements of a script, also nested ones, except those inside its functions.

    The compilation searches them for expression statements, because one of those may be the value of the script.
    """
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
