"""Templates of attributes: ``value="…"`` with ``${…}``, ``$${`` and ``@:``."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.script import Template, compile_template
from taskrun.syntax.load import parse


def template(value: str) -> Template:
    return compile_template(parse("f.xml", f"<input value={quoteattr(value)}/>".encode()), "value")


@pytest.mark.parametrize(
    ("value", "expected", "constant"),
    [
        ("", "", True),
        ("plain $x {y} }", "plain $x {y} }", True),
        ("${n}", 3, False),
        ("${ n + 1 }", 4, False),
        ("${none}", None, False),
        (" ${n}", " 3", False),
        ("a${n}b${none}c", "a3bc", False),
        ("${n}${n}", "33", False),
        ("${True} ${[1, 'x']}", "True [1, 'x']", False),
        ("${{'a': {'b': 1}}['a']['b']}", 1, False),
        ("${'}' + \"{\"}", "}{", False),
        ("${'\\'}' + '''}'''}", "'}}", False),
        ("${f'{n}}}'}!", "3}!", False),
        ("${[x for x in (1, n)]}", [1, 3], False),
        ("$${n} ${n}", "${n} 3", False),
        ("$${n}", "${n}", True),
        ("@:1", 1, True),
        ("@:true", True, True),
        ("@:null", None, True),
        ('@:{"a": [1]}', {"a": [1]}, True),
        ('@:"${n}"', "${n}", True),
    ],
)
def test_value(value: str, expected: object, constant: bool) -> None:
    compiled = template(value)
    result = compiled.run(Scope(None, n=3, none=None))
    assert (result, type(result), compiled.constant) == (expected, type(expected), constant)
    assert compiled.stores == frozenset()


def test_variables() -> None:
    compiled = template("${a} ${len(b)} ${a + c}")
    assert compiled.reads == {"a", "b", "c"}
    assert compiled.uses == {"len"}


def test_json_is_new_each_time() -> None:
    compiled = template("@:[1]")
    compiled.run(Scope(None)).append(2)
    assert compiled.run(Scope(None)) == [1]


def test_the_text_of_an_element() -> None:
    compiled = compile_template(parse("f.xml", b"<input>${n}</input>"), None)
    assert compiled.run(Scope(None, n=3)) == 3


@pytest.mark.parametrize(
    ("value", "code", "column"),
    [
        ("x ${n", "script-syntax", 17),
        ("x ${n + }", "script-syntax", 22),
        ("x ${}", "script-syntax", 19),
        ("x ${a; b}", "script-syntax", 22),
        ("x ${a} ${b._c}", "script-forbidden", 26),
        ("${(a := 1)}", "script-forbidden", 20),
        ("@:[1,", "script-syntax", 20),
        ("@:NaN", "script-syntax", 15),
        ("@:", "script-syntax", 17),
    ],
)
def test_place_of_a_problem(value: str, code: str, column: int) -> None:
    with pytest.raises(BindError) as caught:
        template(value)
    found = caught.value.diagnostics[0]
    assert (found.code, found.location.line, found.location.column) == (code, 1, column), str(found)


def test_place_of_a_failure() -> None:
    with pytest.raises(NameError) as caught:
        template("${a} &lt; ${a + nope}").run(Scope(None, a=1))
    note: Any = caught.value.__notes__[0]
    assert note.startswith("in script at f.xml:1:35: ")


def test_other_languages() -> None:
    with pytest.raises(BindError, match="unsupported-language"):
        compile_template(parse("f.xml", b"<input value='${a}'/>"), "value", language="ruby")
