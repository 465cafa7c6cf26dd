"""Generated programs have the same result as in Python: value and variables, or exception."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from script_programs import LEAVES, RULES, by_python, by_script, program, same, shown, variables

from taskrun.core.scope import Scope


@st.composite
def sentence(draw: st.DrawFn, symbol: str, depth: int) -> str:
    """Draw a text of the grammar; ``<block>`` becomes one or two indented statements."""
    if symbol == "block":
        lines = "\n".join(draw(st.lists(sentence("statement", depth), min_size=1, max_size=2)))
        return re.sub("^", "    ", lines, flags=re.MULTILINE)
    rule = draw(st.sampled_from(LEAVES[symbol] + (RULES[symbol] if depth else [])))
    return re.sub("<([a-z]+)>", lambda found: draw(sentence(found[1], max(0, depth - 1))), rule)


def settled(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settled(150)
@given(sentence("any", 3))
def test_expressions(script: Any, text: str) -> None:
    names, scope = variables(), Scope(None, **variables())
    try:
        expected = repr(eval(text, names))
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            script(text, expression=True).run(scope)
    else:
        assert repr(script(text, expression=True).run(scope)) == expected
    assert shown(scope) == shown(names)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settled(200)
@given(st.lists(sentence("statement", 3), min_size=1, max_size=3))
def test_programs(script: Any, statements: list[str]) -> None:
    text = "\n".join(statements)
    names, scope = variables(), Scope(None, **variables())
    try:
        exec(text, names)
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            script(text).run(scope)
    else:
        script(text).run(scope)
    assert shown(scope) == shown(names)


def test_most_programs_end_in_a_value_and_all_three_agree() -> None:
    """Run a small part of ``make soak``."""
    source = random.Random(5)
    texts = [program(source) for _ in range(400)]
    ends = [by_python(text) for text in texts]
    assert sum(ended is None for ended, _ in ends) > 0.6 * len(texts)
    for text, expected in zip(texts, ends, strict=True):
        for evaluator in ("compiled", "asteval"):
            assert same(expected, by_script(text, evaluator)), (evaluator, text)
