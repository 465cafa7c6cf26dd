"""Conditions as elements.

    <when><and><eq name="status" value="paid"/><gt name="order.total" value="${100}"/></and></when>

Rules: ``name`` is a variable, with keys or members behind dots, of which each may be missing (then it is null); ``value`` is text
with ``${…}``, ``valueName`` another variable. Several conditions side by side must all hold. Text that looks like a
number is compared with a number as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.script.sandbox.guard import guarded_getattr
from taskrun.script.script_source import ScriptSource
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import Environment, Piece

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_ONE: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "isNull": lambda value: value is None,
        "notNull": lambda value: value is not None,
        "isEmpty": lambda value: value is None or value in ("", [], {}, ()),
        "notEmpty": lambda value: not (value is None or value in ("", [], {}, ())),
        "isTrue": lambda value: value is True or value == "true",
        "isFalse": lambda value: value is False or value == "false",
    }
)


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two values so that they can be compared: text beside a number is read as one."""
    if isinstance(left, str) == isinstance(right, str) or left is None or right is None:
        return left, right
    try:
        return (float(left), right) if isinstance(left, str) else (left, float(right))
    except (TypeError, ValueError):
        return str(left), str(right)


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        return test(*_alike(left, right))

    return compare


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) and isinstance(right, str):
        return str(left).lower() == right.lower()
    left, right = _alike(left, right)
    return bool(left == right)


def _among(value: Any, choices: Any) -> bool:
    items = [item.strip() for item in choices.split(",")] if isinstance(choices, str) else choices or ()
    return any(_equal(value, item) for item in items)


def _holds(whole: Any, part: Any) -> bool:
    return whole is not None and part in whole


_TWO: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": _equal,
        "ne": lambda left, right: not _equal(left, right),
        "gt": _compared(lambda left, right: left > right),
        "ge": _compared(lambda left, right: left >= right),
        "lt": _compared(lambda left, right: left < right),
        "le": _compared(lambda left, right: left <= right),
        "in": _among,
        "notIn": lambda value, choices: not _among(value, choices),
        "contains": _holds,
        "notContains": lambda whole, part: not _holds(whole, part),
        "startsWith": _compared(lambda left, right: str(left).startswith(str(right))),
        "endsWith": _compared(lambda left, right: str(left).endswith(str(right))),
    }
)
Test = Callable[["Environment"], bool]
_GROUPS = frozenset({"and", "or", "not"})
_CONSTANT: Mapping[str, bool] = MappingProxyType({"alwaysTrue": True, "alwaysFalse": False})
FILTERS = frozenset({*_ONE, *_TWO, *_GROUPS, *_CONSTANT, "between"})
"""The tags that there are."""


def is_filter(node: Node) -> bool:
    """Whether an element holds conditions as elements."""
    tags = [child.tag for child in node.children if child.tag != TEXT]
    return bool(tags) and tags[0] in FILTERS


def filter_of(compiler: Compiler, node: Node) -> Piece:
    """Return the piece whose value is whether all conditions in an element hold."""
    tests = _tests(compiler, node)

    async def run(env: Environment) -> bool:
        return all(test(env) for test in tests)

    return run


def _tests(compiler: Compiler, node: Node) -> list[Test]:
    if not node.children:
        compiler.note(node, "missing-element", f"<{node.tag}> holds no condition")
    return [_test(compiler, child) for child in node.children]


def _test(compiler: Compiler, node: Node) -> Test:
    tag = node.tag
    if tag in _GROUPS:
        compiler.only(node, xpl=False)
        return _grouped(tag, _tests(compiler, node))
    if tag not in FILTERS:
        name = "text" if tag == TEXT else f"<{tag}>"
        hint = near_hint(tag, FILTERS) or "one of " + ", ".join(sorted(FILTERS))
        compiler.note(node, "unknown-tag", f"{name} is no condition", hint=hint)
        return lambda _env: False
    compiler.empty(node)
    return _single(compiler, node)


def _grouped(tag: str, tests: list[Test]) -> Test:
    if tag == "or":
        return lambda env: any(test(env) for test in tests)
    if tag == "not":
        return lambda env: not all(test(env) for test in tests)
    return lambda env: all(test(env) for test in tests)


def _single(compiler: Compiler, node: Node) -> Test:
    tag = node.tag
    if tag in _CONSTANT:
        compiler.only(node, xpl=False)
        return lambda _env: _CONSTANT[tag]
    value = _named(compiler, node, "name")
    if tag in _ONE:
        compiler.only(node, "name", xpl=False)
        return lambda env: _ONE[tag](value(env))
    if tag == "between":
        compiler.only(node, "name", "min", "max", xpl=False)
        low, high = _value(compiler, node, "min"), _value(compiler, node, "max")
        return lambda env: _between(value(env), low(env), high(env))
    compiler.only(node, "name", "value", "valueName", xpl=False)
    if {"value", "valueName"} <= node.attributes.keys():
        compiler.note(node, "doubled", "value and valueName: one of them", attribute="valueName")
    read = _named if "valueName" in node.attributes else _value
    other = read(compiler, node, "valueName" if "valueName" in node.attributes else "value")
    return lambda env: _TWO[tag](value(env), other(env))


def _between(value: Any, low: Any, high: Any) -> bool:
    return _TWO["ge"](value, low) and _TWO["le"](value, high)


def _named(compiler: Compiler, node: Node, attribute: str) -> Callable[[Environment], Any]:
    """Return what reads a variable, and members of it behind dots."""
    text = node.attributes.get(attribute, "")
    if not text or not all(part.isidentifier() for part in text.split(".")):
        message = f"<{node.tag}> needs the attribute {attribute}" if not text else f"'{text}' is no variable's name"
        compiler.note(
            node, "bad-value" if text else "missing-attribute", message, attribute=attribute if text else None
        )
        return lambda _env: None
    first, *members = text.split(".")
    script = compiler.part(ScriptSource(node, attribute, first))
    return (lambda env: _member(script.run(env.scope), members)) if script is not None else (lambda _env: None)


def _member(value: Any, names: list[str]) -> Any:
    """Return a member of a member …, null where there is none."""
    for name in names:
        if value is None:
            return None
        if isinstance(value, Mapping):
            value = value.get(name)
        else:
            try:
                value = guarded_getattr(value, name)
            except AttributeError:
                return None
    return value


def _value(compiler: Compiler, node: Node, attribute: str) -> Callable[[Environment], Any]:
    if attribute not in node.attributes:
        compiler.note(node, "missing-attribute", f"<{node.tag}> needs the attribute {attribute}")
        return lambda _env: None
    template = compiler.template(node, attribute)
    return (lambda env: template.run(env.scope)) if template is not None else (lambda _env: None)
