"""Rewrite custom steps (``customType``), whose type is a tag, into steps that call the tag.

    <task xmlns:test="/nop/test/test.xlib">
      <steps>
        <custom name="step1" customType="test:MyFunc" test:a="${1}"><input name="b"/><test:exec>…</test:exec></custom>

    becomes

        <xpl name="step1">
          <input name="b"/>
          <source><test:MyFunc xpl:lib="/nop/test/test.xlib" a="${1}" b="${b}"><exec>…</exec></test:MyFunc></source>
        </xpl>

Rules: attributes and children of the step that have the prefix of the type move to the call of the tag, and so do the
attributes and children of ``<meta>``. Each input becomes an attribute of the call, unless the author wrote that
attribute. If the library has a tag ``MyFunc-generator``, the elements that this tag outputs replace the step instead.
The result is not rewritten again.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence

from taskrun.errors import BindError, Diagnostic, FlowError, PluginError
from taskrun.syntax.delta.origins import MovedPlaces, owner_of
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.api import call_generator_tag
from taskrun.templates.element import Element
from taskrun.templates.flow_templates import FlowTemplates
from taskrun.templates.libraries import SUFFIX
from taskrun.templates.tag_library import TagLibrary

_TYPE = "customType"


class CustomTypes:
    """Rewrites the custom steps of a flow: ``CustomTypes(templates).apply()`` returns the new tree.

    ``templates`` has the tree and the tag libraries of the flow.
    """

    def __init__(self, templates: FlowTemplates) -> None:
        self.templates = templates
        self.root: Node = templates.root
        self.problems: list[Diagnostic] = []

    def apply(self) -> Node:
        """Return the flow's tree with all custom steps rewritten; raises BindError with the problems of all of them."""
        root = self._rewrite(self.root)
        if self.problems:
            raise BindError(self.problems)
        return root

    def _rewrite(self, node: Node) -> Node:
        """Return an element with all custom steps inside it rewritten; the same object if there are none."""
        if not node.children or node.tag in self.templates.lookup.sources.opaque:
            return node
        children: list[Node] = []
        for child in node.children:
            if child.tag in {"step", "custom"} and (_TYPE in child.attributes or child.tag == "custom"):
                children.extend(self._step(child))
            else:
                children.append(self._rewrite(child))
        if len(children) == len(node.children) and all(map(operator.is_, children, node.children)):
            return node
        return node._replace(children=tuple(children))

    def _step(self, node: Node) -> Sequence[Node]:
        """Return the elements that replace a custom step.

        Problems are recorded, and ``apply`` raises them when all custom steps have been read; the elements are not used
        then.
        """
        if _TYPE not in node.attributes:
            self.problems.append(node.problem("missing-attribute", "<custom> needs the attribute customType"))
            return ()
        prefix, colon, name = node.attributes[_TYPE].partition(":")
        if not colon or not prefix or not name or ":" in name:
            message = f"customType='{node.attributes[_TYPE]}': expected PREFIX:NAME with the prefix of a tag library"
            self.problems.append(node.problem("invalid-custom-type", message, attribute=_TYPE))
            return ()
        if (source := node.child("source")) is not None:
            self.problems.append(source.problem("doubled", "a step with customType cannot have a <source>"))
        if (meta := node.child("meta")) is not None:
            self._check_meta(node, meta)
        declared = f"xmlns:{prefix}"
        owner = node if declared in node.attributes else self.root
        if declared not in owner.attributes:
            if prefix != "c" and prefix not in self.templates.prefixes:
                hint = f'declare it: xmlns:{prefix}="….xlib"'
                self.problems.append(
                    node.problem("no-library", f"no tag library has the prefix '{prefix}'", hint=hint, attribute=_TYPE)
                )
            return (self._call(node, prefix, node, ""),)
        path, owner = owner.attributes[declared], owner_of(owner, declared)
        made = self._generated(node, owner, declared, path, name)
        return (self._call(node, prefix, owner, path),) if made is None else made

    def _check_meta(self, node: Node, meta: Node) -> None:
        """Record problems for a second ``<meta>`` in a custom step, and for text in its first one, ``meta``."""
        second = next((child for child in node.children if child.tag == "meta" and child is not meta), None)
        if second is not None:
            self.problems.append(second.problem("doubled", f"a second <meta> in <{node.tag}>"))
        text = meta.text.strip() or any(child.tag == TEXT for child in meta.children)
        if text:
            message = "text in <meta>, which can contain the elements of the tag only"
            self.problems.append(meta.problem("unexpected-text", message))

    def _generated(self, node: Node, owner: Node, declared: str, path: str, name: str) -> Sequence[Node] | None:
        """Run the generator tag for a custom step and return the elements that it outputs.

        Returns None if the library has no such tag, and no elements if there is a problem, which is recorded. ``owner``
        is the element that declares the library, by its attribute ``declared`` with the value ``path``. ``name`` is the
        custom type without its prefix.
        """
        try:
            library = self.templates.libraries.find(path, owner.attribute_at(declared).path)
            if not isinstance(library, TagLibrary) or not library.has(f"{name}-generator"):
                return None
            tree = Element(self.root)
            values = {"node": Element(node), "_dsl_root": tree, "dsl_root": tree}
            return call_generator_tag(library, f"{name}-generator", node, values, self.templates.settings)
        except LookupError as error:
            hint = getattr(error, "hint", "")
            self.problems.append(owner.problem("no-library", f"the tag library {error}", hint=hint, attribute=declared))
        except PluginError as error:
            self.problems.append(owner.problem("no-library", str(error), attribute=declared))
        except FlowError as error:
            self.problems.extend(error.diagnostics)
        return ()

    def _call(self, node: Node, prefix: str, owner: Node, path: str) -> Node:
        """Return a custom step rewritten into a step whose ``<source>`` calls the tag.

        ``owner`` is the element that declares the prefix; ``path`` is the path of the library.
        """
        attributes: dict[str, str] = {}
        places: dict[str, tuple[Node, str]] = {}
        if path.endswith(SUFFIX):
            attributes["xpl:lib"] = path
            places["xpl:lib"] = (owner, f"xmlns:{prefix}")
        meta = node.child("meta")
        for name, text in meta.attributes.items() if meta is not None else ():
            attributes[name] = text
            places[name] = (owner_of(meta or node, name), name)
        own = f"{prefix}:"
        for name, text in node.attributes.items():
            if name.startswith(own):
                attributes[name.removeprefix(own)] = text
                places[name.removeprefix(own)] = (owner_of(node, name), name)
        for child in node.children:
            name = child.attributes.get("name", "")
            if child.tag == "input" and name and name not in attributes:
                attributes[name] = "${" + name + "}"
                places[name] = (child, "")
        slots = [
            child._replace(tag=child.tag.removeprefix(own)) for child in node.children if child.tag.startswith(own)
        ]
        inner = (*(meta.children if meta is not None else ()), *slots)
        bare = node._replace(attributes=NO_ATTRIBUTES, children=(), text="", origin="")
        call = bare._replace(
            tag=node.attributes[_TYPE], attributes=attributes, children=inner, places=MovedPlaces(places)
        )
        own_attributes = {
            name: text for name, text in node.attributes.items() if name != _TYPE and not name.startswith(own)
        }
        rest = tuple(_own_children(node, own))
        tag = "xpl" if node.tag == "custom" else node.tag
        source = bare._replace(tag="source", children=(call,), places=None)
        return node._replace(tag=tag, attributes=own_attributes, children=(*rest, source))


def _own_children(node: Node, prefix: str) -> Iterator[Node]:
    """Yield the children that stay in a custom step: all but ``<meta>`` and those whose tags begin with ``prefix``."""
    for child in node.children:
        if child.tag != "meta" and not child.tag.startswith(prefix):
            yield child
