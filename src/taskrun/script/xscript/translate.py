"""XScript to the syntax tree that the evaluators run: the statements, and the program as a whole.

    let names = [];
    for (let o of orders) { if (o.total > 10) names.push(o.customer?.name ?? "nobody") }
    names.join(", ")

Rules: every node stands where its text stands. What jumps out of a ``for`` with three parts, or of a ``switch``, jumps
as the text says, whatever loop of Python that becomes. The value is that of ``return``, else of the expression statement
that ran last.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taskrun.script.ir import LocalName
from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.xscript.expressions import BINARY
from taskrun.script.xscript.functions import Functions
from taskrun.script.xscript.parse import Part, parse
from taskrun.script.xscript.switch import Switches
from taskrun.script.xscript.variables import LOAD, STORE


@dataclass(frozen=True, slots=True)
class Translated:
    """A translated text: its statements, what it may read from and assign to the scope, and what it imports.

    ``imports`` has the dotted path of each imported name, and where the import stands in the text.
    """

    body: list[ast.stmt]
    reads: frozenset[str]
    stores: frozenset[str]
    imports: Mapping[str, tuple[str, int]]


def parse_xscript(text: str, *, expression: bool, limits: Limits) -> Translated:
    """Return the translation of a program, or of one expression; raises ProblemsError."""
    if expression:
        text = text.rstrip(" \t\r\n;")
    tree = parse(text, limits, expression=expression)
    starts = [0, *(index + 1 for index, letter in enumerate(text) if _ends_line(text, index, letter))]

    def place(index: int) -> tuple[int, int]:
        line = bisect_right(starts, index)
        return line, len(text[starts[line - 1] : index].encode())

    translator = _Statements(place)
    try:
        body = translator.one_expression(tree) if expression else translator.block(tree.nodes)
    except RecursionError:
        raise ProblemsError([Problem(0, SYNTAX, "the script is nested too deep to be read")]) from None
    found = translator.variables
    imported = {name: source for name, source in translator.imports.items() if source[0]}
    return Translated(body, frozenset(found.reads), frozenset(found.stores), imported)


def _ends_line(text: str, index: int, letter: str) -> bool:
    return letter == "\n" or (letter == "\r" and text[index + 1 : index + 2] != "\n")


class _Statements(Switches, Functions):
    """Translates statements; each handler returns a list of them."""

    def one_expression(self, tree: Part) -> list[ast.stmt]:
        value = self.expression(tree)
        return [*self.before, self.at(ast.Expr(value), tree)]

    def block(self, statements: Sequence[Part]) -> list[ast.stmt]:
        """Functions first, because they can be called before they are declared."""
        outer, self.before = self.before, []
        done: list[ast.stmt] = []
        flat = [part.nodes[0] if part.kind == "statement" and part.nodes else part for part in statements]
        for part in flat:
            if part.kind == "function":
                self.variables.declare(part.parts[0].text)
        ordered = [part for part in flat if part.kind == "function"] + [
            part for part in flat if part.kind != "function"
        ]
        for part in ordered:
            done += self.statement(part)
        self.before = outer
        return done

    def statement(self, part: Part) -> list[ast.stmt]:
        """Return the translation of one statement, after what has to stand before it."""
        if part.kind == "statement":
            part = part.nodes[0]
        outer, self.before = self.before, []
        made: list[ast.stmt] = getattr(self, "do_" + part.kind)(part)
        whole = [*self.before, *made]
        self.before = outer
        for statement in whole:
            self.at(statement, part)
        return whole

    def body(self, part: Part) -> list[ast.stmt]:
        """Return the body of a loop or branch, which is a block of its own."""
        if part.kind == "statement":
            part = part.nodes[0]
        self.variables.open()
        statements = self.block(part.nodes) if part.kind == "block" else self.statement(part)
        self.variables.close()
        return statements or [self.at(ast.Pass(), part)]

    def do_empty(self, _part: Part) -> list[ast.stmt]:
        return []

    def do_block(self, part: Part) -> list[ast.stmt]:
        return self.body(part)

    def do_function(self, part: Part) -> list[ast.stmt]:
        return self.declared_function(part)

    def do_expression_(self, part: Part) -> list[ast.stmt]:
        return [ast.Expr(self.expression(part.nodes[0]))]

    def do_declaration(self, part: Part) -> list[ast.stmt]:
        constant = not isinstance(part.parts[0], Part)
        statements: list[ast.stmt] = []
        for declarator in part.nodes:
            pattern, *rest = declarator.nodes
            values = [item for item in rest if item.kind != "type"]
            if not values and (constant or pattern.kind != "name_pattern"):
                raise self.problem(declarator, "this declaration has no value", "write = and a value")
            value = self.expression(values[0]) if values else self.at(ast.Constant(None), declarator)
            statements += self.before
            self.before = []
            statements += self.taken_apart(pattern, value, lambda name: self.variables.declare(name, constant=constant))
        return statements

    def do_assign(self, part: Part) -> list[ast.stmt]:
        target, source = part.nodes
        if target.kind == "list":
            value = self.expression(source)
            return self._destructured(target, value)
        if target.kind in {"name", "member", "item"}:
            return self._assigned(target, lambda _read: self.expression(source), read=False)
        raise self._no_target(target)

    def do_change(self, part: Part) -> list[ast.stmt]:
        target, sign, source = part.parts
        kind = {"+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "DIVIDE", "%": "REMAINDER"}[sign.text[0]]
        return self._assigned(
            target, lambda read: self.operation(BINARY[kind], read, self.expression(source)), read=True
        )

    def do_step(self, part: Part) -> list[ast.stmt]:
        target = part.nodes[0]
        sign = next(word.text for word in part.parts if not isinstance(word, Part))
        name = BINARY["PLUS" if sign == "++" else "MINUS"]
        return self._assigned(
            target, lambda read: self.operation(name, self.operation("number", read), ast.Constant(1)), read=True
        )

    def _destructured(self, target: Part, value: ast.expr) -> list[ast.stmt]:
        own = self.temporary()
        statements: list[ast.stmt] = [ast.Assign([LocalName(own, STORE)], value)]
        for position, part in enumerate(target.parts[0].nodes):
            read = self.operation("item", LocalName(own, LOAD), ast.Constant(position))
            statements += self._assigned(part, lambda _read, read=read: read, read=False)
        return statements

    def _assigned(self, target: Part, value: object, *, read: bool) -> list[ast.stmt]:
        """Return the assignment of ``value(what the target is now)`` to a name, member or item."""
        make: object = value
        if not callable(make):
            raise TypeError("a value is made from what the target is")
        if target.kind == "name":
            name = target.parts[0].text
            if self.variables.is_constant(name):
                raise self.problem(
                    target, f"'{name}' is a constant and cannot be assigned again", "declare it with let"
                )
            now: ast.expr | None = self.at(self.variables.read(name), target) if read else None
            made = make(now)
            return [ast.Assign([self.at(self.variables.target(name), target)], made)]
        if target.kind not in {"member", "item"}:
            raise self._no_target(target)
        if target.kind == "member" and target.parts[0].kind == "name" and target.parts[0].parts[0].text == "$scope":
            word = target.parts[1]
            return self._assigned(Part("name", (word,), word.start, word.end), make, read=read)
        owner, key = self.temporary(), self.temporary()
        first = self.expression(target.parts[0])
        second = self.member_name(target) if target.kind == "member" else self.expression(target.parts[1])
        statements: list[ast.stmt] = [
            ast.Assign([LocalName(owner, STORE)], first),
            ast.Assign([LocalName(key, STORE)], second),
        ]
        now = self.operation(target.kind, LocalName(owner, LOAD), LocalName(key, LOAD)) if read else None
        done = self.operation("set_item", LocalName(owner, LOAD), LocalName(key, LOAD), make(now))
        return [*statements, ast.Assign([LocalName(self.temporary(), STORE)], done)]

    def _no_target(self, target: Part) -> ProblemsError:
        return self.problem(target, "this cannot be assigned to", "assign to a name, a member or an item")

    def do_if_(self, part: Part) -> list[ast.stmt]:
        test, then, *orelse = part.nodes
        return [ast.If(self.truth(test), self.body(then), self.body(orelse[0]) if orelse else [])]

    def do_while_(self, part: Part) -> list[ast.stmt]:
        test = self.truth(part.nodes[0])
        return [ast.While(test, self.in_loop(part.nodes[1]), [])]

    def do_do_(self, part: Part) -> list[ast.stmt]:
        first = self.temporary()
        test = ast.BoolOp(ast.Or(), [LocalName(first, LOAD), self.truth(part.nodes[1])])
        done = ast.Assign([LocalName(first, STORE)], ast.Constant(False))
        loop = ast.While(test, [done, *self.in_loop(part.nodes[0])], [])
        return [ast.Assign([LocalName(first, STORE)], ast.Constant(True)), loop]

    def do_for_(self, part: Part) -> list[ast.stmt]:
        """``continue`` goes on with the last of the three parts, so that is what a turn begins with."""
        first, test, following, body = part.nodes
        self.variables.open()
        begun = self.statement(first.nodes[0]) if first.nodes else []
        going = self.temporary()
        step = self.statement(following.nodes[0]) if following.nodes else []
        start = ast.Assign([LocalName(going, STORE)], ast.Constant(True))
        step_or_start = ast.If(LocalName(going, LOAD), step or [ast.Pass()], [start])
        turn: list[ast.stmt] = [step_or_start]
        if test.nodes:
            turn.append(ast.If(ast.UnaryOp(ast.Not(), self.truth(test.nodes[0])), [ast.Break()], []))
        loop = ast.While(ast.Constant(True), [*turn, *self.in_loop(body)], [])
        self.variables.close()
        return [*begun, ast.Assign([LocalName(going, STORE)], ast.Constant(False)), loop]

    def do_for_of(self, part: Part) -> list[ast.stmt]:
        pattern, *_types, items, body = part.nodes
        iterable = self.operation("iterate", self.expression(items))
        self.variables.open()
        own = self.temporary()
        bound = self.taken_apart(pattern, LocalName(own, LOAD), self.variables.declare)
        loop = ast.For(LocalName(own, STORE), iterable, [*bound, *self.in_loop(body)], [])
        self.variables.close()
        return [loop]

    def in_loop(self, body: Part) -> list[ast.stmt]:
        """Return the body of a loop."""
        self.jumps.append("loop")
        statements = self.body(body)
        self.jumps.pop()
        return statements

    def do_return_(self, part: Part) -> list[ast.stmt]:
        return [ast.Return(self.expression(part.nodes[0]) if part.nodes else ast.Constant(None))]

    def do_throw(self, part: Part) -> list[ast.stmt]:
        return [ast.Raise(self.operation("thrown", self.expression(part.nodes[0])), None)]

    def do_try_(self, part: Part) -> list[ast.stmt]:
        body, *rest = part.nodes
        if not rest:
            raise self.problem(part, "this try has neither catch nor finally", "write catch (e) { … }")
        statements = self.body(body)
        handlers, final = [], []
        for clause in rest:
            if clause.kind == "finally":
                final = self.body(clause.nodes[-1])
                continue
            self.variables.open()
            word = next((item for item in clause.parts if not isinstance(item, Part)), None)
            name = self.variables.declare(word.text).id if word else None
            handlers.append(self.at(ast.ExceptHandler(None, name, self.body(clause.nodes[-1])), clause))
            self.variables.close()
        return [ast.Try(statements, handlers, [], final)]

    def do_import_(self, part: Part) -> list[ast.stmt]:
        words = [word.text for word in part.nodes[0].parts]
        path = ".".join(words)
        self.imports[words[-1]] = ("" if words[0] in {"java", "javax"} else path, part.nodes[0].start)
        if words[0] in {"java", "javax"} and words[-1] not in _OF_JAVA:
            hint = "import a Python class instead, or leave it out"
            raise self.problem(part.nodes[0], f"there is no Java here: '{path}'", hint)
        return []


_OF_JAVA = frozenset(
    {"List", "ArrayList", "LinkedList", "Map", "HashMap", "LinkedHashMap", "TreeMap", "Set", "HashSet", "LinkedHashSet"}
    | {"Date", "LocalDate", "LocalDateTime", "LocalTime", "Math", "String", "Arrays", "Collections", "Objects"}
)
