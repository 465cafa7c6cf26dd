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

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.script.xpl.output import MODES
from taskrun.script.xpl.piece import Piece
from taskrun.syntax.extend import language_of
from taskrun.syntax.load import prefix_of_library
from taskrun.syntax.node import TEXT, Node

if TYPE_CHECKING:
    from taskrun.script.xpl.compile import Compiler
    from taskrun.script.xpl.libraries import Libraries, Library

_TAG_ATTRIBUTES = frozenset(
    (
        "outputMode",
        "macro",
        "conditionTag",
        "attrsVar",
        "unknownAttrsVar",
        "ignoreUnknownAttrs",
        "displayName",
        "internal",
    )
)
_ATTR_ATTRIBUTES = frozenset(
    ("name", "type", "mandatory", "optional", "implicit", "defaultValue", "varName", "displayName")
)
_CHILDREN = frozenset(("attr", "slot", "source", "return", "description", "example"))
_BOOLEANS = frozenset(("macro", "conditionTag", "ignoreUnknownAttrs", "mandatory", "optional", "implicit", "internal"))
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a tag; ``variable`` is what the tag's body reads it as."""

    name: str
    variable: str
    type: str | None
    mandatory: bool
    implicit: bool
    default: str | None
    node: Node


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

    def flag(self, name: str) -> bool:
        """Whether an attribute of the tag's element is true."""
        return self.node.attributes.get(name) in _TRUE


class TagLibrary:
    """The tags of one ``.xlib`` file."""

    def __init__(self, root: Node, libraries: Libraries) -> None:
        self.root = root
        self.libraries = libraries
        self.prefix = prefix_of_library(PurePath(root.source.path).as_posix())
        self.bodies: dict[str, Any] = {}
        tags = root.child("tags")
        self.tags = {node.tag: node for node in (tags.children if tags else ()) if node.tag != TEXT}

    def check(self) -> None:
        """Raise BindError for what is wrong with the file's own form."""
        problems = []
        if self.root.tag != "lib":
            problems.append(
                self.root.problem("wrong-root", f"the root of a tag library is <lib>, not <{self.root.tag}>")
            )
        for node in self.root.children:
            if node.tag != "tags" and ":" not in node.tag:
                hint = near_hint(node.tag, ["tags"]) or "a <lib> holds <tags>"
                problems.append(node.problem("unknown-element", f"<{node.tag}> is not known in <lib>", hint=hint))
        for node in self.tags.values():
            try:
                self.tag(node.tag)
            except BindError as error:
                problems.extend(error.diagnostics)
        if problems:
            raise BindError(problems)

    def has(self, name: str) -> bool:
        """Whether there is a tag of that name."""
        return name in self.tags

    def tag(self, name: str) -> Tag:
        """Return a tag; raises BindError for what is wrong with it."""
        node = self.tags[name]
        problems = list(_problems(node))
        source = node.child("source")
        if source is None:
            problems.append(node.problem("missing-element", f"the tag <{name}> needs a <source>"))
        if problems or source is None:
            raise BindError(problems)
        mode = node.attributes.get("outputMode", "none")
        attributes = (_attribute(child) for child in node.children if child.tag == "attr")
        slots = (_slot(child, mode) for child in node.children if child.tag == "slot")
        return Tag(
            name, node, {item.name: item for item in attributes}, {item.name: item for item in slots}, mode, source
        )

    def call(self, compiler: Compiler, node: Node, name: str) -> Piece:
        """Return the piece for a call of one of the tags."""
        from taskrun.script.xpl.compile import nothing
        from taskrun.script.xpl.tag_call import tag_call

        if name not in self.tags:
            hint = near_hint(name, self.tags) or "it has " + ", ".join(self.tags)
            compiler.note(node, "unknown-tag", f"<{node.tag}>: {self.root.source.path} has no tag '{name}'", hint=hint)
            return nothing
        return tag_call(compiler, node, self, self.tag(name))

    @property
    def language(self) -> str:
        """The dialect of the file's scripts."""
        return language_of(self.root) or "python"

    def prefixes(self) -> dict[str, Library]:
        """Return the libraries that the file's own prefixes stand for."""
        found: dict[str, Library] = {"thisLib": self, self.prefix: self}
        for name, text in self.root.attributes.items():
            if name.startswith("xmlns:"):
                library = self.libraries.find(text, self.root.attribute_at(name).path, needed=False)
                if library is not None:
                    found[name[6:]] = library
        return found


def _problems(tag: Node) -> Any:
    places = [(tag, _TAG_ATTRIBUTES)]
    for child in tag.children:
        if child.tag == "attr":
            places.append((child, _ATTR_ATTRIBUTES))
        elif child.tag not in _CHILDREN and ":" not in child.tag and child.tag != TEXT:
            hint = near_hint(child.tag, _CHILDREN)
            yield child.problem("unknown-element", f"<{child.tag}> is not known in the tag <{tag.tag}>", hint=hint)
        if child.tag in {"attr", "slot"} and not child.attributes.get("name"):
            yield child.problem("missing-attribute", f"<{child.tag}> needs the attribute name")
    for node, known in places:
        for name, text in node.attributes.items():
            if name not in known and ":" not in name:
                hint = near_hint(name, known)
                yield node.problem(
                    "unknown-attribute", f"<{node.tag}> has no attribute {name}", hint=hint, attribute=name
                )
            elif name in _BOOLEANS and text not in {"true", "false", "1", "0"}:
                yield node.problem("bad-value", f"{name}='{text}'; expected true or false", attribute=name)
    mode = tag.attributes.get("outputMode", "none")
    if mode not in MODES:
        hint = near_hint(mode, MODES) or "one of " + ", ".join(MODES)
        yield tag.problem("bad-value", f"outputMode='{mode}'", hint=hint, attribute="outputMode")


def _attribute(node: Node) -> Attribute:
    given = node.attributes
    name = given["name"]
    return Attribute(
        name,
        given.get("varName", name),
        given.get("type"),
        given.get("mandatory") in _TRUE,
        given.get("implicit") in _TRUE,
        given.get("defaultValue"),
        node,
    )


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
