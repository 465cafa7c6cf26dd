"""The sandbox of templates: jinja2's, with the guards and caps that scripts have.

Rules: a template reads values. What it reads of a value goes through ``guard``; calls, loops and text that it makes are
charged to the budget of the evaluation; types, modules, functions without a call, and the engine's own objects are not
handed to it. An environment is made once, for templates that await and for those that do not.
"""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Awaitable
from functools import cache
from inspect import isawaitable
from itertools import compress
from types import CoroutineType, MappingProxyType
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, pass_context
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, modifies_known_mutable
from jinja2.utils import missing

from taskrun.script.sandbox.bounded_operators import BINARY
from taskrun.script.sandbox.bounded_text import shown
from taskrun.script.sandbox.budget import Waiting, current
from taskrun.script.sandbox.guard import Record, guarded_getattr, handed_out, refused_attribute
from taskrun.script.sandbox.size_limits import within
from taskrun.script.scope import UnknownVariableError

TICKED = "taskrun ticked"
CONCATENATED = "taskrun concatenated"
"""Names of filters that no template can write; ``checks.prepared`` puts them in."""

_ENGINE = ("taskrun.core", "taskrun.manager", "taskrun.steps", "taskrun.decorators", "taskrun.languages")
_FORMATS = frozenset({"format", "format_map"})
_OPERATORS = MappingProxyType({
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "**": ast.Pow
})  # fmt: skip
_BINARY = MappingProxyType({sign: BINARY[kind] for sign, kind in _OPERATORS.items()})


