"""Run-time sandbox of text templates: jinja2's sandbox with the guards and limits of scripts.

Rules: a template can read values but not modify them. Attributes and items are read through ``guard``. Calls, loops and
output are charged to the budget of the evaluation. A template cannot access types, modules and objects of the engine.
There are two environments: for templates that await async functions, and for templates that do not.
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
from taskrun.script.sandbox.bounded_text import bounded_str
from taskrun.script.sandbox.budget import PausedClock, current_budget
from taskrun.script.sandbox.guard import TemplateReadable, guarded_getattr, guarded_result, refused_attribute
from taskrun.script.sandbox.size_limits import check_size
from taskrun.script.scope import UnknownVariableError

TICKED = "taskrun ticked"
CONCATENATED = "taskrun concatenated"
"""Names of filters that ``checks.instrument`` inserts. They contain a blank, so that no template can use them."""

_ENGINE = ("taskrun.core", "taskrun.manager", "taskrun.steps", "taskrun.decorators", "taskrun.languages")
_FORMATS = frozenset({"format", "format_map"})
_OPERATORS = MappingProxyType({
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "**": ast.Pow
})  # fmt: skip
_BINARY = MappingProxyType({sign: BINARY[kind] for sign, kind in _OPERATORS.items()})


class Missing(StrictUndefined):
    """Value of a name, attribute or item that does not exist; any use of it in a template raises an error.

    The error is UnknownVariableError for a missing name, and LookupError for a missing attribute or item.
    """

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> None:
        if exc is UndefinedError:
            exc = LookupError if hint or obj is not missing else lambda _message: UnknownVariableError(name=str(name))
        super().__init__(hint, obj, name, exc)


class TemplateContext(Context):
    """Context of jinja2 for one evaluation: the values of the names, and the number of characters output so far."""

    output_length = 0


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Sandboxed environment of jinja2 whose operations apply the guards and limits of scripts.

    jinja2 calls its methods when a template reads an attribute or item, calls a function or uses an operator.
    """

    intercepted_binops: frozenset[str] = frozenset(_BINARY)
    context_class: type[Context] = TemplateContext

    def is_safe_attribute(self, obj: Any, attr: str, _value: Any) -> bool:
        """Return whether a template may read the attribute ``attr`` of ``obj``; its value does not matter."""
        return not _refusal(obj, attr)

    def is_safe_callable(self, obj: Any) -> bool:
        """Return whether a template may call ``obj``: functions and methods may be called, types may not."""
        return not isinstance(obj, type) and super().is_safe_callable(obj)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute`` for a template: the attribute, else the item of that name, else a Missing."""
        found = self._attribute(obj, attribute)
        if not isinstance(found, Undefined) or isinstance(obj, type):
            return found
        try:
            return checked_value(obj[attribute], attribute)
        except (TypeError, LookupError, AttributeError):
            return found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return ``obj[argument]`` for a template: the item, else the attribute of that name, else a Missing."""
        if isinstance(obj, type):
            raise TypeError(f"a template does not read parts of {_kind(obj)}")
        try:
            return checked_value(obj[argument], str(argument))
        except (TypeError, LookupError, AttributeError):
            if isinstance(argument, str):
                return self._attribute(obj, argument)
            return self.undefined(obj=obj, name=argument)

    def _attribute(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute`` through the guard, or a Missing whose error says why it cannot be read."""
        if isinstance(obj, Undefined):
            return obj()  # calling a Missing raises its error
        if not self.is_safe_attribute(obj, attribute, None):
            return self.undefined(_refusal(obj, attribute), obj=obj, name=attribute, exc=AttributeError)  # type: ignore[arg-type]
        try:
            return checked_value(guarded_getattr(obj, attribute), attribute)
        except AttributeError as error:
            if hasattr(type(obj), attribute):
                return self.undefined(str(error), obj=obj, name=attribute, exc=AttributeError)  # type: ignore[arg-type]
            return self.undefined(obj=obj, name=attribute)

    def call(self, context: Context, obj: Any, /, *arguments: Any, **keywords: Any) -> Any:
        """Call ``obj`` for a template with the arguments and return its checked result; the call costs a tick.

        An async function returns an awaitable of its checked result. Raises TypeError if a template may not call
        ``obj`` or access the result.
        """
        current_budget().charge(1)
        if isinstance(obj, Undefined):
            return obj()
        if isinstance(obj, LoopContext):  # loop(children) of a recursive loop
            return obj(ticked_items(arguments[0] if arguments else ()))
        if isinstance(obj, Macro):  # the body of a macro is metered itself, and its text needs no check
            return context.call(obj, *arguments, **keywords)
        if not self.is_safe_callable(obj):
            raise TypeError(f"a template cannot call {_kind(obj)}")
        value = context.call(obj, *arguments, **keywords)
        name = getattr(obj, "__name__", type(obj).__name__)
        return self._awaitable(value, name) if isawaitable(value) else checked_value(value, name)

    def _awaitable(self, value: Awaitable[Any], name: str) -> Awaitable[Any]:
        """Return an awaitable of the checked result of an async function.

        ``value`` is the coroutine that the function ``name`` returned. Raises TypeError in a synchronous template,
        which cannot await it.
        """
        if self.is_async:
            return _await_result(value, name)
        if isinstance(value, CoroutineType):
            value.close()
        raise TypeError(f"'{name}' is an async function, and this template is not evaluated on the event loop")

    def call_binop(self, _context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of a binary operator such as ``*``; raises OverflowError if it would be too large."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises an error with the name of the variable
        return _BINARY[operator](left, right)


def _refusal(obj: Any, attribute: str) -> str:
    """Return the reason why a template may not read the attribute ``attribute`` of ``obj``, or ``""`` if it may."""
    if why := refused_attribute(attribute):
        return f"the attribute '{attribute}' is refused: {why}"
    if isinstance(obj, type):
        return f"a template cannot read attributes of {_kind(obj)}, such as '{attribute}'"
    if modifies_known_mutable(obj, attribute):
        return f"a template cannot modify values, so '{attribute}' of {_kind(obj)} is refused"
    if attribute in _FORMATS and isinstance(obj, str):
        return f"the attribute '{attribute}' of text is refused; use the filter 'format', or '~'"
    return ""


async def _await_result(value: Awaitable[Any], name: str) -> Any:
    """Await the result of an async Python function and check it; the waiting time does not count for the budget.

    ``name`` is the name of the function in messages. Raises TypeError if templates may not access the result.
    """
    with PausedClock(current_budget()):
        value = await value
    return checked_value(value, name)


def checked_value(value: Any, name: str) -> Any:
    """Return ``value``, which a template will receive, or raise TypeError if templates may not access it.

    Types and most objects of the engine are refused. ``name`` is the name of the value in the message.
    """
    if isinstance(value, Undefined) or isawaitable(value):
        return value
    kind = type(value)
    if issubclass(kind, type):
        raise TypeError(f"a template does not get {_kind(value)}")
    owner = getattr(value, "__self__", value)
    if not isinstance(owner, TemplateReadable) and any(
        str(getattr(item, "__module__", "")).startswith(_ENGINE) for item in (owner, value)
    ):
        raise TypeError(f"a template does not get '{name}' of the engine; pass what it needs as an <input>")
    return guarded_result(value, name)


def ticked_items(items: Any) -> Any:
    """Return the iterable over which a ``for`` loop of a template runs instead of ``items``: each item costs a tick.

    If ``items`` is an asynchronous iterable, the result is one, too.
    """
    if isinstance(items, Undefined):
        return iter(items)
    if hasattr(items, "__aiter__"):
        return _async_ticked_items(items)
    return compress(items, current_budget().ticks)


async def _async_ticked_items(items: Any) -> AsyncIterator[Any]:
    """Yield the checked items of an asynchronous iterable; each item costs a tick."""
    async for item in items:
        current_budget().charge(1)
        yield checked_value(item, "item")


@pass_context
def _finalize(context: TemplateContext, value: Any) -> str:
    """Convert a value that a template outputs to text, and charge the budget for its length; None becomes empty text.

    jinja2 calls it for each ``{{ … }}`` and, because of ``checks.instrument``, for literal text. Raises TypeError for a
    function or iterator, whose text would be useless.
    """
    if value is None:
        return ""
    if not isinstance(value, str | Undefined):
        if isawaitable(value) or callable(value):
            raise TypeError(f"a template cannot write {_kind(value)}; call it, or read an attribute or item of it")
        if hasattr(type(value), "__next__"):
            raise TypeError(f"a template cannot write {_kind(value)}; convert its items to text with the filter 'join'")
    text = value if type(value) is str else bounded_str(value)
    context.output_length += len(text)
    check_size(context.output_length, text=True)
    if context.output_length > _FREE_OUTPUT:
        current_budget().charge(1 + len(text) // _FREE_OUTPUT)
    return text


_FREE_OUTPUT = 4096  # the number of characters that cost no tick


def _concatenate(values: list[Any]) -> str:
    """Return the result of ``~`` for its operands, as text; raises OverflowError if it would be too long."""
    texts = ["" if value is None else bounded_str(value) for value in values]
    check_size(sum(map(len, texts)), text=True)
    return "".join(texts)


def _kind(value: Any) -> str:
    """Return a description of a value for messages: ``a value of type 'list'``, or for a type ``the type 'list'``."""
    if isinstance(value, type):
        return f"the type '{value.__name__}'"
    return f"a value of type '{type(value).__name__}'"


@cache
def environment(awaits: bool) -> TemplateEnvironment:
    """Return the shared environment for templates that await async functions, or for templates that do not."""
    from taskrun.script.jinja.filters import filters

    jinja = TemplateEnvironment(
        autoescape=False,
        enable_async=awaits,
        undefined=Missing,
        finalize=_finalize,
        optimized=False,  # constant expressions can be huge: evaluate them at run time, within a budget
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=("jinja2.ext.loopcontrols",),
        cache_size=0,
    )
    jinja.globals.clear()
    jinja.filters = {**filters(), TICKED: ticked_items, CONCATENATED: _concatenate}
    return jinja
