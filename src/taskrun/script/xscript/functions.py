"""Translation of the functions of XScript.

Rules: a parameter without argument is null, surplus arguments are ignored. An arrow function whose result is a plain
expression becomes a lambda. Any other function becomes a ``def`` before the statement that contains it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.patterns import destructure
from taskrun.script.xscript.translator import Translator
from taskrun.script.xscript.variables import LOAD


def translate_arrow(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate an arrow function such as ``(a, b) => a + b``."""
    return _arrow_function(translator, node, node.nodes[0].nodes, node.nodes[-1])


def translate_arrow_of_one(translator: Translator, node: SyntaxNode) -> ast.expr:
    """Translate an arrow function of one parameter without parentheses, such as ``a => a + 1``."""
    token = node.children[0]
    pattern = SyntaxNode("name_pattern", (token,), token.start, token.end)
    parameter = SyntaxNode("parameter", (pattern,), token.start, token.end)
    return _arrow_function(translator, node, [parameter], node.nodes[-1])


def translate_function(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``function name() { … }`` to a ``def``.

    Outside of blocks the name is a variable of the scope; a statement that assigns the function to it is then added.
    """
    token, parameters, *rest = node.children
    target = translator.variables.declare(token.text)
    defaults = [_default_value(translator, parameter) for parameter in parameters.nodes]
    _enter_function(translator)
    arguments, prelude = _translate_parameters(translator, parameters.nodes, defaults)
    statements = translator.block(rest[-1].nodes)
    assigned = _leave_function(translator)
    name = target.id if isinstance(target, LocalName) else translator.variables.unique_name(token.text)
    defined = _definition(name, arguments, [*prelude, *statements], assigned)
    return [defined] if isinstance(target, LocalName) else [defined, ast.Assign([target], LocalName(name, LOAD))]


def _arrow_function(
    translator: Translator, node: SyntaxNode, parameters: Sequence[SyntaxNode], body: SyntaxNode
) -> ast.expr:
    """Return an expression for an arrow function: a lambda, or the name of a function that is defined by ``def``.

    A ``def`` is needed if the function contains statements, or patterns that take its arguments apart. It is added to
    ``hoisted``, to be inserted before the statement that contains the arrow function.
    """
    outer, translator.hoisted = translator.hoisted, []
    defaults = [_default_value(translator, parameter) for parameter in parameters]
    outer += translator.hoisted
    _enter_function(translator)
    translator.hoisted = []
    arguments, prelude = _translate_parameters(translator, parameters, defaults)
    if body.kind == "block":
        value = None
        statements = translator.block(body.nodes)
    else:
        value = translator.expression(body)
        statements = [*translator.hoisted, translator.with_position(ast.Return(value), body)]
    assigned = _leave_function(translator)
    before, translator.hoisted = translator.hoisted, outer
    if value is not None and not (before or prelude or assigned):
        return ast.Lambda(arguments, value)
    name = translator.variables.unique_name("arrow")
    defined = _definition(name, arguments, [*prelude, *statements], assigned)
    translator.hoisted.append(translator.with_position(defined, node))
    return LocalName(name, LOAD)


def _enter_function(translator: Translator) -> None:
    """Begin a function: its parameters and variables are declared in a new block of names.

    The block ends with ``_leave_function``.
    """
    translator.variables.functions.append(set())
    translator.variables.open_block()
    translator.jumps.enter_function()


def _leave_function(translator: Translator) -> set[str]:
    """End the innermost function, and return the variables of outer functions and blocks that it assigns.

    They are internal names such as ``x@3``, for the ``nonlocal`` statement at the start of the function.
    """
    translator.jumps.leave()
    translator.variables.close_block()
    return translator.variables.functions.pop()


def _definition(name: str, arguments: ast.arguments, body: list[ast.stmt], assigned: set[str]) -> ast.stmt:
    """Return the AST node of a ``def``, whose first statement declares the variables ``assigned`` as nonlocal."""
    outer: list[ast.stmt] = [ast.Nonlocal(sorted(assigned))] if assigned else []
    return ast.FunctionDef(name, arguments, [*outer, *(body or [ast.Pass()])], [], None)


def _default_value(translator: Translator, parameter: SyntaxNode) -> ast.expr:
    """Return the expression for the default value of a parameter; it is null (None in Python) if there is none."""
    values = [child for child in parameter.nodes[1:] if child.kind != "type"]
    return translator.expression(values[0]) if parameter.kind == "parameter" and values else ast.Constant(None)


def _translate_parameters(
    translator: Translator, parameters: Sequence[SyntaxNode], defaults: Sequence[ast.expr]
) -> tuple[ast.arguments, list[ast.stmt]]:
    """Return the Python parameters of a function, and the statements that must be executed at its start.

    These statements take apart the arguments whose parameter is a pattern, as in ``({a, b}) => a + b``, and make a list
    of ``...rest``. Functions in the patterns are defined before them, inside the function, because they may read its
    parameters. Parameters: ``defaults`` are the expressions for the default values.
    """
    variables = translator.variables
    outer, translator.hoisted = translator.hoisted, []
    names: list[ast.arg] = []
    prelude: list[ast.stmt] = []
    rest = ast.arg(variables.unique_name("rest"))
    for parameter in parameters:
        first = parameter.children[0]
        if parameter.kind == "rest":
            rest = ast.arg(variables.unique_name("rest"))
            target = variables.declare(first.text)
            values = intrinsic("rest_list", LocalName(rest.arg, LOAD))
            prelude.append(translator.with_position(ast.Assign([target], values), parameter))
        elif first.kind == "name_pattern":
            names.append(ast.arg(variables.declare(first.children[0].text).id))
        else:
            own = variables.unique_name("argument")
            names.append(ast.arg(own))
            prelude += destructure(translator, first, LocalName(own, LOAD), variables.declare)
    listed = ast.arguments(
        posonlyargs=[],
        args=names,
        vararg=rest,
        kwonlyargs=[],
        kw_defaults=[],
        defaults=list(defaults[: len(names)]),
    )
    prelude, translator.hoisted = [*translator.hoisted, *prelude], outer
    return listed, prelude
