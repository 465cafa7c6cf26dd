"""Schema of task files: the file task.xsd, with the elements and attributes that other packages add to it.

Rules: task.xsd is never changed; additions are made to a parsed copy, which is compiled on first use. lxml validates:
it is fast, but its messages are poor. Only to explain errors and to compare the schema with the code, the declarations
of the elements are read with the library xmlschema, which takes long to import. Prefixed tags and attributes are never
declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from taskrun.errors import PluginError
from taskrun.resources import resource_folder
from taskrun.syntax.node import TEXT

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from lxml import etree
    from xmlschema import XMLSchema10
    from xmlschema.validators import XsdAnyAttribute, XsdAttribute, XsdComplexType, XsdElement, XsdGroup, XsdType

_XS = "{http://www.w3.org/2001/XMLSchema}"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "xs:boolean": "true or false",
        "xs:integer": "a whole number",
        "xs:nonNegativeInteger": "a whole number, 0 or above",
        "xs:positiveInteger": "a whole number, 1 or above",
    }
)


@dataclass(frozen=True, slots=True)
class ExtraElement:
    """Element that another package adds to the language: ``ExtraElement("pay", "step", attributes=("amount",))``.

    ``kind`` is ``"step"`` for a step type; it may also have the attributes and children that every step may have. It is
    ``"child"`` for an element that may be a child of the task and of every step. ``attributes`` are its own attributes,
    with any value. ``children`` are its own children: ``steps`` contains steps, any other child contains a script, and
    ``#text`` means that the element itself contains text or a script.
    """

    tag: str
    kind: Literal["step", "child"]
    attributes: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDeclaration:
    """What the schema declares about one attribute of an element.

    ``type`` is the name of its type in the schema (``xs:boolean``, ``Duration``). ``values`` maps each enumerated value
    to its documentation. ``expected`` describes a valid value in words. ``accepts`` returns whether a value is valid.
    """

    name: str
    required: bool
    type: str
    values: Mapping[str, str]
    expected: str
    documentation: str
    accepts: Callable[[str], bool] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElementDeclaration:
    """What the schema declares about an element at one place: its attributes and children by name.

    ``text``: it may contain text. ``opaque``: it may contain any element. ``any_attribute``: it may have any attribute.
    The declarations form a graph with cycles, because steps contain steps.
    """

    tag: str
    documentation: str
    attributes: Mapping[str, AttributeDeclaration] = field(repr=False)
    children: Mapping[str, ElementDeclaration] = field(repr=False)
    text: bool
    opaque: bool
    any_attribute: bool

    def walk(self) -> Iterator[tuple[tuple[str, ...], ElementDeclaration]]:
        """Yield (chain of tags, declaration) for this declaration and all below it, each once by its shortest chain."""
        seen = {self}
        level: list[tuple[tuple[str, ...], ElementDeclaration]] = [((self.tag,), self)]
        for chain, declaration in level:
            yield chain, declaration
            for tag, child in declaration.children.items():
                if child not in seen:
                    seen.add(child)
                    level.append(((*chain, tag), child))


class Schema:
    """Schema of task files: task.xsd, the elements ``extra``, and ``extra_attributes`` of the task and all steps."""

    def __init__(self, extra: Sequence[ExtraElement] = (), extra_attributes: tuple[str, ...] = ()) -> None:
        self._extra = tuple(extra)
        self._extra_attributes = extra_attributes

    @cached_property
    def document(self) -> etree._ElementTree:
        """The parsed task.xsd with the additions; raises PluginError if one is invalid, such as an existing tag."""
        from lxml import etree

        document = etree.parse(str(schema_file()), etree.XMLParser(remove_blank_text=True, remove_comments=True))
        _Additions(document.getroot()).make(self._extra, self._extra_attributes)
        return document

    @cached_property
    def compiled(self) -> etree.XMLSchema:
        """The schema as compiled by lxml, which validates files."""
        from lxml import etree

        return etree.XMLSchema(self.document)

    @cached_property
    def opaque(self) -> frozenset[str]:
        """Tags of the elements whose content is nowhere checked by the schema, because it is a script or free data."""
        anything = f"{_XS}any[@namespace='##any']"
        always: dict[str, bool] = {}
        for element, found in self._elements_with(anything):
            tag = element.get("name", "")
            always[tag] = found and always.get(tag, True)
        return frozenset(tag for tag, found in always.items() if found)

    @cached_property
    def containers(self) -> frozenset[str]:
        """Tags of the elements, except the root, that may contain ``<steps>``; also those of other packages."""
        found = self._elements_with(f"{_XS}element[@name='steps']")
        declared = {element.get("name", "") for element, has_steps in found if has_steps}
        added = {extra.tag for extra in self._extra if "steps" in extra.children}  # a prefixed one is not declared
        return frozenset(declared | added) - {"task"}

    def _elements_with(self, part: str) -> Iterator[tuple[etree._Element, bool]]:
        """Yield each declared element, and True if its declaration or named type contains ``part``, else False."""
        root = self.document.getroot()
        types = {kind.get("name") for kind in root.iter(f"{_XS}complexType") if kind.find(f".//{part}") is not None}
        types.discard(None)  # types without a name are inside the elements
        for element in root.iter(f"{_XS}element"):
            yield element, element.get("type") in types or element.find(f".//{part}") is not None

    @cached_property
    def as_xmlschema(self) -> XMLSchema10:
        """The schema as compiled by the library xmlschema, which is slow but lists what each element may have."""
        from lxml import etree
        from xmlschema import XMLSchema10

        return XMLSchema10(etree.tostring(self.document, encoding="unicode"))

    @cached_property
    def declarations(self) -> ElementDeclaration:
        """Declaration of the root element ``<task>``; its ``children`` lead to all other declarations."""
        return _declare(self.as_xmlschema.elements["task"], {})


def schema_file() -> Path:
    """Return the path of task.xsd; raises PluginError if it is missing."""
    return resource_folder("schemas") / "task.xsd"


class _Additions:
    """Inserts the elements and attributes that other packages add into a parsed schema."""

    def __init__(self, root: etree._Element) -> None:
        self.tags = {element.get("name", "") for element in root.iter(f"{_XS}element")}
        groups = {group.get("name", ""): group for group in root}
        self.steps = groups["StepChoice"][-1]
        self.children = groups["SharedChildren"][-1]
        self.attributes = groups["SharedAttributes"]
        self.shared_attributes = _names(self.attributes, groups["StepAttributes"])
        self.shared_children = _names(self.children, groups["StepChildren"][-1])
        users = [group.getparent() for group in root.iter(f"{_XS}attributeGroup") if group.get("ref")]
        self.taken = self.shared_attributes | _names(*(user for user in users if user is not None))

    def make(self, extra: Sequence[ExtraElement], attributes: Sequence[str]) -> None:
        for name in attributes:
            if name in self.taken:
                raise PluginError(f"the attribute {name} cannot be added: the task or a step already has it")
            self.attribute(self.attributes, name)
            self.shared_attributes.add(name)
            self.taken.add(name)
        declared = [element for element in extra if ":" not in element.tag]
        for element in declared:
            if element.kind == "child":
                self.element(self.children, element)
                self.shared_children.add(element.tag)
        for element in declared:
            if element.kind == "step":
                self.element(self.steps, element)

    def element(self, group: etree._Element, extra: ExtraElement) -> None:
        if extra.tag in self.tags:
            raise PluginError(f"the element <{extra.tag}> cannot be added: the language already has it")
        self.tags.add(extra.tag)
        step = extra.kind == "step"
        text = TEXT in extra.children
        script = text and not step
        body = _add(_added(group, "element", extra.tag), "complexType", mixed=str(text).lower())
        choice = _add(body, "choice", minOccurs="0", maxOccurs="unbounded")
        _add(choice, "any", namespace="##any" if script else "##other", processContents="skip" if script else "lax")
        for child in sorted({*extra.children} - {TEXT} - (self.shared_children if step else set())):
            if not script:
                _added(choice, "element", child, type="StepsType" if child == "steps" else "ScriptType")
        for name in sorted({*extra.attributes} - (self.shared_attributes if step else set())):
            self.attribute(body, name)
        if step:
            _add(choice, "group", ref="StepChildren")
            _add(body, "attributeGroup", ref="StepAttributes")
        _add(body, "anyAttribute", namespace="##other", processContents="lax")

    def attribute(self, parent: etree._Element, name: str) -> None:
        if ":" not in name:
            _added(parent, "attribute", name, type="xs:string")


def _names(*parents: etree._Element) -> set[str]:
    return {name for parent in parents for child in parent if (name := child.get("name"))}


def _add(parent: etree._Element, kind: str, **settings: str) -> etree._Element:
    from lxml import etree

    return etree.SubElement(parent, _XS + kind, settings)


def _added(parent: etree._Element, kind: str, name: str, **settings: str) -> etree._Element:
    if not _NAME.match(name):
        raise PluginError(
            f"{name!r} cannot be added to the language: a name consists of ASCII letters, digits, _, - and ."
        )
    declaration = _add(parent, kind, name=name, **settings)
    _add(_add(declaration, "annotation"), "documentation").text = "Added by a package."
    return declaration


def _declare(element: XsdElement, known: dict[XsdElement, ElementDeclaration]) -> ElementDeclaration:
    if element in known:
        return known[element]
    kind = cast("XsdComplexType", element.type)  # the schema has no element of a simple type
    particles = list(cast("XsdGroup", kind.content).iter_elements())
    children: dict[str, ElementDeclaration] = {}
    attributes = {name: cast("XsdAttribute", found) for name, found in kind.attributes.items() if name}
    known[element] = declared = ElementDeclaration(
        tag=element.local_name,
        documentation=_documentation(element),
        attributes=MappingProxyType({name: _attribute(name, found) for name, found in attributes.items()}),
        children=MappingProxyType(children),
        text=kind.mixed,
        opaque=any(particle.name is None and "##any" in particle.namespace for particle in particles),
        any_attribute="##any" in cast("XsdAnyAttribute", kind.attributes[None]).namespace,
    )
    for particle in particles:
        if particle.name is not None:
            children[particle.name] = _declare(cast("XsdElement", particle), known)
    return declared


def _attribute(name: str, declared: XsdAttribute) -> AttributeDeclaration:
    kind = declared.type
    type_name = kind.prefixed_name or ""
    return AttributeDeclaration(
        name=name,
        required=declared.use == "required",
        type=type_name,
        values=MappingProxyType(dict(_values(kind))),
        expected=_BUILT_IN.get(type_name) or _documentation(kind) or "text",
        documentation=_documentation(declared),
        accepts=_ascii_only(kind.is_valid) if type_name in _BUILT_IN else kind.is_valid,
    )


def _ascii_only(accepts: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return ``accepts`` restricted to numbers of XML: ``1_000`` and non-ASCII digits are numbers only for Python."""
    return lambda value: value.isascii() and "_" not in value and accepts(value)


def _values(kind: XsdType) -> Iterator[tuple[str, str]]:
    for member in getattr(kind, "member_types", None) or ():
        yield from _values(member)
    for value in getattr(kind, "facets", {}).get(f"{_XS}enumeration", ()):
        yield value.get("value"), _text(value)


def _documentation(declared: XsdElement | XsdAttribute | XsdType) -> str:
    return _text(declared.annotation.elem) if declared.annotation else ""


def _text(annotated: Element) -> str:
    return " ".join("".join(annotated.itertext()).split())
