"""Problems of a valid flow that are found before it runs: errors for what cannot work, warnings for probable mistakes."""

from __future__ import annotations

import pytest
from small_flows import Bench, task

from taskrun.errors import AnalysisError, Diagnostic, raise_errors
from taskrun.source import Location

ERRORS = {
    '<step name="a" next="c"/><step name="b"/>': ("unknown-next-step", 16, "there is no step 'c' beside 'a'", "@exit"),
    '<step name="first" next="fisrt"/>': ("unknown-next-step", 20, "there is no step 'fisrt'", "did you mean 'first'?"),
    '<step name="a" nextOnError="x"/>': ("unknown-next-step", 16, "there is no step 'x'", "a target is a sibling"),
    '<choose name="c"><decider>1</decider><case match="1" to="x"><steps/></case></choose>': (
        "unknown-next-step", 54, "there is no step 'x' beside 'c'", "sibling",
    ),
    '<graph name="g" enterSteps="a" exitSteps="a"><steps><step name="a" next="@exit"/></steps></graph>': (
        "unknown-next-step", 68, "there is no step '@exit'", "a target is a sibling",
    ),
    '<step name="a"/><step name="a"/>': ("duplicate-name", 23, "a second step 'a' here; the first is at line 3", "unique"),
    '<step name="a"><input name="x"/><input name="x"/></step>': ("duplicate-name", 40, "a second input 'x'", ""),
    '<step name="a"><output name="x"/><output name="x"/></step>': ("duplicate-name", 42, "a second output 'x'", ""),
    '<parallel name="p"><steps/></parallel>': ("no-steps", 1, "needs at least one step", ""),
    '<loop name="l"><steps/></loop>': ("endless-loop", 1, "nothing stops this loop", "maxCount"),
    '<step name="a"><retry varName="v"/></step>': ("missing-attribute", 23, "varName needs itemsExpr", ""),
    '<step name="a"><retry itemsExpr="[1]" maxRetryCount="1"/></step>': ("doubled", 39, "as many attempts as values", ""),
    '<choose name="c"><decider>1</decider><case match="1"><steps/></case><case match="1"><steps/></case></choose>': (
        "doubled", 75, "a second case for '1'", "",
    ),
    '<step name="a"><flags match="a and"/></step>': ("bad-value", 23, "match='a and': a flag's name is missing at the end", ""),
    '<step name="a"><flags rename="a"/></step>': ("bad-value", 23, "rename is 'a'; expected pairs", ""),
    '<call-task name="c"/>': ("missing-attribute", 1, "<call-task> needs taskModelPath or taskName", ""),
    '<call-task name="c" taskName="x" taskModelPath="y"/>': ("doubled", 21, "both taskModelPath and taskName", ""),
    '<call-step name="c" stepName="s" libModelPath="y" libVersion="1"/>': ("doubled", 51, "libVersion is for libName", ""),
    '<step name="a"><decorator name="timeout"/></step>': ("bad-value", 16, "the parameter 'timeout' is missing", ""),
}  # fmt: skip


@pytest.mark.parametrize(("body", "problem"), ERRORS.items(), ids=list(ERRORS))
def test_errors(bench: Bench, body: str, problem: tuple[str, int, str, str]) -> None:
    """Each error has its location, and a hint if there is one."""
    code, column, message, hint = problem
    (found,) = bench.problems(task(body))
    assert (found.code, *found.location[1:]) == (code, 3, column)
    assert message in found.message
    assert hint in found.hint


