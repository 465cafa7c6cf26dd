"""XScript as programs with their values, one on each line of programs.txt: ``source => value`` (``⏎`` ends a line)."""

from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.problems import ProblemsError
from taskrun.script.script import Limits, Script, ScriptBudgetError, ScriptSettings, compile_script
from taskrun.script.xscript.expressions import EXPRESSION_HANDLERS
from taskrun.script.xscript.parse import _parser
from taskrun.script.xscript.statements import STATEMENT_HANDLERS
from taskrun.script.xscript.translate import translate_xscript
from taskrun.syntax.load import parse


def xscript(text: str, **options: Any) -> Script:
    """Compile an XScript that stands in ``<source>`` of flow.task.xml."""
    return compile_script(
        parse("flow.task.xml", f"<source><![CDATA[{text}]]></source>".encode()), language="xscript", **options
    )


def programs() -> list[Any]:
    found = []
    for number, line in enumerate(Path(__file__).with_name("programs.txt").read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            source, _, expected = line.rpartition(" => ")
            source = source.replace("⏎", "\n")
            found.append(pytest.param(source, ast.literal_eval(expected), id=f"{number}: {line}"))
    return found


@pytest.mark.parametrize(("source", "expected"), programs())
def test_a_program_has_its_value(source: str, expected: object) -> None:
    value = xscript(source).run(Scope(Scope(None, seven=7)))
    assert value == expected
    assert type(value) is type(expected)


def test_there_are_enough_programs() -> None:
    assert len(programs()) >= 150


ERRORS = [
    ("let = 1", 1, 5, "script-syntax", "'=' is unexpected here"),
    ("1 +", 1, None, "script-syntax", "ends too early"),
    ("f(1", 1, None, "script-syntax", "ends too early"),
    ("let a = 1;\n  let b = a ===b", 2, 13, "script-unsupported", "write =="),
    ("a !== b", 1, 3, "script-unsupported", "write !="),
    ("a = b = c", 1, 7, "script-unsupported", "assignment inside an expression"),
    ("if (a = 1) b", 1, 7, "script-unsupported", "assignment inside an expression"),
    ("x = a++", 1, 6, "script-unsupported", "statement of its own"),
    ("let f = function(a) { return a }", 1, 9, "script-unsupported", "arrow function"),
    ("class A {}", 1, 1, "script-unsupported", "'class' is not possible"),
    ("await f()", 1, 1, "script-unsupported", "<invoke>"),
    ("x == undefined", 1, 6, "script-unsupported", "write null"),
    ('assign("x", ...y)', 1, 13, "script-unsupported", "assign a list: [...x]"),
    ("for (let k in o) {}", 1, 12, "script-unsupported", "'in' is not possible"),
    ("const k = 1\nk = 2", 2, 1, "script-unsupported", "constant"),
    ("const k", 1, 7, "script-unsupported", "no value"),
    ("break", 1, 1, "script-syntax", "outside of a loop"),
    ("continue", 1, 1, "script-syntax", "outside of a loop"),
    ("let f = () => { break }", 1, 17, "script-syntax", "outside of a loop"),
    ("'abc", 1, 1, "script-syntax", "no end"),
    ("`abc", 1, 1, "script-syntax", "no end"),
    ("/* abc", 1, 1, "script-syntax", "no end"),
    ("a # b", 1, 3, "script-unsupported", "not an operator"),
    ("a.constructor", 1, 3, "script-forbidden", "refused"),
    ("a.__proto__", 1, 3, "script-forbidden", "refused"),
    ("a?.__class__", 1, 4, "script-forbidden", "refused"),
    ("1 = 2", 1, 1, "script-unsupported", "cannot be assigned"),
    ("try { }", 1, 1, "script-unsupported", "neither catch nor finally"),
    ("import a.b.C;", 1, 8, "script-unsupported", "cannot be imported"),
    ("import java.io.File;", 1, 8, "script-unsupported", "no Java"),
    ("eval('1')", 1, 1, "script-unsupported", "'eval' is not possible"),
    ("let ok = 1\nlet x = )", 2, 9, "script-syntax", "')' is unexpected"),
    ("{a: 1}", 1, 3, "script-syntax", "':' is unexpected"),
    ("[" * 300 + "]" * 300, 1, None, "script-syntax", "nested more than"),
    ("x" + "+1" * 300, 1, None, "script-syntax", "nested more than"),
]


@pytest.mark.parametrize(("source", "line", "column", "code", "message"), ERRORS)
def test_a_mistake_is_reported_at_its_location(
    source: str, line: int, column: int | None, code: str, message: str
) -> None:
    with pytest.raises(BindError) as caught:
        xscript(source)
    problem = caught.value.diagnostics[0]
    start = len("<source><![CDATA[") if line == 1 else 0
    assert (problem.location.line, problem.code) == (line, code)
    assert column is None or problem.location.column == column + start
    assert message in f"{problem.message} {problem.hint}"


FAILURES = [
    ("nope.x", 1, TypeError, "cannot read 'x' of null"),
    ("let a = {}\n\na.b.c", 3, TypeError, "cannot read 'c' of null"),
    ("1 - 'a'", 1, TypeError, "not possible between a number and a text"),
    ("null + 1", 1, TypeError, "null and a number"),
    ("1 / 0", 1, ZeroDivisionError, ""),
    ("null!", 1, ValueError, "null"),
    ("nope()", 1, TypeError, "not callable"),
    ("'a'.nope()", 1, AttributeError, "no 'nope'"),
    ("[1].filtre(x => x)", 1, AttributeError, "filter"),
    ("new Nope()", 1, NameError, "not known"),
    ("1 instanceof Nope", 1, NameError, "unknown type"),
    ("for (let x of 5) {}", 1, TypeError, "not iterable"),
    ("throw new NopScriptError('a.b')", 1, Exception, "a.b"),
    ("while (true) {}", 1, ScriptBudgetError, "stopped"),
    ("let f = () => f(); f()", 1, RecursionError, ""),
    ("'a'.repeat(1e9.$toInt())", 1, OverflowError, "50,000,000"),
    ("let s = 'ab'; while (true) { s = s + s }", 1, OverflowError, ""),
    ("let a = []; a[1e9.$toInt()] = 1", 1, OverflowError, ""),
]


@pytest.mark.parametrize(("source", "line", "error", "message"), FAILURES)
def test_a_failure_names_its_line(source: str, line: int, error: type[Exception], message: str) -> None:
    settings = ScriptSettings(limits=Limits(seconds=2, ticks=100_000))
    with pytest.raises(error) as caught:
        xscript(source, settings=settings).run(Scope(None))
    assert message in str(caught.value)
    assert any(note.startswith(f"in script at flow.task.xml:{line}:") for note in caught.value.__notes__)


@given(st.text(st.sampled_from("abc{}()[]`$;:?.=>+-*/'\" \n1ß"), max_size=60))
def test_any_text_is_compiled_or_has_a_problem_inside_it(text: str) -> None:
    places: list[int] = []
    with suppress(ProblemsError):
        try:
            translate_xscript(text, expression=False, limits=Limits())
        except ProblemsError as error:
            places = [problem.at for problem in error.problems]
            raise
    assert all(0 <= place <= len(text) for place in places)


def test_an_import_binds_the_object(tmp_path: Path) -> None:
    settings = ScriptSettings(imports={"shop.Order": complex}.__getitem__)
    assert xscript("import shop.Order; new Order(1, 2) instanceof Order", settings=settings).run(Scope(None)) is True


def test_asteval_has_no_xscript() -> None:
    with pytest.raises(BindError, match="'asteval' has no xscript"):
        xscript("1", settings=ScriptSettings(evaluator="asteval"))


def kinds_of(first: str) -> set[str]:
    """Return the kinds of syntax nodes that a rule of the grammar can become; a ``?rule`` becomes what it consists of."""
    rules = _parser().rules
    inlined = {rule.origin.name for rule in rules if rule.options.expand1}
    found: set[str] = set()
    done: set[str] = set()
    todo = [first]
    while todo:
        name = todo.pop()
        done.add(name)
        for rule in (rule for rule in rules if rule.origin.name == name):
            if rule.alias or name not in inlined:
                found.add(rule.alias or name)
            else:
                todo += {rule.expansion[0].name} - done
    return found


def test_each_kind_of_syntax_node_has_a_handler() -> None:
    assert kinds_of("expression") == set(EXPRESSION_HANDLERS)
    assert kinds_of("statement") == set(STATEMENT_HANDLERS)
