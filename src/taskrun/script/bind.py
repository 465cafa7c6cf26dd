"""A program and its place in a file, made one: the Script.

Rules: problems become Diagnostics at the exact character of the file; so does the place of a failure at run time, which
is worked out only then.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskrun.errors import BindError, near_hint
from taskrun.script.machine import Names
from taskrun.script.problems import ProblemsError
from taskrun.script.program import Program, build
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

_LANGUAGES = ("python", "xscript")


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled script.

    ``run(scope)`` evaluates it: it returns the value of ``return``, else of the expression statement that ran last,
    else None; it raises what the script raises, with a note of the place. ``reads`` are the names that it may read
    from the scope, ``stores`` those that it may assign there, ``uses`` the names of the table that it reads unless
    the scope has a variable of that name. ``suspends`` tells whether ``run`` may return an awaitable.
    """

    text: str
    node: Node
    attribute: str | None
    run: Callable[[Names], Any]
    reads: frozenset[str]
    stores: frozenset[str]
    uses: frozenset[str] = frozenset()
    suspends: bool = False


class Part(NamedTuple):
    """A piece of a file that holds a script: the element's text or an attribute (or a part of it from ``offset``)."""

    node: Node
    attribute: str | None
    text: str
    offset: int = 0

    def place(self, index: int) -> str:
        """Return ``file:line:column: source line`` of a character of the text."""
        location = self.node.character_at(index + self.offset, self.attribute)
        return f"{location}: {self.node.source.line(location.line).strip()}"

    def error(self, problems: ProblemsError) -> BindError:
        """Return the error that shows the problems where they stand."""
        return BindError(
            self.node.problem(
                problem.code,
                problem.message,
                hint=problem.hint,
                at=self.node.character_at(problem.at + self.offset, self.attribute),
            )
            for problem in problems.problems
        )


def source_of(node: Node, attribute: str | None) -> str:
    """Return the text of an element, or the value of one of its attributes."""
    return node.text if attribute is None else node.attributes.get(attribute, "")


def check_language(node: Node, attribute: str | None, language: str) -> None:
    """Raise BindError unless scripts of that language can be run."""
    if language == "python":
        return
    if language in _LANGUAGES:
        message, hint = f"scripts in {language} are not available yet", 'write Python and say scriptLang="python"'
    else:
        message, hint = f"unknown script language '{language}'", near_hint(language, _LANGUAGES)
        hint = hint or f"known are {' and '.join(_LANGUAGES)}"
    raise BindError([node.problem("unsupported-language", message, hint=hint, attribute=attribute)])


def bind(part: Part, settings: ScriptSettings, *, expression: bool) -> Script:
    """Return the script of a part of a file, or raise BindError with everything that is wrong with it."""
    try:
        program = _program(part.text, settings, expression=expression)
    except ProblemsError as problems:
        raise part.error(problems) from None
    free, stores = program.variables
    uses = free.intersection(settings.table)
    return Script(
        text=part.text,
        node=part.node,
        attribute=part.attribute,
        run=_runner(program, part, settings),
        reads=free - uses,
        stores=stores,
        uses=uses,
    )


def _program(text: str, settings: ScriptSettings, *, expression: bool) -> Program:
    cache = settings.cache
    if cache is None:
        return build(text, settings.limits, expression=expression)
    program = cache.get((text, expression))
    if program is None:
        program = cache[text, expression] = build(text, settings.limits, expression=expression)
    return program


def _runner(program: Program, part: Part, settings: ScriptSettings) -> Callable[[Names], Any]:
    code, table, limits = program.code, settings.table, settings.limits
    evaluate: Callable[..., Any] | None = None

    def place(node: ast.AST) -> str:
        return part.place(program.index(node))

    def run(scope: Names) -> Any:
        nonlocal evaluate
        if evaluate is None:
            from taskrun.script.evaluator import evaluate as loaded  # imports asteval

            evaluate = loaded
        return evaluate(code, scope, table, limits, place)

    return run