WARNINGS = {
    '<step name="a" next="c"/><step name="b"/><step name="c"/>': [("unreachable", 26)],
    '<step name="a" next="c"><when>True</when></step><step name="b"/><step name="c"/>': [],
    '<exit name="a"/><step name="b"/>': [("unreachable", 17)],
    '<exit name="a"/><step name="b"/><step name="c"/>': [("unreachable", 17), ("unreachable", 33)],
    '<exit name="a"><flags match="x"/></exit><step name="b"/>': [],
    '<step name="a" nextOnError="c"/><end name="b"/><step name="c"/>': [],
    '<choose name="a"><decider>1</decider><otherwise to="c"><steps/></otherwise></choose><end name="b"/><step name="c"/>': [],
    '<end name="z"/><choose name="a"><decider>1</decider><otherwise to="c"><steps/></otherwise></choose><step name="c"/>': [
        ("unreachable", 16)
    ],
    '<if name="i"><condition>1</condition><then><steps><end name="a"/><step name="b"/></steps></then></if>': [
        ("unreachable", 66)
    ],
    '<step name="a"><catch>1</catch><retry maxRetryCount="1"/></step>': [("catch-before-retry", 16)],
    '<step name="a" catchInternalException="true"/>': [("no-catch", 16)],
    '<step name="a" sync="true" concurrent="true" runOnContext="true" internal="true"/>': [
        ("no-effect", 16), ("no-effect", 28), ("no-effect", 46), ("no-effect", 66),
    ],
    '<step name="a"><input name="x" role="r" value="1"/><output name="RESULT" roles="r"/><source>x</source></step>': [
        ("no-effect", 32), ("no-effect", 74),
    ],
    '<step name="a" xmlns:graphql="g" graphql:operationType="query"/>': [("no-effect", 34)],
    """<parallel name="p"><steps><step name="a"><output name="x"/></step><step name="b"><output name="x"/></step></steps>
</parallel><step name="c"><source>x</source></step>""": [("exported-twice", 82)],
    """<parallel name="p"><steps><step name="a"><output name="RESULT"/></step><step name="b"><output name="RESULT"/></step>
</steps></parallel>""": [],
    """<sequential name="p"><steps><step name="a"><output name="x"/></step><step name="b"><output name="x"/></step></steps>
</sequential><step name="c"><source>x</source></step>""": [],
    '<step name="a"><output name="x"/></step>': [("unused-output", 16)],
    '<step name="a"><output name="x" exportAs="y"/></step><step name="b"><source>y</source></step>': [],
    '<step name="a"><output name="x"/></step><step name="b"><input name="x"/></step>': [("unread-input", 56)],
    '<step name="a"><input name="x" value="1"/><output name="x"/></step><step name="b"><source>x</source></step>': [],
    '<step name="a"><input name="x" value="1"/><when>x</when></step>': [],
    '<sequential name="a"><input name="x" value="1"/><steps/></sequential>': [],
    '<graph name="g" enterSteps="a" exitSteps="a"><steps><step name="a"/><step name="b"/></steps></graph>': [("unreachable", 69)],
    '<graph name="g" enterSteps="a,b" exitSteps="b"><steps><step name="a"/><step name="b" waitSteps="a"/></steps></graph>': [
        ("enter-step-waits", 71)
    ],
}  # fmt: skip


@pytest.mark.parametrize(("body", "warnings"), WARNINGS.items(), ids=list(WARNINGS))
def test_warnings_and_notes(bench: Bench, body: str, warnings: list[tuple[str, int]]) -> None:
    """Warnings and notes do not refuse the flow."""
    problems = bench.checked(task(body))
    assert all(item.severity != "error" for item in problems), problems
    assert [(item.code, item.location.column) for item in problems] == warnings


def test_words_of_the_platform_on_the_task(bench: Bench) -> None:
    """Attributes of the Java platform have no effect on the task either."""
    problems = bench.checked(task("<step/>", attributes='sync="true"', head='<auth publicAccess="true"/>'))
    assert [(item.code, item.severity) for item in problems] == [("no-effect", "note")] * 2


def test_an_unread_input_of_the_task(bench: Bench) -> None:
    """An input may be read by its name, by a script, or by a parameter of a function."""
    head = '<input name="n"/><input name="unused"/><input name="b"/><input name="shown"/>'
    body = '<step name="a"><source>n</source></step><step name="c"><input name="b"/><source>b</source></step>'
    problems = bench.checked(task(body, head=head, tail='<output name="shown"/>'))
    assert [item.message for item in problems] == ["nobody reads the input 'unused'"]


def test_flags_on_the_task_match_nothing(bench: Bench) -> None:
    """The task has no caller whose flags could be compared; it can change flags."""
    (problem,) = bench.problems(task("<step/>", head='<flags match="x" enable="y"/>'))
    assert problem.code == "no-caller"
    assert bench.checked(task("<step/>", head='<flags enable="y"/>')) == ()


def test_a_report_is_in_the_order_of_the_file() -> None:
    """With an error, AnalysisError has the errors; without one, the warnings are returned."""

    def problem(line: int, severity: str) -> Diagnostic:
        return Diagnostic(location=Location("f", line, 1), code="c", message="m", severity=severity)  # type: ignore[arg-type]

    later, sooner = problem(2, "warning"), problem(1, "note")
    assert raise_errors([later, sooner], AnalysisError) == (sooner, later)
    errors = [problem(4, "error"), problem(3, "error")]
    with pytest.raises(AnalysisError) as caught:
        raise_errors([*errors, later], AnalysisError)
    assert caught.value.diagnostics == tuple(errors[::-1])
