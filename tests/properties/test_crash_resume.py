"""A run that is killed after any commit and resumed ends like one that was not killed, without repeated effects.

The flows are random: sequences, loops, forks, parallel, graphs, choices, retries, jumps, handled and unhandled failures,
suspends and undoing, nested in each other. What is compared are the effects of the steps outside of the run, the undoing
among them, and how the run ended.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from crashing import World, Worlds
from hypothesis import given, note, settings
from hypothesis import strategies as st
from small_flows import Bench

Made = Callable[[Iterator[int]], str]
"""Makes the XML of a step, given the numbers that its names are made of."""


def leaf(numbers: Iterator[int], *, fails: str = "", revert: bool = True, more: str = "") -> str:
    """Return a step with an effect, which fails when the condition holds."""
    name = f"s{next(numbers)}"
    source = f"n = effect('{name}')\n"
    if fails:
        source += f"if {fails}:\n    raise ValueError('{name} fails')\n"
    undo = f"<revert>effect('undo {name}')</revert>" if revert else ""
    return f'<step name="{name}" useParentScope="true"{more}><source>{source}return n</source>{undo}</step>'


def plain(revert: bool) -> Made:
    return lambda numbers: leaf(numbers, revert=revert)


def wait(millis: int) -> Made:
    return lambda numbers: f'<delay name="d{next(numbers)}" delayMillisExpr="{millis}"/>'


def suspend() -> Made:
    return lambda numbers: f'<suspend name="u{next(numbers)}"><input name="ok" type="bool" mandatory="true"/></suspend>'


def steps_of(parts: list[Made], numbers: Iterator[int]) -> str:
    return "<steps>" + "\n".join(part(numbers) for part in parts) + "</steps>"


def named(tag: str, attributes: str = "", inner: str = "", after: str = "") -> Callable[[list[Made]], Made]:
    """Return a function that creates a container of steps with these attributes; ``{n}`` is its number."""

    def container(parts: list[Made]) -> Made:
        def make(numbers: Iterator[int]) -> str:
            number = next(numbers)
            written = attributes.format(n=number)
            body = inner + steps_of(parts, numbers) + after
            return f'<{tag} name="c{number}" useParentScope="true" {written}>{body}</{tag}>'

        return make

    return container


def handled(parts: list[Made], how: str) -> Made:
    """Return a container whose last step fails, inside a container that handles the failure."""

    def make(numbers: Iterator[int]) -> str:
        number = next(numbers)
        body = steps_of([*parts, lambda more: leaf(more, fails="True")], numbers)

        def inner(written: str = "", after: str = "") -> str:
            return f'<sequential name="h{number}" useParentScope="true"{written}>{body}{after}</sequential>'

        if how == "nothing":
            return inner()
        if how == "timeout":
            slow = steps_of([*parts, wait(9_000)], numbers)
            settings = 'timeout="3000" allowFailure="true" useParentScope="true"'
            return f'<sequential name="h{number}" {settings}>{slow}</sequential>'
        if how == "catch":
            return inner("", f"<catch>effect('caught {number}')</catch>")
        if how == "allowFailure":
            return inner(' allowFailure="true"')
        if how == "nextOnError":
            after = f"<step name=\"n{number}\"><source>effect('n{number}')</source></step>"
            return inner(f' nextOnError="n{number}"') + leaf(numbers) + after
        return f'<selector name="v{number}" useParentScope="true"><steps>{inner()}{leaf(numbers)}</steps></selector>'

    return make


def retried(parts: list[Made], attempts: int, delay: int) -> Made:
    """Return a container whose last step fails until the last attempt."""

    def make(numbers: Iterator[int]) -> str:
        body = steps_of([*parts, lambda more: leaf(more, fails=f"attempt &lt; {attempts}")], numbers)
        number = next(numbers)
        retry = f'<retry maxRetryCount="{attempts}" retryDelay="{delay}"/>'
        return f'<sequential name="r{number}" useParentScope="true">{retry}{body}</sequential>'

    return make


def jumping(parts: list[Made]) -> Made:
    """Return steps that are executed twice because of a jump back."""

    def make(numbers: Iterator[int]) -> str:
        number = next(numbers)
        first = f'<step name="j{number}" useParentScope="true"><source>n = effect(\'j{number}\')\nreturn seen + 1</source><output name="RESULT" exportAs="seen"/></step>'
        back = f'<choose name="k{number}" useParentScope="true"><decider>seen &lt; 2</decider><case match="true" to="j{number}"><steps/></case></choose>'
        body = f"<steps>{first}{''.join(part(numbers) for part in parts)}{back}</steps>"
        return (
            f'<sequential name="g{number}" useParentScope="true"><input name="seen" value="${{0}}"/>{body}</sequential>'
        )

    return make


def graph(parts: list[Made]) -> Made:
    """Return a graph of two steps that wait for a first one, and a last step that waits for both."""

    def make(numbers: Iterator[int]) -> str:
        number = next(numbers)
        first = f"<step name=\"a{number}\"><source>effect('a{number}')</source><revert>effect('undo a{number}')</revert></step>"
        middle = "".join(
            f'<sequential name="{side}{number}" waitSteps="a{number}" useParentScope="true">{steps_of(parts, numbers)}</sequential>'
            for side in "bc"
        )
        last = f'<step name="z{number}" waitSteps="b{number},c{number}"><source>effect(\'z{number}\')</source></step>'
        return f'<graph name="w{number}" useParentScope="true" enterSteps="a{number}" exitSteps="z{number}"><steps>{first}{middle}{last}</steps></graph>'

    return make


HOW = ("catch", "allowFailure", "nextOnError", "selector", "timeout")
LEAVES = st.one_of(st.booleans().map(plain), st.sampled_from([10, 700]).map(wait), st.just(suspend()))


def bigger(parts: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    """Return the strategy of containers with such parts."""
    several = st.lists(parts, min_size=1, max_size=3)
    parallel = named("parallel")
    first = named("parallel", 'joinType="anySuccess"')
    return st.one_of(
        several.map(named("sequential")),
        several.map(named("sequential", "", "", "<revert>effect('undo container')</revert>")),
        several.map(named("loop", 'itemsExpr="[1, 2]" varName="i{n}"')),
        several.map(named("loop-n", 'beginExpr="1" endExpr="2" varName="i{n}"')),
        several.map(named("loop", 'maxCount="2"', "<until>effect('until') == 0</until>")),
        several.map(lambda branches: parallel([named("sequential")([branch]) for branch in branches])),
        several.map(named("fork", 'varName="i{n}"', "<producer>return [1, 2]</producer>")),
        several.map(named("fork-n", 'countExpr="2"')),
        st.builds(handled, several, st.sampled_from([*HOW, "nothing"])),
        st.builds(retried, several, st.integers(2, 3), st.sampled_from([0, 400])),
        several.map(lambda parts: parallel([wait(5), named("sequential")([wait(8_000), *parts])])),
        st.booleans().map(
            lambda revert: first(
                [named("sequential")([plain(revert), wait(9_000)]), named("sequential")([wait(20), plain(revert)])]
            )
        ),
        several.map(jumping),
        several.map(graph),
    )


PARTS = st.recursive(LEAVES, bigger, max_leaves=7)
FLOWS = st.tuples(st.lists(PARTS, min_size=1, max_size=3), st.booleans())


def text_of(parts: list[Made], fails: bool) -> str:
    """Return a task with these steps; its last step fails if requested."""
    numbers = itertools.count(1)
    body = "\n".join(part(numbers) for part in parts)
    last = leaf(numbers, fails="True" if fails else "")
    return f"<task name='random'><steps>\n{body}\n{last}\n</steps></task>"


def unnoted(effects: list[str]) -> Counter[str]:
    """Return the effects without those of conditions, because a decision is written with the next record only."""
    return Counter(effect for effect in effects if not effect.startswith(("until", "caught")))


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """The worlds of all examples."""
    return Worlds()


def check(bench: Bench, worlds: Worlds, text: str, deaths: Callable[[int], Iterator[list[int]]]) -> None:
    """Compare a run that is not killed with runs that are."""
    path = str(bench.write(text))
    whole = World(worlds, {"ok": True})
    wanted = whole.live(path, [])
    for death in deaths(whole.store.commits):
        world = World(worlds, {"ok": True})
        ended = world.live(path, death)
        if ended != wanted or unnoted(world.effects) != unnoted(whole.effects):
            note(f"dies after {death} of {whole.store.commits} commits: {world.effects} instead of {whole.effects}")
        assert ended == wanted
        assert unnoted(world.effects) == unnoted(whole.effects)


@settings(max_examples=20)
@given(flow=FLOWS)
def test_killed_after_each_commit(bench: Bench, worlds: Worlds, flow: tuple[list[Made], bool]) -> None:
    """The process is killed once, after the first, second, third … commit."""
    text = text_of(*flow)
    note(text)

    def deaths(commits: int) -> Iterator[list[int]]:
        step = max(1, commits // 15)
        return ([number] for number in range(1, commits + 1, step))

    check(bench, worlds, text, deaths)


@settings(max_examples=30)
@given(flow=FLOWS, death=st.lists(st.integers(1, 12), min_size=2, max_size=8))
def test_killed_repeatedly(bench: Bench, worlds: Worlds, flow: tuple[list[Made], bool], death: list[int]) -> None:
    """The process is killed several times, also during a replay, a retry delay or a rollback."""
    text = text_of(*flow)
    note(text)
    check(bench, worlds, text, lambda _: iter([death]))


A = '<step name="a"><source>effect("a")</source><revert>effect("undo a")</revert></step>'
FAILS = '<step name="b"><source>1/0</source></step>'
WAITS = '<delay name="w" delayMillisExpr="10"/>'


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (f'<sequential name="s"><steps>{A}{FAILS}</steps></sequential>', "REVERTED"),
        (f'<sequential name="s" timeout="50"><steps>{A}<delay name="w" delayMillisExpr="1000"/></steps></sequential>', "REVERTED"),
        (
            (f'<parallel name="p"><steps><sequential name="x"><steps>{A}{FAILS}</steps></sequential>'
            f'<sequential name="y"><steps>{WAITS}<step name="c" allowFailure="true"><source>1/0</source></step></steps>'
            "</sequential></steps></parallel>"),
            "REVERTED",
        ),
        (
            (f'<parallel name="p" joinType="allComplete"><steps><sequential name="x"><steps>{A}{WAITS}{FAILS}</steps>'
            '</sequential></steps></parallel><step name="z"><source>effect("z")</source></step>'),
            "SUCCEEDED",
        ),
        (f'<sequential name="s"><steps>{A}{FAILS}</steps><catch>effect("caught")</catch></sequential>{FAILS}', "FAILED"),
    ],
)  # fmt: skip
def test_state_after_a_rollback(bench: Bench, worlds: Worlds, body: str, state: str) -> None:
    """Only compensations because of the failure that ends the run make it REVERTED; kills do not change that."""
    text = f"<task><steps>{body}</steps></task>"
    world = World(worlds, {})
    assert world.live(str(bench.write(text)), []).startswith(state)
    check(bench, worlds, text, lambda commits: ([number] for number in range(1, commits + 1)))
