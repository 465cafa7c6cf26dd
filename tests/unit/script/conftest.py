"""Short ways to compile and run a script that stands in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.script import Script, compile_script
from taskrun.syntax.load import parse

Compile = Callable[..., Script]
Run = Callable[..., Any]


def compile_text(text: str, **options: Any) -> Script:
    """Compile a text that stands in ``<source>`` of flow.task.xml."""
    return compile_script(parse("flow.task.xml", f"<source>{escape(text)}</source>".encode()), **options)


@pytest.fixture
def script() -> Compile:
    return compile_text


@pytest.fixture
def run() -> Run:
    """Run a text with variables and return its value."""
    return lambda text, **variables: compile_text(text).run(Scope(None, **variables))


@pytest.fixture
def outcome() -> Run:
    """Run a text with variables; return its value, and the own variables that it leaves."""

    def outcome(text: str, **variables: Any) -> tuple[Any, dict[str, Any]]:
        scope = Scope(Scope(None, **variables))
        return compile_text(text).run(scope), dict(scope)

    return outcome


@pytest.fixture
def refused() -> Callable[..., list[tuple[str, int, int]]]:
    """Compile a file that cannot be; return code, line and column of each problem."""

    def refused(xml: str, attribute: str | None = None, **options: Any) -> list[tuple[str, int, int]]:
        with pytest.raises(BindError) as caught:
            compile_script(parse("flow.task.xml", xml.encode()), attribute, **options)
        return [(found.code, found.location.line, found.location.column) for found in caught.value.diagnostics]

    return refused
