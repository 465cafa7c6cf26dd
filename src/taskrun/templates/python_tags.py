"""Tag library of Python functions.

    <files:ReadText path="${path}"/>

Rules: each function is a tag, and its parameters are the tag's attributes; a parameter without a default is mandatory.
A child element with the name of a parameter passes its content to this parameter, as a callable; other content is
passed to the parameter ``default`` or ``body``. ``read_text`` can be written ``ReadText``. An ``async def`` is awaited;
any other function runs in a worker thread. Values of parameters with the annotation ``str``, ``int``, ``float``,
``bool``, ``list`` or ``dict`` are converted to it. The parameter ``context`` is no attribute: the engine passes its
value.
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
from taskrun.templates.closures import Environment, TemplateNode, no_op
from taskrun.templates.slots import SlotFunction
from taskrun.templates.tag_call import slot_argument_names, without_own_attributes

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_lookup import TagLookup

_CONTEXT = "context"
_BODIES = ("default", "body")
_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict"})
SlotValue = Callable[[Environment], Any]
"""Function that returns the callable for a parameter."""


class PythonLibrary:
    """Tag library whose tags are Python functions.

    ``prefix`` is its name, ``functions`` are its functions by name. ``lookup`` provides the conversions of values and
    the worker threads in which functions without ``async`` run.
    """

    def __init__(self, prefix: str, functions: Mapping[str, Callable[..., Any]], lookup: TagLookup) -> None:
        self.prefix = prefix
        self.functions = functions
        self.lookup = lookup

    def has(self, name: str) -> bool:
        """Return whether the library has a function for the tag ``name``."""
        return self.find(name) is not None

    def find(self, name: str) -> Callable[..., Any] | None:
        """Return the function for the tag ``name``, or None; a function ``read_text`` is also the tag ``ReadText``."""
        found = self.functions.get(name)
        if found is None:
            found = next((given for known, given in self.functions.items() if pascal_case(known) == name), None)
        return found

    def call(self, compiler: Compiler, node: Node, name: str) -> TemplateNode:
        """Compile the element ``node`` as a call of the function for the tag ``name``; report it if there is none."""
        function = self.find(name)
        if function is None:
            names = [pascal_case(known) for known in self.functions]
            hint = near_hint(name, names) or "it has " + ", ".join(names)
            compiler.report(node, "unknown-tag", f"<{node.tag}>: '{self.prefix}' has no function '{name}'", hint=hint)
            return no_op
        return compile_function_call(compiler, node, function, self.lookup)


def pascal_case(name: str) -> str:
    """Return the name of a function in PascalCase, which is the usual form of a tag.

    >>> pascal_case("read_text")
    'ReadText'
    """
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def compile_function_call(
    compiler: Compiler, node: Node, function: Callable[..., Any], lookup: TagLookup
) -> TemplateNode:
    """Compile the element ``node`` as a call of a Python function and return the template node.

    ``lookup`` provides the converters, the worker threads and the value of the parameter ``context``.
    """
    parameters = _parameters(compiler, node, function)
    if parameters is None:
        return no_op
    converters = {name: _converter(node, name, item, lookup) for name, item in parameters.items()}
    given = _attributes(compiler, node, parameters)
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
    filled = _compile_slots(compiler, node, parameters, awaits=is_async)
    for name in sorted(given.keys() & filled.keys()):
        compiler.report(node, "doubled", f"{name} is given as an attribute and as an element", attribute=name)
    extra = compiler.expression(node, "xpl:attrs", needed=False)
    if extra is None:
        _check_missing(compiler, node, parameters, given.keys() | filled.keys())
    compiler.facts.suspends = True
    compiler.facts.sets_any = compiler.facts.sets_any or getattr(function, "sets_any", False)

    async def run(env: Environment) -> Any:
        values = dict(extra.run(env.scope) or {}) if extra is not None else {}
        values.update((name, template.run(env.scope)) for name, template in given.items())
        values = {name: converters.get(name, _unchanged)(value) for name, value in values.items()}
        values.update((name, fill(env)) for name, fill in filled.items())
        if _CONTEXT in parameters:
            values[_CONTEXT] = lookup.tag_context()
        with PausedClock(env.budget):
            call = partial(function, **values)
            value = await (call() if is_async else lookup.run_in_thread(call))
        return env.emit_or_return(guarded_result(value, node.tag), node, null=False)

    return run


def _unchanged(value: Any) -> Any:
    """Return ``value``: used instead of a conversion for a parameter without an annotation."""
    return value


def _parameters(compiler: Compiler, node: Node, function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Return the parameters of a function that a tag can pass by name, or None if a tag cannot call the function.

    None is returned, and the problem reported, if the function has no readable signature or a mandatory positional-only
    parameter.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        compiler.report(
            node, "unknown-tag", f"<{node.tag}>: {function!r} has no readable signature", hint="wrap it in a def"
        )
        return None
    for name, item in parameters.items():
        if item.kind is item.POSITIONAL_ONLY and item.default is item.empty:
            message = f"<{node.tag}>: the parameter '{name}' of the function is positional-only"
            compiler.report(node, "unknown-tag", message, hint="a tag passes parameters by name")
            return None
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    return {name: item for name, item in parameters.items() if item.kind in by_name}


def _accepts_any(parameters: Mapping[str, inspect.Parameter]) -> bool:
    """Return whether a function has a parameter such as ``**others``, so that a call may pass any name."""
    return any(item.kind is item.VAR_KEYWORD for item in parameters.values())


def _names(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """Return the names of the parameters that a call can pass: all but ``context`` and ``**others``."""
    return [name for name, item in parameters.items() if name != _CONTEXT and item.kind is not item.VAR_KEYWORD]


def _attributes(compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Compile the attributes of a call to templates, by name; an attribute that is no parameter is reported."""
    names, given = _names(parameters), {}
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        if name not in names and (name == _CONTEXT or not _accepts_any(parameters)):
            hint = near_hint(name, names) or "it has " + (", ".join(names) or "none")
            message = f"the tag <{node.tag}> has no attribute {name}"
            compiler.report(node, "unknown-attribute", message, hint=hint, attribute=name)
        elif (template := compiler.template(node, name)) is not None:
            given[name] = template
    return given


