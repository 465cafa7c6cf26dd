"""The templates of one flow: its tag libraries, by the prefixes that its root declares, and what ``x:config`` adds.

    <task xmlns:shop="/shop/shop.xlib">
      <x:config><c:import class="shop.orders:Order"/><c:var name="LIMIT" value="${100}"/></x:config>

Rules: libraries are loaded, and the compiler of templates is imported, when the first template is compiled. Sections such as ``x:post-extends`` are templates of mode
``node``, run at load time; ``dsl_root`` (or ``_dsl_root``) is the tree so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, Diagnostic
from taskrun.script.script import Script, ScriptSettings
from taskrun.syntax.delta.extend import Sources, language_of
from taskrun.syntax.node import TEXT, Node
from taskrun.templates.tag_lookup import TagFinder, TagSettings

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.libraries import Libraries, Library

CONFIG, BEFORE, AFTER = "x:config", "x:pre-parse", "x:post-parse"


class FlowTemplates:
    """Compiles the templates of the flow with this root."""

    def __init__(self, root: Node, sources: Sources, tags: TagSettings, settings: ScriptSettings) -> None:
        self.imports = {
            child.attributes["as"]: child.attributes["class"]
            for child in root.children
            if child.tag == "import" and {"as", "class"} <= child.attributes.keys()
        }
        self.root = root
        self.language = language_of(root) or "python"
        self.finder = TagFinder(root.source.path, sources, tags, self.imports)
        self.problems: list[Diagnostic] = []
        self._plain = settings

    @cached_property
    def libraries(self) -> Libraries:
        """The libraries of tags that the flow uses."""
        from taskrun.templates.libraries import Libraries

        return Libraries(self.finder, self._plain)

    @cached_property
    def _compiler(self) -> Compiler:
        """The compiler with the prefixes of the root and what ``x:config`` imports."""
        from taskrun.templates.analysis import Found
        from taskrun.templates.api import constants
        from taskrun.templates.compile import Compiler
        from taskrun.templates.imports import imported

        found = Found(problems=self.problems)
        compiler = Compiler(self._plain, self.language, "none", self.libraries, {}, found).with_declarations(self.root)
        for section in self.root.children:
            if section.tag == CONFIG:
                for node in section.children:
                    if node.tag == "c:import":
                        compiler = imported(compiler, node)
        values = constants(compiler, [section for section in self.root.children if section.tag == CONFIG])
        if values:
            settings = compiler.settings
            compiler = replace(compiler, settings=replace(settings, functions={**settings.functions, **values}))
        self.libraries.settings = compiler.settings
        return compiler

    @property
    def settings(self) -> ScriptSettings:
        """The settings of the flow's scripts."""
        return self._compiler.settings if self.root.child(CONFIG) is not None else self._plain

    @property
    def prefixes(self) -> Mapping[str, Library]:
        """The libraries by the prefixes that the root gives them."""
        return self._compiler.prefixes

    def script(self, node: Node, language: str, *, awaits: bool) -> Script:
        """Return the template that an element holds; raises BindError."""
        from taskrun.templates.api import compile_markup

        return compile_markup(
            node,
            language=language,
            settings=self.settings,
            libraries=self.libraries,
            prefixes=self.prefixes,
            awaits=awaits,
        )

    def generated(self, section: Node, values: Mapping[str, Any]) -> Sequence[Node]:
        """Return the elements that a section makes; raises BindError."""
        from taskrun.templates.api import generated

        return generated(
            section,
            values,
            language=self.language,
            settings=self.settings,
            libraries=self.libraries,
            prefixes=self.prefixes,
        )

    def hear(self, tag: str, values: Mapping[str, Any]) -> None:
        """Run the sections of a tag, which make nothing but may fail; raises BindError."""
        for section in self.root.children:
            if section.tag == tag:
                made = self.generated(section, values)
                if made:
                    message = f"<{tag}> makes elements, which go nowhere"
                    raise BindError([section.problem("no-meaning", message, hint="x:post-extends changes the flow")])


def expand_templates(root: Node, markup: Callable[[Node], FlowTemplates]) -> tuple[Node, FlowTemplates]:
    """Return a flow's tree without the sections that are no part of it, which are run, and what compiles its templates."""
    templates = markup(root)
    if all(root.child(tag) is None for tag in (CONFIG, BEFORE, AFTER)):
        return root, templates
    from taskrun.templates.element import Element

    tree = Element(root)
    templates.hear(BEFORE, {"_dsl_root": tree, "dsl_root": tree})
    rest = tuple(child for child in root.children if child.tag not in {CONFIG, BEFORE, AFTER})
    templates.hear(AFTER, {"_dsl_model": described(root), "dsl_model": described(root)})
    return root._replace(children=rest), templates


def described(node: Node) -> dict[str, Any]:
    """Return a flow, or one of its steps, as a map for scripts: type, attributes, names of inputs and outputs, steps."""
    steps = node.child("steps")
    return {
        "type": node.tag,
        **node.attributes,
        "inputs": [child.attributes.get("name") for child in node.children if child.tag == "input"],
        "outputs": [child.attributes.get("name") for child in node.children if child.tag == "output"],
        "steps": [described(child) for child in steps.children if child.tag != TEXT] if steps is not None else [],
    }
