"""Compilation of the checked syntax tree of a script to one native Python function ``script(scope, …)``.

    x + 1    becomes    def script(_S, …):
                            try:
                                return _S["x"] + 1
                            except Exception as _X:
                                _E(_X)              # adds the location, trims the traceback
                                raise

Rules: a budget is created only for a script that has loops, or calls that could run for long. Every other script costs
about as much as the same code in Python. The compilation changes the given tree, so nothing else may use it afterwards.
Scripts with the same text are compiled once and share the code. Each location of that text has a native function of its
own, so that tracebacks and failures show the right file and lines.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

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
from taskrun.script.compiler.emitter import NAME_HANDLERS, Emitter, NodeHandlers
from taskrun.script.compiler.expressions import EXPRESSION_HANDLERS
from taskrun.script.compiler.failures import CodeOrigin, explain
from taskrun.script.compiler.functions import FUNCTION_HANDLERS
from taskrun.script.compiler.matching import MATCH_HANDLERS
from taskrun.script.compiler.operations import operations
from taskrun.script.compiler.statements import STATEMENT_HANDLERS
from taskrun.script.limits import Limits
from taskrun.script.program import ScriptProgram
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource

FUNCTION_NAME = "script"

HANDLERS: NodeHandlers = MappingProxyType(
    {**NAME_HANDLERS, **EXPRESSION_HANDLERS, **STATEMENT_HANDLERS, **FUNCTION_HANDLERS, **MATCH_HANDLERS}
)
"""The node handlers of all types of AST nodes that are replaced; other nodes remain, with their children replaced."""


def native_function(
    program: ScriptProgram, part: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Return the native function of a script: it takes the scope as its argument and returns the value of the script.

    For a script with ``await`` it returns a coroutine. Parameters: ``program`` is the parsed and checked script,
    ``part`` its text with its position in the file. ``namespace`` contains the names that it can read besides
    variables. The first call compiles ``program``; further calls use the same code.
    """
    names = program.variables.reads.intersection(namespace)

    def make(body: Any) -> _CodeByFile:
        code = compile_program(body, namespace=names, lenient=program.lenient, suspends=program.suspends)
        return _CodeByFile(code, any(isinstance(item, CodeType) for item in code.co_consts))

    path = part.node.source.path if part.node.places is None else part.location(0).path
    codes: _CodeByFile = program.compile_once(make)
    lines = _line_offset(program, part) if codes.nested else 0
    code = codes.at(path, lines)
    explain_error = partial(explain, CodeOrigin(code, lines, part, program.parsed, namespace))
    return FunctionType(code, operations(program.lenient), FUNCTION_NAME, (explain_error, namespace, limits))


def compile_program(body: list[ast.stmt], *, namespace: frozenset[str], lenient: bool, suspends: bool) -> CodeType:
    """Return the code object of the native function that executes the statements ``body`` of a script.

    The native function has the parameters scope, function that adds the location to an exception, namespace and limits.
    Parameters: ``namespace`` contains the names of the namespace that the script reads. With ``lenient``, reading an
    unknown variable gives None instead of an error (XScript). With ``suspends``, the native function is a coroutine
    function, because the script contains ``await``.
    """
    emitter = Emitter(HANDLERS, namespace, lenient=lenient)
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


def _function_definition(body: list[ast.stmt], emitter: Emitter, suspends: bool) -> ast.stmt:
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


class _CodeByFile:
    """Code object of one script text, with a cached copy for each file that contains the text."""

    __slots__ = ("_shared", "code", "nested")

    def __init__(self, code: CodeType, nested: bool) -> None:
        self.code = code
        self.nested = nested  # whether it has functions, which need the lines of the file
        self._shared: dict[str, CodeType] = {}

    def at(self, path: str, lines: int) -> CodeType:
        """Return a copy of the code for the file ``path``; if it has functions, its line numbers grow by ``lines``.

        Code without functions is shared by all its locations in the file: ``explain`` gives its tracebacks the right
        lines.
        """
        if self.nested:
            return _moved_code(self.code, path, lines)
        if path not in self._shared:
            self._shared[path] = _moved_code(self.code, path, 0)
        return self._shared[path]


def _line_offset(program: ScriptProgram, part: ScriptSource) -> int:
    """Return the number to add to a line of the syntax tree to get the line in the task file."""
    line = 2 if program.parsed.index(1, 0) < 0 else 1
    return part.location(max(0, program.parsed.index(line, 0))).line - line


def _moved_code(code: CodeType, file: str, lines: int) -> CodeType:
    """Return a copy of a code object for the file path ``file``, with ``lines`` added to its line numbers.

    The code objects of functions inside it are changed in the same way.
    """
    constants = tuple(_moved_code(item, file, lines) if isinstance(item, CodeType) else item for item in code.co_consts)
    first = max(0, code.co_firstlineno + lines)
    name = code.co_qualname.removeprefix("script.<locals>.")
    return code.replace(co_consts=constants, co_filename=file, co_firstlineno=first, co_qualname=name)
