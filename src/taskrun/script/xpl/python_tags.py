"""Python functions as tags.

    <files:ReadText path="${path}"/>

Rules: a function is a tag, its parameters are the tag's attributes; one without a default is mandatory. A child element that is
named like a parameter fills it as a callable, other content fills the parameter ``default`` or ``body``. ``read_text`` can be
written ``ReadText``. An ``async def`` is awaited; a plain ``def`` runs in a worker thread. The annotations ``str int float bool
list dict`` convert what the flow gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.script.budget import Waiting
from taskrun.script.guard import handed_out
from taskrun.script.xpl.piece import Environment, Piece
from taskrun.script.xpl.slots import Filling
from taskrun.syntax.node import TEXT, Node

if TYPE_CHECKING:
    from taskrun.script.xpl.compile import Compiler
    from taskrun.script.xpl.libraries import Finder

_GIVEN = "context"
_BODIES = ("default", "body")
_TYPES = {"str", "int", "float", "bool", "list", "dict"}


class PythonLibrary:
    """A set of Python functions by name."""

    def __init__(self, prefix: str, functions: Mapping[str, Callable[..., Any]], finder: Finder) -> None:
        self.prefix = prefix
        self.functions = functions
        self.finder = finder

    def has(self, name: str) -> bool:
        """Whether there is a function of that name."""
        return self.find(name) is not None

    def find(self, name: str) -> Callable[..., Any] | None:
        """Return the function of a tag."""
        found = self.functions.get(name)
        if found is None:
            found = next((given for known, given in self.functions.items() if pascal(known) == name), None)
        return found

    def call(self, compiler: Compiler, node: Node, name: str) -> Piece:
        """Return the piece for a call of a function."""
        from taskrun.script.xpl.compile import nothing

        function = self.find(name)
        if function is None:
            names = [pascal(known) for known in self.functions]
            hint = near_hint(name, names) or "it has " + ", ".join(names)
            compiler.note(node, "unknown-tag", f"<{node.tag}>: '{self.prefix}' has no function '{name}'", hint=hint)
            return nothing
        return python_call(compiler, node, function, self.finder)


def pascal(name: str) -> str:
    """Return how a function's name is written as a tag.

    >>> pascal("read_text")
    'ReadText'
    """
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def python_call(compiler: Compiler, node: Node, function: Callable[..., Any], finder: Finder) -> Piece:
    """Return the piece for a call of a Python function with an element's attributes and children."""
    parameters = _parameters(function)
    takes_any = any(item.kind is item.VAR_KEYWORD for item in parameters.values())
    names = [name for name, item in parameters.items() if item.kind in {item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY}]
    given: dict[str, Callable[[Environment], Any]] = {}
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        if name not in names and not takes_any:
            hint = near_hint(name, names) or "it has " + (", ".join(item for item in names if item != _GIVEN) or "none")
            compiler.note(
                node, "unknown-attribute", f"the tag <{node.tag}> has no attribute {name}", hint=hint, attribute=name
            )
        elif (template := compiler.template(node, name)) is not None:
            given[name] = _reader(template, parameters.get(name), node, name, finder)
    given |= _fillings(compiler, node, names)
    missing = [
        name
        for name in names
        if parameters[name].default is inspect.Parameter.empty and name not in given and name != _GIVEN
    ]
    for name in missing:
        if "xpl:attrs" not in node.attributes:
            compiler.note(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {name}")
    extra = compiler.expression(node, "xpl:attrs", needed=False)
    compiler.found.suspends = True
    compiler.found.sets_any = compiler.found.sets_any or getattr(function, "sets_any", False)
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)

    async def run(env: Environment) -> Any:
        values = dict(extra.run(env.scope) or {}) if extra is not None else {}
        values.update((name, read(env)) for name, read in given.items())
        if _GIVEN in names and _GIVEN not in values:
            values[_GIVEN] = finder.given(_GIVEN)
        with Waiting(env.budget):
            call = partial(function, **values)
            value = await (call() if is_async else finder.run(call))
        value = handed_out(value, node.tag)
        if env.out.mode != "none" and value is not None:
            env.out.value(value, node)
        return value

    return run


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _reader(
    template: Any, parameter: inspect.Parameter | None, node: Node, name: str, finder: Finder
) -> Callable[[Environment], Any]:
    kind = getattr(parameter, "annotation", None)
    words = (kind if isinstance(kind, str) else getattr(kind, "__name__", "")).replace(" ", "").split("|")
    convert = finder.converter(words[0].partition("[")[0]) if words[0].partition("[")[0] in _TYPES else None

    def read(env: Environment) -> Any:
        value = template.run(env.scope)
        if value is None or convert is None:
            return value
        try:
            return convert(value)
        except ValueError as error:
            text = f"<{node.tag}> at {node.attribute_at(name)}: {name}={value!r} is no {words[0]}"
            raise ValueError(f"{text}: {error}" if str(error) else text) from None

    return read


def _fillings(compiler: Compiler, node: Node, names: list[str]) -> dict[str, Callable[[Environment], Any]]:
    """Return what gives the parameters that child elements and text fill."""
    filled: dict[str, Callable[[Environment], Any]] = {}
    rest: list[Node] = []
    for child in node.children:
        if child.tag in names and child.tag not in filled:
            filled[child.tag] = _filling(compiler, child, child.tag)
        else:
            rest.append(child)
    if rest or node.text.strip():
        body = next((name for name in _BODIES if name in names), None)
        if body is None:
            wrong = next((child for child in rest if child.tag != TEXT), node)
            hint = near_hint(wrong.tag, names)
            compiler.note(wrong, "unknown-slot", f"<{wrong.tag}> fills no parameter of the tag <{node.tag}>", hint=hint)
        else:
            filled[body] = _filling(compiler, node._replace(children=tuple(rest)), body)
    return filled


def _filling(compiler: Compiler, node: Node, name: str) -> Callable[[Environment], Any]:
    names = tuple(item.strip() for item in node.attributes.get("xpl:slotScope", "").split(",") if item.strip())
    mode = "text" if node.text.strip() and not node.children else "none"
    piece, suspends = compiler.slot(node._replace(attributes={}), mode, names)
    return lambda env: Filling(name, names, piece, env, mode, suspends=suspends)
