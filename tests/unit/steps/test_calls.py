"""Tests of invoke, invoke-static, simple, script, call-task and the forks: arguments, results and messages."""

from __future__ import annotations

from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.errors import InputError, PluginError, RunError

SPREAD = """<simple name="a" bean="f"><output name="x"/><output name="y"/></simple>"""


@pytest.mark.parametrize(
    ("value", "outputs"),
    [
        ({"x": 1, "y": 2}, (1, 2)),
        ((1, 2), (1, 2)),
        ({"x": 1}, (1, None)),
        ([1, 2], (None, None)),
        (5, (None, None)),
        (None, (None, None)),
    ],
)
def test_returned_collections_are_spread_onto_outputs(bench: Bench, value: Any, outputs: tuple[Any, Any]) -> None:
    """A mapping is spread onto the declared outputs by name, a tuple by position; other values are not spread."""
    ran = bench.run(task(SPREAD, tail='<output name="x"/><output name="y"/>'), beans={"f": lambda: value})
    assert ran.outputs is not None
    assert tuple(ran.outputs.values()) == outputs


def test_methods_of_every_kind(bench: Bench) -> None:
    """A method may be plain, async, static, a class method, or inherited."""

    class Base:
        def inherited(self, x: int) -> int:
            return x + 1

    class Bean(Base):
        async def later(self, x: int) -> int:
            return x + 2

        @staticmethod
        def static(x: int) -> int:
            return x + 3

        @classmethod
        def of_class(cls, x: int) -> int:
            return x + 4

    for method, result in (("inherited", 2), ("later", 3), ("static", 4), ("of_class", 5)):
        body = f'<invoke name="a" bean="b" method="{method}"><input name="x" value="${{1}}"/></invoke>'
        assert bench.run(task(body), beans={"b": Bean()}).result == result


def test_functions_by_name(bench: Bench) -> None:
    """A function of a module or of an imported class is called if the allow list has its module."""
    body = """<invoke-static name="a" method="{}"><input name="x" value="${{x}}"/></invoke-static>"""
    head = '<import as="D" class="decimal.Decimal"/><import as="Path" class="pathlib:PurePosixPath"/>'
    for method, x, result in (("math:sqrt", 9, 3), ("math.sqrt", 9, 3), ("D::from_float", 0.5, 0.5)):
        ran = bench.run(task(body.format(method), head=head), {"x": x}, allow=["math", "dec*"])
        assert ran.result == result


def test_a_bean_of_the_task_without_the_method(bench: Bench) -> None:
    """A bean of ``<beans>`` without the method makes the step fail, because beans are created in the run."""
    head = '<beans><bean id="b" class="builtins:list"/></beans>'
    ran = bench.run(task('<invoke name="a" bean="b" method="appendix"/>', head=head), allow=["builtins"])
    assert isinstance(ran.cause, PluginError)
    assert "bean 'b' has no method 'appendix'; did you mean 'append'?" in str(ran.cause)
    ran = bench.run(task('<simple name="a" bean="b"/>', head=head), allow=["builtins"])
    assert "bean 'b' is a list: it is not callable and has no method execute()" in str(ran.cause)


def test_a_script_of_a_named_language(bench: Bench) -> None:
    """A Python script has the same result with every executor."""
    for executor in ("", 'executor="inline"', 'executor="thread"'):
        body = f'<script name="a" lang="python" {executor}><input name="x" value="${{1}}"/><source>return x + 1</source></script>'
        assert bench.run(task(body)).result == 2


def test_the_scope_of_a_called_task(bench: Bench) -> None:
    """A called task reads only its inputs, and the caller receives only its outputs and RESULT."""
    step = '<step name="a"><source>return [x, y]</source><catch>return [x, "no y"]</catch><output name="z" value="1"/></step>'
    bench.write(task(step, tail='<output name="z"/>'), "calls_called.task.xml")
    body = """<step name="s"><output name="y" value="secret"/></step>
      <call-task name="c" taskModelPath="calls_called.task.xml"><input name="x" value="3"/><output name="z"/></call-task>"""
    ran = bench.run(task(body, tail='<output name="z"/><output name="r" value="${RESULT}"/>'))
    assert ran.outputs == {"z": "1", "r": ["3", "no y"]}


