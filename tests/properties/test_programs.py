"""Properties of programs: normalizing is idempotent, no-op decorators change nothing, loops use constant memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.syntax.load import parse
from taskrun.syntax.normalize import normalize

TAGS = ("step", "xpl", "sequential", "parallel", "if", "choose", "loop", "fork", "graph", "delay", "sleep", "steps")
PARTS = ("then", "else", "case", "otherwise", "steps", "source", "input", "output")
NAMES = {"name": ("", "a", "case1"), "disabled": ("true", "false"), "useParentScope": ("true", "false")}

attributes = st.fixed_dictionaries({}, optional={name: st.sampled_from(words) for name, words in NAMES.items()})


def element(tag: str, given_attributes: dict[str, str], inside: list[str]) -> str:
    shown = "".join(f" {name}={quoteattr(text)}" for name, text in given_attributes.items())
    return f"<{tag}{shown}>{''.join(inside)}</{tag}>"


trees = st.recursive(
    st.sampled_from(["<step/>", "<xpl>1</xpl>", "text", "<a:own/>"]),
    lambda inner: st.builds(element, st.sampled_from(TAGS + PARTS), attributes, st.lists(inner, max_size=4)),
    max_leaves=20,
)
roots = st.builds(
    element,
    st.just("task"),
    st.fixed_dictionaries(
        {"xmlns:a": st.just("a")},
        optional={"graphMode": st.sampled_from(("true", "false")), "defaultUseParentScope": st.just("true")},
    ),
    st.lists(trees, max_size=4),
)


@given(roots)
@settings(max_examples=300, derandomize=True)
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    once = normalize(parse("tree.xml", text.encode()))
    assert normalize(once) == once


NO_OPS = (
    '<retry maxRetryCount="0"/>',
    '<throttle maxConcurrency="9" maxWait="1s"/>',
    '<rate-limit requestPerSecond="1000" maxWait="1s"/>',
    "<finally>0</finally>",
    "<when>True</when>",
    "<onEnter>0</onEnter>",
    '<flags enable="on"/>',
    "<catch>raise exception</catch>",
    '<decorator name="timeout" timeout:timeout="1h" xmlns:timeout="t"/>',
)
BODY = (
    '<input name="n"><source>20</source></input><output name="twice"/><source>twice = n * 2\nreturn twice + 2</source>'
)


@given(st.lists(st.sampled_from(NO_OPS), unique=True), st.booleans())
@settings(max_examples=40, derandomize=True)
def test_decorators_that_do_nothing_change_nothing(bench: Bench, chosen: list[str], timed: bool) -> None:
    attribute = ' timeout="1h"' if timed else ""
    flow = task(f'<step name="s"{attribute}>{"".join(chosen)}{BODY}</step>', tail='<output name="twice"/>')
    ran = bench.run(flow)
    assert ran.error is None
    assert (ran.outputs, ran.elapsed) == ({"twice": 40}, 0)


def peak(flow: Path, count: int) -> int:
    manager = TaskManager()
    asyncio.run(manager.run_async(flow, {"count": 10}))  # compiles
    gc.collect()
    tracemalloc.start()
    try:
        asyncio.run(manager.run_async(flow, {"count": count}))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "loop",
    [
        '<loop name="l" itemsExpr="range(count)" varName="i">',
        '<loop name="l" maxCount="0"><while>(RESULT or 0) &lt; count</while>',
    ],
)
def test_the_memory_of_a_loop_does_not_grow(bench: Bench, loop: str) -> None:
    step = '<step name="s"><input name="r"><source>RESULT or 0</source></input><source>r + 1</source></step>'
    flow = bench.write(
        f'<task><input name="count"/><steps>{loop}<input name="count"/><steps>{step}</steps></loop></steps></task>'
    )
    few, many = peak(flow, 500), peak(flow, 10_000)
    assert many < few + 200_000
