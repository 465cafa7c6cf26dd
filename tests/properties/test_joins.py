"""Joins and graphs compared with small models: the order of steps, the result, and the time of the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun.errors import RunCancelled

JOINS = ("allSuccess", "anyFailure", "anySuccess", "allComplete")


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that ends after so many milliseconds (0: without awaiting), with success or failure."""

    number: int
    millis: int
    succeeds: bool


@st.composite
def branch_lists(draw: st.DrawFn) -> list[Branch]:
    """Return branches that end at different times; branches without a wait end in their order."""
    slow = draw(st.lists(st.integers(1, 50), max_size=5, unique=True))
    times = draw(st.permutations(slow + [0] * draw(st.integers(0 if slow else 1, 2))))
    return [Branch(number, millis, draw(st.booleans())) for number, millis in enumerate(times)]


def model(join: str, branches: list[Branch], *, cancels: bool) -> tuple[int, list[Branch], Branch | None]:
    """Return the time at which a join is decided, the branches that had ended by then, and the failure that it raises."""
    seen: list[Branch] = []
    failure: Branch | None = None
    decided = False
    # those that end at once do so when they are started, so nobody who is started after a decision runs at all
    for branch in sorted(branches, key=lambda item: item.millis):
        seen.append(branch)
        if not branch.succeeds:
            failure = failure or branch
        decided = (join == "anySuccess" and branch.succeeds) or (join == "anyFailure" and not branch.succeeds)
        if decided:
            break
    end = seen[-1].millis if cancels else max(branch.millis for branch in branches)
    if join == "allComplete" or (join == "anySuccess" and any(branch.succeeds for branch in seen)):
        failure = None
    return end, seen, failure


@settings(max_examples=80)
@given(join=st.sampled_from(JOINS), branches=branch_lists(), cancels=st.booleans(), forked=st.booleans())
def test_joins(bench: Bench, join: str, branches: list[Branch], cancels: bool, forked: bool) -> None:
    """A join ends at the right time, with the results of the branches that ended before, or with the first failure."""
    begun: list[int] = []
    ended: list[int] = []

    async def work(n: int) -> int:
        begun.append(n)
        branch = branches[n]
        if branch.millis:
            await asyncio.sleep(branch.millis / 1000)
        ended.append(n)
        if not branch.succeeds:
            raise LookupError(n)
        return n

    settings_ = f'name="j" joinType="{join}" autoCancelUnfinished="{str(cancels).lower()}"'
    shown = "<aggregator>return {name: r.result if r.isSuccess() else r.error.errorCode for name, r in aggResults.items()}</aggregator>"
    if forked:
        body = f"""<fork varName="n" {settings_}><producer>range({len(branches)})</producer>
            <steps><simple name="w" bean="work"><input name="n"/></simple></steps>{shown}</fork>"""
    else:
        steps = "".join(
            f'<simple name="b{branch.number}" bean="work"><input name="n" value="${{{branch.number}}}"/></simple>'
            for branch in branches
        )
        body = f"<parallel {settings_}><steps>{steps}</steps>{shown}</parallel>"
    ran = bench.run(task(body), beans={"work": work})
    end, seen, failure = model(join, branches, cancels=cancels)
    assert ran.elapsed == end
    assert ended[: len(seen)] == [branch.number for branch in seen]
    if not cancels:
        assert len(ended) == len(branches)
    if failure is not None:
        assert isinstance(ran.cause, LookupError)
        assert ran.cause.args == (failure.number,)
        return
    expected: dict[str, Any] = {}
    for branch in branches:
        key = str(branch.number + 1) if forked else f"b{branch.number}"
        if branch in seen:
            expected[key] = branch.number if branch.succeeds else "LookupError"
        elif forked:
            expected[key] = RunCancelled.error_code
    assert ran.result == expected
    assert list(ran.result) == list(expected)


@dataclass(frozen=True, slots=True)
class Knot:
    """A step of a graph: its duration, whether it succeeds, and the steps that it waits for."""

    millis: int
    succeeds: bool
    after: frozenset[int]
    after_failure: frozenset[int]


@st.composite
def graphs(draw: st.DrawFn) -> list[Knot]:
    """Return the steps of a graph; each waits for earlier ones only."""
    knots: list[Knot] = []
    for number in range(draw(st.integers(1, 7))):
        earlier = st.frozensets(st.integers(0, number - 1), max_size=2) if number else st.just(frozenset[int]())
        after, after_failure = draw(earlier), draw(earlier)
        knots.append(Knot(draw(st.integers(1, 40)), draw(st.integers(0, 3)) > 0, after, after_failure - after))
    return knots


def times(knots: list[Knot]) -> tuple[dict[int, tuple[int, int]], set[int]]:
    """Return the start and end of each step that runs, and the steps whose failure another step waits for."""
    awaited = {other for knot in knots for other in knot.after_failure}
    found: dict[int, tuple[int, int]] = {}
    for number, knot in enumerate(knots):
        waits = [(other, True) for other in knot.after] + [(other, False) for other in knot.after_failure]
        if all(other in found and knots[other].succeeds is success for other, success in waits):
            begin = max((found[other][1] for other, _ in waits), default=0)
            found[number] = (begin, begin + knot.millis)
    return found, awaited


@settings(max_examples=80)
@given(knots=graphs(), exits=st.sets(st.integers(0, 6), min_size=1, max_size=2))
def test_graphs(bench: Bench, knots: list[Knot], exits: set[int]) -> None:
    """Each step starts when its last wait is satisfied; the first exit step, or unawaited failure, ends the graph."""
    exits = {number % len(knots) for number in exits}
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}

    async def work(n: int) -> int:
        loop = asyncio.get_running_loop()
        begun[n] = round(loop.time() * 1000, 6)
        await asyncio.sleep(knots[n].millis / 1000)
        ended[n] = round(loop.time() * 1000, 6)
        if not knots[n].succeeds:
            raise LookupError(n)
        return n

    def names(attribute: str, numbers: Iterable[int]) -> str:
        text = ",".join(f"k{number}" for number in sorted(numbers))
        return f' {attribute}="{text}"' if text else ""

    enter = [number for number, knot in enumerate(knots) if not knot.after and not knot.after_failure]
    steps = "".join(
        f'<simple name="k{number}" bean="work"{names("waitSteps", knot.after)}{names("waitErrorSteps", knot.after_failure)}>'
        f'<input name="n" value="${{{number}}}"/></simple>'
        for number, knot in enumerate(knots)
    )
    text = task(
        f'<graph name="g"{names("enterSteps", enter)}{names("exitSteps", exits)}><steps>{steps}</steps></graph>'
    )
    ran = bench.run(text, beans={"work": work})
    planned, awaited = times(knots)
    ends = [
        (planned[number][1], number)
        for number in planned
        if (knots[number].succeeds and number in exits) or (not knots[number].succeeds and number not in awaited)
    ]
    over = min((end for end, _ in ends), default=max(end for _, end in planned.values()))
    assert ran.elapsed == over
    for number, (begin, _) in planned.items():
        if begin < over:
            assert begun[number] == begin
    assert all(begin <= over for begin in begun.values())
    last = [number for end, number in ends if end == over]
    if len(last) == 1 and knots[last[0]].succeeds:
        assert ran.result == last[0]
    elif len(last) == 1:
        assert ran.cause.args == (last[0],)
    elif not last:
        assert "nothing runs in 'g' and no exit step has ended" in str(ran.cause)
