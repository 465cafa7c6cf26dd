"""Translation of XScript to a Python syntax tree; this module translates the statements.

    let names = [];
    for (let o of orders) { if (o.total > 10) names.push(o.customer?.name ?? "nobody") }
    names.join(", ")

Rules: every AST node has the position of the text that it was translated from. ``break`` and ``continue`` keep their
meaning, although a ``for`` with three parts and a ``switch`` become other loops in Python. The value of a script is
that of its ``return``, else of the expression statement that was executed last. It has more than 300 lines, because
there is one method for each kind of statement in the grammar.
"""

# ruff: noqa: D102 - a method do_<rule> translates the statement of that grammar rule

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taskrun.script.ir import LocalName
from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.expressions import BINARY
from taskrun.script.xscript.functions import FunctionTranslator
from taskrun.script.xscript.parse import SyntaxNode, parse
from taskrun.script.xscript.switch import JumpTranslator
from taskrun.script.xscript.variables import LOAD, STORE


@dataclass(frozen=True, slots=True)
class TranslatedProgram:
    """Translated XScript: its Python statements, and the variables that it reads from and stores in the scope.

    ``imports`` maps each imported name to its dotted path and to the index of the import in the text. Imports of Java
    classes are left out.
    """

    body: list[ast.stmt]
    reads: frozenset[str]
    stores: frozenset[str]
    imports: Mapping[str, tuple[str, int]]


def translate_xscript(text: str, *, expression: bool, limits: Limits) -> TranslatedProgram:
    """Translate an XScript to Python; with ``expression``, the text must be exactly one expression.

    Raises ProblemsError for a syntax error, an unsupported construct, or a text that exceeds ``limits``.
    """
    if expression:
        text = text.rstrip(" \t\r\n;")
    tree = parse(text, limits, expression=expression)
    starts = [0, *(index + 1 for index, letter in enumerate(text) if _ends_line(text, index, letter))]

    def position(index: int) -> tuple[int, int]:
        line = bisect_right(starts, index)
        return line, len(text[starts[line - 1] : index].encode())

    translator = StatementTranslator(position)
    try:
        body = translator.expression_statement(tree) if expression else translator.block(tree.nodes)
    except RecursionError:
        raise ProblemsError([Problem(0, SYNTAX, "the script is nested too deeply")]) from None
    found = translator.variables
    imported = {name: source for name, source in translator.imports.items() if source[0]}
    return TranslatedProgram(body, frozenset(found.reads), frozenset(found.stores), imported)


def _ends_line(text: str, index: int, letter: str) -> bool:
    """Return whether the character ``letter`` ends a line: a line feed, or a carriage return without one behind it."""
    return letter == "\n" or (letter == "\r" and text[index + 1 : index + 2] != "\n")


