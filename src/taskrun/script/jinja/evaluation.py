"""From the text of a template to a function of a scope.

Rules: each evaluation has a budget and a context of its own. A failure carries a note with the line of the template that
failed, in the task file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from jinja2 import Template, TemplateSyntaxError

from taskrun.script.jinja.checks import prepared, problems, reads
from taskrun.script.jinja.environment import TemplateContext, admitted, environment
from taskrun.script.jinja.table import names_of
from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.sandbox.budget import Budget
from taskrun.script.scope import Names, UnknownVariableError
from taskrun.script.script_source import NOTE, Part
from taskrun.script.settings import ScriptSettings
from taskrun.script.unknown_name import unknown_variable

_MISSING = object()
_DEEP = "the template is nested too deeply"


def compiled(
    part: Part, settings: ScriptSettings, *, awaits: bool
) -> tuple[Callable[[Names], Any], frozenset[str], frozenset[str]]:
    """Return what evaluates a template, the names that it reads, and those that it can do without.

    Raises ProblemsError.
    """
    made = environment(awaits)
    try:
        tree = made.parse(part.text)
        found = [Problem(_index(part.text, line), *rest) for line, *rest in problems(tree, made, settings.limits)]
        if found:
            raise ProblemsError(found)
        names = reads(tree)
        code = made.compile(prepared(tree, made), filename=part.node.source.path)
    except TemplateSyntaxError as error:
        message = (error.message or "syntax error").rstrip(".")
        raise ProblemsError([Problem(_index(part.text, error.lineno), SYNTAX, message)]) from None
    except (RecursionError, SyntaxError):  # Python has at most 20 loops within each other
        raise ProblemsError([Problem(0, SYNTAX, _DEEP, "split it up")]) from None
    table = names_of(settings.table)
    template = made.template_class.from_code(made, code, {})
    evaluation = _Evaluation(part, template, names.names, table, settings.limits)
    return evaluation.awaited if awaits else evaluation.now, names.names, names.optional


@dataclass(frozen=True, slots=True)
class _Evaluation:
    part: Part
    template: Template
    names: frozenset[str]
    table: Mapping[str, Any]
    limits: Limits

    def now(self, scope: Names) -> str:
        """Return the text."""
        with self._evaluating(scope) as context:
            return "".join(self.template.root_render_func(context))

    def awaited(self, scope: Names) -> Awaitable[str]:
        """Return an awaitable of the text."""
        return self._text(scope)

    async def _text(self, scope: Names) -> str:
        with self._evaluating(scope) as context:
            pieces: Any = self.template.root_render_func(context)
            return "".join([piece async for piece in pieces])

    @contextmanager
    def _evaluating(self, scope: Names) -> Iterator[TemplateContext]:
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
        values = {}
        for name in self.names:
            value = scope.find(name, _MISSING)
            if value is not _MISSING:
                values[name] = admitted(value, name)
            elif name in self.table:
                values[name] = self.table[name]
        return cast("TemplateContext", self.template.new_context(values))

    def _explain(self, error: Exception, scope: Names) -> None:
        """Note on the error which line failed, and say more about an unknown variable."""
        if type(error) is UnknownVariableError and not error.explained:
            error.explain(unknown_variable(str(error.name), scope, self.table))
        if any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
            return
        error.add_note(NOTE + self.part.place(_index(self.part.text, self._line(error))))

    def _line(self, error: Exception) -> int:
        line = 1
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_globals.get("__jinja_template__") is self.template:
                line = self.template.get_corresponding_lineno(step.tb_lineno)
            step = step.tb_next
        return line


def _index(text: str, line: int) -> int:
    """Return the index of the first character of a line (from 1) that is not blank."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    while start < len(text) - 1 and text[start] in " \t":
        start += 1
    return start
