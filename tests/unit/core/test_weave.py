"""How decorators are put round steps: in which order, round which steps, and what is known of the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.flow import Flow
from taskrun.core.step import Step
from taskrun.core.weave import StepProgram, Woven


def layers(program: Any) -> list[str]:
    """Return the tags of the decorators round a step, from the outermost."""
    return [layer.tag or type(layer).__name__ for layer in program.layers()] if isinstance(program, Woven) else []


def programs(program: Any) -> Iterator[Any]:
    """Yield a program and all programs inside."""
    yield program
    for child in _innermost(program).children():
        yield from programs(child)


def _innermost(program: Any) -> StepProgram:
    while isinstance(program, Woven):
        program = program.inner
    assert isinstance(program, StepProgram)
    return program


def named(flow: Flow, name: str, *, traced: bool = False) -> Any:
    """Return the program of the step of that name."""
    return next(item for item in programs(flow.program(traced)) if item.name == name)


EVERYTHING = """
<step name="s" timeout="1s" allowFailure="true" executor="thread" returnType="int" nextOnError="end">
  <when>True</when>
  <flags match="EMPTY" enable="x"/>
  <validator>1</validator>
  <onEnter>1</onEnter>
  <rate-limit requestPerSecond="1" maxWait="1s"/>
  <throttle maxConcurrency="1" maxWait="1s"/>
  <retry maxRetryCount="1"/>
  <output name="o"/>
  <finally>1</finally>
  <catch>1</catch>
  <decorator name="retry" order="7" retry:maxRetryCount="1" xmlns:retry="r"/>
  <decorator name="timeout" order="5" timeout:timeout="1s" xmlns:timeout="t"/>
  <decorator name="mine" bean="mine" order="6"/>
  <decorator name="yours" bean="mine" order="5"/>
  <source>1</source>
</step>
<step name="end"/>
"""


def test_the_order_is_the_rank_then_the_order_then_the_file(bench: Bench) -> None:
    """Whatever the order of the file, a step's decorators stand round it in one order."""
    flow = bench.load(task(EVERYTHING), beans={"mine": lambda frame, inner: inner(frame)})
    outside = [
        "FlagMatch",
        "when",
        "nextOnError",
        "call",
        "FlagChange",
        "allowFailure",
        "validator",
        "onEnter",
        "rate-limit",
    ]
    inside = ["throttle", "timeout", "executor", "retry", "outputs", "finally", "catch"]
    found = layers(named(flow, "s"))
    assert found[: len(outside)] == outside
    assert found[len(outside) : -5] == inside
    assert found[-5:] == ["retry", "decorator", "decorator", "timeout", "returnType"]
    custom = [layer for layer in named(flow, "s").layers() if layer.tag == "decorator"]
    assert [layer.name for layer in custom] == ["mine", "yours"]
    assert [layer.name for layer in custom if layer.order == 5] == ["yours"]


def test_a_plain_step_gets_the_call_alone(bench: Bench) -> None:
    """Nobody pays for what they do not ask for; watching adds one layer, the root needs none."""
    flow = bench.load(task('<step name="a"><source>1</source></step>'))
    assert layers(named(flow, "a")) == ["call"]
    assert layers(named(flow, "a", traced=True)) == ["trace", "call"]
    assert layers(flow.program(traced=False)) == []
    assert layers(flow.program(traced=True)) == []


def test_a_step_without_expressions_in_its_outputs_needs_no_evaluation(bench: Bench) -> None:
    """RESULT as it is, is there anyway."""
    flow = bench.load(
        task('<step name="a"><output name="RESULT"/></step><step name="b"><output name="RESULT" type="int"/></step>')
    )
    assert layers(named(flow, "a")) == ["call"]
    assert layers(named(flow, "b")) == ["call", "outputs"]


def test_programs_are_woven_once(bench: Bench) -> None:
    """All runs share them."""
    flow = bench.load(task('<step name="a"/>'))
    assert flow.program(traced=False) is flow.program(traced=False)
    assert flow.program(traced=True) is not flow.program(traced=False)


