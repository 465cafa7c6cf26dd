"""Turn the kernel tree into steps: each element into an instance of the class that owns its tag.

Rules: this stage refuses wrong attribute values, wrong scripts, missing and doubled parts, and step types that nobody
owns; it collects every problem of the file and raises them together. A ``disabled`` step is left out. The dialect of
scripts (``scriptLang``) is inherited downwards.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from typing import Any

from taskrun.compile.binding_plan import Plan, Slot
from taskrun.compile.duplicates import duplicate_children, duplicate_keys
from taskrun.compile.registry import Registry
from taskrun.core.body import Body
from taskrun.core.duration import EXPECTED, Millis, parse_duration
from taskrun.core.fields import Text
from taskrun.core.flow import Header
from taskrun.core.json_schema import SchemaCheck
from taskrun.core.script_language import Code, language_of
from taskrun.core.step import Decorator, Step
from taskrun.core.types import NAMES, Type, type_of
from taskrun.errors import BindError, Diagnostic, SchemaError, near_hint
from taskrun.script.script import DIALECTS, Script, Template, compile_script, compile_template
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.flow_templates import FlowTemplates

_TRUE = frozenset({"true", "1"})
_NEAR = re.compile(r"did you mean '(\w+)'")


class _Missing(enum.Enum):
    MISSING = 0


_MISSING = _Missing.MISSING


def bind(
    root: Node, registry: Registry, markup: FlowTemplates, wrong: Sequence[Diagnostic] = ()
) -> tuple[Header, Step]:
    """Return what a kernel tree says about the flow as a whole, and its root step.

    ``markup`` compiles its templates; ``wrong`` is what the schema does not allow. Raises SchemaError with that and all further problems, or BindError.
    """
    binder = Binder(registry, markup)
    language = markup.language
    binder.problems.extend(duplicate_keys(root))
    step = binder.step(root, language)
    about = binder.part(Header, root, root, language)
    said = {problem.location for problem in wrong}  # the schema's word on a place is enough
    problems = [*wrong, *(problem for problem in binder.problems if problem.location not in said)]
    problems = list(_without_misspelt(problems))
    if step is None or about is None or problems:
        problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.location)
        raise SchemaError(problems) if wrong else BindError(problems)
    return about, step


def _without_misspelt(problems: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield problems but for attributes that are missing because they are written, only wrongly: that is told already."""
    near = {hint for problem in problems if problem.code == "unknown-attribute" for hint in _NEAR.findall(problem.hint)}
    for problem in problems:
        if problem.code != "missing-attribute" or problem.message.rpartition(" ")[2] not in near:
            yield problem


