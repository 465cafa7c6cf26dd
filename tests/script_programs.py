"""A grammar of Python programs that mostly end in a value, and their evaluation by CPython and as a script."""

from __future__ import annotations

import random
import re
import warnings
from typing import Any
from xml.sax.saxutils import escape

from taskrun.core.scope import Scope
from taskrun.script.script import ScriptSettings, compile_script
from taskrun.syntax.load import parse

LEAVES = {
    "number": ["i", "j", "f", "0", "1", "7", "2.5"],
    "text": ["s", "t", "'x'", "'a b'"],
    "items": ["xs", "ys", "[]", "[4, 5]"],
    "numbers": ["[i, j]", "[4, 5]", "(0,)", "range(3)"],
    "truth": ["True", "False", "i == 3"],
    "any": ["i", "s", "xs", "d", "new", "None"],
    "statement": [
        "i = <number>",
        "new = <any>",
        "xs += <items>",
        "a, *b = <numbers>",
        "<any>",
        "pass",
        "j -= <number>",
        "<failing>",
    ],
    "failing": ["1 / 0", "del new", "a, *b = <any>", "xs += <any>", "missing", "s.nope", "pass", "pass"],
}
RULES = {
    "number": [
        "(<number> + <number>)", "(<number> - <number>)", "(<number> * <number>)", "(<number> / (<number> or 2))",
        "(<number> // (<number> or 3))", "(<number> % (<number> or 5))", "(-<number>)",
        "(<number> if <truth> else <number>)", "len(<items>)", "sum(<numbers>)", "max(*<numbers>, <number>)",
        "<numbers>[0]", "d['a']", "(lambda p, q=<number>, *, r=j: p - q + r)(<number>)", "int(<number>)",
        "round(<number>, 2)", "abs(<number>)", "(<number> or <number>)",
    ],
    "text": [
        "(<text> + <text>)", "f'{s!r:>5}:{i * f:.{2}f}{xs}'", "str(<any>)", "<text>.upper()", "<text>[1:]", "<text>[::-1]",
        "'-'.join(sorted(<text>))", "('%s' % (<number>,))", "(<text> * 2)", "repr(<number>)",
    ],
    "items": [
        "[<number>, *<items>]", "[<number> for i in <numbers> if <truth>]", "[(i, k) for i in <items> for k in <items>]",
        "sorted({k: 1 for k in <numbers>})", "list(i for i in <items>)", "(<items> + <items>)", "list(<text>)",
        "list(map(lambda i: <number>, <items>))", "[*zip(<items>, <items>)]", "list(enumerate(<items>))[:2]",
    ],
    "numbers": ["[<number>, <number>]", "[<number> for i in <numbers>]", "sorted([<number>, <number>])"],
    "truth": [
        "(<truth> and <truth>)", "(<truth> or <truth>)", "(<number> < <number> <= <number>)", "(<number> == <any>)",
        "(<number> in <items>)", "(not <text>)", "isinstance(<any>, (int, str))", "all(i for i in <items>)",
        "(<text> != <text>)", "any(i is None for i in <items>)",
    ],
    "any": ["<number>", "<text>", "<items>", "<truth>", "{**d, <text>: <number>}", "(new := <number>)"],
    "statement": [
        "if <truth>:\n<block>\nelse:\n<block>",
        "for i in list(<numbers>):\n<block>\n    if <truth>: break\nelse:\n<block>",
        "for i, new in [(1, 2), (<number>, <any>)]:\n    if i == 1: continue\n<block>",
        "try:\n<block>\nexcept (TypeError, ValueError) as e:\n<block>\nelse:\n    new = 1\nfinally:\n<block>",
        "try:\n<block>\n    <failing>\nexcept LookupError: pass\nexcept Exception:\n    new = 2",
        "try:\n<block>\nexcept LookupError: pass\nexcept Exception:\n<block>\n    raise",
        "def g(i, s=<text>, *more):\n    new = xs = <items>\n    j = <number>\n    return <any>\nnew = g(<number>)",
        "def g(n): return <number> if n < 1 else g(n - 1)\nnew = g(3)",
        "while <truth>:\n<block>\n    break\nelse:\n<block>",
        "assert True, <any>",
        "d[<text>] = <any>",
        "d['a'] += <number>",
        "xs[0:1] = <items>",
        "s = <text>",
        "new = [(lambda: i)() for k in <items>]",
    ],
    "failing": ["assert <truth>, <any>", "xs[<number>] = <any>", "<items>[<number>]", "d[<text>]", "int(<text>)"],
}  # fmt: skip


def program(source: random.Random, symbol: str = "program", depth: int = 3) -> str:
    """Return a random text of the grammar."""
    if symbol == "program":
        return "\n".join(program(source, "statement", depth) for _ in range(source.randint(1, 4)))
    if symbol == "block":
        lines = "\n".join(program(source, "statement", depth) for _ in range(source.randint(1, 2)))
        return re.sub("^", "    ", lines, flags=re.MULTILINE)
    rule = source.choice(LEAVES[symbol] + (RULES[symbol] if depth else []))
    return re.sub("<([a-z]+)>", lambda found: program(source, found[1], max(0, depth - 1)), rule)


def variables() -> dict[str, Any]:
    return {"i": 3, "j": -2, "f": 0.5, "s": "abc", "t": "", "xs": [1, 2, 3], "ys": [], "d": {"a": 1, "b": 2}, "new": 0}


def shown(names: dict[str, Any]) -> dict[str, str]:
    return {
        name: repr(value)
        for name, value in names.items()
        if name not in {"__builtins__", "__doc__"} and not callable(value)
    }


def by_python(text: str) -> tuple[Any, dict[str, str]]:
    """Return the type of the exception that a program raises (None for none), and the variables that it assigns."""
    names = variables()
    ended: type[BaseException] | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            exec(text, names)
        except Exception as error:  # noqa: BLE001
            ended = type(error)
    return ended, shown(names)


def by_script(text: str, evaluator: str) -> tuple[Any, dict[str, str]]:
    """Return the same as ``by_python`` for the program as a script."""
    scope = Scope(None, **variables())
    node = parse("flow.task.xml", f"<source>{escape(text)}</source>".encode())
    ended: type[BaseException] | None = None
    try:
        compile_script(node, settings=ScriptSettings(evaluator=evaluator)).run(scope)
    except Exception as error:  # noqa: BLE001
        ended = type(error)
    return ended, shown(scope)


def same(expected: tuple[Any, dict[str, str]], actual: tuple[Any, dict[str, str]]) -> bool:
    """Return whether a script ended as in Python; an unknown name is a NameError of taskrun."""
    first, second = expected[0], actual[0]
    return expected[1] == actual[1] and (
        first is second or (first is not None and second is not None and issubclass(second, first))
    )
