"""Benchmark of scripts: the same text as a script, and as Python code run by ``eval`` or ``exec``."""

from __future__ import annotations

import timeit
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

from taskrun.core.scope import Scope
from taskrun.script.script import ScriptSettings, compile_script
from taskrun.syntax.load import parse

LOOP = """total = 0
names = []
for i in range(50):
    if i % 2 == 0:
        total += i * 2
    else:
        total -= 1
    if total > 100:
        names.append(i)
result = total + len(names)
result"""
TEXTS = MappingProxyType(
    {
        "sum + a": 1.2,
        "x == 3": 1.2,
        "x + 1": 1.2,
        "order['items'][0]['price'] * qty if qty > 3 else 0": 2.0,
        "[i*i for i in range(100)]": 5.0,
        LOOP: 6.0,
    }
)
"""The texts, with the allowed ratio of their time to that of Python."""
REPEATS = 9


def variables() -> dict[str, Any]:
    """Return the variables that the texts read."""
    return {"sum": 5, "a": 7, "x": 3, "qty": 4, "order": {"items": [{"price": 3.5}]}}


def best(statement: str, names: dict[str, Any], count: int) -> float:
    """Return the best µs per evaluation of several rounds."""
    return min(timeit.repeat(statement, globals=names, number=count, repeat=REPEATS)) / count * 1e6


def ratio(text: str, evaluator: str) -> tuple[float, float]:
    """Return the µs per evaluation of a text by Python, and as a script."""
    kind = "exec" if "\n" in text else "eval"
    count = 2_000 if "for" in text else 100_000
    code = compile(text, "bench", kind)
    native = best(f"{kind}(code, names)", {"code": code, "names": variables()}, count)
    node = parse("bench.task.xml", f"<source>{escape(text)}</source>".encode())
    script = compile_script(node, settings=ScriptSettings(evaluator=evaluator))
    scope = Scope(Scope(None), **variables())
    script.run(scope)
    own = best("run(scope)", {"run": script.run, "scope": scope}, count if evaluator == "compiled" else count // 20)
    return native, own


def report() -> None:
    """Print the figures of each text."""
    print("\nscripts                                              native µs  compiled  ratio (limit)   asteval")
    for text, limit in TEXTS.items():
        native, compiled = ratio(text, "compiled")
        _, walked = ratio(text, "asteval")
        name = text.replace("\n", " ")[:50]
        print(f"{name:52} {native:9.3f} {compiled:9.3f} {compiled / native:6.2f} ({limit})  {walked:10.2f}")
