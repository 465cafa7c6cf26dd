"""Tests of the fast paths: which programs have one, and that a flow does the same without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_flows import Bench, task

import taskrun.optimize.optimize as stage
from taskrun import Completion, Frame
from taskrun.compile.registry import Registry
from taskrun.core.flow import Flow
from taskrun.core.step import step
from taskrun.core.weave import StepProgram, Weaver, WeaveSettings, Woven
from taskrun.optimize.leaf import entry_for
from taskrun.steps.sequence import Sequence
from taskrun.steps.step import ScriptStep

SCRIPT = '<step name="a"><input name="x"/><source>x + 1</source><output name="x"/></step>'
DELAY = '<delay name="d" delayMillisExpr="1"/>'


def programs(program: Any) -> Iterator[Any]:
    """Yield a program and all programs inside, each with its decorators."""
    yield program
    while isinstance(program, Woven):
        program = program.inner
    assert isinstance(program, StepProgram)
    for child in program.children():
        yield from programs(child)


def named(flow: Flow, name: str, *way: bool) -> Any:
    """Return the program of the step with that name; ``way`` are the arguments of ``Flow.program``."""
    return next(item for item in programs(flow.program(*(way or (False,)))) if item.name == name)


WITHOUT_COROUTINE = {
    SCRIPT: True,
    '<script name="a" lang="python"><source>1</source></script>': True,
    '<step name="a"/>': False,
    '<step name="a"><source>await inject("b")()</source></step>': False,
    '<step name="a" executor="thread"><source>1</source></step>': False,
    '<step name="a" timeout="1s"><source>1</source></step>': False,
    f'<sequential name="a"><steps>{SCRIPT}</steps></sequential>': True,
    f'<sequential name="a"><output name="x"/><steps>{SCRIPT}</steps></sequential>': True,
    f'<sequential name="a"><steps>{DELAY}</steps></sequential>': False,
    f'<sequential name="a"><steps>{SCRIPT * 200}</steps></sequential>': False,
    f'<sequential name="o" executor="thread"><steps><sequential name="a"><steps>{SCRIPT}</steps></sequential></steps></sequential>': False,
    f'<if name="a"><condition>x</condition><then><steps>{SCRIPT}</steps></then></if>': True,
    f'<if name="a"><condition>x</condition><then><steps>{SCRIPT}</steps></then><else><steps>{DELAY}</steps></else></if>': False,
    f'<choose name="a"><decider>x</decider><case match="1"><steps>{SCRIPT}</steps></case></choose>': True,
    f'<choose name="a"><decider>x</decider><case match="1" to="a"><steps>{SCRIPT}</steps></case></choose>': False,
    f'<choose name="a"><decider>x</decider><otherwise><steps>{DELAY}</steps></otherwise></choose>': False,
    f'<loop name="a" itemsExpr="[1]"><steps>{SCRIPT}</steps></loop>': False,
}


@pytest.mark.parametrize(("text", "expected"), WITHOUT_COROUTINE.items())
def test_programs_with_a_fast_path(bench: Bench, text: str, expected: bool) -> None:
    """A program has a fast path if all its parts have one and it cannot occupy the event loop for long."""
    text = text.replace(SCRIPT * 200, "".join(SCRIPT.replace('"a"', f'"a{n}"') for n in range(200)))
    program = named(bench.load(task(text, head='<input name="x"/>')), "a")
    assert (program.run_sync is not None) is expected


def test_a_recorded_leaf_has_its_own_coroutine(bench: Bench) -> None:
    """A recorded leaf is a coroutine, because it waits for the commit."""
    flow = bench.load(task(SCRIPT, head='<input name="x"/>'))
    program = named(flow, "a", False, True)
    assert program.run_sync is None
    assert program.run.__module__ == "taskrun.optimize.leaf"


def test_weaving_alone_makes_no_fast_path(bench: Bench) -> None:
    """Weaving adds no fast paths; the stage optimize adds them to the same tree."""
    flow = bench.load(task(f'<sequential name="q"><steps>{SCRIPT}</steps></sequential>', head='<input name="x"/>'))
    woven = Weaver(Registry().implying).weave(flow.model, WeaveSettings(root=True))
    assert all(program.run_sync is None for program in programs(woven))
    fast = stage.optimize(woven)
    assert [item.name for item in programs(fast)] == [item.name for item in programs(woven)]
    assert all(program.run_sync is not None for program in programs(fast))


@step("reversed")
class Reversed(Sequence):
    """A sequence of another package whose ``run`` does something else."""

    async def run(self, frame: Frame) -> Completion:
        """Run no step."""
        return Completion({"RESULT": "mine"})


@step("again")
class Again(Sequence):
    """A sequence of another package that inherits ``run``."""


@step("shouted")
class Shouted(ScriptStep):
    """A script step of another package whose ``run`` does something else."""

    async def run(self, frame: Frame) -> Completion:
        """Return the text of the script."""
        assert self.source is not None
        return Completion({"RESULT": self.source.text})


def test_a_subclass_that_overrides_run_has_no_fast_path(bench: Bench) -> None:
    """A subclass that inherits ``run`` has the fast path of its base, one that overrides it has none."""
    text = """<reversed name="r"><steps><step name="x"><source>1</source></step></steps></reversed>
      <again name="g"><steps><step name="y"><source>2</source></step></steps></again>
      <shouted name="s"><source>3</source></shouted>
      <step name="t"><source>STEP</source><input name="STEP" value="${RESULT}"/></step>"""
    steps = [Reversed, Again, Shouted]
    flow = bench.load(task(text), steps=steps)
    found = {name: named(flow, name).run_sync is not None for name in ("r", "g", "s")}
    assert found == {"r": False, "g": True, "s": False}
    assert bench.run(task(text), steps=steps).result == "3"


def test_a_class_without_the_method_has_no_entry() -> None:
    """An entry belongs to the class that defines the method."""
    table = {Sequence: "sequence"}
    assert entry_for(table, Again, "run") == "sequence"
    assert entry_for(table, Reversed, "run") is None
    assert entry_for(table, Again, "no_such_method") is None


OTHER = SCRIPT.replace('"a"', '"b"')
GOT = "<aggregator>aggResults.getSuccessStepResultValues()</aggregator>"
FLOWS = {
    SCRIPT: 1,
    f'<if name="i" useParentScope="true"><condition>x</condition><then><steps>{SCRIPT}</steps></then><output name="x"/></if>': 1,
    f'<sequential name="q"><input name="x" type="int"/><steps>{SCRIPT}</steps><output name="x"/></sequential>': 1,
    f'<if name="i"><input name="x"/><condition>x</condition><else><steps>{SCRIPT}</steps></else></if>': 1,
    '<choose name="c"><input name="x"/><decider>x</decider><case match="1"><steps><exit><source>5</source></exit>'
    f'<step name="n"/></steps></case><otherwise><steps>{SCRIPT}</steps></otherwise></choose>': 1,
    f'<loop-n name="l" beginExpr="1" endExpr="3"><input name="x"/><steps>{SCRIPT}</steps></loop-n>': 2,
    f'<fork-n name="f" countExpr="3"><input name="x"/><steps>{SCRIPT}</steps>{GOT}</fork-n>': 2,
    f'<parallel name="p"><steps>{SCRIPT}{OTHER}</steps>{GOT}</parallel>': 2,
    '<step name="a"><input name="x"/><source>x / 0</source></step>': 1,
    '<step name="a"><input name="x"/><source>{"y": x}</source><output name="y"/></step>': 1,
    f'<sequential name="q"><steps>{SCRIPT}<end><source>x</source></end><step name="n"/></steps></sequential>': 1,
}


@pytest.mark.parametrize(("text", "value"), FLOWS.items())
def test_a_flow_does_the_same_without_the_stage(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, text: str, value: int
) -> None:
    """The outputs and the messages of failures are equal with and without the stage."""

    def outcome() -> Any:
        ran = bench.run(task(text, head='<input name="x"/>', tail='<output name="x"/>'), {"x": value})
        return repr(ran.outputs), str(ran.error), getattr(ran.error, "__cause__", None).__class__

    fast = outcome()
    monkeypatch.setattr(stage, "optimize", lambda program: program)
    assert outcome() == fast