class Binder:
    """Makes steps, decorators and parts from elements, and notes what is wrong with them."""

    def __init__(self, registry: Registry, markup: FlowTemplates) -> None:
        self.registry = registry
        self.imports = markup.imports
        self.markup = markup
        self.settings = markup.settings
        self.problems = markup.problems

    def step(self, node: Node, language: str) -> Step | None:
        """Return the step that the element stands for, None when it is disabled, an extension, or wrong."""
        if node.attributes.get("disabled") in _TRUE:
            return None
        cls = self.registry.steps.get(node.tag)
        if cls is None:
            if ":" not in node.tag and node.tag != TEXT:
                self.problems.append(self._unknown_tag(node))
            return None
        made: Step | None = self._make(cls, node, language)
        return made

    def _unknown_tag(self, node: Node) -> Diagnostic:
        hint = near_hint(node.tag, self.registry.steps)
        return node.problem("unknown-step-type", f"no step type owns <{node.tag}>", hint=hint)

    def _make(self, cls: type, node: Node, language: str) -> Any:
        plan = self.registry.plan(cls)
        language = node.attributes.get("scriptLang") or language
        if "lang" in plan.attributes and node.attributes.get("lang") in DIALECTS:
            language = node.attributes["lang"]  # it is that of the step's other expressions too
        values = self.values(plan, node, language)
        decorators = self._decorators(plan, node, language)
        if values is None:
            return None
        values["name"] = node.attributes.get("name", "")
        values["node"] = node
        values["language"] = language
        if plan.has_file_imports:
            values["file_imports"] = self.imports
        if decorators:
            values["decorators"] = tuple(decorators)
        return cls(**values)

    def _decorators(self, plan: Plan, node: Node, language: str) -> list[Decorator]:
        table = self.registry.decorators
        found = []
        for name in node.attributes:
            cls = table.get(name)
            if cls is not None and cls.attribute and name not in plan.attributes:
                slot = self.registry.plan(cls).attributes[name]
                value = self.attribute(slot, node, language)
                found.append(None if value is _MISSING else cls(**{slot.field: value}))
        for child in node.children:
            cls = table.get(child.tag)
            if cls is not None and not cls.attribute and child.tag not in plan.children:
                found.append(self.part(cls, child, node, language))
        self.problems.extend(duplicate_children(node, plan))
        return [item for item in found if item is not None]

    def part(self, cls: Any, node: Node, step_node: Node, language: str) -> Any:
        """Return an instance of a decorator or part class from its element, None when something is wrong with it."""
        plan = self.registry.plan(cls)
        values = self.values(plan, node, language)
        if values is None:
            return None
        for slot in plan.on_step.values():
            if slot.xml in step_node.attributes:
                values[slot.field] = self.attribute(slot, step_node, language)
        if plan.has_node:
            values["node"] = node
        if plan.prefixed:
            values[plan.prefixed.field] = {
                name.partition(":")[2]: text
                for name, text in node.attributes.items()
                if ":" in name and not name.startswith("xmlns:")
            }
        return None if _MISSING in values.values() else cls(**values)

    def values(self, plan: Plan, node: Node, language: str) -> dict[str, Any] | None:
        """Return the values of a plan's fields, None when one is missing or wrong (which has been noted)."""
        before = len(self.problems)
        values: dict[str, Any] = {}
        for name in node.attributes:
            slot = plan.attributes.get(name)
            if slot is not None:
                values[slot.field] = self.attribute(slot, node, language)
        for child in node.children:
            slot = plan.children.get(child.tag)
            if slot is not None:
                self._child(slot, child, node, language, values)
        if plan.own_text is not None:
            values[plan.own_text.field] = self.script(node, language, awaits=plan.own_text.awaits)
        for slot in plan.required:
            if slot.field not in values and node.child(slot.xml) is None:  # else what is wrong with it was noted
                self._missing(slot, plan, node)
        return values if len(self.problems) == before else None

    def _missing(self, slot: Slot, plan: Plan, node: Node) -> None:
        if slot.xml in plan.children:
            self.problems.append(node.problem("missing-element", f"<{node.tag}> needs a <{slot.xml}>"))
        else:
            self.problems.append(node.problem("missing-attribute", f"<{node.tag}> needs the attribute {slot.xml}"))

    def _child(self, slot: Slot, child: Node, node: Node, language: str, values: dict[str, Any]) -> None:
        kind = slot.kind
        if slot.xml == "steps":
            steps = tuple(step for item in child.children if (step := self.step(item, language)) is not None)
            values[slot.field] = Body.of(steps) if kind is Body else steps
            return
        value: Any
        if kind is Script:
            value = self.script(child, language, awaits=slot.awaits)
        elif kind is Code:
            value = self._code(child, node)
        elif kind is Text:
            value = Text(child.text)
        elif kind is SchemaCheck:
            value = self._schema_check(child)
        elif issubclass(kind, Step):
            value = self._make(kind, child, language)
        else:
            value = self.part(kind, child, node, language)
        if slot.repeated:
            values.setdefault(slot.field, ())
            if value is not None:
                values[slot.field] += (value,)
        elif value is not None:
            values.setdefault(slot.field, value)

    def _schema_check(self, node: Node) -> SchemaCheck | None:
        try:
            return SchemaCheck(node.text)
        except ValueError as error:
            self.problems.append(node.problem("bad-value", f"<schema>: {error}"))
            return None

    def script(self, node: Node, language: str, *, awaits: bool = False) -> Script | None:
        """Return the compiled text of an element, or its template of tags."""
        try:
            if node.children:
                return self.markup.script(node, language, awaits=awaits)
            return compile_script(node, language=language, awaits=awaits, settings=self.settings)
        except BindError as error:
            self.problems.extend(error.diagnostics)
            return None

    def _code(self, node: Node, step_node: Node) -> Code | None:
        """Return the compiled text of an element in the language that the attribute ``lang`` of its step names."""
        if self._has_tags(node):
            return None
        try:
            return language_of(step_node, self.registry.languages).compile(node, step_node, self.settings)
        except BindError as error:
            self.problems.extend(error.diagnostics)
            return None

    def _has_tags(self, node: Node) -> bool:
        if not node.children:
            return False
        tags = next((child for child in node.children if child.tag != TEXT), node)
        message = f"<{tags.tag}> in a <script>, which holds text only"
        self.problems.append(
            tags.problem("unknown-element", message, hint="a template stands in the source of a <step>")
        )
        return True

    def attribute(self, slot: Slot, node: Node, language: str) -> Any:  # noqa: PLR0911 - a table of types
        """Return the value of an attribute, MISSING when it is wrong (which has been noted)."""
        text = node.attributes[slot.xml]
        kind = slot.kind
        try:
            if kind is str:
                return text
            if kind is bool:
                return text.strip() in _TRUE
            if kind is Script:
                return compile_script(node, slot.xml, language=language, expression=True, settings=self.settings)
            if kind is Template:
                return compile_template(node, slot.xml, language=language, settings=self.settings)
            if kind is Millis:
                return self._millis(slot, node, language)
            return _simple(kind, text)
        except BindError as error:
            self.problems.extend(error.diagnostics)
        except ValueError as error:
            self.problems.append(node.problem("bad-value", f"{slot.xml}='{text}': {error}", attribute=slot.xml))
        return _MISSING

    def _millis(self, slot: Slot, node: Node, language: str) -> Millis:
        text = node.attributes[slot.xml]
        seconds = parse_duration(text)
        if seconds is not None:
            return Millis(seconds)
        if "${" in text:
            return Millis(None, compile_template(node, slot.xml, language=language, settings=self.settings))
        if slot.expression:
            expression = compile_script(node, slot.xml, language=language, expression=True, settings=self.settings)
            return Millis(None, expression)
        raise ValueError(f"expected {EXPECTED}")


def _simple(kind: Any, text: str) -> Any:
    if kind is frozenset:
        return frozenset(filter(None, re.split(r"[,\s]+", text)))
    if kind is Type:
        found = type_of(text)
        if found is None:
            hint = near_hint(text, NAMES)
            raise ValueError("no type of that name; " + (hint or "one of " + ", ".join(NAMES)))
        return found
    return kind(text.strip())
