"""The tags of the core for failures.

    <c:try><body>…</body><catch name="e" type="ValueError">…</catch><finally>…</finally></c:try>
    <c:throw errorCode="shop.no-stock" params="${{'item': item}}"/>
    <c:check test="${total >= 0}" errorCode="shop.negative"/>

Rules: what is caught is an ordinary failure; a cancellation and a used-up budget are not. ``type`` is the name of the
exception's class, of one of its bases, or its error code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.script.limits import ScriptBudgetError
from taskrun.syntax.node import Node
from taskrun.templates.attributes import inverted, truth
from taskrun.templates.closures import NOTHING, Environment, Piece, nothing

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_ERROR = ("errorCode", "params", "cause", "errorDescription", "bizFatal", "errorStatus")


def _try(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node)
    parts = _parts(compiler, node)
    body, last = (compiler.body(parts[tag]) if tag in parts else nothing for tag in ("body", "finally"))
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
    """Return what a ``c:try`` holds, by tag."""
    parts: dict[str, Node] = {}
    for child in node.children:
        tag = child.tag.removeprefix("c:")
        if tag in {"body", "catch", "finally"} and tag not in parts:
            parts[tag] = child
            compiler.only(child, *(("name", "type") if tag == "catch" else ()), xpl=False)
        else:
            hint = "<body>, <catch> and <finally>, one of each"
            compiler.note(child, "unknown-tag", f"<{child.tag}> is not possible here in <c:try>", hint=hint)
    if "body" not in parts:
        compiler.note(node, "missing-element", "<c:try> needs a <body>")
    if "catch" not in parts and "finally" not in parts:
        compiler.note(node, "missing-element", "<c:try> needs a <catch> or a <finally>")
    return parts


def _handler(compiler: Compiler, catch: Node | None) -> tuple[Piece | None, str, str]:
    """Return what handles a failure, the variable that it gets, and the kind that it is for."""
    if catch is None:
        return None, "", ""
    compiler.names(catch, "name")
    return compiler.body(catch), catch.attributes.get("name", ""), catch.attributes.get("type", "")


def _names(error: Exception) -> set[str]:
    names = {cls.__name__ for cls in type(error).__mro__}
    code = getattr(error, "error_code", None) or getattr(error, "errorCode", None)
    return names | {str(code)} if code else names


def _failure(compiler: Compiler, node: Node) -> Callable[[Environment], Exception]:
    """Return what makes the exception that an element describes."""
    from taskrun.script.xscript.values import NopScriptError

    compiler.empty(node)
    if "errorCode" not in node.attributes:
        compiler.note(node, "missing-attribute", f"<{node.tag}> needs the attribute errorCode")
    given = {name: compiler.template(node, name) for name in _ERROR if name in node.attributes}

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


def _throw(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, *_ERROR)
    make = _failure(compiler, node)

    async def run(env: Environment) -> Any:
        raise make(env)

    return run


def _check(compiler: Compiler, node: Node) -> Piece:
    compiler.only(node, "test", *_ERROR)
    test, turned, make = compiler.expression(node, "test"), inverted(compiler, node), _failure(compiler, node)

    async def run(env: Environment) -> Any:
        assert test is not None  # noqa: S101 - noted
        if not truth(test.run(env.scope), inverted=turned):
            raise make(env)
        return NOTHING

    return run


FAILURE: Mapping[str, Callable[[Compiler, Node], Piece]] = MappingProxyType(
    {"try": _try, "throw": _throw, "check": _check}
)
"""The tags of this module."""
