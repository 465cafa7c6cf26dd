"""Outputs: where one without an expression finds its value, conversion, and what leaves a step."""

from __future__ import annotations

from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.outputs import OutputLookup
from taskrun.core.scope import Scope


def find(
    name: str,
    returned: dict[str, Any],
    own: dict[str, Any] | None = None,
    outer: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Return what an output finds after a body that returned this and left these variables."""
    settings = {"names": (name,), "set_by_body": frozenset({name}), "leaf": True, **settings}
    return OutputLookup(**settings).find(name, returned, Scope(Scope(None, **(outer or {})), **(own or {})))


def test_what_the_body_returned_under_the_name_comes_first() -> None:
    """Without steps inside even before a variable; with steps inside only when there is no variable."""
    assert find("v", {"v": 1}, {"v": 2}) == 1
    assert find("v", {"v": 1}, {"v": 2}, leaf=False) == 2
    assert find("v", {"v": 1}, leaf=False) == 1


def test_a_variable_that_the_body_set() -> None:
    """It counts before the body's value; an input that the body does not set is no output."""
    assert find("v", {"RESULT": {"v": 1}}, {"v": 2}) == 2
    assert find("v", {"RESULT": {"v": 1}}, {"v": 2}, set_by_body=frozenset()) == 1
    assert find("v", {}, {"v": 2}, set_by_body=frozenset()) == 2
    assert find("v", {}, {"v": 2}, set_by_body=frozenset(), leaf=False) == 2


def test_a_mapping_is_spread_by_name_and_a_tuple_by_position() -> None:
    """Onto the declared outputs, also those of a container; a tuple only when their number fits."""
    names = ("a", "b")
    assert find("b", {"RESULT": {"b": 2}}, names=names) == 2
    assert find("b", {"RESULT": {"b": 2}}, names=names, leaf=False) == 2
    assert find("b", {"RESULT": {"c": 2}}, names=names) is None
    assert find("b", {"RESULT": (1, 2)}, names=names) == 2
    assert find("b", {"RESULT": (1, 2, 3)}, names=names) is None
    assert find("b", {"RESULT": [1, 2]}, names=names) is None


def test_a_single_output_takes_the_value_itself() -> None:
    """Whatever it is, also a mapping that has no such item; a container has no value of its own."""
    assert find("v", {"RESULT": 5}) == 5
    assert find("v", {"RESULT": (5,)}) == (5,)
    assert find("v", {"RESULT": {"w": 5}}) == {"w": 5}
    assert find("RESULT", {"RESULT": 5}, names=("v",)) == 5
    assert find("v", {"RESULT": 5}, names=("v", "w")) is None
    assert find("v", {"RESULT": 5}, leaf=False) is None


def test_a_variable_that_can_be_read_and_null_come_last() -> None:
    """Those of the scopes above are there too."""
    assert find("v", {}, outer={"v": 3}) == 3
    assert find("v", {}) is None


def test_an_output_that_left_the_steps_inside_under_another_name() -> None:
    """It is not the container's output of its first name."""
    assert find("v", {"v": 1}, leaf=False, renamed=frozenset({"v"})) is None


def outputs(bench: Bench, step: str, **inputs: Any) -> Any:
    """Run a step and return the variables that it leaves in the task."""
    text = task(step, tail='<output name="v"/><output name="w"/><output name="r" value="${RESULT}"/>')
    ran = bench.run(text, inputs)
    assert ran.outputs is not None, ran.cause
    return ran.outputs


def test_expressions_see_the_result_and_all_that_was_returned(bench: Bench) -> None:
    """RESULT and STEP_RESULT are variables of the step by then; each later output sees what a source assigned."""
    step = """<step name="a"><source>return {"k": 2}</source>
      <output name="v"><source>z = RESULT['k'] + 1
return z</source></output><output name="w" value="${z + len(STEP_RESULT)}"/></step>"""
    assert outputs(bench, step) == {"v": 3, "w": 4, "r": {"k": 2}}


def test_an_output_named_result_is_the_result(bench: Bench) -> None:
    """It replaces the body's value."""
    step = '<step name="a"><source>return 2</source><output name="RESULT" value="${RESULT * 5}"/></step>'
    assert outputs(bench, step)["r"] == 10


def test_outputs_are_renamed_or_go_to_the_task(bench: Bench) -> None:
    """The attribute exportAs names the variable, toTaskScope the scope that receives it."""
    step = """<sequential name="s"><steps>
      <step name="a"><source>return (1, 2)</source>
        <output name="x" exportAs="v" toTaskScope="true"/><output name="y" exportAs="w"/></step>
      </steps></sequential>"""
    found = outputs(bench, step)
    assert found["v"] == 1


def test_types_and_schemas_of_outputs(bench: Bench) -> None:
    """They are converted and checked as inputs are; null stays null; the problem names the output."""
    assert outputs(bench, '<step name="a"><source>return "3"</source><output name="v" type="int"/></step>')["v"] == 3
    assert outputs(bench, '<step name="a"><output name="v" type="int"/></step>')["v"] is None
    ran = bench.run(task('<step name="a"><source>return "x"</source><output name="v" type="int"/></step>'))
    assert str(ran.cause) == "output 'v': 'x' is not of type int"
    ran = bench.run(
        task('<step name="a"><source>return 3</source><output name="v"><schema>{"maximum": 2}</schema></output></step>')
    )
    assert str(ran.cause) == "output 'v': 3 is greater than the maximum of 2"


def test_the_outputs_of_a_task_are_converted_too(bench: Bench) -> None:
    """A wrong one makes the run fail at the task."""
    ran = bench.run(
        task(
            '<step name="a"><source>return "x"</source></step>', tail='<output name="v" type="int" value="${RESULT}"/>'
        )
    )
    assert str(ran.cause) == "output 'v': 'x' is not of type int"


@pytest.mark.parametrize(("ignore", "result"), [("false", 2), ("true", 1)])
def test_an_ignored_result_leaves_the_one_before(bench: Bench, ignore: str, result: int) -> None:
    """Other outputs are exported all the same."""
    step = f"""<step name="a"><source>return 1</source></step>
      <step name="b" ignoreResult="{ignore}"><source>return 2</source><output name="v" value="7"/></step>"""
    found = outputs(bench, step)
    assert (found["r"], found["v"]) == (result, "7")


def test_what_a_step_does_not_declare_does_not_leave_it(bench: Bench) -> None:
    """Not by a return value, not from the steps inside."""
    step = """<sequential name="s"><steps>
      <step name="a"><source>v = 5
return 6</source><output name="v"/></step></steps></sequential>
      <step name="b"><source>w = 4
return 6</source></step>"""
    found = outputs(bench, step)
    assert (found["v"], found["w"]) == (None, None)
