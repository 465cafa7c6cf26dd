"""The attributes of a call of a tag: what each variable of the tag's body gets.

Rules: an attribute that the call gives wins over ``xpl:attrs``, which wins over an ``implicit`` variable of the caller, which wins
over ``defaultValue``. Whatever a value comes from, it is converted to the declared type. ``attrsVar`` gets the map of all
attributes that were given, ``unknownAttrsVar`` that of those which are not declared; without one of these, and
without ``ignoreUnknownAttrs``, an unknown attribute is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import Node
from taskrun.templates.closures import Environment, Variables

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import Attribute, Tag

_MISSING = object()


def attributes_of(compiler: Compiler, node: Node, tag: Tag) -> Callable[[Environment], dict[str, Any]]:
    """Return what makes the variables of a tag's body from the attributes of a call."""
    given = _given(compiler, node, tag)
    extra = compiler.expression(node, "xpl:attrs", needed=False)
    for item in tag.attributes.values():
        if item.implicit:
            compiler.found.uses.add(item.name)
        elif item.mandatory and item.name not in given and extra is None:
            compiler.note(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {item.name}")
    values_of = _variables(node, tag)

    def read(env: Environment) -> dict[str, Any]:
        more = _more(extra.run(env.scope), node, tag) if extra is not None else {}
        return values_of(env, {**more, **{name: template.run(env.scope) for name, template in given.items()}})

    return read


def _loose(tag: Tag) -> bool:
    """Whether a tag takes attributes that it does not declare."""
    return tag.flag("ignoreUnknownAttrs") or bool(tag.all_variable or tag.rest_variable)


def _given(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    """Return the templates of the attributes of a call, of which those that never change are converted right now."""
    given: dict[str, Any] = {}
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        item = tag.attributes.get(name)
        if item is None and not _loose(tag):
            hint = near_hint(name, tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            message = f"the tag <{node.tag}> has no attribute {name}"
            compiler.note(node, "unknown-attribute", message, hint=hint, attribute=name)
        elif (template := compiler.template(node, name)) is not None:
            given[name] = template
            if item is not None and template.constant:
                try:
                    _converted(node, item, template.run(Variables({})))
                except ValueError as error:
                    compiler.note(node, "bad-value", str(error), attribute=name)
    return given


def _more(found: Any, node: Node, tag: Tag) -> Mapping[str, Any]:
    """Return the attributes that ``xpl:attrs`` gives."""
    if found is None:
        return {}
    where = node.attribute_at("xpl:attrs")
    if not isinstance(found, Mapping):
        raise TypeError(f"<{node.tag}> at {where}: xpl:attrs is a map of attributes, not {type(found).__name__}")
    for name in found:
        if name not in tag.attributes and not _loose(tag):
            hint = near_hint(str(name), tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            raise TypeError(f"<{node.tag}> at {where}: xpl:attrs: the tag has no attribute '{name}'; {hint}")
    return found


def _variables(node: Node, tag: Tag) -> Callable[[Environment, Mapping[str, Any]], dict[str, Any]]:
    """Return what makes the variables of a tag's body from the attributes by name."""

    def values(env: Environment, given: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for item in tag.attributes.values():
            value = given.get(item.name, _MISSING)
            if value is _MISSING and item.implicit:
                value = env.scope.find(item.name, _MISSING)
            if value is _MISSING:
                value = item.default
            made[item.variable] = value = _converted(node, item, value)
            if value is None and item.mandatory:
                raise ValueError(f"<{node.tag}> at {node.at}: the attribute {item.name} is mandatory, and null")
        if tag.all_variable:
            declared = {item.name: made[item.variable] for item in tag.attributes.values() if item.name in given}
            made[tag.all_variable] = {**given, **declared}
        if tag.rest_variable:
            made[tag.rest_variable] = {name: value for name, value in given.items() if name not in tag.attributes}
        return made

    return values


def _converted(node: Node, item: Attribute, value: Any) -> Any:
    if value is None or item.convert is None:
        return value
    try:
        return item.convert(value)
    except ValueError as error:
        place = node.attribute_at(item.name)
        raise ValueError(f"<{node.tag}> at {place}: the attribute {item.name}: {error}") from None
