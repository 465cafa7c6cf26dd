"""Stage ``bind``: create the step objects from the nodes of the kernel language.

Rules: each element becomes an instance of the class that has its tag in the registry. The stage reports wrong attribute
values, wrong scripts, missing and repeated child elements, and unknown step types; all problems of the file are raised
together. A step with ``disabled="true"`` is left out. Steps inherit the dialect of scripts (``scriptLang``) from the
step around them. The module has more than 300 lines because steps, decorators and parts contain each other, so that one
class reads them all.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from taskrun.compile.registry import Registry
from taskrun.core.body import Body
from taskrun.core.duration import EXPECTED, Millis, parse_duration
from taskrun.core.fields import Text
from taskrun.core.flow import Header
from taskrun.core.script_language import Code, language_of
from taskrun.core.step import Decorator, Step
from taskrun.errors import BindError, Diagnostic, SchemaError, near_hint, raise_errors
from taskrun.model.binding_plan import BindingPlan, FieldBinding
from taskrun.script.script import DIALECTS, Script, ScriptSettings, Template, compile_script, compile_template
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.flow_templates import FlowTemplates
from taskrun.value_types import NAMES, SchemaCheck, Type, type_of

_TRUE = frozenset({"true", "1"})
_REPEATED = frozenset({"input", "output", "decorator", "import"})
_NEAR = re.compile(r"did you mean '(\w+)'")


class _Missing(enum.Enum):
    """Type of ``_MISSING``, which stands for the value of an attribute that is wrong and has been reported."""

    MISSING = 0


_MISSING = _Missing.MISSING


def bind(
    root: Node, registry: Registry, templates: FlowTemplates, invalid: Sequence[Diagnostic] = ()
) -> tuple[Header, Step]:
    """Create the header and the root step of a flow from its kernel tree; ``templates`` compiles its templates.

    ``invalid`` are problems that the stage ``validate`` has found. They are raised together with those of this stage:
    as SchemaError if there are any ``invalid`` ones, else as BindError.
    """
    binder = Binder(registry, templates)
    step = binder.step(root, templates.language)
    header: Header | None = binder.part(Header, root, root, templates.language)
    beans = root.child("beans")
    found = (
        *binder.problems,
        *_equal_names(root.children, "import", "as"),
        *_equal_names(beans.children if beans is not None else (), "bean", "id"),
    )
    explained = {problem.location for problem in invalid}  # one problem per place: that of the schema is clearer
    problems = (*invalid, *(problem for problem in found if problem.location not in explained))
    raise_errors(_without_misspelt(problems), SchemaError if invalid else BindError)
    assert header is not None  # noqa: S101 - else there is a problem
    assert step is not None  # noqa: S101 - likewise
    return header, step


def _equal_names(nodes: Iterable[Node], tag: str, key: str) -> Iterator[Diagnostic]:
    """Yield an error for each element ``tag`` whose attribute ``key`` has the value of an earlier one."""
    seen: set[str] = set()
    for node in nodes:
        name = node.attributes.get(key) if node.tag == tag else None
        if name in seen:
            yield node.problem("duplicate-name", f"a second <{tag}> with {key}='{name}'", attribute=key)
        elif name is not None:
            seen.add(name)


def _repeated_children(node: Node, plan: BindingPlan) -> Iterator[Diagnostic]:
    """Yield an error for each child element of a step that exists twice but may exist only once."""
    seen: set[str] = set()
    for child in node.children:
        tag = child.tag
        if tag in seen and tag not in _REPEATED and ":" not in tag and tag != TEXT:
            binding = plan.children.get(tag)
            if binding is None or not binding.repeated:
                yield child.problem("doubled", f"a second <{tag}> in <{node.tag}>; there can be one")
        seen.add(tag)


def _without_misspelt(problems: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Leave out each problem 'missing attribute x' if a misspelt attribute is reported with 'did you mean x'."""
    near = {hint for problem in problems if problem.code == "unknown-attribute" for hint in _NEAR.findall(problem.hint)}
    for problem in problems:
        if problem.code != "missing-attribute" or problem.message.rpartition(" ")[2] not in near:
            yield problem


