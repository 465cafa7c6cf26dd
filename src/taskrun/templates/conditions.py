"""Conditions written as elements, for ``<when>``, ``<condition>``, ``<while>`` and ``<until>``.

    <when><and><eq name="status" value="paid"/><gt name="order.total" value="${100}"/></and></when>

Rules: ``name`` is a variable, or names joined by dots such as ``order.total``: a variable and the keys or members to
follow from its value. A missing key or member is null. ``value`` is text with ``${…}``; ``valueName`` instead of it
means the value of another variable. Conditions beside each other must all be true. If a text is compared with a number,
the text is converted to a number if possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.script.sandbox.guard import guarded_getattr
from taskrun.script.script_source import ScriptSource
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import Environment, TemplateNode

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler

_UNARY: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "isNull": lambda value: value is None,
        "notNull": lambda value: value is not None,
        "isEmpty": lambda value: value is None or value in ("", [], {}, ()),
        "notEmpty": lambda value: not (value is None or value in ("", [], {}, ())),
        "isTrue": lambda value: value is True or value == "true",
        "isFalse": lambda value: value is False or value == "false",
    }
)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Return both values in a form that can be compared.

    If one is a text and the other is not, the text is converted to a number or, if that fails, both become texts.
    """
    if isinstance(left, str) == isinstance(right, str) or left is None or right is None:
        return left, right
    try:
        return (float(left), right) if isinstance(left, str) else (left, float(right))
    except (TypeError, ValueError):
        return str(left), str(right)


def _false_for_null(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a variant of ``test`` that returns False if one of its values is null.

    It also converts the values by ``_comparable`` before it calls ``test``.
    """

    def compare(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        return test(*_comparable(left, right))

    return compare


def _equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal; the boolean True also equals the text "true", False the text "false"."""
    if isinstance(left, bool) and isinstance(right, str):
        return str(left).lower() == right.lower()
    left, right = _comparable(left, right)
    return bool(left == right)


def _among(value: Any, choices: Any) -> bool:
    """Return whether a value equals one of ``choices``: a list, or a text in which commas separate the choices."""
    items = [item.strip() for item in choices.split(",")] if isinstance(choices, str) else choices or ()
    return any(_equal(value, item) for item in items)


def _contains(whole: Any, part: Any) -> bool:
    """Return whether a text contains the text ``part``, a list this item or a map this key; null contains nothing."""
    return whole is not None and part in whole


_BINARY: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": _equal,
        "ne": lambda left, right: not _equal(left, right),
        "gt": _false_for_null(lambda left, right: left > right),
        "ge": _false_for_null(lambda left, right: left >= right),
        "lt": _false_for_null(lambda left, right: left < right),
        "le": _false_for_null(lambda left, right: left <= right),
        "in": _among,
        "notIn": lambda value, choices: not _among(value, choices),
        "contains": _contains,
        "notContains": lambda whole, part: not _contains(whole, part),
        "startsWith": _false_for_null(lambda left, right: str(left).startswith(str(right))),
        "endsWith": _false_for_null(lambda left, right: str(left).endswith(str(right))),
    }
)
Condition = Callable[["Environment"], bool]
"""Compiled condition."""
_GROUPS = frozenset({"and", "or", "not"})
_CONSTANT: Mapping[str, bool] = MappingProxyType({"alwaysTrue": True, "alwaysFalse": False})
CONDITIONS = frozenset({*_UNARY, *_BINARY, *_GROUPS, *_CONSTANT, "between"})
"""The tags of all conditions."""


def has_conditions(node: Node) -> bool:
    """Return whether the content of an element consists of conditions: its first child element is one."""
    tags = [child.tag for child in node.children if child.tag != TEXT]
    return bool(tags) and tags[0] in CONDITIONS


def compile_conditions(compiler: Compiler, node: Node) -> TemplateNode:
    """Compile the conditions in an element to a template node, whose value is True if all are true, else False."""
    tests = _compile_tests(compiler, node)

    async def run(env: Environment) -> bool:
        return all(test(env) for test in tests)

    return run


def _compile_tests(compiler: Compiler, node: Node) -> list[Condition]:
    """Compile the child elements of an element as conditions; an element without any is reported."""
    if not node.children:
        compiler.report(node, "missing-element", f"<{node.tag}> contains no condition")
    return [_compile_test(compiler, child) for child in node.children]


