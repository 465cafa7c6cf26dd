"""Binding plans: the rules by which ``bind`` reads the fields of a class from XML, derived from their types.

Rules: a plan is computed once per class and registry, when the first flow that uses the class is bound. Attributes have
the name of the field in camelCase, child elements in kebab-case. ``core.fields`` has the types of fields.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from taskrun.core.body import Body
from taskrun.core.duration import Millis
from taskrun.core.fields import (
    Awaits,
    Expression,
    FieldType,
    FromElement,
    OnStep,
    OwnText,
    Prefixed,
    Text,
    field_types,
)
from taskrun.core.script_language import Code
from taskrun.core.step import Decorator, Step
from taskrun.core.types import SchemaCheck, Type
from taskrun.script.script import Script, Template

ATTRIBUTE_TYPES = (str, int, float, bool, frozenset, Millis, Template, Type)
NOT_FROM_XML = frozenset({"node", "name", "language", "decorators", "file_imports", "owner"})


@dataclass(frozen=True, slots=True)
class FieldBinding:
    """Rule for reading one field from XML.

    ``kind`` is the type of its value, ``xml`` the name of the attribute or child element. ``expression`` is set for
    attributes with one expression, ``repeated`` for a tuple of child elements, ``awaits`` for scripts that may await.
    """

    field: str
    xml: str
    kind: Any
    required: bool
    expression: bool = False
    repeated: bool = False
    awaits: bool = False


@dataclass(frozen=True, slots=True)
class BindingPlan:
    """Rules for reading the fields of a step, decorator or part class from an element.

    ``attributes`` and ``children`` are by XML name; ``on_step`` are attributes of the element of the step that contains
    a decorator; ``own_text`` is the field for the text of the element, ``prefixed`` the field for its prefixed
    attributes.
    """

    cls: Any
    attributes: Mapping[str, FieldBinding]
    children: Mapping[str, FieldBinding]
    on_step: Mapping[str, FieldBinding]
    own_text: FieldBinding | None
    prefixed: FieldBinding | None
    required: tuple[FieldBinding, ...]
    has_node: bool
    has_file_imports: bool


def camel(name: str) -> str:
    """Return the name of the XML attribute for a field: ``max_retry_count`` → ``maxRetryCount``."""
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def kebab(name: str) -> str:
    """Return the tag of the child element for a field: ``exception_filter`` → ``exception-filter``.

    An underscore at the end, as in ``else_``, is dropped.
    """
    return name.rstrip("_").replace("_", "-")


def plan_of(cls: type) -> BindingPlan:
    """Compute the binding plan of a step, decorator or part class from its dataclass fields.

    Raises TypeError for a field whose type cannot be read from XML.
    """
    found = field_types(cls)
    attributes, children, on_step = {}, {}, {}
    own = prefixed = None
    required = []
    names = [item.name for item in dataclasses.fields(cls)]
    for item in dataclasses.fields(cls):
        if item.name in NOT_FROM_XML and not (item.name == "name" and not issubclass(cls, Step)):
            continue
        binding, where = _binding(cls, item, found[item.name])
        if binding.required:
            required.append(binding)
        match where:
            case "attribute":
                attributes[binding.xml] = binding
            case "on-step":
                on_step[binding.xml] = binding
            case "own-text":
                own = binding
            case "prefixed":
                prefixed = binding
            case _:
                children[binding.xml] = binding
    has_node = "node" in names
    return BindingPlan(
        cls, attributes, children, on_step, own, prefixed, tuple(required), has_node, "file_imports" in names
    )


def _binding(  # noqa: C901, PLR0911 - a table of types
    cls: type, item: dataclasses.Field[Any], found: FieldType
) -> tuple[FieldBinding, str]:
    """Return the rule for reading a field, and where it is read from.

    The second value is ``attribute``, ``child``, ``on-step`` (an attribute of the step around a decorator),
    ``own-text`` or ``prefixed``.
    """
    required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    kind, repeated = found.kind, found.repeated
    for mark in found.marks:
        if isinstance(mark, FromElement):
            return FieldBinding(item.name, mark.tag, kind, required, repeated=repeated), "child"
        if isinstance(mark, Expression):
            return FieldBinding(item.name, camel(item.name) + "Expr", kind, required, expression=True), "attribute"
        if isinstance(mark, OwnText):
            awaits = any(isinstance(other, Awaits) for other in found.marks)
            return FieldBinding(item.name, "", kind, required=False, awaits=awaits), "own-text"
        if isinstance(mark, OnStep):
            return FieldBinding(item.name, camel(item.name), kind, required=False), "on-step"
        if isinstance(mark, Awaits):
            return FieldBinding(item.name, kebab(item.name), kind, required, awaits=True), "child"
        if isinstance(mark, Prefixed):
            return FieldBinding(item.name, "", kind, required=False), "prefixed"
    if kind is Body or (repeated and kind is Step):
        return FieldBinding(item.name, "steps", tuple if repeated else Body, required), "child"
    if repeated:
        return FieldBinding(item.name, kebab(item.name), kind, required, repeated=True), "child"
    base = get_origin(kind) or kind
    if base in ATTRIBUTE_TYPES or (inspect.isclass(base) and issubclass(base, enum.Enum)):
        return FieldBinding(item.name, camel(item.name), base, required), "attribute"
    if kind in (Text, Script, SchemaCheck, Code) or dataclasses.is_dataclass(kind):
        return FieldBinding(item.name, kebab(item.name), kind, required), "child"
    raise TypeError(f"{cls.__name__}.{item.name}: a field of type {kind} cannot be read from XML")


def is_decorator(cls: object) -> bool:
    """Return whether ``cls`` is a decorator class that declares its own tag, so that files can use it."""
    return inspect.isclass(cls) and issubclass(cls, Decorator) and bool(vars(cls).get("tag"))


def is_step(cls: object) -> bool:
    """Return whether ``cls`` is a step class that declares its own tag, so that files can use it."""
    return inspect.isclass(cls) and issubclass(cls, Step) and bool(vars(cls).get("tag"))
