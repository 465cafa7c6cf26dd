"""Templates: what ``value="…"`` holds.

Rules: exactly one ``${…}`` gives the expression's own value, text with ``${…}`` in it gives text (None as nothing, all
else as ``str`` shows it), text without any is itself. ``$${`` stands for ``${``. A value that begins with ``@:`` is
JSON. A template assigns nothing.

    <input name="total" value="${price * count}"/>
    <input name="title" value="order ${order['id']} of ${customer}"/>
    <input name="tags" value='@:["a", "b"]'/>
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from taskrun.script.bind import Script, bind, check_language, source_of
from taskrun.script.problems import FORBIDDEN, SYNTAX, Problem, ProblemsError
from taskrun.script.scope import Names
from taskrun.script.script_source import Part
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
    """A compiled template.

    ``run(scope)`` returns its value; ``constant`` tells that this is always the same value. ``reads`` and ``uses``
    are as in a Script, ``stores`` is empty. ``parts`` are its texts and its expressions, in their order; a constant has none.
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
        """Whether it is exactly one ``${…}``."""
        return len(self.parts) == 1


def compile_template(
    node: Node, attribute: str | None, *, language: str = "python", settings: ScriptSettings | None = None
) -> Template:
    """Return the template in an attribute (or, for None, in the text) of an element.

    Raises BindError with every problem, each at its character.
    """
    check_language(node, attribute, language)
    part = Part(node, attribute, source_of(node, attribute))
    if part.text.startswith(JSON_PREFIX):
        return Template(part.text, node, attribute, constant=True, run=_json(part))
    try:
        pieces = list(_pieces(part.text))
    except ProblemsError as problems:
        raise part.error(problems) from None
    parts = [piece if isinstance(piece, str) else _expression(part, piece, language, settings) for piece in pieces]
    scripts = [piece for piece in parts if isinstance(piece, Script)]
    if not scripts:
        text = "".join(map(str, pieces))
        return Template(part.text, node, attribute, constant=True, run=lambda _scope: text)
    return Template(
        part.text,
        node,
        attribute,
        constant=False,
        run=scripts[0].run if len(parts) == 1 else _joined(parts),
        reads=_NONE.union(*(script.reads for script in scripts)),
        uses=_NONE.union(*(script.uses for script in scripts)),
        parts=tuple(parts),
    )


def _pieces(text: str) -> Iterator[str | slice]:
    """Yield literal text, and slices where the expressions stand."""
    position = 0
    while found := _PIECE.search(text, position):
        literal = text[position : found.start()] + ("${" if found[0] == "$${" else "")
        if literal:
            yield literal
        position = found.end()
        if found[0] == "${":
            end = _end(text, position)
            yield slice(position, end)
            position = end + 1
    if position < len(text):
        yield text[position:]


def _end(text: str, start: int) -> int:
    """Return the index of the ``}`` that ends the expression at ``start``."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            if depth == 0 and token[0] == "}":
                return token.start()
            depth -= 1
    raise ProblemsError([Problem(start - 2, SYNTAX, "this '${' has no '}'", "write '$${' for the text '${'")])


def _expression(part: Part, piece: slice, language: str, settings: ScriptSettings | None) -> Script:
    inner = Part(part.node, part.attribute, part.text[piece], piece.start)
    script = bind(inner, settings or ScriptSettings(), language=language, expression=True)
    if script.stores:
        message = f"a template cannot assign '{min(script.stores)}'"
        problem = Problem(inner.text.find(":="), FORBIDDEN, message, "assign it in a script step")
        raise inner.error(ProblemsError([problem]))
    return script


def _joined(parts: list[str | Script]) -> Callable[[Names], str]:
    def run(scope: Names) -> str:
        texts = []
        for part in parts:
            value = part if isinstance(part, str) else part.run(scope)
            texts.append("" if value is None else str(value))
        return "".join(texts)

    return run


def _json(part: Part) -> Callable[[Names], Any]:
    text = part.text[len(JSON_PREFIX) :]

    def load() -> Any:
        return json.loads(text, parse_constant=_no_constant)

    try:
        value = load()
    except json.JSONDecodeError as error:
        problem = Problem(error.pos + len(JSON_PREFIX), SYNTAX, f"not valid JSON: {error.msg}")
        raise part.error(ProblemsError([problem])) from None
    except (ValueError, RecursionError) as error:
        raise part.error(ProblemsError([Problem(0, SYNTAX, f"not valid JSON: {error}")])) from None
    if isinstance(value, (list, dict)):
        return lambda _scope: load()  # a new one each time, because whoever gets it may change it
    return lambda _scope: value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"'{name}' is not a JSON value")