def test_a_step_of_a_library_keeps_what_is_its_own(bench: Bench) -> None:
    """Called from another flow, it comes without its condition, flags, inputs and next, and its children whole."""
    library = bench.load(
        task("""
        <sequential name="s" next="t" nextOnError="t" timeout="1s">
          <when>True</when><flags match="x" enable="y"/><input name="i"/><finally>1</finally>
          <steps><step name="inside"><when>True</when></step></steps>
        </sequential>
        <step name="t"/>""")
    )
    program: Any = library.library_program("s", traced=True)
    assert layers(program) == ["timeout", "finally"]
    assert layers(next(_innermost(program).children())) == ["when", "trace", "call"]
    assert library.library_program("s", traced=True) is program
    with pytest.raises(LookupError):
        library.library_program("none", traced=False)


def test_edges_of_a_graph_are_no_jumps(bench: Bench) -> None:
    """In a graph ``next`` and ``nextOnError`` make nothing go elsewhere."""
    flow = bench.load(
        task("""<graph name="g" enterSteps="a" exitSteps="b"><steps>
          <step name="a" next="b" nextOnError="b"/><step name="b"/></steps></graph>""")
    )
    assert layers(named(flow, "a")) == ["call"]
    assert next(iter(named(flow, "a").layers())).jump is None


SUSPENDS = {
    '<step name="s"><source>1</source></step>': False,
    '<step name="s" timeout="1s"><source>1</source></step>': True,
    '<step name="s" executor="thread"><source>1</source></step>': True,
    '<delay name="s" delayMillisExpr="1"/>': True,
    '<simple name="s" bean="mine"/>': True,
    '<sequential name="s"><steps><step/></steps></sequential>': False,
    '<sequential name="s"><steps><step/><delay delayMillisExpr="1"/></steps></sequential>': True,
    '<if name="s"><condition>True</condition><then><steps><step/></steps></then></if>': False,
    '<if name="s"><condition>True</condition><else><steps><sleep sleepMillisExpr="1"/></steps></else></if>': True,
    '<choose name="s"><decider>1</decider><case match="1"><steps><exit/></steps></case></choose>': False,
    '<choose name="s"><decider>1</decider><otherwise><steps><sleep sleepMillisExpr="1"/></steps></otherwise></choose>': True,
    '<loop name="s" itemsExpr="[]"><steps><end/></steps></loop>': False,
    '<fork-n name="s" countExpr="1"><steps><step/></steps></fork-n>': False,
    '<parallel name="s"><steps><step/></steps></parallel>': False,
    '<selector name="s"><steps><step/></steps></selector>': False,
    '<graph name="s" enterSteps="a" exitSteps="a"><steps><step name="a"/></steps></graph>': False,
    '<script name="s" lang="python"><source>1</source></script>': False,
}


@pytest.mark.parametrize(("text", "suspends"), SUSPENDS.items())
def test_whether_a_program_may_suspend(bench: Bench, text: str, suspends: bool) -> None:
    """What surely never gives up the loop is known not to."""
    flow = bench.load(task(text), beans={"mine": lambda: None})
    assert named(flow, "s").may_suspend is suspends


@pytest.mark.parametrize("container", ["sequential", "parallel"])
def test_what_stands_in_an_executor_may_suspend(bench: Bench, container: str) -> None:
    """Scripts in a container with an executor run elsewhere, so they are concurrent branches of a parallel inside."""
    flow = bench.load(
        task(f"""<{container} name="out" executor="thread"><steps>
          <parallel name="p"><steps><step name="a"/><step name="b"/></steps></parallel></steps></{container}>""")
    )
    assert named(flow, "a").may_suspend
    assert named(flow, "p").may_suspend


def test_children_of_every_kind_of_field_are_woven(bench: Bench) -> None:
    """Steps in bodies, in tuples and in parts all get their decorators."""
    flow = bench.load(
        task("""<if name="i"><condition>True</condition>
          <then><steps><choose name="c"><decider>1</decider><case match="1"><steps><step name="x"/></steps></case></choose>
          </steps></then></if>""")
    )
    for name in ("then", "c", "case1", "x"):
        assert layers(named(flow, name)) == ["call"], name
    assert isinstance(_innermost(named(flow, "x")).step, Step)