def _compile_test(compiler: Compiler, node: Node) -> Condition:
    """Compile one element as a condition, with the conditions inside it if it is a group; report any other element."""
    tag = node.tag
    if tag in _GROUPS:
        compiler.check_attributes(node, xpl=False)
        return _combine(tag, _compile_tests(compiler, node))
    if tag not in CONDITIONS:
        name = "text" if tag == TEXT else f"<{tag}>"
        hint = near_hint(tag, CONDITIONS) or "one of " + ", ".join(sorted(CONDITIONS))
        compiler.report(node, "unknown-tag", f"{name} is not a condition", hint=hint)
        return lambda _env: False
    compiler.check_empty(node)
    return _compile_single(compiler, node)


def _combine(tag: str, tests: list[Condition]) -> Condition:
    """Return the condition of a group: ``tag`` is ``and``, ``or`` or ``not``, ``tests`` are the conditions in it.

    ``not`` is true unless all conditions in it are true.
    """
    if tag == "or":
        return lambda env: any(test(env) for test in tests)
    if tag == "not":
        return lambda env: not all(test(env) for test in tests)
    return lambda env: all(test(env) for test in tests)


def _compile_single(compiler: Compiler, node: Node) -> Condition:
    """Compile a condition that is not a group, such as ``<eq name="…" value="…"/>``."""
    tag = node.tag
    if tag in _CONSTANT:
        compiler.check_attributes(node, xpl=False)
        return lambda _env: _CONSTANT[tag]
    value = _compile_path(compiler, node, "name")
    if tag in _UNARY:
        compiler.check_attributes(node, "name", xpl=False)
        return lambda env: _UNARY[tag](value(env))
    if tag == "between":
        compiler.check_attributes(node, "name", "min", "max", xpl=False)
        low, high = _compile_value(compiler, node, "min"), _compile_value(compiler, node, "max")
        return lambda env: _between(value(env), low(env), high(env))
    compiler.check_attributes(node, "name", "value", "valueName", xpl=False)
    if {"value", "valueName"} <= node.attributes.keys():
        compiler.report(node, "doubled", "value and valueName exclude each other", attribute="valueName")
    read = _compile_path if "valueName" in node.attributes else _compile_value
    other = read(compiler, node, "valueName" if "valueName" in node.attributes else "value")
    return lambda env: _BINARY[tag](value(env), other(env))


def _between(value: Any, low: Any, high: Any) -> bool:
    """Return whether a value is in the range from ``low`` to ``high``, both included; False if one of them is null."""
    return _BINARY["ge"](value, low) and _BINARY["le"](value, high)


def _compile_path(compiler: Compiler, node: Node, attribute: str) -> Callable[[Environment], Any]:
    """Compile an attribute that names a variable, such as ``order``, or a part of its value, such as ``order.total``.

    The result is a function of the environment that returns this value. A missing or invalid attribute is reported.
    """
    text = node.attributes.get(attribute, "")
    if not text or not all(part.isidentifier() for part in text.split(".")):
        message = f"<{node.tag}> needs the attribute {attribute}" if not text else f"'{text}' is no name of a variable"
        compiler.report(
            node, "bad-value" if text else "missing-attribute", message, attribute=attribute if text else None
        )
        return lambda _env: None
    first, *members = text.split(".")
    script = compiler.part(ScriptSource(node, attribute, first))
    return (lambda env: _member(script.run(env.scope), members)) if script is not None else (lambda _env: None)


def _member(value: Any, names: list[str]) -> Any:
    """Follow keys or members from a value: ``_member(order, ["customer", "name"])``; null if one is missing."""
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


def _compile_value(compiler: Compiler, node: Node, attribute: str) -> Callable[[Environment], Any]:
    """Compile an attribute, a text with ``${…}``, to a function of the environment that returns its value.

    If the attribute is missing, report it.
    """
    if attribute not in node.attributes:
        compiler.report(node, "missing-attribute", f"<{node.tag}> needs the attribute {attribute}")
        return lambda _env: None
    template = compiler.template(node, attribute)
    return (lambda env: template.run(env.scope)) if template is not None else (lambda _env: None)
