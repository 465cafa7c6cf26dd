"""Apply the switches of a file: remove the elements that the configuration turns off.

    <step name="audit" feature:on="shop.audit and shop.level >= 2">…</step>
    <x:div feature:off="shop.eu"><step name="customs"/></x:div>
    <task feature:enable-meta-cfg="true" version="@meta-cfg:shop.version|1">

Rules: an expression consists of configuration names, ``and``, ``or``, ``not`` or ``!``, brackets, and comparisons
(``= < <= > >=``) with a literal. A name without a configured value is off. An ``<x:div>`` switches several elements at
once; its children replace it. With ``feature:enable-meta-cfg`` on the root, an attribute value
``@meta-cfg:NAME|DEFAULT`` becomes the configured value of NAME. Switches are applied to each file alone, before it is
merged.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.errors import Diagnostic, near_hint
from taskrun.syntax.boolean import Condition, Grammar, Tokens
from taskrun.syntax.node import TEXT, Node

DIVISION = "x:div"
META = "feature:enable-meta-cfg"
_SWITCHES = ("feature:on", "feature:off")
_TRUE = frozenset({"true", "1"})
_RESERVED = frozenset({"and", "or", "not", "&&", "||", "!", "(", ")"})
_QUOTES = "'\""
_META_VALUE = "@meta-cfg:"
_OFF = frozenset({"", "false", "0", "no", "off"})
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "=": operator.eq,
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)


class Features:
    """Applies the switches of a file: ``Features(config).apply(root)``; wrong switches are recorded in ``problems``."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.problems: list[Diagnostic] = []

    def apply(self, root: Node) -> Node:
        """Return the tree without the elements that are switched off, and with the configured values of ``@meta-cfg:``.

        A wrong switch raises nothing; it is recorded in ``problems``.
        """
        for name in root.attributes:
            if name.startswith("feature:"):
                self._check_root(root, name)
        if root.attributes.get(META) in _TRUE:
            root = self._configured(root)
        return root._replace(attributes=_without(root), children=tuple(self._children(root)))

    def _check_root(self, root: Node, name: str) -> None:
        if name in _SWITCHES:
            message = f"{name} cannot switch a whole file on or off"
            hint = "write it on elements inside the file, or on the element that uses the file"
            self._report(root, "no-meaning", message, name, hint)
        elif name != META:
            self._report(root, "unknown-attribute", f"{name} is not known", name, near_hint(name, (*_SWITCHES, META)))
        elif root.attributes[name] not in {*_TRUE, "false", "0"}:
            self._report(root, "bad-value", f"{name}='{root.attributes[name]}': expected true or false", name)

    def _report(self, node: Node, code: str, message: str, attribute: str | None = None, hint: str = "") -> None:
        self.problems.append(node.problem(code, message, attribute=attribute, hint=hint))

    def _check_division(self, node: Node) -> None:
        for name in node.attributes:
            if name not in _SWITCHES:
                self._report(node, "unknown-attribute", f"<{DIVISION}> may only have feature:on and feature:off", name)
        if node.text or any(child.tag == TEXT for child in node.children):
            self._report(node, "unexpected-text", f"<{DIVISION}> may only contain elements, not text")

    def _children(self, node: Node) -> Iterator[Node]:
        for child in node.children:
            if child.tag.startswith("feature:"):
                self._report(
                    child, "unknown-element", f"<{child.tag}> is not known", hint=f"<{DIVISION} feature:on='…'>"
                )
            if not self._is_on(child):
                continue
            children = tuple(self._children(child)) if child.children else ()
            if child.tag == DIVISION:
                self._check_division(child)
                yield from children
            elif children != child.children or any(name.startswith("feature:") for name in child.attributes):
                yield child._replace(attributes=_without(child), children=children)
            else:
                yield child

    def _is_on(self, node: Node) -> bool:
        on, off = node.attributes.get("feature:on"), node.attributes.get("feature:off")
        for name in node.attributes:
            if name.startswith("feature:") and name not in _SWITCHES:
                hint = f"write {META} on the root" if name == META else "write feature:on or feature:off"
                self._report(node, "unknown-attribute", f"{name} is not known", name, hint)
        if on is not None and not self._value(node, "feature:on", on):
            return False
        return off is None or not self._value(node, "feature:off", off)

    def _value(self, node: Node, attribute: str, text: str) -> bool:
        try:
            return is_on(text, self.config)
        except ValueError as error:
            self._report(node, "bad-value", f"{attribute}: {error}", attribute)
            return True

    def _configured(self, node: Node) -> Node:
        attributes = {name: self._from_config(node, name, text) for name, text in node.attributes.items()}
        return node._replace(attributes=attributes, children=tuple(map(self._configured, node.children)))

    def _from_config(self, node: Node, name: str, text: str) -> str:
        if not text.startswith(_META_VALUE):
            return text
        key, bar, default = text.removeprefix(_META_VALUE).partition("|")
        found = self.config.get(key, default if bar else None)
        if found is None:
            hint = f"set it (-P {key}=…) or write a default: {_META_VALUE}{key}|…"
            self._report(node, "no-configuration", f"'{key}' is not configured", name, hint)
            return ""
        return str(found).lower() if isinstance(found, bool) else str(found)


def _without(node: Node) -> dict[str, str]:
    return {name: text for name, text in node.attributes.items() if not name.startswith("feature:")}


def is_on(text: str, config: Mapping[str, Any]) -> bool:
    """Return whether the expression of a switch is true; ``config`` maps configuration names to their values.

    Raises ValueError if the text is not a valid expression.

    >>> is_on("a and not b or level >= 2", {"level": 3})
    True
    """
    return _SWITCH_GRAMMAR.parse(text)(config)


def _operand(name: str, rest: Tokens) -> Condition[Mapping[str, Any]]:
    """Return the condition for a configuration name, or for the comparison if a sign and a literal follow the name.

    ``rest`` are the tokens behind the name. A name alone is true unless its value is missing, empty or a word such as
    ``off``.
    """
    if name in _COMPARISONS or name[0] in _QUOTES:
        raise ValueError(f"'{name.strip(_QUOTES)}' is not a configuration name")
    sign = rest.next
    if not rest.accept(frozenset(_COMPARISONS)):
        return lambda config: config.get(name) is not None and str(config[name]).lower() not in _OFF
    literal = rest.take("a value")
    if literal in _COMPARISONS or literal in _RESERVED:
        raise ValueError(f"'{literal}' is not a value")
    if literal[0] in _QUOTES:
        literal = literal[1:-1]
    return lambda config: _compare(config.get(name), sign, literal)


_SWITCH_GRAMMAR = Grammar(
    token=re.compile(r"""[()]|<=|>=|==|!=|=|<|>|!|&&|\|\||"[^"]*"|'[^']*'|[\w.-]+"""),
    operand=_operand,
    operand_name="a configuration name",
    and_words=frozenset({"and", "&&"}),
    or_words=frozenset({"or", "||"}),
)


def _compare(value: Any, sign: str, literal: str) -> bool:
    if value is None:
        return sign == "!="
    left, right = _number(str(value)), _number(literal)
    if left is None or right is None:
        return _COMPARISONS[sign](str(value).lower(), literal.lower())
    return _COMPARISONS[sign](left, right)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
