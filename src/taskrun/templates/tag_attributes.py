"""Attributes of a call of a library's tag, which become variables of the tag's body.

Rules: the value of an attribute comes from the first of these that has one: the attribute of the call, the map
``xpl:attrs``, the caller's variable of this name if the attribute is ``implicit``, and ``defaultValue``. Every value is
converted to the declared type. ``attrsVar`` of a tag names a variable with the map of all given attributes,
``unknownAttrsVar`` one with the given attributes that are not declared. If a tag has neither of them and no
``ignoreUnknownAttrs``, an unknown attribute is a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.errors import near_hint
from taskrun.syntax.node import Node
from taskrun.templates.closures import Environment, TemplateVariables

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.tag_library import Attribute, Tag

_MISSING = object()


def compile_attributes(compiler: Compiler, node: Node, tag: Tag) -> Callable[[Environment], dict[str, Any]]:
    """Compile the attributes of the call ``node`` to a function that returns the variables of the tag's body by name.

    The function gets the environment of the caller. Problems of the attributes are reported to ``compiler``.
    """
    given = _compile_given(compiler, node, tag)
    extra = compiler.expression(node, "xpl:attrs", needed=False)
    for item in tag.attributes.values():
        if item.implicit:
            compiler.facts.uses.add(item.name)
        elif item.mandatory and item.name not in given and extra is None:
            compiler.report(node, "missing-attribute", f"the tag <{node.tag}> needs the attribute {item.name}")
    variables_of = _compile_variables(node, tag)

    def read(env: Environment) -> dict[str, Any]:
        more = _check_extra(extra.run(env.scope), node, tag) if extra is not None else {}
        return variables_of(env, {**more, **{name: template.run(env.scope) for name, template in given.items()}})

    return read


def _accepts_unknown(tag: Tag) -> bool:
    """Return whether a call of a tag may have attributes that the tag does not declare."""
    return tag.flag("ignoreUnknownAttrs") or bool(tag.all_variable or tag.rest_variable)


def _compile_given(compiler: Compiler, node: Node, tag: Tag) -> dict[str, Any]:
    """Compile each attribute of the call of a tag into a template; return the templates by name. Report wrong attributes."""
    given: dict[str, Any] = {}
    for name in node.attributes:
        if name.startswith(("xpl:", "xmlns:")):
            continue
        item = tag.attributes.get(name)
        if item is None and not _accepts_unknown(tag):
            hint = near_hint(name, tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            message = f"the tag <{node.tag}> has no attribute {name}"
            compiler.report(node, "unknown-attribute", message, hint=hint, attribute=name)
        elif (template := compiler.template(node, name)) is not None:
            given[name] = template
            if item is not None and template.constant:
                try:
                    _convert(node, item, template.run(TemplateVariables({})))
                except ValueError as error:
                    compiler.report(node, "bad-value", str(error), attribute=name)
    return given


def _check_extra(attributes: Any, node: Node, tag: Tag) -> Mapping[str, Any]:
    """Return the value of ``xpl:attrs`` as a map; raises TypeError if it is no map or has an unknown attribute."""
    if attributes is None:
        return {}
    where = node.attribute_at("xpl:attrs")
    if not isinstance(attributes, Mapping):
        kind = type(attributes).__name__
        raise TypeError(f"<{node.tag}> at {where}: xpl:attrs must be a map of attributes, not {kind}")
    for name in attributes:
        if name not in tag.attributes and not _accepts_unknown(tag):
            hint = near_hint(str(name), tag.attributes) or "it has " + (", ".join(tag.attributes) or "none")
            raise TypeError(f"<{node.tag}> at {where}: xpl:attrs: the tag has no attribute '{name}'; {hint}")
    return attributes


def _compile_variables(node: Node, tag: Tag) -> Callable[[Environment, Mapping[str, Any]], dict[str, Any]]:
    """Return a function that computes the variables of the tag's body by name.

    Its arguments are the environment of the caller and the attributes that the call gives.
    """

    def variables(env: Environment, given: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for item in tag.attributes.values():
            value = given.get(item.name, _MISSING)
            if value is _MISSING and item.implicit:
                value = env.scope.find(item.name, _MISSING)
            if value is _MISSING:
                value = item.default
            made[item.variable] = value = _convert(node, item, value)
            if value is None and item.mandatory:
                raise ValueError(f"<{node.tag}> at {node.at}: the attribute {item.name} is mandatory, but it is null")
        if tag.all_variable:
            declared = {item.name: made[item.variable] for item in tag.attributes.values() if item.name in given}
            made[tag.all_variable] = {**given, **declared}
        if tag.rest_variable:
            made[tag.rest_variable] = {name: value for name, value in given.items() if name not in tag.attributes}
        return made

    return variables


def _convert(node: Node, item: Attribute, value: Any) -> Any:
    """Convert a value to the declared type of an attribute; null stays null.

    Raises ValueError, with the location of the attribute, if that is not possible.
    """
    if value is None or item.convert is None:
        return value
    try:
        return item.convert(value)
    except ValueError as error:
        place = node.attribute_at(item.name)
        raise ValueError(f"<{node.tag}> at {place}: the attribute {item.name}: {error}") from None