def test_wrong_inputs_of_a_called_task_fail_the_call(bench: Bench) -> None:
    """A wrong input of a called task is a failure of the calling step, which a catch can handle."""
    bench.write(task("<step/>", head='<input name="n" type="int"/>'), "calls_typed.task.xml")
    body = '<call-task name="c" taskModelPath="calls_typed.task.xml"><input name="n" value="x"/>{}</call-task>'
    ran = bench.run(task(body.format("")))
    assert isinstance(ran.cause, InputError)
    assert ran.notes == ["main/c"]
    assert bench.run(task(body.format("<catch>return 'handled'</catch>"))).result == "handled"


def test_tasks_that_call_too_deep(bench: Bench) -> None:
    """A recursion of more than 32 calls fails, and the message shows the chain of calls."""
    text = task(
        '<if name="i"><condition>n &gt; 0</condition><input name="n"/><then><steps><call-task name="c" useParentScope="true" '
        'taskModelPath="calls_deep.task.xml"><input name="n" value="${n - 1}"/></call-task></steps></then></if>',
        head='<input name="n"/>',
    )
    path = bench.write(text, "calls_deep.task.xml")
    assert bench.run(path, {"n": 32}).error is None
    ran = bench.run(path, {"n": 33})
    assert isinstance(ran.cause, RunError)
    assert "tasks call tasks more than 32 deep: … → " in str(ran.cause)
    assert str(ran.cause).count("calls_deep.task.xml") == 5


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<fork name="f" varName="x"><producer>None</producer><steps/></fork>', "returned null"),
        ('<fork name="f" varName="x"><producer>"ab"</producer><steps/></fork>', "'ab'"),
        ('<fork name="f" varName="x"><producer>5</producer><steps/></fork>', "5"),
        (
            '<fork-n name="f" countExpr="-1"><steps/></fork-n>',
            "countExpr of 'f' gave -1; a whole number from 0 is expected",
        ),
        ('<fork-n name="f" countExpr="True"><steps/></fork-n>', "countExpr of 'f' gave True"),
        ('<fork-n name="f" countExpr="1.0"><steps/></fork-n>', "countExpr of 'f' gave 1.0"),
    ],
)
def test_producers_without_a_usable_value(bench: Bench, body: str, message: str) -> None:
    """A producer or count without a usable value makes the step fail."""
    assert message in str(bench.run(task(body)).cause)


def test_the_scope_of_a_branch(bench: Bench) -> None:
    """A branch reads its element, its index and the inputs of the fork, but no variable of another branch."""
    body = """<fork name="f" varName="x" indexName="i"><input name="k" value="${10}"/><producer>[5, 6]</producer><steps>
        <step name="a"><input name="x"/><input name="i"/><input name="k"/><input name="mine" optional="true"/>
          <source>return [x, i, k, mine]</source><output name="mine" value="taken"/></step>
      </steps><aggregator>return [RESULTS.result for RESULTS in aggResults.values()]</aggregator></fork>"""
    assert bench.run(task(body)).result == [[5, 0, 10, None], [6, 1, 10, None]]


def test_a_fork_of_nothing(bench: Bench) -> None:
    """A fork without elements completes with no results."""
    for body in (
        '<fork-n name="f" countExpr="0"><steps><step/></steps>{}</fork-n>',
        '<fork name="f" varName="x"><producer>[]</producer><steps><step/></steps>{}</fork>',
    ):
        assert bench.run(task(body.format("<aggregator>return aggResults.size()</aggregator>"))).result == 0


def test_signals_do_not_cross_a_join(bench: Bench) -> None:
    """The signal of a branch is only stored in the result of the branch."""
    body = """<parallel name="p"><steps><end name="a"><source>1</source></end><exit name="b"/><step name="c"/></steps>
      <aggregator>return [r.nextStepName for r in aggResults.getStepResultBeans()]</aggregator></parallel>
      <step name="after" ignoreResult="true"/>"""
    assert bench.run(task(body)).result == ["@end", "@exit", None]
