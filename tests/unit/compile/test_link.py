"""Checks of the names that a flow uses outside its file: beans, functions, executors, other files; before the run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun import TaskManager
from taskrun.errors import Diagnostic


class Shop:
    """A bean."""

    def pay(self, order: int, tip: int = 0) -> int:
        """Accept two parameters."""
        return order + tip

    def __call__(self, order: int) -> int:
        """Make the bean callable."""
        return order


class Job:
    """A bean with ``execute``."""

    def execute(self, *orders: int, **more: int) -> None:
        """Accept any arguments."""


BEANS = {"shop": Shop(), "job": Job(), "number": 7, "root": pow}

WRONG = {
    '<invoke name="a" bean="shp" method="pay"/>': ("unknown-bean", 18, "there is no bean 'shp'", "did you mean 'shop'?"),
    '<invoke name="a" bean="qqq" method="pay"/>': ("unknown-bean", 18, "there is no bean 'qqq'", "TaskManager(beans="),
    '<invoke name="a" bean="shop" method="pai"><input name="order"/></invoke>': (
        "unknown-method", 30, "bean 'shop' has no method 'pai'; did you mean 'pay'?", "",
    ),
    '<invoke name="a" bean="shop" method="__call__"/>': ("unknown-method", 30, "bean 'shop' has no method '__call__'", ""),
    '<simple name="a" bean="number"/>': ("unknown-method", 18, "bean 'number' is a int: it is not callable", ""),
    '<invoke name="a" bean="shop" method="pay"><input name="tipp" value="1"/><input name="order" value="1"/></invoke>': (
        "wrong-arguments", 43, "'a' calls Shop.pay(): it has no parameter 'tipp'; did you mean 'tip'?", "",
    ),
    '<invoke name="a" bean="shop" method="pay"><input name="tip" value="1"/></invoke>': (
        "wrong-arguments", 1, "its parameter 'order' is not given", "",
    ),
    '<simple name="a" bean="shop"><input name="x" value="1"/><input name="order" value="1"/></simple>': (
        "wrong-arguments", 30, "'a' calls Shop(): it has no parameter 'x'; its parameters are: order", "",
    ),
    '<invoke-static name="a" method="os:getcwd"/>': ("import-not-allowed", 25, "importing from 'os' is not allowed", ""),
    '<invoke-static name="a" method="math:sqr"/>': ("unknown-function", 25, "'math' has no 'sqr'; did you mean 'sqrt'", ""),
    '<invoke-static name="a" method="math:pi"/>': ("unknown-function", 25, "'math:pi' is not a function", ""),
    '<invoke-static name="a" method="M::sqrt"/>': ("unknown-function", 25, "no <import> has the name 'M'", ""),
    '<step name="a" executor="thred"/>': ("unknown-bean", 16, "there is no executor 'thred'", "did you mean 'thread'?"),
    '<step name="a" executor="?!"/>': ("unknown-bean", 16, "there is no executor '?!'", "it is inline, thread, process"),
    '<step name="a"><decorator name="own"/></step>': (
        "unknown-bean", 27, "there is no bean 'taskStepDecorator_own'", "built-in decorators are",
    ),
    '<step name="a"><decorator name="own" bean="shp"/></step>': ("unknown-bean", 38, "there is no bean 'shp'", "'shop'"),
    '<call-task name="c" taskModelPath="no.task.xml"/>': ("no-file", 21, "'no.task.xml' not found", "tried "),
    '<call-task name="c" taskName="no/such" taskVersion="3"/>': ("no-file", 21, "'no/such' version 3 not found", "v3.task.xml"),
    '<call-step name="c" stepName="a" libName="no"/>': ("no-file", 34, "'no' not found", "v1.task-lib.xml"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "problem"), WRONG.items(), ids=list(WRONG))
def test_missing_names_are_errors(bench: Bench, body: str, problem: tuple[str, int, str, str]) -> None:
    """A missing name is an error at the attribute or input that contains it."""
    code, column, message, hint = problem
    (found,) = bench.problems(task(body), beans=BEANS, allow=["math"])
    assert (found.code, *found.location[1:]) == (code, 3, column)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    "body",
    [
        '<simple name="a" bean="job"><input name="anything" value="1"/></simple>',
        '<simple name="a" bean="root"><input name="base" value="${2}"/><input name="exp" value="${3}"/></simple>',
        '<invoke name="a" bean="shop" method="pay"/>',
        '<step name="a" executor="pool"/>',
        '<invoke name="a" bean="mine" method="append"><input name="x" value="1"/></invoke>',
    ],
)
def test_existing_names_are_no_errors(bench: Bench, body: str) -> None:
    """A parameter is no error if the task accepts any input; beans of ``<beans>`` count too."""
    beans = '<beans><bean id="mine" class="builtins:list"/><bean id="pool" class="concurrent.futures:ThreadPoolExecutor"/></beans>'
    assert not bench.checked(task(body, head=beans), beans=BEANS, allow=["builtins", "concurrent.futures"])


def test_a_parameter_without_a_variable(bench: Bench) -> None:
    """A parameter without a variable is an error if the inputs of the task are declared."""
    (found,) = bench.problems(
        task('<invoke name="a" bean="shop" method="pay"/>', head='<input name="ordr"/>'), beans=BEANS
    )
    assert (found.code, found.hint) == ("missing-argument", "did you mean 'ordr'?")
    assert "'a' calls Shop.pay(), whose parameter 'order' has no input or variable" in found.message
    (found,) = bench.problems(
        task('<invoke name="a" bean="shop" method="pay"/>', head='<input name="q"/>'), beans=BEANS
    )
    assert found.hint == 'add <input name="order"> with a value'
    assert not bench.checked(
        task('<invoke name="a" bean="shop" method="pay"/>', head='<input name="order"/>'), beans=BEANS
    )


def test_the_inputs_of_a_called_task(bench: Bench) -> None:
    """Unknown and missing inputs of a called task are errors."""
    priced = """<input name="amount" mandatory="true"/><input name="a" mandatory="true" defaultValue="1"/>
        <input name="b" mandatory="true" value="2"/><input name="c"/>"""
    bench.write(task("<step><source>a</source></step>", head=priced), "check_priced.task.xml")
    call = '<call-task name="c" taskModelPath="check_priced.task.xml">{}</call-task>'
    (found,) = bench.problems(task(call.format("")))
    assert (found.code, found.hint) == ("missing-input", 'add <input name="amount"/>')
    problems = bench.problems(task(call.format('<input name="amout" value="1"/><input name="qqq" value="1"/>')))
    assert [(item.code, item.hint) for item in problems] == [
        ("missing-input", 'add <input name="amount"/>'),
        ("unknown-input", "did you mean 'amount'?"), ("unknown-input", "the task has: amount, a, b, c"),
    ]  # fmt: skip
    assert not bench.checked(task(call.format('<input name="amount" value="1"/>')))


def test_problems_of_a_called_file_are_located_in_it(bench: Bench) -> None:
    """The problems of a called file are reported once, however often it is called."""
    bench.write(task('\n<invoke name="x" bean="none" method="y"/>'), "check_bean.task.xml")
    bench.write(task("<stepp/>"), "check_wrong.task.xml")
    calls = """<call-task name="a" taskModelPath="check_bean.task.xml"/>
        <call-task name="b" taskModelPath="check_bean.task.xml"/><call-task name="c" taskModelPath="check_wrong.task.xml"/>"""
    found = [(item.location.path.rpartition("/")[2], item.code) for item in bench.problems(task(calls))]
    assert sorted(found) == [("check_bean.task.xml", "unknown-bean"), ("check_wrong.task.xml", "unknown-element")]


def circle(bench: Bench, calls: str) -> list[Diagnostic]:
    """Return the problems of a task that calls another one with the steps ``calls``."""
    bench.write(task(calls), "check_circle_b.task.xml")
    bench.write(task('<call-task name="b" taskModelPath="check_circle_b.task.xml"/>'), "check_circle_a.task.xml")
    return list(TaskManager().check(bench.folder / "check_circle_a.task.xml"))


def test_endless_calls(bench: Bench) -> None:
    """Tasks may call each other, but not unconditionally."""
    back = '<call-task name="a" taskModelPath="check_circle_a.task.xml"/>'
    (found,) = circle(bench, back)
    assert found.code == "endless-calls"
    assert found.message.count("check_circle") == 3
    (found,) = circle(bench, f'<parallel name="p"><steps>{back}</steps></parallel>')
    assert found.code == "endless-calls"
    for fine in (
        f'<if name="i"><condition>False</condition><then><steps>{back}</steps></then></if>',
        back.replace("/>", "><when>False</when></call-task>"),
        f'<choose name="c"><decider>1</decider><case match="2"><steps>{back}</steps></case></choose>',
        f'<step name="s" next="end"/>{back}<step name="end"/>',
    ):
        assert not [item for item in circle(bench, fine) if item.severity == "error"], fine


LIBRARY = """
<task><steps>
  <invoke name="pay" bean="shop" method="pay"><input name="nothing"/></invoke>
  <invoke name="other" bean="none" method="none"/>
  <sequential name="again"><steps>
    <call-step name="self" libModelPath="check.task-lib.xml" stepName="again"><when>False</when></call-step>
    <invoke name="wrong" bean="nobody" method="x"/>
  </steps></sequential>
  <step name="decorated" executor="nowhere"><decorator name="own" bean="nothing"/><flags match="x"/></step>
