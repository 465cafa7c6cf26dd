"""Generated programs give what Python gives: the same value, the same variables, or the same exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrun.core.scope import Scope

NUMBERS = {"i": 3, "j": -2, "f": 0.5}
TEXTS = {"s": "abc", "t": ""}
LISTS = {"xs": [1, 2, 3], "ys": []}
VARIABLES = {**NUMBERS, **TEXTS, **LISTS, "d": {"a": 1, "b": 2}}


def grammar(depth: int) -> dict[str, st.SearchStrategy[str]]:
    """Return strategies for the text of numbers, texts, lists and truth values."""
    number = st.sampled_from([*NUMBERS, "0", "1", "7", "2.5"])
    text = st.sampled_from([*TEXTS, "'x'", "'a b'"])
    items = st.sampled_from([*LISTS, "[]", "[4, 5]"])
    truth = st.sampled_from(["True", "False", "i == 3"])
    for _ in range(depth):
        number, text, items, truth = (
            number
            | st.builds("({} {} {})".format, number, st.sampled_from("+ - * / // %".split()), number)
            | st.builds("{}({})".format, st.sampled_from(["len", "sum", "max", "sorted"]), items)
            | st.builds("({} if {} else {})".format, number, truth, number)
            | st.builds("{}[{}]".format, items, number)
            | st.builds("d[{}]".format, text)
            | st.builds("(lambda p, q={}: p - q)({})".format, number, number)
            | st.builds("(-{})".format, number),
            text
            | st.builds("({} + {})".format, text, text)
            | st.builds("f'{{{}!r}}:{{{}}}'".format, st.sampled_from([*TEXTS, *LISTS]), st.sampled_from([*NUMBERS]))
            | st.builds("{}.{}()".format, text, st.sampled_from(["upper", "strip", "title"]))
            | st.builds("str({})".format, number)
            | st.builds("{}[{}:{}]".format, text, st.sampled_from(["", "1", "-1"]), st.sampled_from(["", "2"])),
            items
            | st.builds("[{}, *{}]".format, number, items)
            | st.builds("[{} for i in {} if {}]".format, number, items, truth)
            | st.builds("[(i, k) for i in {} for k in {}]".format, items, items)
            | st.builds("sorted({{k: {} for k in {}}})".format, number, items)
            | st.builds("list(i for i in {})".format, items)
            | st.builds("({} + {})".format, items, items),
            truth
            | st.builds("({} {} {})".format, truth, st.sampled_from(["and", "or"]), truth)
            | st.builds("({} {} {} {} {})".format, number, COMPARE, number, COMPARE, number)
            | st.builds("({} in {})".format, number, items)
            | st.builds("(not {})".format, text),
        )
    return {"number": number, "text": text, "items": items, "truth": truth}


COMPARE = st.sampled_from(["<", "<=", "==", "!=", ">"])
LEAVES = grammar(2)
ANY = st.one_of(*LEAVES.values())


def few(inner: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(inner, min_size=1, max_size=2)


def block(statements: list[str]) -> str:
    return "\n".join("    " + line for statement in statements for line in statement.split("\n"))


SIMPLE = (
    st.builds("{} = {}".format, st.sampled_from(["i", "s", "new"]), ANY)
    | st.builds("{} {}= {}".format, st.sampled_from(["i", "new", "xs"]), st.sampled_from("+-*"), ANY)
    | st.builds("a, *b = {}".format, ANY)
    | st.builds("assert {}, {}".format, LEAVES["truth"], ANY)
    | st.builds("del {}".format, st.sampled_from(["new", "xs[0]", "d['a']"]))
    | ANY
)
ELSE = st.sampled_from(["", "    if i: break\nelse:\n    new = 'else'", "    continue"])
STATEMENT = st.recursive(
    SIMPLE,
    lambda inner: (
        st.builds(lambda t, a, b: f"if {t}:\n{block(a)}\nelse:\n{block(b)}", LEAVES["truth"], few(inner), few(inner))
        | st.builds(lambda x, a, e: f"for i in {x}:\n{block(a)}\n{e}", LEAVES["items"], few(inner), ELSE)
        | st.builds(
            lambda a, k, b, c: f"try:\n{block(a)}\nexcept {k} as e:\n{block(b)}\nelse:\n    new = 1\nfinally:\n{block(c)}",
            few(inner),
            st.sampled_from(["(TypeError, ValueError)", "LookupError", "Exception", "NameError"]),
            few(inner),
            few(inner),
        )
        | st.builds(lambda a, x: f"def g(i, s=new):\n{block(a)}\n    return i\nnew = g({x})", few(inner), ANY)
    ),
    max_leaves=6,
)


def fresh() -> dict[str, Any]:
    return {**VARIABLES, "xs": [1, 2, 3], "ys": [], "d": {"a": 1, "b": 2}}


def shown(variables: dict[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in variables.items() if not callable(value) and name != "__builtins__"}


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(STATEMENT, min_size=1, max_size=4))
def test_programs(script: Any, statements: list[str]) -> None:
    text = "\n".join(statements)
    variables, scope = fresh(), Scope(None, **fresh())
    expected: object = None
    try:
        exec(text, variables)
    except Exception as error:
        expected = error
    compiled = script(text)
    if expected is None:
        compiled.run(scope)
    else:
        with pytest.raises(type(expected)):
            compiled.run(scope)
    assert shown(scope) == shown(variables)


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(ANY)
def test_expressions(script: Any, text: str) -> None:
    try:
        expected = repr(eval(text, fresh()))
    except Exception as error:
        with pytest.raises(type(error)):
            script(text, expression=True).run(Scope(None, **fresh()))
    else:
        assert repr(script(text, expression=True).run(Scope(None, **fresh()))) == expected
