"""Compilation of a Jinja2 template into a function of a scope, and its evaluation.

Rules: each evaluation has a budget and a context of its own. An error gets a note with the location of the template
line that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from jinja2 import Template, TemplateSyntaxError

from taskrun.script.jinja.checks import find_names, find_problems, instrument
from taskrun.script.jinja.environment import TemplateContext, checked_value, environment
from taskrun.script.jinja.table import template_namespace
from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.script_source import NOTE, ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.script.unknown_name import unknown_variable

_MISSING = object()
_DEEP = "the template is nested too deeply"


class CompiledTemplate(NamedTuple):
    """Result of ``compile_jinja``: the function that evaluates a template, and the names that it reads.

    The fields have the same meaning as the attributes of TextTemplate.
    """

    run: Callable[[Names], Any]
    reads: frozenset[str]
    uses: frozenset[str]


def compile_jinja(source: ScriptSource, settings: ScriptSettings, *, awaits: bool) -> CompiledTemplate:
    """Check and compile the text of a template.

    With ``awaits`` the function ``run`` of the result returns an awaitable. Raises ProblemsError with all problems of
    the text.
    """
    jinja = environment(awaits)
    text = source.text
    try:
        tree = jinja.parse(text)
        found = [Problem(_line_index(text, line), *rest) for line, *rest in find_problems(tree, jinja, settings.limits)]
        if found:
            raise ProblemsError(found)
        names, optional = find_names(tree)
        code = jinja.compile(instrument(tree, jinja), filename=source.node.source.path)
    except TemplateSyntaxError as error:
        message = (error.message or "syntax error").rstrip(".")
        raise ProblemsError([Problem(_line_index(text, error.lineno), SYNTAX, message)]) from None
    except (RecursionError, SyntaxError):  # SyntaxError: Python allows at most 20 nested loops
        raise ProblemsError([Problem(0, SYNTAX, _DEEP, "split it up")]) from None
    namespace = template_namespace(settings.namespace)
    template = jinja.template_class.from_code(jinja, code, {})
    evaluator = _JinjaEvaluator(source, template, names, namespace, settings.limits)
    uses = optional.union(name for name in names if name in namespace)
    return CompiledTemplate(evaluator.run_async if awaits else evaluator.run, names - uses, uses)


@dataclass(frozen=True, slots=True)
class _JinjaEvaluator:
    """Evaluator of one compiled template: its methods return the text that the template produces in a scope.

    ``names`` are the names that the template reads, ``namespace`` the names that are not variables.
    """

    source: ScriptSource
    template: Template
    names: frozenset[str]
    namespace: Mapping[str, Any]
    limits: Limits

    def run(self, scope: Names) -> str:
        """Return the text that the template produces; for a template that does not await."""
        with self._evaluating(scope) as context:
            return "".join(self.template.root_render_func(context))

    async def run_async(self, scope: Names) -> str:
        """Return the text that the template produces; for a template that may await async functions."""
        with self._evaluating(scope) as context:
            pieces: Any = self.template.root_render_func(context)
            return "".join([piece async for piece in pieces])

    @contextmanager
    def _evaluating(self, scope: Names) -> Iterator[TemplateContext]:
        """Context manager around one evaluation: begins and ends a budget, and adds the location to an error.

        It yields the context of jinja2 with the values that the template reads.
        """
        budget = Budget(self.limits)
        budget.begin()
        try:
            yield self._context(scope)
        except Exception as error:
            self._explain(error, scope)
            raise
        finally:
            budget.end()

    def _context(self, scope: Names) -> TemplateContext:
        """Return a context of jinja2 with the values of the names that the template reads.

        A variable of the scope has priority over a name of the namespace. A name that does not exist is left out,
        because the template may only test whether it is defined.
        """
        values = {}
        for name in self.names:
            value = scope.find(name, _MISSING)
            if value is not _MISSING:
                values[name] = checked_value(value, name)
            elif name in self.namespace:
                values[name] = self.namespace[name]
        return cast("TemplateContext", self.template.new_context(values))

    def _explain(self, error: Exception, scope: Names) -> None:
        """Complete the message about an unknown variable, and add a note with the location of the failed line.

        No note is added if the error has one already, from an inner script or template.
        """
        if type(error) is UnknownVariableError and not error.explained:
            error.explain(unknown_variable(str(error.name), scope, self.namespace))
        if any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
            return
        error.add_note(NOTE + self.source.place(_line_index(self.source.text, self._failed_line(error))))

    def _failed_line(self, error: Exception) -> int:
        """Return the line (from 1) of the template at which the error was raised, read from its traceback."""
        line = 1
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_globals.get("__jinja_template__") is self.template:
                line = self.template.get_corresponding_lineno(step.tb_lineno)
            step = step.tb_next
        return line


def _line_index(text: str, line: int) -> int:
    """Return the index in ``text`` of the first character of a line (from 1) that is not a blank."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    while start < len(text) - 1 and text[start] in " \t":
        start += 1
    return start
