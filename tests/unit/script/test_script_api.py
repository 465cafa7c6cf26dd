"""Public interface: attributes of a Script, settings, sharing between threads and tasks, lazy imports."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest

from taskrun.core.scope import Scope
from taskrun.script.script import ScriptSettings, compile_script
from taskrun.syntax.load import parse


@pytest.mark.parametrize(
    ("text", "reads", "stores", "uses"),
    [
        ("a + b", "a b", "", ""),
        ("len(a)", "a", "", "len"),
        ("x = a\nx + 1", "a", "x", ""),
        ("x = x + 1", "x", "x", ""),
        ("x += 1", "x", "x", ""),
        ("if c: x = 1\nx", "c x", "x", ""),
        ("if c: x = 1\nelse: x = 2\nx", "c", "x", ""),
        ("if c: x = 1\nelse: return\nx", "c", "x", ""),
        ("for i in items: last = i\nlast", "items last", "i last", ""),
        ("for k, (i, j) in items: pass", "items", "k i j", ""),
        ("while a: b = c", "a c", "b", ""),
        ("try: x = f()\nexcept E as e: e.args\nx", "f E x", "x", ""),
        ("try: x = f()\nexcept E as e: raise\nx", "f E", "x", ""),
        ("try: x = f()\nfinally: y = x", "f x", "x y", ""),
        ("with m as h: h + g", "m g", "h", ""),
        ("[x + y for x in xs if x]", "xs y", "", ""),
        ("[x for x in x]", "x", "", ""),
        ("[y := x for x in xs]", "xs", "y", ""),
        ("(lambda p, q=d: p + q + g)(1)", "d g", "", ""),
        ("def f(p):\n    v = p + g\n    return v + w\nf(1)", "g w", "f", ""),
        ("def f(): return later\nlater = 1\nf()", "later", "f later", ""),
        ("(n := 5) and n", "", "n", ""),
        ("a and (n := 5)\nn", "a n", "n", ""),
        ("d['k'] = v", "d v", "", ""),
        ("x: T = 1\ndef f(a: T) -> T: pass", "", "x f", ""),
        ("x = 1\ndel x\nx", "x", "x", ""),
        ("f'{a!r:{w}}'", "a w", "", ""),
        ("_ = a", "a", "", ""),
        ("sum + a", "a", "", "sum"),
        ("own(1)", "", "", "own"),
    ],
)
def test_the_variables_of_a_script(script: Any, text: str, reads: str, stores: str, uses: str) -> None:
    compiled = script(text, settings=ScriptSettings(functions={"own": abs}))
    expected = tuple(set(words.split()) for words in (reads, stores, uses))
    assert (compiled.reads, compiled.stores, compiled.uses) == expected
    assert compiled.suspends is False


def test_a_script_has_its_location() -> None:
    node = parse("f.xml", b'<a when="x"/>')
    compiled = compile_script(node, "when", expression=True)
    assert (compiled.text, compiled.node, compiled.attribute) == ("x", node, "when")


def test_functions_extend_the_table_and_variables_hide_it(script: Any) -> None:
    settings = ScriptSettings(functions=MappingProxyType({"twice": lambda x: 2 * x, "len": lambda x: -1}))
    assert script("twice(4), len([])", settings=settings).run(Scope(None)) == (8, -1)
    assert script("len([])").run(Scope(None)) == 0
    assert script("twice", settings=settings).run(Scope(Scope(None, twice=1))) == 1


def test_the_same_text_is_compiled_once() -> None:
    root = parse("f.xml", b"<a><b>x + nope</b>\n<b>x + nope</b></a>")
    cache: dict[Any, Any] = {}
    first, second = (compile_script(node, settings=ScriptSettings(cache=cache)) for node in root.children)
    assert len(cache) == 1
    for compiled, place in ((first, "f.xml:1:11"), (second, "f.xml:2:8")):
        with pytest.raises(NameError) as caught:
            compiled.run(Scope(None, x=1))
        assert caught.value.__notes__[0].startswith(f"in script at {place}: ")
    as_expression = compile_script(root.children[0], expression=True, settings=ScriptSettings(cache=cache))
    assert (len(cache), as_expression.text) == (2, "x + nope")


def test_nothing_leaks_between_evaluations(script: Any) -> None:
    compiled = script("x = [1]\nx.append(n)\nx")
    assert compiled.run(Scope(None, n=1)) == [1, 1]
    assert compiled.run(Scope(None, n=2)) == [1, 2]
    with pytest.raises(NameError):
        script("x").run(Scope(None))


SHARED = """
total = 0
for i in range(n):
    try:
        if i % 7 == n % 7: raise ValueError(i)
        total += sum(j for j in [i, n])
    except ValueError as e:
        total -= e.args[0]
return total
"""


def expected(n: int) -> int:
    return sum(-i if i % 7 == n % 7 else i + n for i in range(n))


def test_threads_and_tasks_share_a_script(script: Any) -> None:
    compiled = script(SHARED)
    failing = script("[1 / (n - n) for i in range(20)]")

    def work(n: int) -> object:
        if n % 5 == 0:
            with pytest.raises(ZeroDivisionError):
                failing.run(Scope(None, n=n))
        return compiled.run(Scope(None, n=n))

    async def tasks() -> list[object]:
        async def one(n: int) -> object:
            await asyncio.sleep(0)
            return work(n)

        return list(await asyncio.gather(*(one(n) for n in range(50))))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(100))) == [expected(n) for n in range(100)]
    assert asyncio.run(tasks()) == [expected(n) for n in range(50)]


def test_a_script_may_run_scripts(script: Any) -> None:
    compiled = script("1 if n < 2 else n * again(n - 1)")

    def again(n: int) -> Any:
        return compiled.run(Scope(None, n=n, again=again))

    assert again(6) == 720
    inner = script("x = 1 / 0")
    scope = Scope(None, inner=lambda: inner.run(Scope(None)))
    assert script("try: inner()\nexcept ArithmeticError: a = 'handled'\na").run(scope) == "handled"


def test_functions_of_a_script_run_in_several_threads(script: Any) -> None:
    def every(function: Any, values: list[int]) -> list[Any]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(function, values))

    text = "def f(n):\n    m = [i for i in range(n)]\n    return sum(m) + base\nevery(f, list(range(50)))"
    assert script(text).run(Scope(None, every=every, base=1)) == [sum(range(n)) + 1 for n in range(50)]


def test_asteval_is_imported_by_its_own_evaluations_only() -> None:
    code = (
        "import sys; from taskrun.script.script import ScriptSettings, compile_script\n"
        "from taskrun.syntax.load import parse; from taskrun.core.scope import Scope\n"
        "for name in ('compiled', 'asteval'):\n"
        "    s = compile_script(parse('f.xml', b'<a>1</a>'), settings=ScriptSettings(evaluator=name))\n"
        "    print('asteval' in sys.modules); s.run(Scope(None)); print('asteval' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False", "True"]
