"""Tests of flags: the language of conditions, changes for a step and the steps inside, and renames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_flows import Bench, task

from taskrun.core.events import StepSkipped
from taskrun.decorators.flags import parse_match, parse_renames

NAMES = ("a", "b", "c-d")
conditions = st.recursive(
    st.sampled_from(
        [*((name, f"'{name}' in flags") for name in NAMES), ("EMPTY", "not flags"), ("ANY", "bool(flags)")]
    ),
    lambda inner: st.one_of(
        st.builds(lambda x: (f"not {x[0]}", f"(not ({x[1]}))"), inner.map(lambda x: (f"({x[0]})", x[1]))),
        st.builds(lambda x: (f"!{x[0]}", f"(not ({x[1]}))"), inner.map(lambda x: (f"({x[0]})", x[1]))),
        st.builds(lambda x, y: (f"{x[0]} and {y[0]}", f"({x[1]} and {y[1]})"), inner, inner).map(
            lambda x: (f"({x[0]})", x[1])
        ),
        st.builds(lambda x, y: (f"{x[0]} or {y[0]}", f"({x[1]} or {y[1]})"), inner, inner).map(
            lambda x: (f"({x[0]})", x[1])
        ),
    ),
    max_leaves=8,
)


@given(condition=conditions, flags=st.frozensets(st.sampled_from(NAMES)))
def test_conditions_are_boolean_expressions(condition: tuple[str, str], flags: frozenset[str]) -> None:
    """A condition has the same value as the Python expression with the same operators."""
    text, meaning = condition
    assert parse_match(text)(flags) is eval(meaning, {"flags": flags})


@pytest.mark.parametrize(
    ("text", "flags", "matches"),
    [
        ("a or b and c", "a", True),
        ("a or b and c", "b", False),
        ("not a and b", "b", True),
        ("!a and b", "ab", False),
        (" ( a ) ", "a", True),
        ("a", "", False),
        ("not EMPTY", "", False),
        ("ANY", "x", True),
        ("nota", "a", False),
    ],
)
def test_precedence_of_operators(text: str, flags: str, matches: bool) -> None:
    """``not`` binds stronger than ``and``, and ``and`` stronger than ``or``."""
    assert parse_match(text)(frozenset(flags)) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a flag's name is missing at the end"),
        ("a or", "a flag's name is missing at the end"),
        ("not", "a flag's name is missing at the end"),
        ("a b", "'b' is not expected here"),
        ("a )", "'\\)' is not expected here"),
        ("( a", "a '\\)' is missing"),
        ("( a b )", "a '\\)' is missing"),
        ("and a", "'and' is not a flag's name"),
        ("or", "'or' is not a flag's name"),
        ("a and )", "'\\)' is not a flag's name"),
    ],
)
def test_wrong_conditions(text: str, message: str) -> None:
    """The message about a wrong condition names the unexpected or missing word."""
    with pytest.raises(ValueError, match=message):
        parse_match(text)


def test_renames() -> None:
    """Renames are pairs, separated by commas or spaces."""
    assert parse_renames("a=b, c=d e=f") == {"a": "b", "c": "d", "e": "f"}
    assert parse_renames("") == {}
    for wrong in ("a", "a=", "=b"):
        with pytest.raises(ValueError, match="is not a rename; write old=new"):
            parse_renames(wrong)


def shown(bench: Bench, body: str, *flags: str) -> list[str]:
    """Run steps and return the flags that they report."""
    reported: list[str] = []
    ran = bench.run(task(body), flags=flags, functions={"report": lambda view: reported.append(" ".join(view.flags))})
    assert ran.error is None, ran.error
    return reported


REPORT = '<step name="t"><source>report(stepRt)</source></step>'


def test_changes_apply_to_inner_steps(bench: Bench) -> None:
    """Renames are applied first, then flags are added, then removed; after the step all flags are as before."""
    body = f"""<sequential name="s"><flags rename="a=x,b=y" enable="b n" disable="y, n"/><steps>{REPORT}</steps></sequential>{REPORT}"""
    assert shown(bench, body, "a", "b", "c") == ["b c x", "a b c"]


def test_a_condition_reads_the_flags_of_the_caller(bench: Bench) -> None:
    """A condition reads the flags of the caller, not those that the step changes for its own scripts."""
    body = """<step name="s"><flags match="EMPTY" enable="on"/><source>report(stepRt)</source></step>
      <step name="t"><flags match="on"/><source>report(stepRt)</source></step>"""
    assert shown(bench, body) == ["on"]


def test_changes_apply_to_branches_and_library_steps(bench: Bench) -> None:
    """Changed flags apply to branches and library steps, but not to called tasks."""
    bench.write(task(REPORT), "flags_called.task.xml")
    bench.write(task(REPORT), "flags.task-lib.xml")
    body = f"""<sequential name="s"><flags enable="on"/><steps>
      <fork-n name="f" countExpr="2"><steps>{REPORT}</steps></fork-n>
      <parallel name="p"><steps>{REPORT}</steps></parallel>
      <call-step name="l" libModelPath="flags.task-lib.xml" stepName="t"/>
      <call-task name="c" taskModelPath="flags_called.task.xml"/></steps></sequential>"""
    assert shown(bench, body) == ["on", "on", "on", "on", ""]


def test_a_skipped_step_is_reported_with_the_reason(bench: Bench) -> None:
    """The event of a skipped step has the flags of the caller."""
    body = '<step name="a"><flags match="x and y"/></step>'
    for flags, there in (((), "no flag"), (("b", "a"), "a, b")):
        ran = bench.run(task(body), flags=flags, watch=True)
        (skipped,) = [event for event in ran.events if isinstance(event, StepSkipped)]
        assert skipped.reason == f"flags 'x and y' did not match ({there})"
