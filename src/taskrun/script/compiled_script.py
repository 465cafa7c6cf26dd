"""Compilation of the text of a script into a Script, the object that a step runs.

Rules: the module of an evaluator is imported when the first script runs with it. The evaluators differ in speed and in
the supported subset of the language, not in security: guards, namespace and limits are the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from taskrun.errors import BindError, near_hint
from taskrun.script.limits import Limits
from taskrun.script.problems import UNSUPPORTED, Problem, ProblemsError
from taskrun.script.program import ScriptProgram, build_program
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

Evaluator = Callable[[ScriptProgram, ScriptSource, Mapping[str, Any], Limits], Callable[[Names], Any]]
"""Function that turns a checked script into a Python function, which executes the script in a scope."""
DIALECTS = ("python", "xscript")


@dataclass(frozen=True, slots=True)
class Script:
    """Compiled script: a function of a scope, with its position in a file and the names that it uses.

    ``script.run(scope)`` evaluates it.

    Attributes:
        text: The source text.
        node: The element that contains the script.
        attribute: The attribute that contains the script, or None for the text of the element.
        run: Evaluates the script in a scope. Returns the value of ``return``, else of the last executed expression
            statement, else None. An exception of the script gets a note with its location in the file.
        reads: The variables that the script may read from the scope.
        stores: The variables that the script may assign in the scope.
        uses: The names of the namespace that the script reads. If the scope has a variable of the same name, the script
            reads the variable instead.
        suspends: Whether ``run`` returns an awaitable instead of the value.
        closed: Whether nothing of the script can read the scope after the evaluation has ended. It is False if the
            script contains a function or generator expression, because these can be called later.
        template: Whether the script is a template with tags.
        leaves: Whether ``run`` returns Ellipsis when the script ends without ``return``, so that the caller can
            distinguish both ways to end.
        sets_any: Whether the script may set variables whose names are known only at run time.
        inner: The scripts and text templates inside a template with tags; empty for a plain script.
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
        """Return the first of the ``inner`` scripts that reads the variable ``name``, or this script if none does.

        It serves to report a problem of the variable at the right place of a template.
        """
        return next((script for script in self.inner if name in script.reads), self)


def check_language(node: Node, attribute: str | None, language: str) -> None:
    """Raise BindError, located at the attribute or text of ``node``, unless ``language`` is a known dialect."""
    if language in DIALECTS:
        return
    hint = near_hint(language, DIALECTS) or f"known are {' and '.join(DIALECTS)}"
    raise BindError(
        [node.problem("unsupported-language", f"unknown script language '{language}'", hint=hint, attribute=attribute)]
    )


def compile_script(
    node: Node,
    attribute: str | None = None,
    *,
    language: str = "python",
    expression: bool = False,
    awaits: bool = False,
    settings: ScriptSettings | None = None,
) -> Script:
    """Compile the script in the text of an element, or in one of its attributes, and return it.

    Args:
        node: The element.
        attribute: The attribute that contains the script, or None for the text of the element.
        language: The dialect, one of ``DIALECTS``.
        expression: Whether the script must be exactly one expression.
        awaits: Whether the script may contain ``await``. If it does, ``Script.run`` returns an awaitable.
        settings: Limits, additional names, evaluator and cache; None means the defaults.

    Raises:
        BindError: Contains all problems, each at its character in the file: ``script-syntax``, ``script-unsupported``
            (a construct that scripts do not support), ``script-forbidden`` (a name or attribute that scripts may not
            use), ``unsupported-language``.
    """
    check_language(node, attribute, language)
    return compile_source(
        ScriptSource(node, attribute, node.text_of(attribute)),
        settings or ScriptSettings(),
        language=language,
        expression=expression,
        awaits=awaits,
    )


