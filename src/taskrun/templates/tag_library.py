"""Tag library in an ``.xlib`` file: its tags are written as templates.

    <lib>
      <tags>
        <Greet outputMode="none">
          <attr name="who" type="String" mandatory="true"/>
          <slot name="body"><arg name="name"/></slot>
          <source><c:script>return body(who)</c:script></source>
        </Greet>
      </tags>
    </lib>

Rules: a tag can read its own attributes and slots only. An ``implicit`` attribute that a call does not give has the
value of the caller's variable with its name. ``thisLib:`` is the prefix by which tags call others of their own library.
The source of a tag is compiled on its first call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, Diagnostic, near_hint
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import NO_VALUE, TemplateNode, no_op
from taskrun.templates.tag_form import check_library, check_tag

if TYPE_CHECKING:
    from taskrun.templates.analysis import TemplateFacts
    from taskrun.templates.compile import Compiler
    from taskrun.templates.libraries import Libraries, Library

_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """Declaration of an attribute of a tag, read from ``<attr>``.

    ``variable`` is the name of its variable in the tag's body, ``convert`` converts values to its type (None without
    type). ``implicit`` means that the caller's variable of the same name is used if a call does not give the attribute.
    """

    name: str
    variable: str
    mandatory: bool
    implicit: bool
    default: Any
    convert: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class SlotDeclaration:
    """Declaration of a slot of a tag, read from ``<slot>``: a caller can pass content for it.

    In the tag's body the slot is a function with the parameters ``arguments``; with ``is_node`` it is the passed
    element instead. ``mode`` is the output mode of the content. A ``mandatory`` slot must be filled by every call.
    """

    name: str
    arguments: tuple[str, ...]
    is_node: bool
    mode: str
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """Declaration of a tag of a library.

    Attributes:
        name: the name of the tag, without prefix.
        node: the element that declares it.
        attributes: the declared attributes, by name.
        slots: the declared slots, by name.
        mode: the output mode of its body.
        source: the element whose content is its body.
        convert: converts its value to the type of ``<return>``; None without ``<return>`` or type.
        all_variable: the variable with all given attributes (``attrsVar``), or "".
        rest_variable: the variable with the given attributes that are not declared (``unknownAttrsVar``), or "".
    """

    name: str
    node: Node
    attributes: Mapping[str, Attribute]
    slots: Mapping[str, SlotDeclaration]
    mode: str
    source: Node
    convert: Callable[[Any], Any] | None
    all_variable: str = ""
    rest_variable: str = ""

    def converted(self, value: Any, node: Node) -> Any:
        """Return the value of the tag's body, converted to the type of ``<return>``.

        ``node`` is the call, whose location is in the message. Raises ValueError if the value cannot be converted.
        """
        if self.convert is None or value is None or value is NO_VALUE:
            return value
        try:
            return self.convert(value)
        except ValueError as error:
            raise ValueError(f"<{node.tag}> at {node.at}: the tag's value: {error}") from None

    def flag(self, name: str) -> bool:
        """Return whether a boolean attribute of the element that declares the tag is true, such as ``macro``."""
        return self.node.attributes.get(name) in _TRUE


class TagLibrary:
    """Tag library that is read from an ``.xlib`` file.

    ``tags`` are the elements that declare its tags, ``known`` the declarations without problems, ``bodies`` the tag
    bodies that have been compiled; all by the name of the tag.
    """

    def __init__(self, root: Node, libraries: Libraries) -> None:
        self.root = root
        self.libraries = libraries
        self.prefix: str = PurePath(root.source.path).name.removesuffix(".xlib")
        self.language: str = libraries.lookup.language(root)
        self.bodies: dict[str, tuple[TemplateNode, TemplateFacts]] = {}
        tags = root.child("tags")
        self.tags: dict[str, Node] = {node.tag: node for node in (tags.children if tags else ()) if node.tag != TEXT}
        self.known: dict[str, Tag] = {}

    def check(self) -> None:
        """Check the ``.xlib`` file and read the declarations of its tags; raises BindError with all problems."""
        problems = list(check_library(self.root))
        for node in self.tags.values():
            wrong = list(check_tag(node))
            if not wrong:
                self.known[node.tag] = self._read_tag(node, wrong)
            problems.extend(wrong)
        if problems:
            raise BindError(problems)

    def has(self, name: str) -> bool:
        """Return whether the file has a tag with the name."""
        return name in self.tags

    def _read_tag(self, node: Node, problems: list[Diagnostic]) -> Tag:
        """Read the declaration of a tag; add the problems of its types and default values to ``problems``."""
        given = node.attributes
        mode = given.get("outputMode", "node" if given.get("macro") in _TRUE else "none")
        attributes = [self._read_attribute(child, problems) for child in node.children if child.tag == "attr"]
        slots = [_read_slot(child, mode) for child in node.children if child.tag == "slot"]
        returned = node.child("return")
        source = node.child("source")
        return Tag(
            name=node.tag,
            node=node,
            attributes={item.name: item for item in attributes},
            slots={item.name: item for item in slots},
            mode=mode,
            source=source or node,
            convert=self._type(returned, problems) if returned is not None else None,
            all_variable=given.get("attrsVar", ""),
            rest_variable=given.get("unknownAttrsVar", ""),
        )

    def _read_attribute(self, node: Node, problems: list[Diagnostic]) -> Attribute:
        """Read the declaration of an attribute and convert its default value to its type.

        A default value that cannot be converted is added to ``problems``.
        """
        given = node.attributes
        convert, default = self._type(node, problems), given.get("defaultValue")
        if default is not None and convert is not None:
            try:
                default = convert(default)
            except ValueError as error:
                problems.append(node.problem("bad-value", f"the default: {error}", attribute="defaultValue"))
        return Attribute(
            name=given["name"],
            variable=given.get("varName", given["name"]),
            mandatory=given.get("mandatory") in _TRUE or given.get("optional") in {"false", "0"},
            implicit=given.get("implicit") in _TRUE,
            default=default,
            convert=convert,
        )

    def _type(self, node: Node, problems: list[Diagnostic]) -> Callable[[Any], Any] | None:
        """Return the function that converts values to the type that an element names by its attribute ``type``.

        Returns None if it names no type, or an unknown one, which is added to ``problems``.
        """
        name = node.attributes.get("type")
        convert = self.libraries.converter(name) if name else None
        if name is not None and convert is None:
            problems.append(node.problem("bad-value", f"there is no type '{name}'", attribute="type"))
        return convert

    def call(self, compiler: Compiler, node: Node, name: str) -> TemplateNode:
        """Compile the element ``node`` as a call of the tag ``name`` and return the template node.

        A tag that does not exist, or is internal to the library, is reported.
        """
        from taskrun.templates.tag_call import compile_tag_call

        if name not in self.tags:
            hint = near_hint(name, self.tags) or "it has " + ", ".join(self.tags)
            compiler.report(
                node, "unknown-tag", f"<{node.tag}>: {self.root.source.path} has no tag '{name}'", hint=hint
            )
            return no_op
        tag = self.known.get(name)
        if tag is None:  # its problems were reported when the library was loaded
            return no_op
        if tag.flag("internal") and compiler.prefixes.get("thisLib") is not self:
            hint = "other tags of its library call it as <thisLib:…>"
            compiler.report(node, "unknown-tag", f"<{node.tag}> is internal to {self.root.source.path}", hint=hint)
            return no_op
        return compile_tag_call(compiler, node, self, tag)

    def prefixes(self) -> dict[str, Library]:
        """Return the tag libraries that the bodies of this library's tags can use, by prefix.

        These are the libraries that the file declares, and the library itself by its default prefix and ``thisLib``.
        """
        found: dict[str, Library] = {"thisLib": self, self.prefix: self}
        for name, text in self.root.attributes.items():
            if name.startswith("xmlns:"):
                library = self.libraries.find(text, self.root.attribute_at(name).path, needed=False)
                if library is not None:
                    found[name[6:]] = library
        return found


def _read_slot(node: Node, mode: str) -> SlotDeclaration:
    """Read the declaration of a slot; ``mode`` is the output mode of its tag, which is the default for the slot."""
    arguments = tuple(child.attributes.get("name", "") for child in node.children if child.tag == "arg")
    given = node.attributes
    return SlotDeclaration(
        given["name"],
        arguments,
        given.get("slotType") == "node",
        given.get("outputMode", mode),
        given.get("mandatory") in _TRUE,
    )
