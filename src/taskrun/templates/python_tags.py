"""Python functions as tags.

    <files:ReadText path="${path}"/>

Rules: a function is a tag, its parameters are the tag's attributes; one without a default is mandatory. A child element that is
named like a parameter fills it as a callable, other content fills the parameter ``default`` or ``body``. ``read_text`` can be
written ``ReadText``. An ``async def`` is awaited; a plain ``def`` runs in a worker thread. The annotations ``str int float bool
list dict`` convert what the flow gives. A parameter ``context`` is given by the engine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.script.sandbox.budget import PausedClock
from taskrun.script.sandbox.guard import guarded_result
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import Environment, Piece, nothing
from taskrun.templates.slots import Filling
from taskrun.templates.tag_call import bare, scope_names

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.libraries import Finder

_GIVEN = "context"
_BODIES = ("default", "body")
_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict"})
Read = Callable[[Environment], Any]


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
    parameters = _parameters(compiler, node, function)
    if parameters is None:
        return nothing
    converters = {name: _converter(node, name, item, finder) for name, item in parameters.items()}
    given = _attributes(compiler, node, parameters)
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
    filled = _fillings(compiler, node, parameters, waits=is_async)
    for name in sorted(given.keys() & filled.keys()):
        compiler.note(node, "doubled", f"{name} is given as an attribute and as an element", attribute=name)
    extra = compiler.expression(node, "xpl:attrs", needed=False)
    if extra is None:
        _check_missing(compiler, node, parameters, given.keys() | filled.keys())
    compiler.found.suspends = True
    compiler.found.sets_any = compiler.found.sets_any or getattr(function, "sets_any", False)

    async def run(env: Environment) -> Any:
        values = dict(extra.run(env.scope) or {}) if extra is not None else {}
        values.update((name, template.run(env.scope)) for name, template in given.items())
        values = {name: converters.get(name, _same)(value) for name, value in values.items()}
        values.update((name, fill(env)) for name, fill in filled.items())
        if _GIVEN in parameters:
            values[_GIVEN] = finder.given(_GIVEN)
        with PausedClock(env.budget):
            call = partial(function, **values)
            value = await (call() if is_async else finder.run(call))
        return env.give(guarded_result(value, node.tag), node, null=False)

    return run


def _same(value: Any) -> Any:
    return value


def _parameters(compiler: Compiler, node: Node, function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters that can be given by name, None (which has been noted) when a call is not possible."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        compiler.note(
            node, "unknown-tag", f"<{node.tag}>: {function!r} does not tell its parameters", hint="wrap it in a def"
        )
        return None
    for name, item in parameters.items():
        if item.kind is item.POSITIONAL_ONLY and item.default is item.empty:
            message = f"<{node.tag}>: the function takes '{name}' by its position only"
            compiler.note(node, "unknown-tag", message, hint="a tag gives parameters by name")
            return None
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    return {name: item for name, item in parameters.items() if item.kind in by_name}


def _open(parameters: Mapping[str, inspect.Parameter]) -> bool:
    """Whether a function takes any name."""
    return any(item.kind is item.VAR_KEYWORD for item in parameters.values())


def _names(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """Return what a call can give."""
    return [name for name, item in parameters.items() if name != _GIVEN and item.kind is not item.VAR_KEYWORD]


def _attributes(compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the templates of the attributes of a call."""
    names, given = _names(parameters), {}
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        if name not in names and (name == _GIVEN or not _open(parameters)):
            hint = near_hint(name, names) or "it has " + (", ".join(names) or "none")
            message = f"the tag <{node.tag}> has no attribute {name}"
            compiler.note(node, "unknown-attribute", message, hint=hint, attribute=name)
        elif (template := compiler.template(node, name)) is not None:
            given[name] = template
    return given


def _check_missing(
    compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter], given: Iterable[str]
) -> None:
    for name in _names(parameters):
        if parameters[name].default is inspect.Parameter.empty and name not in given:
            compiler.note(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {name}")


def _converter(node: Node, name: str, parameter: inspect.Parameter, finder: Finder) -> Callable[[Any], Any]:
    """Return the conversion to a parameter's annotation; null stays null."""
    kind = parameter.annotation
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", "") if isinstance(kind, type) else str(kind)
    text = text.replace(" ", "").strip("'\"").removeprefix("typing.").removeprefix("Optional[")
    word = text.partition("|")[0].partition("[")[0].rstrip("]")
    to_type = finder.converter(word) if word in _TYPES and parameter.kind is not parameter.VAR_KEYWORD else None
    if to_type is None:
        return _same
    convert = to_type

    def converted(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            place = node.attribute_at(name)
            raise ValueError(f"<{node.tag}> at {place}: the attribute {name}: {error}") from None

    return converted


def _fillings(
    compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter], *, waits: bool
) -> dict[str, Read]:
    """Return what gives the parameters that child elements and text fill."""
    names, filled, rest = _names(parameters), dict[str, Read](), list[Node]()
    for child in node.children:
        if child.tag not in names:
            rest.append(child)
        elif child.tag in filled:
            compiler.note(child, "doubled", f"a second <{child.tag}> in <{node.tag}>")
        else:
            filled[child.tag] = _filling(compiler, child, child.tag, waits=waits)
    if rest or node.text.strip():
        body = next((name for name in _BODIES if name in names), None)
        wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
        if body is None:
            what = "text" if wrong.tag == TEXT or wrong is node else f"<{wrong.tag}>"
            hint = near_hint(wrong.tag, names) or "the function has no parameter 'body'"
            compiler.note(wrong, "unknown-slot", f"{what} fills no parameter of the tag <{node.tag}>", hint=hint)
        elif body in filled:
            compiler.note(wrong, "doubled", f"<{body}> in <{node.tag}>, and other content, which is the same parameter")
        else:
            filled[body] = _filling(compiler, node._replace(children=tuple(rest)), body, waits=waits)
    return filled


def _filling(compiler: Compiler, node: Node, name: str, *, waits: bool) -> Read:
    """Return what makes a callable of a child element; ``waits`` tells whether the function can await it."""
    names = scope_names(compiler, node, ())
    mode = "text" if node.text.strip() and not node.children else "none"
    content = compiler.slot(bare(compiler, node, name), mode, names)
    if content.found.waits() and not waits:
        message = f"<{name}> waits, and a function that is no 'async def' cannot wait for it"
        compiler.note(node, "unsupported", message, hint="make the function an 'async def', and await the call")
    return lambda env: Filling(name, content, env)