def compile_source(
    source: ScriptSource,
    settings: ScriptSettings,
    *,
    language: str = "python",
    expression: bool,
    awaits: bool = False,
    leaves: bool = False,
) -> Script:
    """Parse and check the text of a script and return it as a Script.

    The evaluator generates code only at the first run. It then replaces ``Script.run`` by the function that executes
    this code, so that later runs call this function directly.

    Args:
        source: The text and its position in a file.
        settings: Limits, namespace, evaluator and cache.
        language: The dialect, one of ``DIALECTS``.
        expression: Whether the text must be exactly one expression.
        awaits: Whether the text may contain ``await``.
        leaves: Whether a script that contains ``return`` returns Ellipsis when it ends without ``return``; see
            ``Script.leaves``.

    Raises:
        BindError: The text has problems; the error contains all of them.
    """
    try:
        program = _cached_program(source.text, settings, language, expression=expression, leaves=leaves)
        _check_await(program, awaits)
        namespace = settings.namespace_of(program)
    except ProblemsError as problems:
        raise source.error(problems) from None
    evaluator = EVALUATORS[settings.evaluator]
    free, stores = program.variables
    uses = frozenset(name for name in free if name in namespace)
    runner: list[Callable[[Names], Any]] = []

    def first_run(scope: Names) -> Any:
        if not runner:
            runner.append(evaluator(program, source, namespace, settings.limits))
            object.__setattr__(script, "run", runner[0])
        return runner[0](scope)

    script = Script(
        text=source.text,
        node=source.node,
        attribute=source.attribute,
        run=first_run,
        reads=free - uses,
        stores=stores,
        uses=uses,
        suspends=program.suspends,
        closed=program.closed,
        leaves=program.leaves,
    )
    return script


def _check_await(program: ScriptProgram, awaits: bool) -> None:
    """Raise ProblemsError if the script contains ``await`` although ``awaits`` is False: its caller cannot await it."""
    if not program.suspends or awaits:
        return
    found = next(node for part in program.parsed.body for node in ast.walk(part) if isinstance(node, ast.Await))
    message = "'await' is possible in the source of a <script> step only"
    hint = "await it in a <script> step and use its result"
    raise ProblemsError([Problem(program.index(found), UNSUPPORTED, message, hint)])


def _cached_program(
    text: str, settings: ScriptSettings, language: str, *, expression: bool, leaves: bool
) -> ScriptProgram:
    """Return the ScriptProgram of a text from the cache of the settings, or build it and store it in the cache.

    Raises ProblemsError if the text has problems, or uses what the evaluator of the settings does not support.
    """
    cache, key = settings.cache, (text, expression, f"{language}, leaving" if leaves else language)
    program = None if cache is None else cache.get(key)
    if program is None:
        program = build_program(text, settings.limits, language, expression=expression)
        if leaves:
            program.mark_missing_return()
        if settings.evaluator == "asteval":
            check_asteval_support(program, language)
        if cache is not None:
            cache[key] = program
    return program


def _compiled(
    program: ScriptProgram, source: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Evaluator ``compiled``: return a native Python function that executes the script in a scope."""
    from taskrun.script.compiler.compile import native_function

    return native_function(program, source, namespace, limits)


def _asteval(
    program: ScriptProgram, source: ScriptSource, namespace: Mapping[str, Any], limits: Limits
) -> Callable[[Names], Any]:
    """Evaluator ``asteval``: return a function that interprets the syntax tree of the script in a scope."""
    from taskrun.script.asteval.evaluator import evaluate
    from taskrun.script.asteval.lower import lower

    code = program.compile_once(lower)

    def run(scope: Names) -> Any:
        return evaluate(code, scope, namespace, limits, lambda node: source.place(program.index(node)))

    return run


def check_asteval_support(program: ScriptProgram, language: str) -> None:
    """Raise ProblemsError if the script uses a dialect or construct that the evaluator ``asteval`` does not support."""
    if language != "python":
        message = f"the evaluator 'asteval' has no {language}"
        raise ProblemsError([Problem(0, UNSUPPORTED, message, "use the evaluator 'compiled', or write Python")])
    for statement in program.parsed.body:
        for node in ast.walk(statement):
            if isinstance(node, _COMPILED_ONLY):
                message = f"the evaluator 'asteval' has no '{type(node).__name__.lower()}'"
                hint = "use the evaluator 'compiled'"
                raise ProblemsError([Problem(program.index(node), UNSUPPORTED, message, hint)])


_COMPILED_ONLY = (ast.Await, ast.Match)
EVALUATORS: Mapping[str, Evaluator] = MappingProxyType({"compiled": _compiled, "asteval": _asteval})
