"""Inputs: default, conversion, checks, problems that are reported together, and the scope of evaluation."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from small_flows import Bench, task

from taskrun.core.inputs import Input, bind_inputs, bind_task_inputs
from taskrun.core.scope import Scope
from taskrun.errors import InputError
from taskrun.script.script import compile_script, compile_template
from taskrun.syntax.load import parse
from taskrun.syntax.node import Node
from taskrun.value_types import SchemaCheck, type_of


def node(text: str) -> Node:
    """Return an element whose text and attribute ``value`` are ``text``."""
    return parse("flow.task.xml", f'<input value="{text}">{text}</input>'.encode())


def declared(name: str = "x", *, value: str | None = None, source: str | None = None, **settings: Any) -> Input:
    """Return an input; ``type``, ``default`` and ``schema`` are written as in a file."""
    if "type" in settings:
        settings["type"] = type_of(settings["type"])
    if "default" in settings:
        settings["default_value"] = compile_template(node(settings.pop("default")), "value")
    if "schema" in settings:
        settings["schema"] = SchemaCheck(settings["schema"])
    return Input(
        node=node(""),
        name=name,
        value=None if value is None else compile_template(node(value), "value"),
        source=None if source is None else compile_script(node(source)),
        **settings,
    )


def problem(item: Input, outer: Scope | None = None, *, lenient: bool = False) -> str:
    """Return the only problem of binding an input."""
    with pytest.raises(InputError) as caught:
        bind_inputs((item,), outer or Scope(None), Scope(None), lenient)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize("empty", [None, "", [], {}, (), set(), frozenset(), b"", OrderedDict()])
def test_a_mandatory_input_must_not_be_empty(empty: Any) -> None:
    """Null, empty text and empty collections are problems."""
    problem_text = "missing" if empty is None else "empty"
    assert problem(declared(mandatory=True), Scope(None, x=empty)) == f"input 'x': is mandatory and {problem_text}"


@pytest.mark.parametrize("value", [0, False, 0.0, " ", [None], {"": 0}])
def test_a_mandatory_input_may_be_zero_or_false(value: Any) -> None:
    """Zero, false and blank text are values."""
    assert bind_inputs((declared(mandatory=True),), Scope(None, x=value), Scope(None), lenient=False) == {"x": value}


def test_mandatory_inputs_are_not_compared() -> None:
    """Arrays of some packages raise when they are compared or used as a bool."""

    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("ambiguous")

        __hash__ = object.__hash__

        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    array = Array()
    assert declared(mandatory=True).resolve(array, Scope(None)) is array


def test_the_order_of_default_conversion_and_checks() -> None:
    """Default if null, conversion, check of ``mandatory``, check of the schema."""
    item = declared(default="3", type="int", mandatory=True, schema='{"minimum": 3}')
    assert item.resolve(None, Scope(None)) == 3
    assert item.resolve("4", Scope(None)) == 4
    with pytest.raises(ValueError, match="2 is less than the minimum of 3"):
        item.resolve("2", Scope(None))
    with pytest.raises(ValueError, match=r"'2\.5' is not of type int"):
        item.resolve("2.5", Scope(None))
    assert declared(type="int", schema='{"minimum": 3}').resolve(None, Scope(None)) is None
    assert declared(default="${y}").resolve(None, Scope(None, y=9)) == 9


def test_a_problem_names_type_and_description() -> None:
    """The message has name, type and description of the input."""
    item = declared(type="int", description=" how many\n", mandatory=True)
    assert problem(item, Scope(None, x=None)) == "input 'x' (int), how many: is mandatory and missing"
    assert (
        problem(declared(type="List<Integer>"), Scope(None, x=[1.5]))
        == "input 'x' (List<Integer>): [1.5] is not of type List<Integer>"
    )


def test_all_problems_are_reported_together() -> None:
    """Wrong values and unknown variables, in the order of the file."""
    items = (declared("a", type="int"), declared("b"), declared("c", mandatory=True, value="${None}"))
    with pytest.raises(InputError) as caught:
        bind_inputs(items, Scope(None, a="x", total=1), Scope(None), lenient=False)
    assert caught.value.problems == (
        "input 'a' (int): 'x' is not of type int",
        "input 'b': unknown variable 'b'",
        "input 'c': is mandatory and missing",
    )
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    ("item", "lenient", "value"),
    [
        (declared(optional=True), False, None),
        (declared(default="7", type="int"), False, 7),
        (declared(), True, None),
    ],
    ids=["optional", "default", "lenient"],
)
def test_a_variable_that_may_be_missing(item: Input, lenient: bool, value: Any) -> None:
    """The value is null, or the default, if the input is optional, has a default, or the dialect is lenient."""
    assert bind_inputs((item,), Scope(None), Scope(None), lenient) == {"x": value}


def test_an_unknown_variable_has_a_hint() -> None:
    """Names that begin with an underscore are not suggested."""
    assert (
        problem(declared("total"), Scope(None, totl=1, _total=2))
        == "input 'total': unknown variable 'total'; did you mean 'totl'?"
    )


def test_an_exception_of_a_script_is_raised_unchanged() -> None:
    """A KeyError of a source is not reported as a missing variable."""
    item = declared(source="{}['k']")
    with pytest.raises(KeyError):
        bind_inputs((item,), Scope(None), Scope(None), lenient=True)


def test_the_scope_that_inputs_read() -> None:
    """Names and expressions read the caller's scope, with ``fromTaskScope`` the task's."""
    task_scope, outer = Scope(None, v=1), Scope(None, v=2)
    items = (
        declared("v"), declared("w", source="v"), declared("x", value="${v}"), declared("y", value="v"),
    )  # fmt: skip
    assert bind_inputs(items, outer, task_scope, lenient=False) == {"v": 2, "w": 2, "x": 2, "y": "v"}
    from_task = (declared("v", from_task_scope=True), declared("w", source="v", from_task_scope=True))
    assert bind_inputs(from_task, outer, task_scope, lenient=False) == {"v": 1, "w": 1}


def test_the_script_of_an_input_assigns_no_outer_variable() -> None:
    """An assignment is local to the evaluation."""
    outer = Scope(None, n=1)
    item = declared(source="n = 5\nreturn n + 1")
    assert bind_inputs((item,), outer, outer, lenient=False) == {"x": 6}
    assert outer == {"n": 1}


def test_plain_inputs() -> None:
    """An input without default, conversion and checks is plain."""
    assert declared().plain
    assert declared(source="1").plain
    for settings in (
        {"type": "int"}, {"mandatory": True}, {"optional": True}, {"default": "1"}, {"dump": True},
        {"schema": "{}"}, {"from_task_scope": True},
    ):  # fmt: skip
        assert not declared(**settings).plain, settings


def given(items: tuple[Input, ...], **values: Any) -> dict[str, Any]:
    """Return the variables of a task after its inputs were bound."""
    scope = Scope(None)
    bind_task_inputs(items, values, scope)
    return dict(scope)


def test_the_inputs_of_a_task() -> None:
    """The given value is used, else value or source, else the default; later inputs read earlier ones."""
    items = (
        declared("a", type="int"),
        declared("b", value="${a * 2}"),
        declared("c", source="b + 1"),
        declared("d", default="9"),
    )
    assert given(items, a="1") == {"a": 1, "b": 2, "c": 3, "d": "9"}
    assert given(items, a=1, b=5, c=None) == {"a": 1, "b": 5, "c": 6, "d": "9"}
    assert given((declared("a"),)) == {"a": None}


def test_a_task_without_declared_inputs_accepts_any() -> None:
    """They become variables of the task."""
    assert given((), x=1) == {"x": 1}


def test_all_problems_of_the_inputs_of_a_task_are_reported_together() -> None:
    """Unknown names, with the most similar or all declared names, and wrong values."""
    with pytest.raises(InputError) as caught:
        given((declared("alpha", type="int"), declared("beta", mandatory=True)), alfa=1, q=2, alpha="x")
    assert caught.value.problems == (
        "unknown input 'alfa'; did you mean 'alpha'?",
        "unknown input 'q'; the task has: alpha, beta",
        "input 'alpha' (int): 'x' is not of type int",
        "input 'beta': is mandatory and missing",
    )


def test_wrong_inputs_of_a_run_raise_input_error(bench: Bench) -> None:
    """Wrong inputs of a step make the step fail."""
    ran = bench.run(task("<step/>", head='<input name="n" type="int"/>'), {"n": "x"})
    assert isinstance(ran.error, InputError)
    ran = bench.run(task('<step name="a"><input name="n" type="int" value="x"/></step>'))
    assert isinstance(ran.cause, InputError)
    assert ran.notes == ["main/a"]


def test_all_missing_plain_inputs_are_reported(bench: Bench) -> None:
    """The fast path of the optimizer has the same message as ``bind_inputs``."""
    ran = bench.run(task('<step name="a"><input name="one"/><input name="two"/><source>1</source></step>'), {"tow": 1})
    assert str(ran.cause) == (
        "input 'one': unknown variable 'one'\ninput 'two': unknown variable 'two'; did you mean 'tow'?"
    )


def test_a_key_error_of_the_body_is_no_missing_input(bench: Bench) -> None:
    """It is raised unchanged, although the step has by-name inputs."""
    ran = bench.run(task('<step name="a"><input name="one"/><source>{}[one]</source></step>'), {"one": 1})
    assert type(ran.cause) is KeyError