class Missing(StrictUndefined):
    """What a name without a value stands for: using it raises UnknownVariableError, or LookupError for a part of a value."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> None:
        if exc is UndefinedError:
            exc = LookupError if hint or obj is not missing else lambda _message: UnknownVariableError(name=str(name))
        super().__init__(hint, obj, name, exc)


class TemplateContext(Context):
    """The names of one evaluation, and how much text it has made."""

    made = 0


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """jinja2's sandbox with the rules of scripts."""

    intercepted_binops = frozenset(_BINARY)
    context_class = TemplateContext

    def is_safe_attribute(self, obj: Any, attr: str, _value: Any) -> bool:
        """Whether a template may read an attribute of that name."""
        return not _refusal(obj, attr)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call a value: any function that it was given, but no type."""
        return not isinstance(obj, type) and super().is_safe_callable(obj)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute``, else ``obj["attribute"]``, else what raises when it is used."""
        found = self._attribute(obj, attribute)
        if not isinstance(found, Undefined) or isinstance(obj, type):
            return found
        try:
            return admitted(obj[attribute], attribute)
        except (TypeError, LookupError, AttributeError):
            return found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return ``obj[argument]``, else for a text ``obj.argument``, else what raises when it is used."""
        if isinstance(obj, type):
            raise TypeError(f"a template does not read parts of {_kind(obj)}")
        try:
            return admitted(obj[argument], str(argument))
        except (TypeError, LookupError, AttributeError):
            if isinstance(argument, str):
                return self._attribute(obj, argument)
            return self.undefined(obj=obj, name=argument)

    def _attribute(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Undefined):
            return obj()  # raises
        if not self.is_safe_attribute(obj, attribute, None):
            return self.undefined(_refusal(obj, attribute), obj=obj, name=attribute, exc=AttributeError)  # type: ignore[arg-type]
        try:
            return admitted(guarded_getattr(obj, attribute), attribute)
        except AttributeError as error:
            if hasattr(type(obj), attribute):
                return self.undefined(str(error), obj=obj, name=attribute, exc=AttributeError)  # type: ignore[arg-type]
            return self.undefined(obj=obj, name=attribute)

    def call(self, context: Context, obj: Any, /, *arguments: Any, **keywords: Any) -> Any:
        """Call a function for a template."""
        current().charge(1)
        if isinstance(obj, Undefined):
            return obj()
        if isinstance(obj, LoopContext):  # loop(children) of a recursive loop
            return obj(ticks(arguments[0] if arguments else ()))
        if isinstance(obj, Macro):  # a part of the template, whose time counts
            return context.call(obj, *arguments, **keywords)
        if not self.is_safe_callable(obj):
            raise TypeError(f"a template cannot call {_kind(obj)}")
        value = context.call(obj, *arguments, **keywords)
        name = getattr(obj, "__name__", type(obj).__name__)
        return self._awaited(value, name) if isawaitable(value) else admitted(value, name)

    def _awaited(self, value: Awaitable[Any], name: str) -> Awaitable[Any]:
        if self.is_async:
            return _waited(value, name)
        if isinstance(value, CoroutineType):
            value.close()
        raise TypeError(f"'{name}' is an async function, and this template is not evaluated on the event loop")

    def call_binop(self, _context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return what an operator gives; it refuses to make something huge."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises what says which variable it is
        return _BINARY[operator](left, right)


def _refusal(obj: Any, attribute: str) -> str:
    """Return why a template may not read an attribute of that name, or ``""``."""
    if why := refused_attribute(attribute):
        return f"the attribute '{attribute}' is refused: {why}"
    if isinstance(obj, type):
        return f"a template cannot read attributes of {_kind(obj)}, such as '{attribute}'"
    if modifies_known_mutable(obj, attribute):
        return f"a template changes nothing, so '{attribute}' of {_kind(obj)} is refused"
    if attribute in _FORMATS and isinstance(obj, str):
        return f"the attribute '{attribute}' of text is refused; use the filter 'format', or '~'"
    return ""


async def _waited(value: Awaitable[Any], name: str) -> Any:
    with Waiting(current()):
        value = await value
    return admitted(value, name)


def admitted(value: Any, name: str) -> Any:
    """Return a value that a template is about to get, or raise TypeError when it is not for templates."""
    if isinstance(value, Undefined) or isawaitable(value):
        return value
    kind = type(value)
    if issubclass(kind, type):
        raise TypeError(f"a template does not get {_kind(value)}")
    owner = getattr(value, "__self__", value)
    if not isinstance(owner, Record) and any(
        str(getattr(item, "__module__", "")).startswith(_ENGINE) for item in (owner, value)
    ):
        raise TypeError(f"a template does not get '{name}' of the engine; pass what it needs as an <input>")
    return handed_out(value, name)


def ticks(items: Any) -> Any:
    """Return what a loop goes through; each item costs a tick."""
    if isinstance(items, Undefined):
        return iter(items)
    if hasattr(items, "__aiter__"):
        return _async_ticks(items)
    return compress(items, current().ticks)


async def _async_ticks(items: Any) -> AsyncIterator[Any]:
    async for item in items:
        current().charge(1)
        yield admitted(item, "item")


@pass_context
def _finalized(context: TemplateContext, value: Any) -> str:
    """Return the text of a value that is written: nothing for None."""
    if value is None:
        return ""
    if not isinstance(value, str | Undefined):
        if isawaitable(value) or callable(value):
            raise TypeError(f"a template cannot write {_kind(value)}; call it, or read a part of it")
        if hasattr(type(value), "__next__"):
            raise TypeError(f"a template cannot write {_kind(value)}; make a text of its items with the filter 'join'")
    text = value if type(value) is str else shown(value)
    context.made += len(text)
    within(context.made, text=True)
    if context.made > _CHEAP:
        current().charge(1 + len(text) // _CHEAP)
    return text


_CHEAP = 4096


def _concatenated(values: list[Any]) -> str:
    texts = ["" if value is None else shown(value) for value in values]
    within(sum(map(len, texts)), text=True)
    return "".join(texts)


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return f"the type '{value.__name__}'"
    return f"a value of type '{type(value).__name__}'"


@cache
def environment(awaits: bool) -> TemplateEnvironment:
    """Return the environment of templates that await, or of those that do not."""
    from taskrun.script.jinja.filters import filters

    made = TemplateEnvironment(
        autoescape=False,
        enable_async=awaits,
        undefined=Missing,
        finalize=_finalized,
        optimized=False,  # what can be huge is not worked out before there is a budget
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=("jinja2.ext.loopcontrols",),
        cache_size=0,
    )
    made.globals.clear()
    made.filters = {**filters(), TICKED: ticks, CONCATENATED: _concatenated}
    return made
