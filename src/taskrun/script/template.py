"""Templates of attributes such as ``value="…"``: text with ``${…}`` expressions, or JSON after ``@:``.

Rules: a template that is exactly one ``${…}`` has the value of the expression, of any type. A template with more than
that produces text: None becomes an empty text, other values are converted by ``str``. ``$${`` is an escaped ``${``. A
value that begins with ``@:`` is JSON. A template cannot assign variables.

    <input name="total" value="${price * count}"/>
    <input name="title" value="order ${order['id']} of ${customer}"/>
    <input name="tags" value='@:["a", "b"]'/>
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from taskrun.script.builtins import load_json
from taskrun.script.compiled_script import Script, check_language, compile_source
from taskrun.script.problems import FORBIDDEN, SYNTAX, Problem, ProblemsError
from taskrun.script.scope import Names
from taskrun.script.script_source import ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.syntax.node import Node

JSON_PREFIX = "@:"
_NONE: frozenset[str] = frozenset()
_PIECE = re.compile(r"\$\$\{|\$\{")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\[\](){}]''', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Template:
    """Compiled template of an attribute or element; ``template.run(scope)`` returns its value.

    Attributes:
        text: The source text.
        node: The element that contains the template.
        attribute: The attribute that contains the template, or None for the text of the element.
        constant: Whether the template has no ``${…}``, so that its value does not depend on the scope.
        run: Returns the value in a scope.
        reads: The variables that the template may read from the scope.
        stores: Always empty; it exists because Script has it.
        uses: The names of the namespace that the template reads.
        parts: The literal texts and the compiled expressions in source order; empty for a constant.
    """

    text: str
    node: Node
    attribute: str | None
    constant: bool
    run: Callable[[Names], Any]
    reads: frozenset[str] = _NONE
    stores: frozenset[str] = _NONE
    uses: frozenset[str] = _NONE
    parts: tuple[str | Script, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the template is exactly one ``${…}``; its value is then that of the expression, of any type."""
        return len(self.parts) == 1


def compile_template(
    node: Node, attribute: str | None, *, language: str = "python", settings: ScriptSettings | None = None
) -> Template:
    """Compile the template in an attribute of an element, or in its text if ``attribute`` is None, and return it.

    ``language`` is the dialect of its expressions. Raises BindError with all problems, each at its character in the
    file.
    """
    check_language(node, attribute, language)
    source = ScriptSource(node, attribute, node.text_of(attribute))
    if source.text.startswith(JSON_PREFIX):
        return Template(source.text, node, attribute, constant=True, run=_json_evaluator(source))
    try:
        pieces = list(_pieces(source.text))
    except ProblemsError as problems:
        raise source.error(problems) from None
    parts = [piece if isinstance(piece, str) else _expression(source, piece, language, settings) for piece in pieces]
    scripts = [piece for piece in parts if isinstance(piece, Script)]
    if not scripts:
        text = "".join(map(str, pieces))
        return Template(source.text, node, attribute, constant=True, run=lambda _scope: text)
    return Template(
        source.text,
        node,
        attribute,
        constant=False,
        run=scripts[0].run if len(parts) == 1 else _text_evaluator(parts),
        reads=_NONE.union(*(script.reads for script in scripts)),
        uses=_NONE.union(*(script.uses for script in scripts)),
        parts=tuple(parts),
    )


def _pieces(text: str) -> Iterator[str | slice]:
    """Split a template: yield in source order each literal text as str, each expression as a slice of ``text``."""
    position = 0
    while found := _PIECE.search(text, position):
        literal = text[position : found.start()] + ("${" if found[0] == "$${" else "")
        if literal:
            yield literal
        position = found.end()
        if found[0] == "${":
            end = _closing_brace(text, position)
            yield slice(position, end)
            position = end + 1
    if position < len(text):
        yield text[position:]


def _closing_brace(text: str, start: int) -> int:
    """Return the index of the ``}`` that closes the expression which begins at ``start``.

    Braces in brackets and in string literals of the expression do not count. Raises ProblemsError if there is none.
    """
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            if depth == 0 and token[0] == "}":
                return token.start()
            depth -= 1
    raise ProblemsError([Problem(start - 2, SYNTAX, "this '${' has no '}'", "write '$${' for the text '${'")])


def _expression(source: ScriptSource, piece: slice, language: str, settings: ScriptSettings | None) -> Script:
    """Compile the expression in a slice of the template; raises BindError if it has problems or assigns a variable."""
    inner = source.section(piece.start, piece.stop)
    script = compile_source(inner, settings or ScriptSettings(), language=language, expression=True)
    if script.stores:
        message = f"a template cannot assign '{min(script.stores)}'"
        problem = Problem(inner.text.find(":="), FORBIDDEN, message, "assign it in a script step")
        raise inner.error(ProblemsError([problem]))
    return script


def _text_evaluator(parts: list[str | Script]) -> Callable[[Names], str]:
    """Return a function of a scope that concatenates the literal texts and the values of the scripts in ``parts``."""

    def run(scope: Names) -> str:
        texts = []
        for part in parts:
            value = part if isinstance(part, str) else part.run(scope)
            texts.append("" if value is None else str(value))
        return "".join(texts)

    return run


def _json_evaluator(source: ScriptSource) -> Callable[[Names], Any]:
    """Return a function of a scope that ignores the scope and returns the value of the JSON text behind ``@:``.

    Raises BindError if the text is not valid JSON.
    """
    text = source.text[len(JSON_PREFIX) :]
    try:
        value = load_json(text)
    except json.JSONDecodeError as error:
        problem = Problem(error.pos + len(JSON_PREFIX), SYNTAX, f"not valid JSON: {error.msg}")
        raise source.error(ProblemsError([problem])) from None
    except (ValueError, RecursionError) as error:
        raise source.error(ProblemsError([Problem(0, SYNTAX, f"not valid JSON: {error}")])) from None
    if isinstance(value, (list, dict)):
        return lambda _scope: load_json(text)  # a new object at each run, because its user may modify it
    return lambda _scope: value
