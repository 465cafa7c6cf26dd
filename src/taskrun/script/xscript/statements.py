"""Translation of the statements of XScript: conditions, loops, ``return``, ``throw``, ``try`` and imports.

Rules: a ``for`` with three parts and a ``do`` become a ``while`` in Python, in which ``break`` and ``continue`` keep
their meaning. Names that are declared in a loop, a condition or a ``try`` are local to it.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from taskrun.script.ir import LocalName, intrinsic
from taskrun.script.xscript.assignments import (
    translate_assign,
    translate_change,
    translate_declaration,
    translate_step,
)
from taskrun.script.xscript.functions import translate_function
from taskrun.script.xscript.parse import SyntaxNode
from taskrun.script.xscript.patterns import destructure
from taskrun.script.xscript.switch import translate_break, translate_continue, translate_switch
from taskrun.script.xscript.translator import StatementHandlers, Translator, unsupported
from taskrun.script.xscript.variables import LOAD, STORE

_JAVA_CLASSES_WITH_EQUIVALENT = frozenset(
    {"List", "ArrayList", "LinkedList", "Map", "HashMap", "LinkedHashMap", "TreeMap", "Set", "HashSet", "LinkedHashSet"}
    | {"Date", "LocalDate", "LocalDateTime", "LocalTime", "Math", "String", "Arrays", "Collections", "Objects"}
)


def translate_empty(_translator: Translator, _node: SyntaxNode) -> list[ast.stmt]:
    """Return no statements for a semicolon alone."""
    return []


def translate_block(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate statements in braces."""
    return translator.body(node)


def translate_expression(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate an expression that is a statement."""
    return [ast.Expr(translator.expression(node.nodes[0]))]


def translate_if(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``if``, with its ``else`` if it has one."""
    test, then, *orelse = node.nodes
    otherwise = orelse[0] if orelse else None
    return [ast.If(translator.condition(test), translator.body(then), translator.body(otherwise) if otherwise else [])]


def translate_while(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate a ``while`` loop."""
    test, body = node.nodes
    return [ast.While(translator.condition(test), _loop_body(translator, body), [])]


def translate_do(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate a ``do`` loop to a ``while`` loop whose test is skipped in the first iteration."""
    body, condition = node.nodes
    first = translator.temporary()
    test = ast.BoolOp(ast.Or(), [LocalName(first, LOAD), translator.condition(condition)])
    done = ast.Assign([LocalName(first, STORE)], ast.Constant(False))
    loop = ast.While(test, [done, *_loop_body(translator, body)], [])
    return [ast.Assign([LocalName(first, STORE)], ast.Constant(True)), loop]


def translate_for(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``for (init; test; update)`` to a ``while`` loop.

    Every iteration but the first begins with the update, so that a ``continue`` does not skip the update.
    """
    first, test, following, body = node.nodes
    translator.variables.open_block()
    begun = translator.statement(first.nodes[0]) if first.nodes else []
    going = translator.temporary()
    step = translator.statement(following.nodes[0]) if following.nodes else []
    start = ast.Assign([LocalName(going, STORE)], ast.Constant(True))
    step_or_start = ast.If(LocalName(going, LOAD), step or [ast.Pass()], [start])
    turn: list[ast.stmt] = [step_or_start]
    if test.nodes:
        turn.append(ast.If(ast.UnaryOp(ast.Not(), translator.condition(test.nodes[0])), [ast.Break()], []))
    loop = ast.While(ast.Constant(True), [*turn, *_loop_body(translator, body)], [])
    translator.variables.close_block()
    return [*begun, ast.Assign([LocalName(going, STORE)], ast.Constant(False)), loop]


def translate_for_of(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``for (let x of items)``."""
    pattern, *_types, items, body = node.nodes
    iterable = intrinsic("iterate", translator.expression(items))
    translator.variables.open_block()
    own = translator.temporary()
    bound = destructure(translator, pattern, LocalName(own, LOAD), translator.variables.declare)
    loop = ast.For(LocalName(own, STORE), iterable, [*bound, *_loop_body(translator, body)], [])
    translator.variables.close_block()
    return [loop]


def _loop_body(translator: Translator, body: SyntaxNode) -> list[ast.stmt]:
    """Return the Python statements inside a loop, where ``break`` and ``continue`` are allowed."""
    translator.jumps.enter_loop()
    statements = translator.body(body)
    translator.jumps.leave()
    return statements


def translate_return(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``return``; without an expression the result is null."""
    return [ast.Return(translator.expression(node.nodes[0]) if node.nodes else ast.Constant(None))]


def translate_throw(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``throw``."""
    return [ast.Raise(intrinsic("exception_to_raise", translator.expression(node.nodes[0])), None)]


def translate_try(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Translate ``try`` with ``catch``, ``finally`` or both."""
    body, *rest = node.nodes
    if not rest:
        raise unsupported(node, "this try has neither catch nor finally", "write catch (e) { … }")
    statements = translator.body(body)
    handlers: list[ast.ExceptHandler] = []
    final: list[ast.stmt] = []
    for clause in rest:
        if clause.kind == "finally":
            final = translator.body(clause.nodes[-1])
        else:
            handlers.append(_catch_clause(translator, clause))
    return [ast.Try(statements, handlers, [], final)]


def _catch_clause(translator: Translator, clause: SyntaxNode) -> ast.ExceptHandler:
    """Return the ``except`` clause for ``catch (e) { … }``; the name ``e`` is local to it."""
    translator.variables.open_block()
    token = next((item for item in clause.children if not isinstance(item, SyntaxNode)), None)
    name = translator.variables.declare(token.text).id if token else None
    caught = translator.with_position(ast.ExceptHandler(None, name, translator.body(clause.nodes[-1])), clause)
    translator.variables.close_block()
    return caught


def translate_import(translator: Translator, node: SyntaxNode) -> list[ast.stmt]:
    """Add the imported name to the imports of the script; the result is no statement.

    Java classes that XScript has itself may be imported, without an effect. Raises ProblemsError for other Java
    classes.
    """
    qualified = node.nodes[0]
    words = [token.text for token in qualified.children]
    path = ".".join(words)
    is_java = words[0] in {"java", "javax"}
    translator.imports[words[-1]] = ("" if is_java else path, qualified.start)
    if is_java and words[-1] not in _JAVA_CLASSES_WITH_EQUIVALENT:
        hint = "import a Python class, or remove the import"
        raise unsupported(qualified, f"XScript has no Java classes: '{path}'", hint)
    return []


STATEMENT_HANDLERS: StatementHandlers = MappingProxyType(
    {
        "empty": translate_empty,
        "block": translate_block,
        "function": translate_function,
        "expression_": translate_expression,
        "declaration": translate_declaration,
        "assign": translate_assign,
        "change": translate_change,
        "step": translate_step,
        "if_": translate_if,
        "while_": translate_while,
        "do_": translate_do,
        "for_": translate_for,
        "for_of": translate_for_of,
        "switch": translate_switch,
        "break_": translate_break,
        "continue_": translate_continue,
        "return_": translate_return,
        "throw": translate_throw,
        "try_": translate_try,
        "import_": translate_import,
    }
)
"""The handlers of all kinds of statements."""