</steps></task>
"""


def test_only_the_called_step_of_a_library_is_linked(bench: Bench) -> None:
    """The called step and the steps inside it are checked with the inputs of the call; other steps are not."""
    bench.write(LIBRARY, "check.task-lib.xml")
    call = '<call-step name="c" libModelPath="check.task-lib.xml" stepName="{}">{}</call-step>'

    def problems(step: str, inputs: str = "", head: str = "") -> list[tuple[str, str]]:
        found = bench.checked(task(call.format(step, inputs), head=head), beans=BEANS)
        return [(item.code, item.message.partition("'")[2].partition("'")[0]) for item in found]

    assert problems("pay", '<input name="order" value="${1}"/>') == []
    assert problems("pay", head='<input name="q"/>') == []
    assert problems("pay", '<input name="ordre" value="${1}"/>') == [("wrong-arguments", "pay")] * 2
    assert problems("again") == [("unknown-bean", "nobody")]
    assert sorted(problems("decorated")) == [("unknown-bean", "nothing"), ("unknown-bean", "nowhere")]
    assert [code for code, _ in problems("payy")] == ["unknown-step-in-lib"]


def test_a_wrong_or_missing_library(bench: Bench) -> None:
    """Only the problems of the library are reported for the call."""
    bench.write("<task><steps><stepp/></steps></task>", "check_wrong.task-lib.xml")
    call = '<call-step name="c" libModelPath="{}" stepName="a"/>'
    assert [item.code for item in bench.checked(task(call.format("check_wrong.task-lib.xml")))] == ["unknown-element"]


def test_a_library_step_gets_the_inputs_of_its_call(bench: Bench) -> None:
    """The inputs of the call are bound in the run as in the check."""
    bench.write(LIBRARY, "check.task-lib.xml")
    call = """<call-step name="c" libModelPath="check.task-lib.xml" stepName="pay"><input name="order" value="${n + 1}"/>
      <input name="tip" value="${2}"/></call-step>"""
    ran = bench.run(task(call, head='<input name="n"/>'), {"n": 1}, beans=BEANS)
    assert ran.result == 4


def test_endless_calls_of_library_steps(bench: Bench) -> None:
    """A library step that calls itself unconditionally fails like any endless recursion."""
    bench.write(
        '<task><steps><sequential name="s"><steps><call-step name="s" libModelPath="check_self.task-lib.xml" stepName="s"/>'
        "</steps></sequential></steps></task>",
        "check_self.task-lib.xml",
    )
    ran = bench.run(task('<call-step name="c" libModelPath="check_self.task-lib.xml" stepName="s"/>'))
    assert isinstance(ran.cause, RecursionError)


def test_checking_calls_no_function(bench: Bench) -> None:
    """No function of a bean is called."""

    def never() -> Any:
        raise AssertionError

    assert not bench.checked(task('<simple name="a" bean="never"/>'), beans={"never": never})
    assert not asyncio.iscoroutinefunction(never)
