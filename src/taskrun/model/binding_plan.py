"""Binding plans: the rules by which ``bind`` reads the fields of a class from XML.

Rules: a plan is derived from the types of the fields, once per class and registry, when the first flow that uses the
class is bound. An attribute has the name of the field in camelCase, a child element in kebab-case. ``core.fields``
describes the types.
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
from taskrun.script.script import Script, Template
from taskrun.value_types import SchemaCheck, Type

ATTRIBUTE_TYPES = (str, int, float, bool, frozenset, Millis, Template, Type)
NOT_FROM_XML = frozenset({"node", "name", "language", "decorators", "file_imports", "owner"})


@dataclass(frozen=True, slots=True)
class FieldBinding:
    """Rule for reading one field of a class from XML.

    ``xml`` is the name of the attribute or child element, ``kind`` the type of the value. ``expression`` means an
    attribute that contains one expression, ``repeated`` a tuple of child elements, ``awaits`` a script that may await.
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
    """Rules for reading all fields of a step, decorator or part class (``cls``) from an element.

    ``attributes`` and ``children`` map names in XML to rules. ``on_step`` does the same for fields of a decorator that
    are attributes of the decorated step. ``own_text`` is the rule for the text of the element, ``prefixed`` that for
    its attributes with a namespace prefix; each is None if the class has no such field.
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
    """Return the name of the XML attribute for a field: ``max_retry_count`` becomes ``maxRetryCount``."""
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def kebab(name: str) -> str:
    """Return the tag of the child element for a field: ``exception_filter`` becomes ``exception-filter``.

    An underscore at the end, as in ``else_``, is dropped.
    """
    return name.rstrip("_").replace("_", "-")


def plan_of(cls: type) -> BindingPlan:
    """Compute the binding plan of a step, decorator or part class from the types of its fields.

    Raises TypeError if no rule exists for the type of a field.
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
    """Return the rule for one field, and a word that says where the field is read.

    The words are ``attribute``, ``child``, ``on-step`` (an attribute of the decorated step), ``own-text`` and
    ``prefixed``.
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
    """Return whether ``cls`` is a decorator class that files can use: it has a tag of its own, not an inherited one."""
    return inspect.isclass(cls) and issubclass(cls, Decorator) and bool(vars(cls).get("tag"))


def is_step(cls: object) -> bool:
    """Return whether ``cls`` is a step class that files can use: it has a tag of its own, not an inherited one."""
    return inspect.isclass(cls) and issubclass(cls, Step) and bool(vars(cls).get("tag"))
