"""Emitter of ``match``: replaces it by a chain of ``if`` statements, so that attributes in patterns pass the guard.

    match order:                         _t1 = order
        case {"items": [first, *_]}:     if _match_mapping(_t1, ("items",), …) and …:
            first["price"]                   first = …

Rules: the subject is evaluated once. The names of a pattern are assigned when the whole pattern has matched, before its
``if`` is evaluated, as in Python. A class pattern reads attributes through the guard.
"""

# ruff: noqa: D102 - a method visit_<Node> returns the guarded replacement of that node

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.compiler.ast_builders import STORE, assign, call, constant, load
from taskrun.script.compiler.functions import FunctionEmitter


class MatchEmitter(FunctionEmitter):
    """Emitter of ``match`` statements; it inherits the emitters of all other AST nodes and is therefore complete."""

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        subject, unmatched = self.new_temporary() or "", self.new_temporary() or ""
        before: list[ast.stmt] = [assign(subject, self.visit(node.subject)), assign(unmatched, constant(True))]
        cases = [statement for case in node.cases for statement in self.emit_case(case, subject, unmatched)]
        return [*before, *cases]

    def emit_case(self, case: ast.match_case, subject: str, unmatched: str) -> list[ast.stmt]:
        """Return the ``if`` statement that replaces one ``case``.

        Parameters: ``subject`` is the variable with the value to match, ``unmatched`` the variable that is true until a
        case is selected.
        """
        names: dict[str, str] = {}
        test = self.pattern_test(case.pattern, load(subject), names)
        targets = [ast.copy_location(ast.Name(name, STORE), case.pattern) for name in names]
        binds: list[ast.stmt] = [
            ast.Assign([self.visit(target)], load(own)) for target, own in zip(targets, names.values(), strict=True)
        ]
        taken = [assign(unmatched, constant(False)), *self.visit_block(case.body)]
        inner = [ast.If(self.visit(case.guard), taken, [])] if case.guard else taken
        return [ast.If(ast.BoolOp(ast.And(), [load(unmatched), test]), [*binds, *inner], [])]

    def pattern_test(  # noqa: PLR0911 - one return per kind of pattern
        self, pattern: ast.pattern, subject: ast.expr, names: dict[str, str]
    ) -> ast.expr:
        """Return an expression that is true if ``subject`` matches a pattern.

        The expression assigns captured values to temporary variables; ``names`` receives the temporary variable of each
        captured name.
        """
        match pattern:
            case ast.MatchValue():
                return ast.Compare(subject, [ast.Eq()], [self.visit(pattern.value)])
            case ast.MatchSingleton():
                return ast.Compare(subject, [ast.Is()], [constant(pattern.value)])
            case ast.MatchAs():
                own = self.capture(pattern.name, subject, names) if pattern.name else constant(True)
                return (
                    own if pattern.pattern is None else _all([self.pattern_test(pattern.pattern, subject, names), own])
                )
            case ast.MatchOr():
                return ast.BoolOp(ast.Or(), [self.pattern_test(part, subject, names) for part in pattern.patterns])
            case ast.MatchSequence():
                return self.sequence_test(pattern.patterns, subject, names)
            case ast.MatchMapping():
                return self.mapping_test(pattern, subject, names)
            case ast.MatchClass():
                positions = constant(len(pattern.patterns))
                words = ast.Tuple([constant(name) for name in pattern.kwd_attrs], ast.Load())
                found = call("_match_class", subject, self.visit(pattern.cls), positions, words)
                return self.parts_test(found, [*pattern.patterns, *pattern.kwd_patterns], names)
        raise AssertionError(f"the sandbox checks did not refuse {type(pattern).__name__}")

    def capture(self, name: str, value: ast.expr, names: dict[str, str]) -> ast.expr:
        """Return an always true expression that assigns ``value`` to the temporary variable of a captured name."""
        own = names.setdefault(name, f"_m_{name}")
        return ast.Tuple([ast.NamedExpr(ast.Name(own, STORE), value)], ast.Load())

    def sequence_test(self, patterns: Sequence[ast.pattern], subject: ast.expr, names: dict[str, str]) -> ast.expr:
        """Return an expression that is true if ``subject`` matches a sequence pattern of these parts."""
        star = next((index for index, part in enumerate(patterns) if isinstance(part, ast.MatchStar)), None)
        found = call("_match_sequence", subject, constant(len(patterns)), constant(star))
        parts: list[ast.pattern] = [
            ast.MatchAs(None, part.name) if isinstance(part, ast.MatchStar) else part for part in patterns
        ]
        return self.parts_test(found, parts, names)

    def mapping_test(self, pattern: ast.MatchMapping, subject: ast.expr, names: dict[str, str]) -> ast.expr:
        """Return an expression that is true if ``subject`` matches a mapping pattern."""
        keys = ast.Tuple([self.visit(key) for key in pattern.keys], ast.Load())
        found = call("_match_mapping", subject, keys, constant(pattern.rest is not None))
        rest: list[ast.pattern] = [ast.MatchAs(None, pattern.rest)] if pattern.rest else []
        return self.parts_test(found, [*pattern.patterns, *rest], names)

    def parts_test(self, found: ast.expr, patterns: Sequence[ast.pattern], names: dict[str, str]) -> ast.expr:
        """Return an expression that is true if ``found`` is not None and its items match the patterns.

        Parameters: ``found`` is an expression for the tuple of the parts of a value; it is None if the value does not
        have the form of the pattern.
        """
        own = self.new_temporary() or ""
        test = ast.Compare(ast.NamedExpr(ast.Name(own, STORE), found), [ast.IsNot()], [constant(None)])
        inner = [
            self.pattern_test(part, ast.Subscript(load(own), constant(index), ast.Load()), names)
            for index, part in enumerate(patterns)
        ]
        return _all([test, *inner])


def _all(tests: list[ast.expr]) -> ast.expr:
    """Return the AST of the conjunction of one or more tests."""
    return ast.BoolOp(ast.And(), tests) if len(tests) > 1 else tests[0]
