"""Outputs: lookup of those without an expression, conversion, and assignment in the caller's scope."""

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
    """Return the value of an output; ``returned`` are the outputs of the body, ``own`` the variables of the step."""
    settings = {"names": (name,), "set_by_body": frozenset({name}), "leaf": True, **settings}
    return OutputLookup(**settings).find(name, returned, Scope(Scope(None, **(outer or {})), **(own or {})))


def test_a_value_that_the_body_returned_by_name() -> None:
    """It precedes a variable in a leaf; in a container the variable precedes it."""
    assert find("v", {"v": 1}, {"v": 2}) == 1
    assert find("v", {"v": 1}, {"v": 2}, leaf=False) == 2
    assert find("v", {"v": 1}, leaf=False) == 1


def test_a_variable_that_the_body_set() -> None:
    """It precedes the items of RESULT; an input that the body does not assign does not."""
    assert find("v", {"RESULT": {"v": 1}}, {"v": 2}) == 2
    assert find("v", {"RESULT": {"v": 1}}, {"v": 2}, set_by_body=frozenset()) == 1
    assert find("v", {}, {"v": 2}, set_by_body=frozenset()) == 2
    assert find("v", {}, {"v": 2}, set_by_body=frozenset(), leaf=False) == 2


def test_items_of_a_mapping_by_name_and_of_a_tuple_by_position() -> None:
    """A tuple is used only if its length is the number of outputs."""
    names = ("a", "b")
    assert find("b", {"RESULT": {"b": 2}}, names=names) == 2
    assert find("b", {"RESULT": {"b": 2}}, names=names, leaf=False) == 2
    assert find("b", {"RESULT": {"c": 2}}, names=names) is None
    assert find("b", {"RESULT": (1, 2)}, names=names) == 2
    assert find("b", {"RESULT": (1, 2, 3)}, names=names) is None
    assert find("b", {"RESULT": [1, 2]}, names=names) is None


def test_a_single_output_of_a_leaf_is_the_value() -> None:
    """Also if it is a mapping without an item of that name; not in a container."""
    assert find("v", {"RESULT": 5}) == 5
    assert find("v", {"RESULT": (5,)}) == (5,)
    assert find("v", {"RESULT": {"w": 5}}) == {"w": 5}
    assert find("RESULT", {"RESULT": 5}, names=("v",)) == 5
    assert find("v", {"RESULT": 5}, names=("v", "w")) is None
    assert find("v", {"RESULT": 5}, leaf=False) is None


def test_a_readable_variable_and_null_are_used_last() -> None:
    """Variables of outer scopes are readable."""
    assert find("v", {}, outer={"v": 3}) == 3
    assert find("v", {}) is None


def test_an_output_that_an_inner_step_exports_by_another_name() -> None:
    """The container has no output of its first name."""
    assert find("v", {"v": 1}, leaf=False, renamed=frozenset({"v"})) is None


def outputs(bench: Bench, step: str, **inputs: Any) -> Any:
    """Run a step and return the variables that it assigns in the task."""
    text = task(step, tail='<output name="v"/><output name="w"/><output name="r" value="${RESULT}"/>')
    ran = bench.run(text, inputs)
    assert ran.outputs is not None, ran.cause
    return ran.outputs


def test_expressions_of_outputs_read_result_and_step_result(bench: Bench) -> None:
    """Later outputs also read the variables that the source of an earlier one assigned."""
    step = """<step name="a"><source>return {"k": 2}</source>
      <output name="v"><source>z = RESULT['k'] + 1
return z</source></output><output name="w" value="${z + len(STEP_RESULT)}"/></step>"""
    assert outputs(bench, step) == {"v": 3, "w": 4, "r": {"k": 2}}


def test_an_output_named_result_is_the_result(bench: Bench) -> None:
    """It replaces the value of the body."""
    step = '<step name="a"><source>return 2</source><output name="RESULT" value="${RESULT * 5}"/></step>'
    assert outputs(bench, step)["r"] == 10


def test_export_as_and_to_task_scope(bench: Bench) -> None:
    """They set the name of the variable and the scope in which it is assigned."""
    step = """<sequential name="s"><steps>
      <step name="a"><source>return (1, 2)</source>
        <output name="x" exportAs="v" toTaskScope="true"/><output name="y" exportAs="w"/></step>
      </steps></sequential>"""
    found = outputs(bench, step)
    assert found["v"] == 1


def test_types_and_schemas_of_outputs(bench: Bench) -> None:
    """Outputs are converted and checked; null remains null; the message has the name of the output."""
    assert outputs(bench, '<step name="a"><source>return "3"</source><output name="v" type="int"/></step>')["v"] == 3
    assert outputs(bench, '<step name="a"><output name="v" type="int"/></step>')["v"] is None
    ran = bench.run(task('<step name="a"><source>return "x"</source><output name="v" type="int"/></step>'))
    assert str(ran.cause) == "output 'v': 'x' is not of type int"
    ran = bench.run(
        task('<step name="a"><source>return 3</source><output name="v"><schema>{"maximum": 2}</schema></output></step>')
    )
    assert str(ran.cause) == "output 'v': 3 is greater than the maximum of 2"


def test_the_outputs_of_a_task_are_converted_too(bench: Bench) -> None:
    """A wrong output makes the run fail."""
    ran = bench.run(
        task(
            '<step name="a"><source>return "x"</source></step>', tail='<output name="v" type="int" value="${RESULT}"/>'
        )
    )
    assert str(ran.cause) == "output 'v': 'x' is not of type int"


@pytest.mark.parametrize(("ignore", "result"), [("false", 2), ("true", 1)])
def test_an_ignored_result_does_not_replace_the_previous_one(bench: Bench, ignore: str, result: int) -> None:
    """Other outputs of the step are assigned."""
    step = f"""<step name="a"><source>return 1</source></step>
      <step name="b" ignoreResult="{ignore}"><source>return 2</source><output name="v" value="7"/></step>"""
    found = outputs(bench, step)
    assert (found["r"], found["v"]) == (result, "7")


def test_variables_that_are_no_outputs_are_not_assigned(bench: Bench) -> None:
    """Neither those of the step nor those of inner steps."""
    step = """<sequential name="s"><steps>
      <step name="a"><source>v = 5
return 6</source><output name="v"/></step></steps></sequential>
      <step name="b"><source>w = 4
return 6</source></step>"""
    found = outputs(bench, step)
    assert (found["v"], found["w"]) == (None, None)