def _check_missing(
    compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter], given: Iterable[str]
) -> None:
    """Report the mandatory parameters that a call does not pass; ``given`` are the names that it passes."""
    for name in _names(parameters):
        if parameters[name].default is inspect.Parameter.empty and name not in given:
            compiler.report(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {name}")


def _converter(node: Node, name: str, parameter: inspect.Parameter, lookup: TagLookup) -> Callable[[Any], Any]:
    """Return the function that converts a value to the annotation of a parameter; null stays null.

    Without one of the supported annotations it returns the value unchanged. ``name`` is the parameter, ``node`` the
    call.
    """
    kind = parameter.annotation
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", "") if isinstance(kind, type) else str(kind)
    text = text.replace(" ", "").strip("'\"").removeprefix("typing.").removeprefix("Optional[")
    word = text.partition("|")[0].partition("[")[0].rstrip("]")
    to_type = lookup.converter(word) if word in _TYPES and parameter.kind is not parameter.VAR_KEYWORD else None
    if to_type is None:
        return _unchanged
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


def _compile_slots(
    compiler: Compiler, node: Node, parameters: Mapping[str, inspect.Parameter], *, awaits: bool
) -> dict[str, SlotValue]:
    """Compile the content of a call; return by parameter a function that creates its callable in an environment.

    ``awaits`` tells whether the function can await the callables. Content that belongs to no parameter is reported.
    """
    names, filled, rest = _names(parameters), dict[str, SlotValue](), list[Node]()
    for child in node.children:
        if child.tag not in names:
            rest.append(child)
        elif child.tag in filled:
            compiler.report(child, "doubled", f"a second <{child.tag}> in <{node.tag}>")
        else:
            filled[child.tag] = _compile_slot(compiler, child, child.tag, awaits=awaits)
    if rest or node.text.strip():
        body = next((name for name in _BODIES if name in names), None)
        wrong = next((child for child in rest if child.tag != TEXT), rest[0] if rest else node)
        if body is None:
            what = "text" if wrong.tag == TEXT or wrong is node else f"<{wrong.tag}>"
            hint = near_hint(wrong.tag, names) or "the function has no parameter 'body'"
            compiler.report(wrong, "unknown-slot", f"{what} fills no parameter of the tag <{node.tag}>", hint=hint)
        elif body in filled:
            compiler.report(
                wrong, "doubled", f"<{node.tag}> has <{body}> and other content, which is for the same parameter"
            )
        else:
            filled[body] = _compile_slot(compiler, node._replace(children=tuple(rest)), body, awaits=awaits)
    return filled


def _compile_slot(compiler: Compiler, node: Node, name: str, *, awaits: bool) -> SlotValue:
    """Compile the content of an element for a parameter; return a function that creates the callable in an environment.

    ``name`` is the parameter. ``awaits`` tells whether the function can await the callable; otherwise, content that has
    to be awaited is reported.
    """
    names = slot_argument_names(compiler, node, ())
    mode = "text" if node.text.strip() and not node.children else "none"
    body = compiler.slot(without_own_attributes(compiler, node, name), mode, names)
    if body.facts.needs_await() and not awaits:
        message = f"<{name}> has to be awaited, and only an 'async def' can await it"
        compiler.report(node, "unsupported", message, hint="make the function an 'async def', and await the call")
    return lambda env: SlotFunction(name, body, env)
