"""Tests of the variables that a flow can read: errors for names that nothing can set, and no others."""

from __future__ import annotations

import pytest
from small_flows import Bench, found, task

INPUT = '<input name="n"/>'


def unknown(bench: Bench, body: str, *, head: str = INPUT, tail: str = "") -> list[tuple[int, int, str, str]]:
    """Return line, column, message and hint of each unknown variable of a task with the input n."""
    problems = bench.checked(task(body, head=head + "\n", tail=tail))
    errors = [item for item in problems if item.severity == "error"]
    assert all(item.code == "unknown-variable" for item in errors), errors
    return [(*item.location[1:], item.message, item.hint) for item in errors]


def test_an_unknown_variable(bench: Bench) -> None:
    """A variable that nothing sets is an error at the name itself, with a similar name as the hint."""
    (problem,) = unknown(
        bench, '<step name="a"><source>x = 1\nreturn x + total</source></step>', head='<input name="totals"/>'
    )
    assert problem == (5, 12, "unknown variable 'total'", "did you mean 'totals'?")


def test_variables_are_checked_in_all_places(bench: Bench) -> None:
    """Scripts, conditions, decorators, inputs, outputs and expressions are checked, each at its location."""
    body = """<loop name="l" itemsExpr="aa"><when>bb</when><retry itemsExpr="cc" varName="r"/>
<input name="dd"/><input name="i"><source>ee</source></input><input name="j" value="${ff}"/>
<steps><step name="s"><catch>gg</catch><output name="o" value="${hh}"/><source>ii</source></step></steps></loop>"""
    places = {message.split("'")[1]: (line, column) for line, column, message, _ in unknown(bench, body)}
    assert places == {
        "aa": (4, 27), "bb": (4, 37), "cc": (4, 64), "dd": (5, 1), "ee": (5, 43), "ff": (5, 87), "gg": (6, 30),
        "hh": (6, 66), "ii": (6, 80),
    }  # fmt: skip


def test_the_location_is_that_of_the_whole_name(bench: Bench) -> None:
    """The location is that of the variable, not of a text or an attribute with the same name."""
    body = '<step name="a"><source>x = {}\nx.get("q")\nx["q"], "q", q</source></step>'
    (problem,) = unknown(bench, body)
    assert problem[:3] == (6, 14, "unknown variable 'q'")


FINE = {
    "an input of the task": '<step name="a"><source>n</source></step>',
    "a step's own input": '<step name="a"><input name="x" value="1"/><source>x</source></step>',
    "what the script assigns": '<step name="a"><source>x = 1\nreturn x</source></step>',
    "an output of an earlier step": '<step name="a"><source>1</source><output name="x"/></step><step name="b"><source>x</source></step>',
    "an output under another name": '<step name="a"><output name="y" exportAs="x"/></step><step name="b"><source>x</source></step>',
    "an output of a later step": '<step name="a"><source>x</source></step><step name="b"><output name="x"/></step>',
    "an output to the task from within": """<sequential name="s"><steps><step name="a"><output name="x" toTaskScope="true"/></step>
        </steps></sequential><step name="b"><source>x</source></step>""",
    "the variables of a loop": """<loop name="l" itemsExpr="[1]" varName="x" indexName="i"><until>x and i</until><steps>
        <step name="a"><input name="x"/><input name="y" value="${i}"/><source>x</source></step></steps></loop>""",
    "the variables of a fork": """<fork name="f" varName="x" indexName="i"><producer>[1]</producer><steps>
        <step name="a"><input name="x"/><input name="i"/><source>x</source></step></steps></fork>""",
    "an error": '<step name="a" nextOnError="b" errorName="oops"/><step name="b"><source>oops</source></step>',
    "what a validator assigns": '<step name="a"><validator>x = 1</validator><source>x</source></step>',
    "what an output's source assigns": '<step name="a"><output name="o"><source>x = 1\nreturn x</source></output></step>',
    "the names of the engine": '<step name="a"><source>RESULT, taskRt, stepRt, svcCtx, inject</source></step>',
    "the variables of catch": '<step name="a"><catch>exception, stepRt</catch></step>',
    "the variables of a retry": """<step name="a"><retry itemsExpr="[1]" varName="v"><exception-filter>exception</exception-filter>
        </retry><source>v, attempt, history</source></step>""",
    "with the scope of the enclosing step": """<loop name="l" itemsExpr="[1]" varName="x"><steps>
        <sequential name="s" useParentScope="true"><steps><step name="a" useParentScope="true"><source>x</source></step></steps>
        </sequential></steps></loop>""",
    "in a case": """<choose name="c"><input name="x" value="1"/><decider>x</decider>
        <case match="1"><steps><step name="a" useParentScope="true"><source>x</source></step></steps></case></choose>""",
    "an optional input by name": '<step name="a"><input name="x" optional="true"/><input name="y" defaultValue="1"/></step>',
    "an input of the task's scope": """<loop name="l" itemsExpr="[1]"><steps>
        <step name="a"><input name="n" fromTaskScope="true"/></step></steps></loop>""",
    "the variables of a graph": """<graph name="g" enterSteps="a" exitSteps="b"><steps><step name="a"/>
        <step name="b"><input name="x" value="${STEP_RESULTS.a.result}"/></step></steps></graph>""",
}


@pytest.mark.parametrize("body", FINE.values(), ids=list(FINE))
def test_a_variable_that_a_step_may_set_is_no_error(bench: Bench, body: str) -> None:
    """A variable that some step may set is no error, whatever the order of the steps."""
    assert unknown(bench, body) == []


@pytest.mark.parametrize(
    ("head", "tail"),
    [("", ""), ('<input name="x"/>', '<output name="o" value="${x}"/>')],
    ids=["no inputs", "the task's own outputs"],
)
def test_a_task_that_accepts_any_input_has_no_unknown_variables(bench: Bench, head: str, tail: str) -> None:
    """A task that accepts any input has no unknown variables, nor have its own outputs."""
    assert unknown(bench, '<step name="a"><source>x</source></step>', head=head, tail=tail) == []


def test_a_variable_of_an_enclosing_step_is_hinted(bench: Bench) -> None:
    """The hint names the enclosing step that has the variable and how to read it."""
    body = """<loop name="each" itemsExpr="[1]" varName="x"><steps>
      <sequential name="s"><steps><step name="a"><source>x</source></step></steps></sequential></steps></loop>"""
    (problem,) = unknown(bench, body)
    assert "it is a variable of 'each', whose scope is not seen from here" in problem[3]
    assert '<input name="x"/>' in problem[3]


def test_a_by_name_input_of_an_unknown_variable(bench: Bench) -> None:
    """A by-name input of an unknown variable is an error at the input, with a hint how to set it."""
    (problem,) = unknown(bench, '\n<step name="a"><input name="qqq"/><source>qqq</source></step>')
    assert problem[:2] == (5, 16)
    assert problem[3].startswith("declare it as an <input> of the task")


def test_warnings_of_a_flow_do_not_stop_it(bench: Bench) -> None:
    """Warnings are stored with the flow, in the order of the file."""
    flow = bench.load(
        task(
            '<step name="a" sync="true"><input name="x" value="1"/></step>\n<step name="b"><output name="y"/></step>',
            head=INPUT,
        )
    )
    assert found(flow.warnings) == [
        ("unread-input", 2, 1), ("no-effect", 3, 16), ("unread-input", 3, 28), ("unused-output", 4, 16),
    ]  # fmt: skip
