"""Locations of problems: the exact line and column in the file, for any indentation and escaping of the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.script import Limits, ScriptSettings, compile_script
from taskrun.syntax.load import parse

S, U, F = "script-syntax", "script-unsupported", "script-forbidden"

REFUSED = [
    ("<source>1 +</source>", [(S, 1, 12)]),
    ("<source>\n  x = 1\n  y = (2\n  z = 3\n</source>", [(S, 3, 7)]),
    ("<source>\n  x = 1\n    y = 2\n</source>", [(S, 3, 5)]),
    ("<source>\n    x = 1\n  y = 2\n</source>", [(S, 3, 3)]),
    ("<source>\n    x = 1\ny = 2\n</source>", [(S, 3, 1)]),
    ("<source>\n    x = 1\nelse: y = 2\n</source>", [(S, 3, 7)]),
    ("<source>x = 1\n    y = 2\n  z = 3</source>", [(S, 3, 3)]),
    ("<source>\n  x = 1\n  import os\n  class A: pass\n</source>", [(U, 3, 3), (U, 4, 3)]),
    ("<source>x = os._exit</source>", [(F, 1, 16)]),
    ("<source>é = '&lt;&#252;' ; é.__class__</source>", [(F, 1, 30)]),
    ("<source><![CDATA[\n  if a < b:\n    __x = 1\n]]></source>", [(F, 3, 5)]),
    ("<source>\n  <!-- a note -->x = a.cr_frame\n</source>", [(F, 2, 24)]),
    ("<source>\n  # first\n    break\n</source>", [(S, 3, 5)]),
    ("<source>\n  def f(a, a): pass\n</source>", [(S, 2, 12)]),
    ("<source>f(a=1, a=2)</source>", [(S, 1, 16)]),
    ("<source>x.y = 1; del x.z</source>", [(F, 1, 11), (F, 1, 24)]),
    ("<source>raise</source>", [(S, 1, 9)]),
    ("<source>try: f()\nexcept A:\n  def g(): raise\n  raise</source>", [(S, 3, 12)]),
    ("<source>await f()</source>", [(U, 1, 9)]),
    ("<source>async def f(): pass</source>", [(U, 1, 9)]),
    ("<source>yield 1</source>", [(U, 1, 9)]),
    ("<source>global x</source>", [(U, 1, 9)]),
    ("<source>@d\ndef f(): pass</source>", [(U, 1, 10)]),
    ("<source>try: f()\nexcept* A: pass</source>", [(U, 1, 9)]),
    ("<source>[x async for x in y]</source>", [(U, 1, 22)]),
    ("<source>f(_a=1)</source>", [(F, 1, 11)]),
    ("<source>lambda _a: 1</source>", [(F, 1, 16)]),
    ("<source>for _ in x: y = _</source>", [(F, 1, 25)]),
    ("<source>'{}'.format(1)</source>", [(F, 1, 14)]),
    ("<source>a.mro()</source>", [(F, 1, 11)]),
    ("<source>e.with_traceback(None)</source>", [(F, 1, 11)]),
    ("<source>try: f()\nexcept A as _e: pass</source>", [(F, 2, 1)]),
    ("<source>*a = 1\nx = *b</source>", [(S, 1, 9), (S, 2, 5)]),
    ("<source>*a, *b = c</source>", [(S, 1, 13)]),
    ("<source>[x for x in (y := a)]</source>", [(S, 1, 22)]),
    ("<source>[[x := y for y in b] for x in a]</source>", [(S, 1, 11)]),
    ("<source>try: f()\nexcept: g()\nexcept A: h()</source>", [(S, 2, 1)]),
    ("<source>while a: pass\nelse: continue</source>", [(S, 2, 7)]),
    ("<source>for i in a:\n  def f(): break</source>", [(S, 2, 12)]),
]


@pytest.mark.parametrize(("xml", "expected"), REFUSED)
def test_place_of_a_problem(refused: Callable[..., Any], xml: str, expected: list[tuple[str, int, int]]) -> None:
    assert refused(xml) == expected


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<loop\n   itemsExpr="a &lt; (b"/>', [(S, 2, 22)]),
        ('<loop itemsExpr="x = 1"/>', [(S, 1, 18)]),
        ('<loop itemsExpr=""/>', [(S, 1, 18)]),
        ('<loop itemsExpr="a; b"/>', [(S, 1, 21)]),
        ('<loop itemsExpr="a) + (b"/>', [(S, 1, 19)]),
        ('<loop itemsExpr="a&#10;) + (b"/>', [(S, 1, 24)]),
        ('<loop itemsExpr="a,&#10;*b"/>', [(S, 1, 18)]),
        ('<loop itemsExpr="a.__class__ + b._c"/>', [(F, 1, 20), (F, 1, 34)]),
    ],
)
def test_place_of_a_problem_in_an_expression(
    refused: Callable[..., Any], xml: str, expected: list[tuple[str, int, int]]
) -> None:
    assert refused(xml, "itemsExpr", expression=True) == expected


LAYOUTS = [
    "x = 1\ny = 2",
    "\n    x = 1\n    y = 2\n  ",
    "\n\tx = 1\n\ty = 2\n",
    "x = 1\n        y = 2\n    ",
    "   x = 1\n        y = 2\n    ",
    "\n\n    # c\n  # c\n    x = 1 # d\n# e\n\n    y = 2\n",
    "# c\n    x = 1\n    y = 2\n",
    "if 1:\n            x = 1\n        else:\n            x = 3\n        y = 2",
    "if 1:\n        x = 1\n        y = 2",
    "x = [1,\n  ][0]\n        y = 2",
    "x = len('''a''')\n        y = (1\n + 1)",
    "for x in [1]:\n            pass\n        y = 2",
    "\n    x = 1; y = 2;\n",
    "\n    x = \\\n  1\n    y = 2\n",
]


@pytest.mark.parametrize("text", LAYOUTS)
def test_any_indentation(outcome: Any, text: str) -> None:
    assert outcome(text)[1] == {"x": 1, "y": 2}


def test_multiline_strings_are_not_changed(run: Any) -> None:
    assert run("\n    s = '''a\n  b\n      c'''\n    return s\n") == "a\n  b\n      c"
    assert run("s = '''a\nb\n    c'''\n        return s") == "a\nb\n    c"


def test_an_expression_over_several_lines(script: Any) -> None:
    scope = Scope(None, a=1, b=2)
    assert script("\n   a\n   + b # all\n", expression=True).run(scope) == 3
    assert script("a, b", expression=True).run(scope) == (1, 2)
    assert script(" a + b; ", expression=True).run(scope) == 3


@pytest.mark.parametrize(
    ("xml", "note"),
    [
        ("<source>\n\n    a = 1\n    return a + nope\n</source>", "4:16: return a + nope"),
        ("<source>return a + nope</source>", "1:20: <source>return a + nope</source>"),
        ("<source><![CDATA[x = 1\n      y = x < nope]]></source>", "2:15: y = x < nope]]></source>"),
        ("<source>ü = '&#252;&lt;'; nope</source>", "1:27: <source>ü = '&#252;&lt;'; nope</source>"),
        ("<source>\n  for i in [1]:\n    if i:\n      a, b = i\n</source>", "4:7: a, b = i"),
        ("<source>\n  def f(n):\n    return 1 / n\n  f(0)\n</source>", "3:12: return 1 / n"),
        ("<source>\n  x = f'{nope}'\n</source>", "2:10: x = f'{nope}'"),
        ("<source>\n  try: 1 / 0\n  except ArithmeticError: [].pop()\n</source>", "3:27: except ArithmeticError: [].pop()"),
        ("<source>\n  sorted([2, 1], key=lambda n: n.nope)\n</source>", "2:32: sorted([2, 1], key=lambda n: n.nope)"),
    ],
)  # fmt: skip
def test_place_of_a_failure(xml: str, note: str) -> None:
    script = compile_script(parse("flow.task.xml", xml.encode()))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any type
        script.run(Scope(None, a=1))
    assert caught.value.__notes__ == [f"in script at flow.task.xml:{note}"]


def test_place_of_a_failure_in_an_attribute() -> None:
    script = compile_script(parse("f.xml", b'<loop\n  itemsExpr="a &lt; nope"/>'), "itemsExpr", expression=True)
    with pytest.raises(NameError) as caught:
        script.run(Scope(None, a=1))
    assert caught.value.__notes__ == ['in script at f.xml:2:21: itemsExpr="a &lt; nope"/>']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(" * 250 + ")" * 250, "nested"),
        ("-" * 20_000 + "1", "nested"),
        ("+".join("1" * 5_000), "nested"),
        ("+".join("1" * 150), "nested more than 100 deep"),
        ("x" + ".a" * 10_000, "nested"),
        ("x" * 50_001, "50,001 characters"),
        (";".join(["a=[" + "1," * 100 + "]"] * 210), "21,630 parts"),
        ("let x = a && b", 'scriptLang="xscript"'),
        ("import os", "call it from an <invoke>"),
        ("for x in y:\npass", "expected an indented block after 'for' statement"),
    ],
)
def test_messages_for_large_and_foreign_texts(script: Any, text: str, words: str) -> None:
    with pytest.raises(BindError) as caught:
        script(text)
    assert words in str(caught.value)
    assert " on line" not in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    "text",
    [
        "\n".join("  " * depth + "if 1:" for depth in range(95)) + "\n" + "  " * 95 + "return 7",
        "+".join(["1"] * 95),
        "f(" * 60 + "1" + ")" * 60,
        "if n < 0: 0\n" + "\n".join(f"elif n == {number}: {number}" for number in range(90)),
    ],
)
def test_deep_but_allowed_scripts_run(script: Any, text: str) -> None:
    assert script(text).run(Scope(None, n=89, f=lambda n: n)) in {7, 95, 1, 89}


def test_the_limits_of_the_source_can_be_set(refused: Callable[..., Any]) -> None:
    settings = ScriptSettings(limits=Limits(source_length=3))
    assert refused("<source>a + b</source>", settings=settings) == [(S, 1, 9)]


@pytest.mark.parametrize(
    ("language", "words"),
    [("pyton", "did you mean 'python'?"), ("ruby", "known are python and xscript")],
)
def test_other_languages(script: Any, language: str, words: str) -> None:
    with pytest.raises(BindError) as caught:
        script("1", language=language)
    assert words in str(caught.value)
    assert caught.value.diagnostics[0].code == "unsupported-language"
