"""The schema and the classes agree: declared attributes and children are read, and read ones are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from taskrun.compile.lint import PLATFORM_WORDS
from taskrun.compile.registry import Registry
from taskrun.core.body import Body
from taskrun.core.flow import Header
from taskrun.core.script_language import Code
from taskrun.core.step import Decorator, Step
from taskrun.model.binding_plan import BindingPlan, plan_of
from taskrun.syntax.load import parse
from taskrun.syntax.normalize import normalize
from taskrun.syntax.schema import ElementDeclaration, Schema

READ_ELSEWHERE = {
    "name": "the binder",
    "disabled": "the binder",
    "scriptLang": "the binder",
    "graphMode": "normalize",
    "defaultUseParentScope": "normalize",
    "customType": "rewritten before binding",
    **dict.fromkeys((*PLATFORM_WORDS, "role", "roles"), "lint: no effect"),
}
"""Attributes that no class reads, and who cares for them."""

CHILDREN_READ_ELSEWHERE = {"auth": "lint: no effect", "meta": "free data"}

REWRITTEN = {"custom", "customType", "meta"}
"""Words that are gone before binding: what a custom type becomes has none of them."""

ROOT_ONLY_ON_STEPS = {"useParentScope", "next", "nextOnError", "errorName", "waitSteps", "waitErrorSteps"}
"""What every step class reads and has no meaning on the root."""


@dataclass(frozen=True)
class Meeting:
    """An element declaration of the schema, and the classes that such an element is bound to."""

    chain: tuple[str, ...]
    declared: ElementDeclaration
    classes: tuple[Any, ...]

    @property
    def is_step(self) -> bool:
        """Whether the element is a step, which accepts decorators."""
        return any(issubclass(cls, Step) for cls in self.classes)

    @property
    def plans(self) -> list[BindingPlan]:
        """The binding plan of each of the classes."""
        return [plan_of(cls) for cls in self.classes]

    def __str__(self) -> str:
        return "/".join(self.chain)


@cache
def registry() -> Registry:
    """Return the registry of the built-in classes."""
    return Registry()


def elements_of_decorators() -> dict[str, type[Decorator]]:
    """Return the decorators that are child elements."""
    implied = set(registry().implying)
    return {tag: cls for tag, cls in registry().decorators.items() if not cls.attribute and cls not in implied}


def attributes_of_decorators() -> set[str]:
    """Return the attributes of a step that create decorators, or that a decorator reads."""
    on_step = {name for cls in elements_of_decorators().values() for name in plan_of(cls).on_step}
    return on_step | {tag for tag, cls in registry().decorators.items() if cls.attribute}


def kernel_tag(tag: str) -> str:
    """Return the tag to which normalize renames the tag of a step."""
    tree = normalize(parse("t", f"<task><steps><{tag}/></steps></task>".encode()))
    return tree.children[0].children[0].tag


def meetings() -> Iterator[Meeting]:
    """Yield each declaration of the schema that is not free data, with its classes."""
    steps = registry().steps
    root = Schema().declarations
    seen = {root}
    waiting = [Meeting((root.tag,), root, (steps["task"], steps["graph-task"], Header))]
    for meeting in waiting:
        yield meeting
        for tag, child in meeting.declared.children.items():
            if child in seen:
                continue
            seen.add(child)
            waiting.append(Meeting((*meeting.chain, tag), child, tuple(classes_for(meeting, tag))))


def classes_for(parent: Meeting, tag: str) -> Iterator[Any]:
    """Yield the classes that the child ``tag`` of an element is bound to."""
    if parent.chain[-1] == "steps":
        known = registry().steps.get(kernel_tag(tag))
        if known is not None:
            yield known
        return
    read = False
    for plan in parent.plans:
        if tag in plan.children:
            read = True
            kind = plan.children[tag].kind
            if hasattr(kind, "__dataclass_fields__") and kind not in (Body, Code) and hasattr(kind, "__annotations__"):
                yield from () if kind.__module__.startswith("taskrun.script") else (kind,)
    if not read and parent.is_step and tag in elements_of_decorators():
        yield elements_of_decorators()[tag]


def test_every_attribute_of_the_grammar_is_read() -> None:
    """An attribute of the schema is read by a class, or has no effect and a note reports that."""
    unread = []
    for meeting in meetings():
        if not meeting.classes:
            continue
        read = {name for plan in meeting.plans for name in plan.attributes} | READ_ELSEWHERE.keys()
        if meeting.is_step:
            read |= attributes_of_decorators()
        unread += [f"{meeting}/@{name}" for name in meeting.declared.attributes if name not in read]
    assert unread == []


def test_every_child_of_the_grammar_is_read() -> None:
    """A child of the schema is read by a class, creates a decorator, or has no effect and a note reports that."""
    unread = []
    for meeting in meetings():
        if not meeting.classes:
            continue
        read = {tag for plan in meeting.plans for tag in plan.children} | CHILDREN_READ_ELSEWHERE.keys()
        if meeting.is_step:
            read |= elements_of_decorators().keys()
        unread += [f"{meeting}/{tag}" for tag in meeting.declared.children if tag not in read]
    assert unread == []


def test_every_element_with_attributes_has_a_class() -> None:
    """Every element of the schema with attributes is bound to a class."""
    unread = [
        str(meeting)
        for meeting in meetings()
        if not meeting.classes
        and meeting.declared.attributes
        and not {*meeting.chain} & {*CHILDREN_READ_ELSEWHERE, *REWRITTEN}
        and not meeting.declared.opaque
    ]
    assert unread == []


def test_every_field_is_in_the_grammar() -> None:
    """Every field of a class is an attribute or child in the schema."""
    missing = []
    for meeting in meetings():
        for cls, plan in zip(meeting.classes, meeting.plans, strict=True):
            not_here = ROOT_ONLY_ON_STEPS if len(meeting.chain) == 1 or meeting.chain[-2] != "steps" else set()
            common = plan_of(Step) if issubclass(cls, Step) and meeting.chain[-2:-1] != ("steps",) else None
            attributes = plan.attributes.keys() - (common.attributes.keys() if common else not_here)
            children = plan.children.keys() - (common.children.keys() if common else set())
            missing += [
                f"{meeting}/@{name} of {cls.__name__}" for name in attributes - meeting.declared.attributes.keys()
            ]
            missing += [f"{meeting}/{tag} of {cls.__name__}" for tag in children - meeting.declared.children.keys()]
    assert missing == []


def test_every_decorator_is_in_the_grammar() -> None:
    """Every decorator, and the attributes that it reads from its step, are allowed on every step."""
    missing = []
    for meeting in meetings():
        if meeting.chain[-2:-1] == ("steps",) and meeting.classes:
            missing += [
                f"{meeting}/{tag}" for tag in elements_of_decorators().keys() - meeting.declared.children.keys()
            ]
            missing += [
                f"{meeting}/@{name}" for name in attributes_of_decorators() - meeting.declared.attributes.keys()
            ]
    assert missing == []


def test_every_step_type_is_in_the_grammar() -> None:
    """Every step type has an element, and every element that is allowed among steps has a class."""
    steps = next(declared for chain, declared in Schema().declarations.walk() if chain[-1] == "steps")
    declared = {kernel_tag(tag) for tag in steps.children}
    assert declared - registry().steps.keys() - REWRITTEN == set()
    parts = {"task", "graph-task", "then", "else", "case", "otherwise", "xpl"}
    assert registry().steps.keys() - declared == parts
