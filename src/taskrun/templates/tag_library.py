"""An ``.xlib`` file: tags written as templates.

    <lib>
      <tags>
        <Greet outputMode="none">
          <attr name="who" type="String" mandatory="true"/>
          <slot name="body"><arg name="name"/></slot>
          <source><c:script>return body(who)</c:script></source>
        </Greet>
      </tags>
    </lib>

Rules: a tag sees its attributes and slots and nothing else, but for ``implicit`` attributes, which are taken from the
caller's variables when they are not given. ``thisLib:`` is the library itself. The source of a tag is compiled when the
tag is first called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, Diagnostic, near_hint
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.closures import NOTHING, Piece, nothing
from taskrun.templates.tag_form import problems_of_library, problems_of_tag

if TYPE_CHECKING:
    from taskrun.templates.analysis import Found
    from taskrun.templates.compile import Compiler
    from taskrun.templates.libraries import Libraries, Library

_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a tag; ``variable`` is what the tag's body reads it as."""

    name: str
    variable: str
    mandatory: bool
    implicit: bool
    default: Any
    convert: Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a tag: a part that the caller fills, called as a function of ``arguments``."""

    name: str
    arguments: tuple[str, ...]
    is_node: bool
    mode: str
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a library."""

    name: str
    node: Node
    attributes: Mapping[str, Attribute]
    slots: Mapping[str, Slot]
    mode: str
    source: Node
    convert: Callable[[Any], Any] | None
    all_variable: str = ""
    rest_variable: str = ""

    def converted(self, value: Any, node: Node) -> Any:
        """Return a value of the tag's body as the type that ``<return type=…>`` says; ``node`` is the call."""
        if self.convert is None or value is None or value is NOTHING:
            return value
        try:
            return self.convert(value)
        except ValueError as error:
            raise ValueError(f"<{node.tag}> at {node.at}: the tag's value: {error}") from None

    def flag(self, name: str) -> bool:
        """Whether an attribute of the tag's element is true."""
        return self.node.attributes.get(name) in _TRUE


class TagLibrary:
    """The tags of one ``.xlib`` file."""

    def __init__(self, root: Node, libraries: Libraries) -> None:
        self.root = root
        self.libraries = libraries
        self.prefix = PurePath(root.source.path).name.removesuffix(".xlib")
        self.language = libraries.finder.language(root)
        self.bodies: dict[str, tuple[Piece, Found]] = {}
        tags = root.child("tags")
        self.tags = {node.tag: node for node in (tags.children if tags else ()) if node.tag != TEXT}
        self.known: dict[str, Tag] = {}

    def check(self) -> None:
        """Raise BindError for what is wrong with the file's own form."""
        problems = list(problems_of_library(self.root))
        for node in self.tags.values():
            wrong = list(problems_of_tag(node))
            if not wrong:
                self.known[node.tag] = self._made(node, wrong)
            problems.extend(wrong)
        if problems:
            raise BindError(problems)

    def has(self, name: str) -> bool:
        """Whether there is a tag of that name."""
        return name in self.tags

    def _made(self, node: Node, problems: list[Diagnostic]) -> Tag:
        given = node.attributes
        mode = given.get("outputMode", "node" if given.get("macro") in _TRUE else "none")
        attributes = [self._attribute(child, problems) for child in node.children if child.tag == "attr"]
        slots = [_slot(child, mode) for child in node.children if child.tag == "slot"]
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

    def _attribute(self, node: Node, problems: list[Diagnostic]) -> Attribute:
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
        name = node.attributes.get("type")
        convert = self.libraries.converter(name) if name else None
        if name is not None and convert is None:
            problems.append(node.problem("bad-value", f"no type is called '{name}'", attribute="type"))
        return convert

    def call(self, compiler: Compiler, node: Node, name: str) -> Piece:
        """Return the piece for a call of one of the tags."""
        from taskrun.templates.tag_call import tag_call

        if name not in self.tags:
            hint = near_hint(name, self.tags) or "it has " + ", ".join(self.tags)
            compiler.note(node, "unknown-tag", f"<{node.tag}>: {self.root.source.path} has no tag '{name}'", hint=hint)
            return nothing
        tag = self.known.get(name)
        if tag is None:  # what is wrong with it has been said
            return nothing
        if tag.flag("internal") and compiler.prefixes.get("thisLib") is not self:
            hint = "other tags of its library call it as <thisLib:…>"
            compiler.note(node, "unknown-tag", f"<{node.tag}> is internal to {self.root.source.path}", hint=hint)
            return nothing
        return tag_call(compiler, node, self, tag)

    def prefixes(self) -> dict[str, Library]:
        """Return the libraries that the file's own prefixes stand for."""
        found: dict[str, Library] = {"thisLib": self, self.prefix: self}
        for name, text in self.root.attributes.items():
            if name.startswith("xmlns:"):
                library = self.libraries.find(text, self.root.attribute_at(name).path, needed=False)
                if library is not None:
                    found[name[6:]] = library
        return found


def _slot(node: Node, mode: str) -> Slot:
    arguments = tuple(child.attributes.get("name", "") for child in node.children if child.tag == "arg")
    given = node.attributes
    return Slot(
        given["name"],
        arguments,
        given.get("slotType") == "node",
        given.get("outputMode", mode),
        given.get("mandatory") in _TRUE,
    )
