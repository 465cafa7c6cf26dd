"""From a class's typed fields to a plan of how its XML is read (see ``core.fields`` for the types).

Rules: a plan is worked out once per class, when the first flow that uses the class is bound, and is shared by all.
Attributes are named like the field in camelCase, child elements in kebab-case.
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
    Element,
    Expression,
    FieldType,
    OnStep,
    OwnText,
    Prefixed,
    Text,
    field_types,
)
from taskrun.core.json_schema import SchemaCheck
from taskrun.core.script_language import Code
from taskrun.core.step import Decorator, Step
from taskrun.core.types import Type
from taskrun.script.script import Script, Template

ATTRIBUTE_TYPES = (str, int, float, bool, frozenset, Millis, Template, Type)
NOT_FROM_XML = frozenset({"node", "name", "language", "decorators", "file_imports", "owner"})


@dataclass(frozen=True, slots=True)
class Slot:
    """How one field is read: ``kind`` is the type of its value, ``xml`` the attribute or element that it comes from."""

    field: str
    xml: str
    kind: Any
    required: bool
    expression: bool = False
    repeated: bool = False
    awaits: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How a class is read from an element."""

    cls: Any
    attributes: Mapping[str, Slot]
    children: Mapping[str, Slot]
    on_step: Mapping[str, Slot]
    own_text: Slot | None
    prefixed: Slot | None
    required: tuple[Slot, ...]
    has_node: bool
    has_file_imports: bool


def camel(name: str) -> str:
    """Return the attribute's name for a field: ``max_retry_count`` → ``maxRetryCount``."""
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def kebab(name: str) -> str:
    """Return the element's tag for a field: ``exception_filter`` → ``exception-filter``; ``else_`` → ``else``."""
    return name.rstrip("_").replace("_", "-")


def plan_of(cls: type) -> Plan:
    """Work out the plan of a step, decorator or part class; raises TypeError for a field type that has no meaning."""
    found = field_types(cls)
    attributes, children, on_step = {}, {}, {}
    own = prefixed = None
    required = []
    names = [item.name for item in dataclasses.fields(cls)]
    for item in dataclasses.fields(cls):
        if item.name in NOT_FROM_XML and not (item.name == "name" and not issubclass(cls, Step)):
            continue
        slot, where = _slot(cls, item, found[item.name])
        if slot.required:
            required.append(slot)
        match where:
            case "attribute":
                attributes[slot.xml] = slot
            case "on-step":
                on_step[slot.xml] = slot
            case "own-text":
                own = slot
            case "prefixed":
                prefixed = slot
            case _:
                children[slot.xml] = slot
    has_node = "node" in names
    return Plan(cls, attributes, children, on_step, own, prefixed, tuple(required), has_node, "file_imports" in names)


def _slot(  # noqa: C901, PLR0911 - a table of types
    cls: type, item: dataclasses.Field[Any], found: FieldType
) -> tuple[Slot, str]:
    required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    kind, repeated = found.kind, found.repeated
    for mark in found.marks:
        if isinstance(mark, Element):
            return Slot(item.name, mark.tag, kind, required, repeated=repeated), "child"
        if isinstance(mark, Expression):
            return Slot(item.name, camel(item.name) + "Expr", kind, required, expression=True), "attribute"
        if isinstance(mark, OwnText):
            awaits = any(isinstance(other, Awaits) for other in found.marks)
            return Slot(item.name, "", kind, required=False, awaits=awaits), "own-text"
        if isinstance(mark, OnStep):
            return Slot(item.name, camel(item.name), kind, required=False), "on-step"
        if isinstance(mark, Awaits):
            return Slot(item.name, kebab(item.name), kind, required, awaits=True), "child"
        if isinstance(mark, Prefixed):
            return Slot(item.name, "", kind, required=False), "prefixed"
    if kind is Body or (repeated and kind is Step):
        return Slot(item.name, "steps", tuple if repeated else Body, required), "child"
    if repeated:
        return Slot(item.name, kebab(item.name), kind, required, repeated=True), "child"
    base = get_origin(kind) or kind
    if base in ATTRIBUTE_TYPES or (inspect.isclass(base) and issubclass(base, enum.Enum)):
        return Slot(item.name, camel(item.name), base, required), "attribute"
    if kind in (Text, Script, SchemaCheck, Code) or dataclasses.is_dataclass(kind):
        return Slot(item.name, kebab(item.name), kind, required), "child"
    raise TypeError(f"{cls.__name__}.{item.name}: a field of type {kind} cannot be read from XML")


def is_decorator(cls: object) -> bool:
    """Whether ``cls`` is a decorator class with a tag of its own."""
    return inspect.isclass(cls) and issubclass(cls, Decorator) and bool(vars(cls).get("tag"))


def is_step(cls: object) -> bool:
    """Whether ``cls`` is a step class with a tag of its own."""
    return inspect.isclass(cls) and issubclass(cls, Step) and bool(vars(cls).get("tag"))
