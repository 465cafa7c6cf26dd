"""Fixtures that compile and run a script of a flow file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import pytest

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.script import EVALUATORS, Script, ScriptSettings, compile_script
from taskrun.syntax.load import parse

Compile = Callable[..., Script]
Run = Callable[..., Any]


def compile_text(
    text: str, settings: ScriptSettings | None = None, evaluator: str = "compiled", **options: Any
) -> Script:
    """Compile a text as the ``<source>`` of flow.task.xml."""
    node = parse("flow.task.xml", f"<source>{escape(text)}</source>".encode())
    return compile_script(node, settings=replace(settings or ScriptSettings(), evaluator=evaluator), **options)


@pytest.fixture(params=EVALUATORS)
def evaluator(request: pytest.FixtureRequest) -> str:
    """Run the test once with each evaluator."""
    name: str = request.param
    return name


@pytest.fixture
def script(evaluator: str) -> Compile:
    return partial(compile_text, evaluator=evaluator)


@pytest.fixture
def run(script: Compile) -> Run:
    """Return a function that runs a text with variables and returns its value."""
    return lambda text, **variables: script(text).run(Scope(None, **variables))


@pytest.fixture
def outcome(script: Compile) -> Run:
    """Return a function that runs a text and returns its value and the variables that it has assigned."""

    def outcome(text: str, **variables: Any) -> tuple[Any, dict[str, Any]]:
        scope = Scope(Scope(None, **variables))
        return script(text).run(scope), dict(scope)

    return outcome


@pytest.fixture
def refused() -> Callable[..., list[tuple[str, int, int]]]:
    """Return a function that compiles a wrong script and returns code, line and column of each problem."""

    def refused(xml: str, attribute: str | None = None, **options: Any) -> list[tuple[str, int, int]]:
        with pytest.raises(BindError) as caught:
            compile_script(parse("flow.task.xml", xml.encode()), attribute, **options)
        return [(found.code, found.location.line, found.location.column) for found in caught.value.diagnostics]

    return refused
