"""Core tags that raise and catch failures.

    <c:try><body>…</body><catch name="e" type="ValueError">…</catch><finally>…</finally></c:try>
    <c:throw errorCode="shop.no-stock" params="${{'item': item}}"/>
    <c:check test="${total >= 0}" errorCode="shop.negative"/>

Rules: ``c:try`` catches every exception except a cancellation and an exceeded budget. With ``type`` it catches only the
exceptions whose class, a base class of it, or error code has this name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.limits import ScriptBudgetError
from taskrun.syntax.node import Node
from taskrun.templates.attributes import is_inverted, is_true
from taskrun.templates.closures import NO_VALUE, Environment, TemplateNode, no_op

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_ERROR_ATTRIBUTES = ("errorCode", "params", "cause", "errorDescription", "bizFatal", "errorStatus")


def _try(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:try>``: run ``<body>``, after a failure ``<catch>``, and in the end, in any case, ``<finally>``."""
    compiler.check_attributes(node)
    parts = _parts(compiler, node)
    body, last = (compiler.body(parts[tag]) if tag in parts else no_op for tag in ("body", "finally"))
    handler, name, kind = _handler(compiler, parts.get("catch"))

    async def run(env: Environment) -> Any:
        try:
            return await body(env)
        except ScriptBudgetError:
            raise
        except Exception as error:
            if handler is None or (kind and kind not in _names(error)):
                raise
            if name:
                env.scope[name] = error
            return await handler(env)
        finally:
            await last(env)

    return run


def _parts(compiler: Compiler, node: Node) -> dict[str, Node]:
    """Return the child elements of a ``<c:try>`` by their tags; report missing, unknown and repeated ones."""
    parts: dict[str, Node] = {}
    for child in node.children:
        tag = child.tag.removeprefix("c:")
        if tag in {"body", "catch", "finally"} and tag not in parts:
            parts[tag] = child
            compiler.check_attributes(child, *(("name", "type") if tag == "catch" else ()), xpl=False)
        else:
            hint = "it contains <body>, <catch> and <finally>, one of each"
            compiler.report(child, "unknown-tag", f"<{child.tag}> is not possible here in <c:try>", hint=hint)
    if "body" not in parts:
        compiler.report(node, "missing-element", "<c:try> needs a <body>")
    if "catch" not in parts and "finally" not in parts:
        compiler.report(node, "missing-element", "<c:try> needs a <catch> or a <finally>")
    return parts


def _handler(compiler: Compiler, catch: Node | None) -> tuple[TemplateNode | None, str, str]:
    """Compile ``<catch>``; return its template node, the name of its variable, and the type that it catches.

    Without ``<catch>`` the template node is None. The name and the type are empty if the attribute is missing.
    """
    if catch is None:
        return None, "", ""
    compiler.bind_variables(catch, "name")
    return compiler.body(catch), catch.attributes.get("name", ""), catch.attributes.get("type", "")


def _names(error: Exception) -> set[str]:
    """Return the values of ``type`` that catch an exception: the names of its classes and its error code."""
    names = {cls.__name__ for cls in type(error).__mro__}
    code = getattr(error, "error_code", None) or getattr(error, "errorCode", None)
    return names | {str(code)} if code else names


def _failure(compiler: Compiler, node: Node) -> Callable[[Environment], Exception]:
    """Compile the attributes of ``<c:throw>`` or ``<c:check>``; return a function that creates the exception.

    The function gets the environment and returns the exception, which the caller raises.
    """
    from taskrun.script.xscript.values import NopScriptError

    compiler.check_empty(node)
    if "errorCode" not in node.attributes:
        compiler.report(node, "missing-attribute", f"<{node.tag}> needs the attribute errorCode")
    given = {name: compiler.template(node, name) for name in _ERROR_ATTRIBUTES if name in node.attributes}

    def make(env: Environment) -> Exception:
        values = {name: value.run(env.scope) for name, value in given.items() if value is not None}
        error = NopScriptError(str(values.get("errorCode")))
        for name, value in dict(values.get("params") or {}).items():
            error.param(str(name), value)
        if description := values.get("errorDescription"):
            error.add_note(str(description))
        for name in ("bizFatal", "errorStatus"):
            if name in values:
                error.param(name, values[name])
        cause = values.get("cause")
        if isinstance(cause, BaseException):
            error.__cause__ = cause
        return error

    return make


def _throw(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:throw>``: raise an exception with an error code."""
    compiler.check_attributes(node, *_ERROR_ATTRIBUTES)
    make = _failure(compiler, node)

    async def run(env: Environment) -> Any:
        raise make(env)

    return run


def _check(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile ``<c:check>``: raise an exception with an error code unless the test is true."""
    compiler.check_attributes(node, "test", *_ERROR_ATTRIBUTES)
    test, turned, make = compiler.expression(node, "test"), is_inverted(compiler, node), _failure(compiler, node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - a missing test was reported
        if not is_true(test.run(env.scope), inverted=turned):
            raise make(env)
        return NO_VALUE

    return run


FAILURE: Mapping[str, Callable[[Compiler, Node], TemplateNode]] = MappingProxyType(
    {"try": _try, "throw": _throw, "check": _check}
)
"""The functions that compile the tags of this module, by the tags without ``c:``."""
