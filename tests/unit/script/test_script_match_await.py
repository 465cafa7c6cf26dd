"""Features of the default evaluator only: ``match`` and ``await``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from taskrun import TaskManager
from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.script import Limits, Script, ScriptBudgetError, ScriptSettings, compile_script
from taskrun.syntax.load import parse


def python(text: str, **options: Any) -> Script:
    return compile_script(parse("flow.task.xml", f"<source><![CDATA[{text}]]></source>".encode()), **options)


@dataclass
class Point:
    """Value with a private field."""

    x: int
    y: int
    _secret: str = "SECRET"


MATCHES = [
    ("1 | 2", 2, True),
    ("1 | 2", 3, False),
    ("None", None, True),
    ("None", 0, False),
    ("'a'", "a", True),
    ("-1", -1, True),
    ("[a, b]", [1, 2], {"a": 1, "b": 2}),
    ("[a, b]", (1, 2), {"a": 1, "b": 2}),
    ("[a, b]", "xy", False),
    ("[a, *b]", [1, 2, 3], {"a": 1, "b": [2, 3]}),
    ("[*_, a]", [1, 2, 3], {"a": 3}),
    ("[a, *b, c]", [1], False),
    ("[[a, b], c]", [[1, 2], 3], {"a": 1, "b": 2, "c": 3}),
    ("{'k': v}", {"k": 1, "z": 2}, {"v": 1}),
    ("{'k': v}", {"z": 2}, False),
    ("{'k': v, **rest}", {"k": 1, "z": 2}, {"v": 1, "rest": {"z": 2}}),
    ("{}", {"z": 2}, True),
    ("int(n)", 5, {"n": 5}),
    ("int(n)", "5", False),
    ("str() as s", "t", {"s": "t"}),
    ("Point(x=1, y=q)", Point(1, 2), {"q": 2}),
    ("Point(p, q)", Point(1, 2), {"p": 1, "q": 2}),
    ("Point(x=9)", Point(1, 2), False),
    ("(1 | 2) as n", 1, {"n": 1}),
    ("[1, x] | [x, 1]", [7, 1], {"x": 7}),
    ("x if x > 3", 5, {"x": 5}),
    ("x if x > 3", 1, False),
    ("_", 1, True),
]


@pytest.mark.parametrize(("pattern", "value", "expected"), MATCHES)
def test_patterns_match_as_in_python(pattern: str, value: object, expected: Any) -> None:
    text = f"match given:\n    case {pattern}:\n        hit = True"
    own = {
        name: found for name, found in _exec(text, given=value, Point=Point).items() if name not in {"given", "Point"}
    }
    scope = Scope(Scope(None, given=value, Point=Point))
    python(text).run(scope)
    assert {name: found for name, found in scope.items() if scope.get("hit") or name == "hit"} == (
        own if own.get("hit") else {}
    )
    assert bool(own.get("hit")) is bool(expected)
    assert not isinstance(expected, dict) or expected.items() <= scope.items()


def _exec(text: str, **variables: Any) -> dict[str, Any]:
    exec(text, {"__builtins__": __builtins__}, variables)
    return variables


def test_the_first_matching_case_runs_and_the_subject_is_evaluated_once() -> None:
    seen: list[int] = []
    text = "match f():\n    case 1: a = 'one'\n    case int(): a = 'int'\n    case _: a = 'other'\na"
    assert python(text).run(Scope(None, f=lambda: seen.append(1) or 2)) == "int"
    assert seen == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("match v:\n  case x: 1\n  case 2: 2", "unreachable"),
        ("match v:\n  case [x, x]: 1", "multiple assignments"),
        ("match v:\n  case [x, 1] | [1, y]: 1", "different names"),
        ("match v:\n  case Point(_secret=s): s", "refused"),
        ("match v:\n  case {'a': _x}: 1", "refused"),
    ],
)
def test_a_wrong_pattern(text: str, message: str) -> None:
    with pytest.raises(BindError, match=message):
        python(text)


def test_positions_of_a_class_pattern_pass_the_guard() -> None:
    with pytest.raises(TypeError, match="3 positional"):
        python("match v:\n  case Point(a, b, c, d): c").run(Scope(None, v=Point(1, 2), Point=Point))
    hidden = type("Hidden", (Point,), {"__match_args__": ("_secret",)})
    assert python("match v:\n  case H(s): s\n  case _: 'no'").run(Scope(None, v=hidden(1, 2), H=hidden)) == "no"


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


def awaited(text: str, **options: Any) -> Any:
    script = python(text, awaits=True, **options)
    assert script.suspends
    return asyncio.run(script.run(Scope(None, double=double)))


def test_a_script_awaits_host_coroutines() -> None:
    assert awaited("a = await double(2)\nb = [await double(i) for i in range(3)]\na + sum(b)") == 10
    assert awaited("c = double\nreturn await c(4)") == 8


@pytest.mark.parametrize(
    "text", ["def f():\n  await double(1)", "lambda: await double(1)", "sum(await double(i) for i in [1])"]
)
def test_await_belongs_to_the_script_itself(text: str) -> None:
    with pytest.raises(BindError, match="'await' inside a function"):
        python(text, awaits=True)


def test_await_in_a_synchronous_context() -> None:
    with pytest.raises(BindError, match="<script> step only"):
        python("await double(1)")


def test_values_that_cannot_be_awaited() -> None:
    with pytest.raises(TypeError, match="cannot be awaited"):
        awaited("await len('a')")


def test_waiting_costs_no_time_of_the_budget() -> None:
    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 1

    settings = ScriptSettings(limits=Limits(seconds=0.04))
    script = python("x = await slow()\nfor i in range(2000): x += 1\nx", awaits=True, settings=settings)
    assert asyncio.run(script.run(Scope(None, slow=slow))) == 2001
    script = python("x = await slow()\nwhile True: pass", awaits=True, settings=settings)
    with pytest.raises(ScriptBudgetError):
        asyncio.run(script.run(Scope(None, slow=slow)))


def test_a_hundred_interleaved_scripts_have_separate_variables() -> None:
    async def all_of_them() -> list[int]:
        script = python("t = 0\nfor i in range(5): t += await double(n)\nt", awaits=True)
        return await asyncio.gather(*(script.run(Scope(None, double=double, n=n)) for n in range(100)))

    assert asyncio.run(all_of_them()) == [n * 10 for n in range(100)]


def test_a_script_step_of_a_flow_awaits_a_function_of_the_manager(tmp_path: Any) -> None:
    path = tmp_path / "f.task.xml"
    path.write_text(
        '<task><input name="n" type="int"/><steps><step name="a"><input name="n"/><source>await double(n)</source></step>'
        '<script name="b" lang="python"><input name="RESULT"/><source>await double(RESULT)</source></script></steps></task>'
    )
    manager = TaskManager(functions={"double": double})
    assert manager.run(path, {"n": 3}).result == 12
    path.write_text(
        '<task><steps><step name="a" executor="thread"><source>await double(1)</source></step></steps></task>'
    )
    with pytest.raises(Exception, match="leave out the executor"):
        manager.run(path)