class StatementTranslator(JumpTranslator, FunctionTranslator):
    """Translator of XScript statements to Python's AST: one method ``do_<rule>`` per grammar rule.

    It is also the complete translator, because it inherits the methods for expressions, functions and ``switch``.
    """

    hoisted: list[ast.stmt]

    def expression_statement(self, tree: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements for an XScript that is exactly one expression, whose syntax node is ``tree``."""
        value = self.expression(tree)
        return [*self.hoisted, self.with_position(ast.Expr(value), tree)]

    def block(self, statements: Sequence[SyntaxNode]) -> list[ast.stmt]:
        """Return the Python statements of a block of code.

        Functions come first, because they may be called before their declaration.
        """
        outer, self.hoisted = self.hoisted, []
        done: list[ast.stmt] = []
        flat = [node.nodes[0] if node.kind == "statement" and node.nodes else node for node in statements]
        for node in flat:
            if node.kind == "function":
                self.variables.declare(node.children[0].text)
        for node in sorted(flat, key=lambda node: node.kind != "function"):
            done += self.statement(node)
        self.hoisted = outer
        return done

    def statement(self, node: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements for one XScript statement.

        Arrow functions in it that cannot be lambdas are defined before it.
        """
        if node.kind == "statement":
            node = node.nodes[0]
        outer, self.hoisted = self.hoisted, []
        made: list[ast.stmt] = getattr(self, "do_" + node.kind)(node)
        whole = [*self.hoisted, *made]
        self.hoisted = outer
        for statement in whole:
            self.with_position(statement, node)
        return whole

    def body(self, node: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements for what is inside a loop, a condition or a ``try``; at least ``pass``.

        Names that are declared inside are local to it.
        """
        if node.kind == "statement":
            node = node.nodes[0]
        self.variables.open_block()
        statements = self.block(node.nodes) if node.kind == "block" else self.statement(node)
        self.variables.close_block()
        return statements or [self.with_position(ast.Pass(), node)]

    def do_empty(self, _node: SyntaxNode) -> list[ast.stmt]:
        return []

    def do_block(self, node: SyntaxNode) -> list[ast.stmt]:
        return self.body(node)

    def do_function(self, node: SyntaxNode) -> list[ast.stmt]:
        return self.declared_function(node)

    def do_expression_(self, node: SyntaxNode) -> list[ast.stmt]:
        return [ast.Expr(self.expression(node.nodes[0]))]

    def do_declaration(self, node: SyntaxNode) -> list[ast.stmt]:
        constant = not isinstance(node.children[0], SyntaxNode)
        statements: list[ast.stmt] = []
        for declarator in node.nodes:
            pattern, *rest = declarator.nodes
            values = [item for item in rest if item.kind != "type"]
            if not values and (constant or pattern.kind != "name_pattern"):
                raise self.unsupported(declarator, "this declaration has no value", "write = and a value")
            value = self.expression(values[0]) if values else self.with_position(ast.Constant(None), declarator)
            statements += self.hoisted
            self.hoisted = []
            statements += self.destructure(pattern, value, lambda name: self.variables.declare(name, constant=constant))
        return statements

    def do_assign(self, node: SyntaxNode) -> list[ast.stmt]:
        target, source = node.nodes
        if target.kind == "list":
            value = self.expression(source)
            return self._assign_list(target, value)
        if target.kind in {"name", "member", "item"}:
            return self._assign(target, lambda _read: self.expression(source), read=False)
        raise self._not_assignable(target)

    def do_change(self, node: SyntaxNode) -> list[ast.stmt]:
        target, sign, source = node.children
        kind = {"+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "DIVIDE", "%": "REMAINDER"}[sign.text[0]]
        return self._assign(target, lambda read: self.operation(BINARY[kind], read, self.expression(source)), read=True)

    def do_step(self, node: SyntaxNode) -> list[ast.stmt]:
        target = node.nodes[0]
        sign = next(token.text for token in node.children if not isinstance(token, SyntaxNode))
        name = BINARY["PLUS" if sign == "++" else "MINUS"]
        return self._assign(
            target, lambda read: self.operation(name, self.operation("number", read), ast.Constant(1)), read=True
        )

    def _assign_list(self, target: SyntaxNode, value: ast.expr) -> list[ast.stmt]:
        """Return the Python statements for ``[a, b] = value``: they assign the items of the value to the targets."""
        own = self.temporary()
        statements: list[ast.stmt] = [ast.Assign([LocalName(own, STORE)], value)]
        for position, node in enumerate(target.children[0].nodes):
            read = self.operation("item", LocalName(own, LOAD), ast.Constant(position))
            statements += self._assign(node, lambda _read, read=read: read, read=False)
        return statements

    def _assign(self, target: SyntaxNode, value: object, *, read: bool) -> list[ast.stmt]:
        """Return the Python statements that assign a value to ``target``: a name, member (``a.b``) or item (``a[b]``).

        Parameters: ``value`` is a function that returns the expression to assign. Its argument is an expression for the
        current value of the target if ``read`` (``+=`` needs it), else None.
        """
        make: object = value
        if not callable(make):
            raise TypeError("value must be a function of the current value")
        if target.kind == "name":
            name = target.children[0].text
            if self.variables.is_constant(name):
                raise self.unsupported(
                    target, f"'{name}' is a constant and cannot be assigned again", "declare it with let"
                )
            now: ast.expr | None = self.with_position(self.variables.load_name(name), target) if read else None
            made = make(now)
            return [ast.Assign([self.with_position(self.variables.store_name(name), target)], made)]
        if target.kind not in {"member", "item"}:
            raise self._not_assignable(target)
        if (
            target.kind == "member"
            and target.children[0].kind == "name"
            and target.children[0].children[0].text == "$scope"
        ):
            token = target.children[1]
            return self._assign(SyntaxNode("name", (token,), token.start, token.end), make, read=read)
        owner, key = self.temporary(), self.temporary()
        first = self.expression(target.children[0])
        second = self.member_name(target) if target.kind == "member" else self.expression(target.children[1])
        statements: list[ast.stmt] = [
            ast.Assign([LocalName(owner, STORE)], first),
            ast.Assign([LocalName(key, STORE)], second),
        ]
        now = self.operation(target.kind, LocalName(owner, LOAD), LocalName(key, LOAD)) if read else None
        done = self.operation("set_item", LocalName(owner, LOAD), LocalName(key, LOAD), make(now))
        return [*statements, ast.Assign([LocalName(self.temporary(), STORE)], done)]

    def _not_assignable(self, target: SyntaxNode) -> ProblemsError:
        """Return the error for an expression to which nothing can be assigned, such as a call."""
        return self.unsupported(target, "this cannot be assigned to", "assign to a name, a member or an item")

    def do_if_(self, node: SyntaxNode) -> list[ast.stmt]:
        test, then, *orelse = node.nodes
        return [ast.If(self.condition(test), self.body(then), self.body(orelse[0]) if orelse else [])]

    def do_while_(self, node: SyntaxNode) -> list[ast.stmt]:
        test = self.condition(node.nodes[0])
        return [ast.While(test, self.loop_body(node.nodes[1]), [])]

    def do_do_(self, node: SyntaxNode) -> list[ast.stmt]:
        first = self.temporary()
        test = ast.BoolOp(ast.Or(), [LocalName(first, LOAD), self.condition(node.nodes[1])])
        done = ast.Assign([LocalName(first, STORE)], ast.Constant(False))
        loop = ast.While(test, [done, *self.loop_body(node.nodes[0])], [])
        return [ast.Assign([LocalName(first, STORE)], ast.Constant(True)), loop]

    def do_for_(self, node: SyntaxNode) -> list[ast.stmt]:
        """Translate ``for (init; test; update)`` to a ``while`` loop.

        Every iteration but the first begins with the update, so that a ``continue`` does not skip the update.
        """
        first, test, following, body = node.nodes
        self.variables.open_block()
        begun = self.statement(first.nodes[0]) if first.nodes else []
        going = self.temporary()
        step = self.statement(following.nodes[0]) if following.nodes else []
        start = ast.Assign([LocalName(going, STORE)], ast.Constant(True))
        step_or_start = ast.If(LocalName(going, LOAD), step or [ast.Pass()], [start])
        turn: list[ast.stmt] = [step_or_start]
        if test.nodes:
            turn.append(ast.If(ast.UnaryOp(ast.Not(), self.condition(test.nodes[0])), [ast.Break()], []))
        loop = ast.While(ast.Constant(True), [*turn, *self.loop_body(body)], [])
        self.variables.close_block()
        return [*begun, ast.Assign([LocalName(going, STORE)], ast.Constant(False)), loop]

    def do_for_of(self, node: SyntaxNode) -> list[ast.stmt]:
        pattern, *_types, items, body = node.nodes
        iterable = self.operation("iterate", self.expression(items))
        self.variables.open_block()
        own = self.temporary()
        bound = self.destructure(pattern, LocalName(own, LOAD), self.variables.declare)
        loop = ast.For(LocalName(own, STORE), iterable, [*bound, *self.loop_body(body)], [])
        self.variables.close_block()
        return [loop]

    def loop_body(self, body: SyntaxNode) -> list[ast.stmt]:
        """Return the Python statements inside a loop, where ``break`` and ``continue`` are allowed."""
        self.jumps.append("loop")
        statements = self.body(body)
        self.jumps.pop()
        return statements

    def do_return_(self, node: SyntaxNode) -> list[ast.stmt]:
        return [ast.Return(self.expression(node.nodes[0]) if node.nodes else ast.Constant(None))]

    def do_throw(self, node: SyntaxNode) -> list[ast.stmt]:
        return [ast.Raise(self.operation("exception_to_raise", self.expression(node.nodes[0])), None)]

    def do_try_(self, node: SyntaxNode) -> list[ast.stmt]:
        body, *rest = node.nodes
        if not rest:
            raise self.unsupported(node, "this try has neither catch nor finally", "write catch (e) { … }")
        statements = self.body(body)
        handlers, final = [], []
        for clause in rest:
            if clause.kind == "finally":
                final = self.body(clause.nodes[-1])
                continue
            self.variables.open_block()
            token = next((item for item in clause.children if not isinstance(item, SyntaxNode)), None)
            name = self.variables.declare(token.text).id if token else None
            handlers.append(self.with_position(ast.ExceptHandler(None, name, self.body(clause.nodes[-1])), clause))
            self.variables.close_block()
        return [ast.Try(statements, handlers, [], final)]

    def do_import_(self, node: SyntaxNode) -> list[ast.stmt]:
        words = [token.text for token in node.nodes[0].children]
        path = ".".join(words)
        self.imports[words[-1]] = ("" if words[0] in {"java", "javax"} else path, node.nodes[0].start)
        if words[0] in {"java", "javax"} and words[-1] not in _JAVA_CLASSES_WITH_EQUIVALENT:
            hint = "import a Python class, or remove the import"
            raise self.unsupported(node.nodes[0], f"XScript has no Java classes: '{path}'", hint)
        return []


_JAVA_CLASSES_WITH_EQUIVALENT = frozenset(
    {"List", "ArrayList", "LinkedList", "Map", "HashMap", "LinkedHashMap", "TreeMap", "Set", "HashSet", "LinkedHashSet"}
    | {"Date", "LocalDate", "LocalDateTime", "LocalTime", "Math", "String", "Arrays", "Collections", "Objects"}
)