class Binder:
    """Creates the steps, decorators and parts of a flow from its elements; ``problems`` collects what is wrong."""

    def __init__(self, registry: Registry, templates: FlowTemplates) -> None:
        self.registry = registry
        self.imports: dict[str, str] = templates.imports
        self.templates = templates
        self.settings: ScriptSettings = templates.settings
        self.problems: list[Diagnostic] = templates.problems

    def step(self, node: Node, language: str) -> Step | None:
        """Create the step of an element; ``language`` is the dialect of scripts around it.

        Returns None for a disabled step, and for an element with a namespace prefix or with problems.
        """
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
        return node.problem("unknown-step-type", f"there is no step type <{node.tag}>", hint=hint)

    def _make(self, cls: type, node: Node, language: str) -> Any:
        """Create an instance of a step class from an element; report the problems of the element and then return None.

        ``language`` is the dialect of scripts around the element.
        """
        plan = self.registry.plan(cls)
        language = node.attributes.get("scriptLang") or language
        if "lang" in plan.attributes and node.attributes.get("lang") in DIALECTS:
            language = node.attributes["lang"]  # lang of a <script> also applies to the other expressions of the step
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

    def _decorators(self, plan: BindingPlan, node: Node, language: str) -> list[Decorator]:
        """Create the decorators that the attributes and children of a step's element stand for."""
        table = self.registry.decorators
        found = []
        for name in node.attributes:
            cls = table.get(name)
            if cls is not None and cls.attribute and name not in plan.attributes:
                binding = self.registry.plan(cls).attributes[name]
                value = self.attribute(binding, node, language)
                found.append(None if value is _MISSING else cls(**{binding.field: value}))
        for child in node.children:
            cls = table.get(child.tag)
            if cls is not None and not cls.attribute and child.tag not in plan.children:
                found.append(self.part(cls, child, node, language))
        self.problems.extend(_repeated_children(node, plan))
        return [item for item in found if item is not None]

    def part(self, cls: Any, node: Node, step_node: Node, language: str) -> Any:
        """Create an instance of a decorator or part class from an element; return None if that has problems.

        ``step_node`` is the element of the step around it, from which fields with the marker OnStep are read.
        """
        plan = self.registry.plan(cls)
        values = self.values(plan, node, language)
        if values is None:
            return None
        for binding in plan.on_step.values():
            if binding.xml in step_node.attributes:
                values[binding.field] = self.attribute(binding, step_node, language)
        if plan.has_node:
            values["node"] = node
        if plan.prefixed:
            values[plan.prefixed.field] = {
                name.partition(":")[2]: text
                for name, text in node.attributes.items()
                if ":" in name and not name.startswith("xmlns:")
            }
        return None if _MISSING in values.values() else cls(**values)

    def values(self, plan: BindingPlan, node: Node, language: str) -> dict[str, Any] | None:
        """Read the fields of ``plan`` from an element and return the values by field; None if there are problems."""
        before = len(self.problems)
        values: dict[str, Any] = {}
        for name in node.attributes:
            binding = plan.attributes.get(name)
            if binding is not None:
                values[binding.field] = self.attribute(binding, node, language)
        for child in node.children:
            binding = plan.children.get(child.tag)
            if binding is not None:
                self._child(binding, child, node, language, values)
        if plan.own_text is not None:
            values[plan.own_text.field] = self.script(node, language, awaits=plan.own_text.awaits)
        for binding in plan.required:
            if binding.field not in values and node.child(binding.xml) is None:  # a wrong child has its own problem
                self._missing(binding, plan, node)
        return values if len(self.problems) == before else None

    def _missing(self, binding: FieldBinding, plan: BindingPlan, node: Node) -> None:
        if binding.xml in plan.children:
            self.problems.append(node.problem("missing-element", f"<{node.tag}> needs a <{binding.xml}>"))
        else:
            self.problems.append(node.problem("missing-attribute", f"<{node.tag}> needs the attribute {binding.xml}"))

    def _child(self, binding: FieldBinding, child: Node, node: Node, language: str, values: dict[str, Any]) -> None:
        """Read a child element and set or extend its field in ``values``."""
        kind = binding.kind
        if binding.xml == "steps":
            steps = tuple(step for item in child.children if (step := self.step(item, language)) is not None)
            values[binding.field] = Body.of(steps) if kind is Body else steps
            return
        value: Any
        if kind is Script:
            value = self.script(child, language, awaits=binding.awaits)
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
        if binding.repeated:
            values.setdefault(binding.field, ())
            if value is not None:
                values[binding.field] += (value,)
        elif value is not None:
            values.setdefault(binding.field, value)

    def _schema_check(self, node: Node) -> SchemaCheck | None:
        try:
            return SchemaCheck(node.text)
        except ValueError as error:
            self.problems.append(node.problem("bad-value", f"<schema>: {error}"))
            return None

    def script(self, node: Node, language: str, *, awaits: bool = False) -> Script | None:
        """Compile the text or the template inside an element; return None if it has problems."""
        try:
            if node.children:
                return self.templates.script(node, language, awaits=awaits)
            return compile_script(node, language=language, awaits=awaits, settings=self.settings)
        except BindError as error:
            self.problems.extend(error.diagnostics)
            return None

    def _code(self, node: Node, step_node: Node) -> Code | None:
        """Compile an element in the language that the attribute ``lang`` names; return None if it has problems."""
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
        message = f"<{tags.tag}> in a <script>, which contains text only"
        self.problems.append(
            tags.problem("unknown-element", message, hint="write the template into the <source> of a <step>")
        )
        return True

    def attribute(self, binding: FieldBinding, node: Node, language: str) -> Any:  # noqa: PLR0911 - a table of types
        """Return the value of an attribute in the type of its field.

        If it is wrong, report that and return _MISSING.
        """
        text = node.attributes[binding.xml]
        kind = binding.kind
        try:
            if kind is str:
                return text
            if kind is bool:
                return text.strip() in _TRUE
            if kind is Script:
                return compile_script(node, binding.xml, language=language, expression=True, settings=self.settings)
            if kind is Template:
                return compile_template(node, binding.xml, language=language, settings=self.settings)
            if kind is Millis:
                return self._millis(binding, node, language)
            return _simple(kind, text)
        except BindError as error:
            self.problems.extend(error.diagnostics)
        except ValueError as error:
            self.problems.append(node.problem("bad-value", f"{binding.xml}='{text}': {error}", attribute=binding.xml))
        return _MISSING

    def _millis(self, binding: FieldBinding, node: Node, language: str) -> Millis:
        text = node.attributes[binding.xml]
        seconds = parse_duration(text)
        if seconds is not None:
            return Millis(seconds)
        if "${" in text:
            return Millis(None, compile_template(node, binding.xml, language=language, settings=self.settings))
        if binding.expression:
            expression = compile_script(node, binding.xml, language=language, expression=True, settings=self.settings)
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
