"""A program and its place in a file, made one: the Script.

Rules: problems become Diagnostics at the exact character of the file; so does the place of a failure at run time, which
is worked out only then.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskrun.errors import BindError, near_hint
from taskrun.script.evaluators import EVALUATORS, check_walked
from taskrun.script.namespace import table_of
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import Program, build
from taskrun.script.scope import Names
from taskrun.script.script_source import Part
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

LANGUAGES = ("python", "xscript")


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled script.

    ``run(scope)`` evaluates it: it returns the value of ``return``, else of the expression statement that ran last,
    else None; it raises what the script raises, with a note of the place. ``reads`` are the names that it may read
    from the scope, ``stores`` those that it may assign there, ``uses`` the names of the table that it reads unless
    the scope has a variable of that name. ``suspends`` tells whether ``run`` returns an awaitable,
    ``closed`` that nothing of it can outlive its evaluation and read the scope later. ``template`` says that it is one of
    tags, ``leaves`` that its value is Ellipsis where it did not say ``return``,
    ``sets_any`` that it may set variables of the task by names that only the run knows. ``inner`` are the scripts and texts of a template.
    """

    text: str
    node: Node
    attribute: str | None
    run: Callable[[Names], Any]
    reads: frozenset[str]
    stores: frozenset[str]
    uses: frozenset[str] = frozenset()
    suspends: bool = False
    closed: bool = True
    template: bool = False
    leaves: bool = False
    sets_any: bool = False
    inner: tuple[Any, ...] = ()

    def reader(self, name: str) -> Any:
        """Return the script in a template that reads a variable first, else this one."""
        return next((script for script in self.inner if name in script.reads), self)


def source_of(node: Node, attribute: str | None) -> str:
    """Return the text of an element, or the value of one of its attributes."""
    return node.text if attribute is None else node.attributes.get(attribute, "")


def check_language(node: Node, attribute: str | None, language: str) -> None:
    """Raise BindError unless scripts of that language can be run."""
    if language in LANGUAGES:
        return
    hint = near_hint(language, LANGUAGES) or f"known are {' and '.join(LANGUAGES)}"
    raise BindError(
        [node.problem("unsupported-language", f"unknown script language '{language}'", hint=hint, attribute=attribute)]
    )


def bind(
    part: Part,
    settings: ScriptSettings,
    *,
    language: str = "python",
    expression: bool,
    awaits: bool = False,
    leaves: bool = False,
) -> Script:
    """Return the script of a part of a file, or raise BindError with everything that is wrong with it.

    With ``leaves`` it can be told whether it ended with a ``return``. It is turned into code when it first runs; from then on ``run`` is the compiled function itself.
    """
    try:
        program = _program(part.text, settings, language, expression=expression, leaves=leaves)
        _check_await(program, awaits)
        table = table_of(program, settings)
    except ProblemsError as problems:
        raise part.error(problems) from None
    evaluator = EVALUATORS[settings.evaluator]
    free, stores = program.variables
    uses = frozenset(name for name in free if name in table)
    runner: list[Callable[[Names], Any]] = []

    def first(scope: Names) -> Any:
        if not runner:
            runner.append(evaluator(program, part, table, settings.limits))
            object.__setattr__(script, "run", runner[0])
        return runner[0](scope)

    script = Script(
        text=part.text,
        node=part.node,
        attribute=part.attribute,
        run=first,
        reads=free - uses,
        stores=stores,
        uses=uses,
        suspends=program.suspends,
        closed=program.closed,
        leaves=program.leaves,
    )
    return script


def _check_await(program: Program, awaits: bool) -> None:
    """Raise ProblemsError when a script awaits where nobody waits for it."""
    if not program.suspends or awaits:
        return
    found = next(node for part in program.parsed.body for node in ast.walk(part) if isinstance(node, ast.Await))
    message = "'await' is possible in the source of a <script> step only"
    hint = "await it in a <script> step and use its result"
    raise ProblemsError([Problem(program.index(found), UNSUPPORTED, message, hint)])


def _program(text: str, settings: ScriptSettings, language: str, *, expression: bool, leaves: bool) -> Program:
    """Return the program of a text, from the cache when it has been there before."""
    cache, key = settings.cache, (text, expression, f"{language}, leaving" if leaves else language)
    program = None if cache is None else cache.get(key)
    if program is None:
        program = build(text, settings.limits, language, expression=expression)
        if leaves:
            program.mark_end()
        if settings.evaluator == "asteval":
            check_walked(program, language)
        if cache is not None:
            cache[key] = program
    return program
