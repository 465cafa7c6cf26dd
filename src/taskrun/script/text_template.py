"""Text templates: Jinja2 templates that are sandboxed like scripts.

    template = compile_text_template(node, settings=settings)
    template.run(scope)                                        # the text

Rules: a line that contains only a statement such as ``{% if … %}`` produces no line. An empty first line and the
whitespace at the end of the template are removed; other text is not changed. Nothing is escaped. The value None
produces no text. Guards and limits are those of scripts. A template cannot modify values or assign variables of the
flow. jinja2 is imported when the first template is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskrun.script.problems import ProblemsError
from taskrun.script.program import check_length
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

_FIRST_LINE = re.compile(r"[ \t]*\n")
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """Compiled text template; ``template.run(scope)`` returns the text. Its attributes are named as those of Script.

    Attributes:
        text: The source text.
        node: The element that contains the template.
        attribute: The attribute that contains the template, or None for the text of the element.
        run: Returns the text that the template produces in a scope, or an awaitable of it if ``suspends`` is set.
        reads: The variables that must exist in the scope.
        stores: Always empty.
        uses: The names of the namespace that the template reads, and the variables that may be missing, because the
            template tests them with ``is defined`` or gives them a ``default``.
        suspends: Whether ``run`` returns an awaitable.
        closed: Always true: nothing of the template reads the scope after the evaluation.
    """

    text: str
    node: Node
    attribute: str | None
    run: Callable[[Names], Any]
    reads: frozenset[str]
    stores: frozenset[str] = _NONE
    uses: frozenset[str] = _NONE
    suspends: bool = False
    closed: bool = True


def compile_text_template(
    node: Node, attribute: str | None = None, *, awaits: bool = False, settings: ScriptSettings | None = None
) -> TextTemplate:
    """Compile the text template in the text of an element, or in one of its attributes, and return it.

    With ``awaits`` the template awaits the async functions that it calls, and its ``run`` returns an awaitable. Without
    ``awaits``, a call of an async function raises TypeError at run time.

    Raises BindError with all problems, each at its line in the file: ``script-syntax``, ``script-unsupported``,
    ``script-forbidden``.
    """
    settings = settings or ScriptSettings()
    whole = ScriptSource(node, attribute, node.text_of(attribute))
    source = _trimmed(whole)
    try:
        check_length(source.text, settings.limits, "template")
        from taskrun.script.jinja.evaluation import compile_jinja

        compiled = compile_jinja(source, settings, awaits=awaits)
    except ProblemsError as problems:
        raise source.error(problems) from None
    return TextTemplate(
        text=whole.text,
        node=node,
        attribute=attribute,
        run=compiled.run,
        reads=compiled.reads,
        uses=compiled.uses,
        suspends=awaits,
    )


def _trimmed(source: ScriptSource) -> ScriptSource:
    """Return the part of a template's text without an empty first line and without the whitespace at its end."""
    first = _FIRST_LINE.match(source.text)
    return source.section(first.end() if first else 0, len(source.text.rstrip()))
