"""Node handler of ``match``: returns a sequence of ``if`` statements, so that patterns read attributes by the guard.

    match order:                         _t1 = order
        case {"items": [first, *_]}:     if _match_mapping(_t1, ("items",), …) and …:
            first["price"]                   first = …

Rules: the subject (the value behind ``match``) is evaluated once. The names in a pattern are assigned as soon as the
whole pattern has matched, before the ``if`` of its ``case`` is evaluated, as in Python. A class pattern reads
attributes through the guard.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import MappingProxyType

from taskrun.script.compiler.ast_builders import STORE, assign, call, constant, load
from taskrun.script.compiler.emitter import Emitter, NodeHandlers


def emit_match(emitter: Emitter, node: ast.Match) -> list[ast.stmt]:
    """Return the statements that replace ``match``: assignments of the subject, then one ``if`` for each ``case``."""
    subject, unmatched = emitter.new_temporary() or "", emitter.new_temporary() or ""
    before: list[ast.stmt] = [assign(subject, emitter.visit(node.subject)), assign(unmatched, constant(True))]
    cases = [statement for case in node.cases for statement in emit_case(emitter, case, subject, unmatched)]
    return [*before, *cases]


def emit_case(emitter: Emitter, case: ast.match_case, subject: str, unmatched: str) -> list[ast.stmt]:
    """Return the statements that replace one ``case`` of a ``match``.

    Parameters: ``subject`` is the Python variable with the value to match. ``unmatched`` is the Python variable
    that is true until a ``case`` has been selected; later ones are then skipped.
    """
    names: dict[str, str] = {}
    test = pattern_test(emitter, case.pattern, load(subject), names)
    targets = [ast.copy_location(ast.Name(name, STORE), case.pattern) for name in names]
    binds: list[ast.stmt] = [
        ast.Assign([emitter.visit(target)], load(own)) for target, own in zip(targets, names.values(), strict=True)
    ]
    taken = [assign(unmatched, constant(False)), *emitter.visit_block(case.body)]
    inner = [ast.If(emitter.visit(case.guard), taken, [])] if case.guard else taken
    return [ast.If(ast.BoolOp(ast.And(), [load(unmatched), test]), [*binds, *inner], [])]


def pattern_test(  # noqa: PLR0911 - one return per kind of pattern
    emitter: Emitter, pattern: ast.pattern, subject: ast.expr, names: dict[str, str]
) -> ast.expr:
    """Return an expression that is true if ``subject`` matches ``pattern``.

    The expression also stores each captured value in a temporary variable. Parameters: ``names`` is an output: the
    function adds the temporary variable of each name that the pattern captures.
    """
    match pattern:
        case ast.MatchValue():
            return ast.Compare(subject, [ast.Eq()], [emitter.visit(pattern.value)])
        case ast.MatchSingleton():
            return ast.Compare(subject, [ast.Is()], [constant(pattern.value)])
        case ast.MatchAs():
            own = capture(pattern.name, subject, names) if pattern.name else constant(True)
            return (
                own if pattern.pattern is None else _all([pattern_test(emitter, pattern.pattern, subject, names), own])
            )
        case ast.MatchOr():
            return ast.BoolOp(ast.Or(), [pattern_test(emitter, part, subject, names) for part in pattern.patterns])
        case ast.MatchSequence():
            return sequence_test(emitter, pattern.patterns, subject, names)
        case ast.MatchMapping():
            return mapping_test(emitter, pattern, subject, names)
        case ast.MatchClass():
            positions = constant(len(pattern.patterns))
            words = ast.Tuple([constant(name) for name in pattern.kwd_attrs], ast.Load())
            found = call("_match_class", subject, emitter.visit(pattern.cls), positions, words)
            return parts_test(emitter, found, [*pattern.patterns, *pattern.kwd_patterns], names)
    raise AssertionError(f"the sandbox checks did not refuse {type(pattern).__name__}")


def capture(name: str, value: ast.expr, names: dict[str, str]) -> ast.expr:
    """Return an expression that stores ``value`` in the temporary variable of a captured name.

    The expression itself is always true. ``names`` is an output: the function adds the temporary variable
    under ``name``.
    """
    own = names.setdefault(name, f"_m_{name}")
    return ast.Tuple([ast.NamedExpr(ast.Name(own, STORE), value)], ast.Load())


def sequence_test(
    emitter: Emitter, patterns: Sequence[ast.pattern], subject: ast.expr, names: dict[str, str]
) -> ast.expr:
    """Return an expression that is true if ``subject`` matches the sequence pattern ``[*patterns]``.

    ``names`` is an output: it receives the temporary variable of each captured name.
    """
    star = next((index for index, part in enumerate(patterns) if isinstance(part, ast.MatchStar)), None)
    found = call("_match_sequence", subject, constant(len(patterns)), constant(star))
    parts: list[ast.pattern] = [
        ast.MatchAs(None, part.name) if isinstance(part, ast.MatchStar) else part for part in patterns
    ]
    return parts_test(emitter, found, parts, names)


def mapping_test(emitter: Emitter, pattern: ast.MatchMapping, subject: ast.expr, names: dict[str, str]) -> ast.expr:
    """Return an expression that is true if ``subject`` matches a mapping pattern, such as ``{"a": x, **others}``.

    ``names`` is an output: it receives the temporary variable of each captured name.
    """
    keys = ast.Tuple([emitter.visit(key) for key in pattern.keys], ast.Load())
    found = call("_match_mapping", subject, keys, constant(pattern.rest is not None))
    rest: list[ast.pattern] = [ast.MatchAs(None, pattern.rest)] if pattern.rest else []
    return parts_test(emitter, found, [*pattern.patterns, *rest], names)


def parts_test(emitter: Emitter, found: ast.expr, patterns: Sequence[ast.pattern], names: dict[str, str]) -> ast.expr:
    """Return an expression that is true if ``found`` is a tuple whose items match ``patterns``, one by one.

    Parameters: ``found`` is a call of a function of ``match_operations``, which returns None if the subject cannot
    match. ``names`` is an output: it receives the temporary variable of each captured name.
    """
    own = emitter.new_temporary() or ""
    test = ast.Compare(ast.NamedExpr(ast.Name(own, STORE), found), [ast.IsNot()], [constant(None)])
    inner = [
        pattern_test(emitter, part, ast.Subscript(load(own), constant(index), ast.Load()), names)
        for index, part in enumerate(patterns)
    ]
    return _all([test, *inner])


def _all(tests: list[ast.expr]) -> ast.expr:
    """Return the AST node of ``test and test and …``, or the test itself if there is only one."""
    return ast.BoolOp(ast.And(), tests) if len(tests) > 1 else tests[0]


MATCH_HANDLERS: NodeHandlers = MappingProxyType({ast.Match: emit_match})
