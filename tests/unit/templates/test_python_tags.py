"""Test Python functions as tags."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import types
from typing import Any, Optional

import pytest
from templates import Templates, locations_of, messages_of


def add(left: int, right: int = 1) -> int:
    """Return a sum; it runs in a worker thread."""
    assert threading.current_thread() is not threading.main_thread()
    return left + right


async def later(value: Any, *, ms: float = 5) -> Any:
    """Return a value later; it runs on the event loop."""
    await asyncio.sleep(ms / 1000)
    return value


def kinds(
    a: "int | None" = None,  # noqa: UP037 - as others write it
    b: Optional[str] = None,  # noqa: UP045 - likewise
    c: list[int] | None = None,
    d: bool = False,
    **rest: Any,
) -> Any:
    return (a, b, c, d, rest)


def twice(body: Any, n: int = 2) -> list[Any]:
    return [body(index) for index in range(n)]


async def awaiting(default: Any) -> Any:
    return await default()


def word(default: Any) -> str:
    return default().upper()


def raising() -> None:
    raise KeyError("gone")


def in_context(context: Any, a: int = 0) -> Any:
    return (context.folder.is_dir(), a)


def first(a: Any, /) -> Any:
    return a


class Callable:
    """An object that is called like a coroutine function."""

    async def __call__(self, a: int) -> int:
        """Return the next number."""
        return a + 1


TAGS = {
    "p": {
        "add": add, "later": later, "kinds": kinds, "twice": twice, "awaiting": awaiting, "word": word,
        "raising": raising, "in_context": in_context, "first": first, "dict": dict, "call": Callable(), "module": lambda: sys,
    }
}  # fmt: skip
HEAD = ' xmlns:p="p"'

VALUES: list[tuple[str, Any]] = [
    ("<p:add left='${n}'/>", 3),
    ("<p:Add left='2' right='${n}'/>", 4),
    ("<p:add xpl:attrs=\"${{'left': '5'}}\"/>", 6),
    ("<p:later value='${n}' xpl:return='x'/><c:script>x + 1</c:script>", 3),
    ("<p:kinds a='1' b='${n}' c='[1]' d='true' e='${n}'/>", (1, "2", [1], True, {"e": 2})),
    ("<p:kinds a='${None}'/>", (None, None, None, False, {})),
    ("<p:twice xpl:slotScope='i'><c:script>i + n</c:script></p:twice>", [2, 3]),
    ("<p:twice n='1'><body xpl:slotScope='i'><c:script>(i, n)</c:script></body></p:twice>", [(0, 2)]),
    ("<p:awaiting><p:later value='${n}'/></p:awaiting>", 2),
    ("<p:word>text ${n}</p:word>", "TEXT 2"),
    ("<p:InContext a='1'/>", (True, 1)),
    ("<p:call a='1'/>", 2),
    ("<c:collect outputMode='text'>a<p:add left='1'/></c:collect>", "a2"),
    ("<c:for begin='1' end='2' var='i'><p:add left='${i}' xpl:return='s'/></c:for><c:script>s</c:script>", 3),
]


@pytest.mark.parametrize(("body", "expected"), VALUES)
@pytest.mark.parametrize("evaluator", ["compiled", "asteval"])
def test_value(templates: Templates, body: str, expected: Any, evaluator: str) -> None:
    """The value of a tag is the return value of its function."""
    templates.library("")
    ran = templates.bench.run(templates.flow(body, {"n": 2}, head=HEAD), {"n": 2}, tags=TAGS, evaluator=evaluator)
    assert ran.result == expected


@pytest.mark.parametrize(
    ("body", "expected", "message"),
    [
        ("<p:Addd/>", ["unknown-tag 3:1"], "'Add'"),
        ("<p:add/>", ["missing-attribute 3:1"], "left"),
        ("<p:add left='1' rigth='2'/>", ["unknown-attribute 3:17"], "'right'"),
        ("<p:add left='1'><left/></p:add>", ["doubled 3:8"], ""),
        ("<p:add left='1'>text</p:add>", ["unknown-slot 3:1"], "text fills no parameter"),
        ("<p:add left='1'><b/></p:add>", ["unknown-slot 3:17"], "<b>"),
        ("<p:in_context context='1'/>", ["unknown-attribute 3:15"], ""),
        ("<p:first a='1'/>", ["unknown-tag 3:1"], "positional-only"),
        ("<p:dict a='1'/>", ["unknown-tag 3:1"], "no readable signature"),
        ("<p:twice><p:later value='1'/></p:twice>", ["unsupported 3:1"], "async def"),
        ("<p:twice><body/><body/></p:twice>", ["doubled 3:17"], ""),
        ("<p:twice><body/><c:unit/></p:twice>", ["doubled 3:17"], ""),
    ],
)
def test_wrong(templates: Templates, body: str, expected: list[str], message: str) -> None:
    """A wrong call is a problem of the file."""
    templates.library("")
    problems = templates.bench.problems(templates.flow(body, head=HEAD), tags=TAGS)
    assert locations_of(problems) == expected
    assert message in messages_of(problems)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p:add left='${n}'/>", "3:8: the attribute left: 'x' is not of type int"),
        ("<p:raising/>", "gone"),
        ("<p:module/>", "does not get a module"),
        ("<p:add xpl:attrs=\"${{'left': 1, 'z': 2}}\"/>", "unexpected keyword argument 'z'"),
    ],
)
def test_failure(templates: Templates, body: str, expected: str) -> None:
    """A failure at run time has a message with its reason."""
    templates.library("")
    ran = templates.bench.run(templates.flow(body, {"n": "x"}, head=HEAD), {"n": "x"}, tags=TAGS)
    assert expected in str(ran.cause)


def test_a_tag_that_awaits_is_refused_in_conditions(templates: Templates) -> None:
    """A condition cannot contain a tag that has to be awaited."""
    text = '<task xmlns:p="p"><steps><step name="a"><when>\n<p:add left="1"/></when><source>1</source></step></steps></task>'
    problems = templates.bench.problems(text, tags=TAGS)
    assert [item.code for item in problems] == ["unsupported"]


def test_an_awaited_slot_in_a_tag_of_a_library(templates: Templates) -> None:
    """xpl:slot awaits the slot; a script has to await it, and fails otherwise."""
    body = "<t:A><b><p:later value='7'/></b></t:A>"
    for source, expected in (
        ("<c:unit xpl:slot='b'/>", "7"),
        ("<c:script>await b()</c:script>", "7"),
        ("<c:script>b()</c:script>", None),
    ):
        templates.library(f'<A><slot name="b"/><source>{source}</source></A>')
        ran = templates.bench.run(templates.flow(body, head=HEAD), tags=TAGS)
        if expected:
            assert ran.result == expected, source
        else:
            assert "await" in str(ran.cause)


def test_modules(templates: Templates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The allow list applies to python:module and <import>; only public functions of the module itself are tags."""
    module = types.ModuleType("tagmodule")
    exec(
        "import os\nfrom os.path import join\ndef hello(a): return 'hi ' + a\ndef _no(): pass\nclass K:\n  def m(self): return 1\nk = K()\n",
        module.__dict__,
    )
    monkeypatch.setitem(sys.modules, "tagmodule", module)
    text = '<task xmlns:p="python:tagmodule">{}<steps><step name="a"><source><p:{}/></source></step></steps></task>'
    bench = templates.bench
    assert bench.run(text.format("", "hello a='x'"), allow=["tagmodule"]).result == "hi x"
    for tag in ("join", "_no", "os"):
        assert [item.code for item in bench.problems(text.format("", tag), allow=["tagmodule"])] == ["unknown-tag"]
    problems = bench.problems(text.format("", "hello a='x'"))
    assert [item.code for item in problems] == ["no-library"]
    assert "not allowed" in messages_of(problems)
    named = text.replace("python:tagmodule", "m").format('<import as="m" class="tagmodule:k"/>', "m")
    assert bench.run(named, allow=["tagmodule"]).result == 1
    one = text.replace("python:tagmodule", "m").format('<import as="m" class="tagmodule:hello"/>', "hello a='x'")
    assert bench.run(one, allow=["tagmodule"]).result == "hi x"


def test_a_cancelled_run_leaves_a_thread_behind(templates: Templates) -> None:
    """The timeout of a step does not wait for a function in a worker thread."""

    def slow() -> None:
        time.sleep(0.3)

    text = '<task xmlns:p="q"><steps><step name="a" timeout="20"><source><p:slow/></source></step></steps></task>'
    assert isinstance(templates.bench.run(text, tags={"q": {"slow": slow}}).cause, TimeoutError)


def test_a_task_is_executed_by_its_name(templates: Templates) -> None:
    """task:Execute finds tasks by name like call-task."""
    bench = templates.bench
    bench.write(
        "<task><input name='n'/><steps><step name='a'><source>n + 1</source></step></steps></task>", "half/v1.task.xml"
    )
    call = "<task:Execute taskName='half' inputs=\"${{'n': 1}}\" xpl:return='r'/><c:script>r['RESULT']</c:script>"
    templates.library("")
    assert bench.run(templates.flow(call)).result == 2
