"""Generated programs give what Python gives: the same value and variables, or the same exception."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrun.core.scope import Scope

LEAVES = {
    "number": ["i", "j", "f", "0", "1", "7", "2.5"],
    "text": ["s", "t", "'x'", "'a b'"],
    "items": ["xs", "ys", "[]", "[4, 5]"],
    "truth": ["True", "False", "i == 3"],
    "any": ["i", "s", "xs", "d", "new", "None"],
    "statement": ["i = <any>", "new = <any>", "xs += <any>", "a, *b = <any>", "del new", "<any>", "1 / 0", "pass"],
}
RULES = {
    "number": [
        "(<number> + <number>)", "(<number> - <number>)", "(<number> * <number>)", "(<number> / <number>)",
        "(<number> // <number>)", "(<number> % <number>)", "(-<number>)", "(<number> if <truth> else <number>)",
        "len(<items>)", "sum(<items>)", "max(*<items>, <number>)", "<items>[<number>]", "d[<text>]",
        "(lambda p, q=<number>, *, r=j: p - q + r)(<number>)", "int(<text> or <number>)",
    ],
    "text": [
        "(<text> + <text>)", "f'{s!r:>5}:{i * f:.{2}f}{xs}'", "str(<any>)", "<text>.upper()", "<text>[1:]", "<text>[::-1]",
        "'-'.join(sorted(<text>))", "('%s' % (<number>,))",
    ],
    "items": [
        "[<number>, *<items>]", "[<number> for i in <items> if <truth>]", "[(i, k) for i in <items> for k in <items>]",
        "sorted({k: <number> for k in <items>})", "list(i for i in <items>)", "(<items> + <items>)", "list(<text>)",
        "list(map(lambda i: <number>, <items>))",
    ],
    "truth": [
        "(<truth> and <truth>)", "(<truth> or <truth>)", "(<number> < <number> <= <number>)", "(<number> == <any>)",
        "(<number> in <items>)", "(not <text>)", "isinstance(<any>, (int, str))", "all(i for i in <items>)",
    ],
    "any": ["<number>", "<text>", "<items>", "<truth>", "{**d, <text>: <number>}", "(new := <number>)"],
    "statement": [
        "if <truth>:\n<block>\nelse:\n<block>",
        "for i in list(<items>):\n<block>\n    if <truth>: break\nelse:\n<block>",
        "for i, new in [(1, 2), (<any>, <any>)]:\n    if i == 1: continue\n<block>",
        "try:\n<block>\nexcept (TypeError, ValueError) as e:\n<block>\nelse:\n    new = 1\nfinally:\n<block>",
        "try:\n<block>\nexcept LookupError: pass\nexcept Exception:\n<block>\n    raise",
        "def g(i, s=<any>, *more):\n<block>\n    return i\nnew = g(<any>)",
        "while <truth>:\n<block>\n    break\nelse:\n<block>",
        "assert <truth>, <any>",
        "d[<text>] = <any>",
        "d['a'] += <number>",
        "xs[<number>] = <any>",
        "xs[0:1] = <items>",
        "s = <text>",
        "new = [(lambda: i + k)() for k in <items>]",
    ],
}  # fmt: skip


@st.composite
def sentence(draw: st.DrawFn, symbol: str, depth: int) -> str:
    """Draw a text of the grammar; ``<block>`` is one or two statements, indented."""
    if symbol == "block":
        lines = "\n".join(draw(st.lists(sentence("statement", depth), min_size=1, max_size=2)))
        return re.sub("^", "    ", lines, flags=re.MULTILINE)
    rule = draw(st.sampled_from(LEAVES[symbol] + (RULES[symbol] if depth else [])))
    return re.sub("<([a-z]+)>", lambda found: draw(sentence(found[1], max(0, depth - 1))), rule)


def variables() -> dict[str, Any]:
    return {"i": 3, "j": -2, "f": 0.5, "s": "abc", "t": "", "xs": [1, 2, 3], "ys": [], "d": {"a": 1, "b": 2}}


def shown(names: dict[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in names.items() if name != "__builtins__" and not callable(value)}


def settled(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settled(150)
@given(sentence("any", 3))
def test_expressions(script: Any, text: str) -> None:
    names, scope = variables(), Scope(None, **variables())
    try:
        expected = repr(eval(text, names))
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            script(text, expression=True).run(scope)
    else:
        assert repr(script(text, expression=True).run(scope)) == expected
    assert shown(scope) == shown(names)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settled(200)
@given(st.lists(sentence("statement", 3), min_size=1, max_size=3))
def test_programs(script: Any, statements: list[str]) -> None:
    text = "\n".join(statements)
    names, scope = variables(), Scope(None, **variables())
    try:
        exec(text, names)
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            script(text).run(scope)
    else:
        script(text).run(scope)
    assert shown(scope) == shown(names)
