"""Templates that make text: Jinja2, under the rules of scripts.

    template = compile_text_template(node, settings=settings)
    template.run(scope)                                        # the text

Rules: a line that holds only a statement leaves no line in the text, a first line that is empty is left out, and so are
blanks and ends of lines behind the last one; all else stays as it stands. Nothing is escaped. None is written as
nothing. What a template reads of values is guarded like that of scripts, their limits of time, steps and size hold; it
changes nothing and assigns nothing. jinja2 is imported when the first template is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from taskrun.script.bind import source_of
from taskrun.script.problems import SYNTAX, Problem, ProblemsError
from taskrun.script.scope import Names
from taskrun.script.script_source import Part
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

_FIRST_LINE = re.compile(r"[ \t]*\n")
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A compiled template; its fields are those of a Script.

    ``run(scope)`` returns the text, or with ``suspends`` an awaitable of it. ``uses`` are the names that it can do
    without, and those of the table of names.
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
    """Return the template in an element's text, or in one of its attributes.

    With ``awaits`` it awaits the async functions that it calls; without, calling one is a TypeError. Raises BindError
    with every problem, each at its line in the file: ``script-syntax``, ``script-unsupported``, ``script-forbidden``.
    """
    settings = settings or ScriptSettings()
    part = _trimmed(Part(node, attribute, source_of(node, attribute)))
    if len(part.text) > settings.limits.source_length:
        message = f"the template has {len(part.text):,} characters; {settings.limits.source_length:,} are allowed"
        raise part.error(ProblemsError([Problem(0, SYNTAX, message)]))
    from taskrun.script.jinja.evaluation import compiled

    try:
        run, reads, optional = compiled(part, settings, awaits=awaits)
    except ProblemsError as problems:
        raise part.error(problems) from None
    named = frozenset(name for name in reads if name in _names(settings))
    return TextTemplate(
        text=source_of(node, attribute),
        node=node,
        attribute=attribute,
        run=run,
        reads=reads - named - optional,
        uses=named | optional,
        suspends=awaits,
    )


def _names(settings: ScriptSettings) -> Mapping[str, Any]:
    from taskrun.script.jinja.table import names_of

    return names_of(settings.table)


def _trimmed(part: Part) -> Part:
    """Return the part without an empty first line and without blanks and ends of lines at its end."""
    first = _FIRST_LINE.match(part.text)
    start = first.end() if first else 0
    return Part(part.node, part.attribute, part.text[start:].rstrip(), start)
