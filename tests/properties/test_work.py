"""The cost of a step does not depend on the number of steps: measured in function calls, not in time."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import TaskManager

STEP = '<step name="s{0}"><input name="x" value="${{1}}"/><source>return x + 1</source><output name="y"/></step>'
STEPS = {
    "sequence": lambda count: "".join(STEP.format(n) for n in range(count)),
    "nested sequences": lambda count: "".join(
        f'<sequential name="q{n}"><steps>{STEP.format(n)}</steps></sequential>' for n in range(count)
    ),
    "loop": lambda count: (
        f'<loop name="l" itemsExpr="range({count})" varName="i"><steps>{STEP.format(0)}</steps></loop>'
    ),
    "counting loop": lambda count: (
        f'<loop-n name="l" beginExpr="1" endExpr="{count}"><steps>{STEP.format(0)}</steps></loop-n>'
    ),
    "fork": lambda count: f'<fork-n name="f" countExpr="{count}"><steps>{STEP.format(0)}</steps></fork-n>',
    "fork with tasks": lambda count: (
        f'<fork-n name="f" countExpr="{count}"><steps><simple name="w" bean="wait"/></steps></fork-n>'
    ),
    "throttled fork": lambda count: (
        f'<fork-n name="f" countExpr="{count}"><steps><simple name="w" bean="wait">'
        '<throttle maxConcurrency="3" maxWait="1h"/></simple></steps></fork-n>'
    ),
    "parallel": lambda count: "<parallel><steps>" + "".join(STEP.format(n) for n in range(count)) + "</steps></parallel>",
    "jumps": lambda count: (
        '<step name="s"><input name="n" optional="true"/><source>n = (n or 0) + 1</source><output name="n"/></step>'
        f'<choose name="c"><input name="n"/><decider>n &lt; {count}</decider>'
        '<case match="true" to="s"><steps/></case></choose>'
    ),
}  # fmt: skip


def calls(function: Callable[[], Any]) -> int:
    """Return the number of Python and C functions that a call of ``function`` calls."""
    count = 0

    def see(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    gc.disable()
    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("watched", [False, True], ids=["unwatched", "watched"])
def test_a_step_costs_the_same_among_many(bench: Bench, name: str, watched: bool) -> None:
    """The second hundred of steps needs as many calls as the fourth, except for iterations of the event loop."""

    async def wait() -> None:
        await asyncio.sleep(0)

    manager = TaskManager(beans={"wait": wait}, observers=[lambda _: None] if watched else ())

    costs = []
    for count in (100, 200, 300, 400):
        path = bench.write(task(STEPS[name](count)))
        manager.run(path)  # compiles
        costs.append(calls(partial(manager.run, path)))
    first, *others = [more - less for less, more in itertools.pairwise(costs)]
    assert all(abs(other - first) <= 0.02 * first + 40 for other in others), costs


NESTED = {
    "sequential": '<sequential name="q{0}"><steps>{1}</steps></sequential>',
    "if": '<if name="q{0}"><condition>True</condition><then><steps>{1}</steps></then></if>',
    "choose": '<choose name="q{0}"><decider>1</decider><case match="1"><steps>{1}</steps></case></choose>',
    "parallel": '<parallel name="q{0}"><steps>{1}</steps></parallel>',
    "fork": '<fork-n name="q{0}" countExpr="1"><steps>{1}</steps></fork-n>',
}


@pytest.mark.parametrize("name", NESTED)
def test_compiling_a_level_costs_the_same_at_any_depth(bench: Bench, name: str) -> None:
    """The levels 20 to 40 of nested steps need twice as many calls as the levels 10 to 20."""
    manager = TaskManager()

    def compiled(depth: int) -> int:
        text = STEP.format(0)
        for level in range(depth):
            text = NESTED[name].format(level, text)
        path = bench.write(task(text))
        return calls(lambda: manager.load(path).program(traced=False))

    compiled(1)  # what is worked out once per class
    ten, twenty, forty = map(compiled, (10, 20, 40))
    assert forty - twenty <= 2.2 * (twenty - ten), (ten, twenty, forty)
