"""Templates of one flow: the tag libraries that its root declares, the section ``x:config``, and sections that are run.

    <task xmlns:shop="/shop/shop.xlib">
      <x:config><c:import class="shop.orders:Order"/><c:var name="LIMIT" value="${100}"/></x:config>

Rules: the compiler of templates is imported, and libraries are loaded, when the first template is compiled. What
``x:config`` imports and sets can be read by all scripts of the flow. Sections such as ``x:post-extends`` are templates
with the output mode ``node`` that run when the flow is loaded. Their variable ``dsl_root`` (also ``_dsl_root``) is the
tree of the flow at that time.
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
from taskrun.templates.tag_lookup import TagLookup, TagSettings

if TYPE_CHECKING:
    from taskrun.templates.compile import Compiler
    from taskrun.templates.libraries import Libraries, Library

CONFIG, BEFORE, AFTER = "x:config", "x:pre-parse", "x:post-parse"


class FlowTemplates:
    """Compiles and runs the templates of one flow, whose tree is ``root``.

    ``sources`` finds the files of the flow, ``tags`` are the settings for tags, ``settings`` those of scripts.
    """

    def __init__(self, root: Node, sources: Sources, tags: TagSettings, settings: ScriptSettings) -> None:
        self.imports: dict[str, str] = {
            child.attributes["as"]: child.attributes["class"]
            for child in root.children
            if child.tag == "import" and {"as", "class"} <= child.attributes.keys()
        }
        self.root = root
        self.language: str = language_of(root) or "python"
        self.lookup: TagLookup = TagLookup(root.source.path, sources, tags, self.imports)
        self.problems: list[Diagnostic] = []
        self._plain = settings

    @cached_property
    def libraries(self) -> Libraries:
        """The tag libraries of the flow; each is loaded when it is first used."""
        from taskrun.templates.libraries import Libraries

        return Libraries(self.lookup, self._plain)

    @cached_property
    def _compiler(self) -> Compiler:
        """The compiler from which all templates of the flow start.

        It has the prefixes that the root declares, and the imports and variables of ``x:config``.
        """
        from taskrun.templates.analysis import TemplateFacts
        from taskrun.templates.api import evaluate_constants
        from taskrun.templates.compile import Compiler
        from taskrun.templates.imports import apply_import

        facts = TemplateFacts(problems=self.problems)
        compiler = Compiler(self._plain, self.language, "none", self.libraries, {}, facts).with_declarations(self.root)
        for section in self.root.children:
            if section.tag == CONFIG:
                for node in section.children:
                    if node.tag == "c:import":
                        compiler = apply_import(compiler, node)
        values = evaluate_constants(compiler, [section for section in self.root.children if section.tag == CONFIG])
        if values:
            settings = compiler.settings
            compiler = replace(compiler, settings=replace(settings, functions={**settings.functions, **values}))
        self.libraries.settings = compiler.settings
        return compiler

    @property
    def settings(self) -> ScriptSettings:
        """The settings of the flow's scripts, with the imports and variables of ``x:config`` as additional names."""
        return self._compiler.settings if self.root.child(CONFIG) is not None else self._plain

    @property
    def prefixes(self) -> Mapping[str, Library]:
        """The tag libraries by the prefixes that the root declares and ``x:config`` imports."""
        return self._compiler.prefixes

    def script(self, node: Node, language: str, *, awaits: bool) -> Script:
        """Compile the content of an element as a template; return it as a Script, or raise BindError with its problems.

        ``language`` is the dialect of its scripts. ``awaits`` allows tags and scripts that have to be awaited.
        """
        from taskrun.templates.api import compile_template_body

        return compile_template_body(
            node,
            language=language,
            settings=self.settings,
            libraries=self.libraries,
            prefixes=self.prefixes,
            awaits=awaits,
        )

    def generate(self, section: Node, values: Mapping[str, Any]) -> Sequence[Node]:
        """Compile and run a section, such as ``x:gen-extends``, and return the elements that it outputs.

        ``values`` are the variables that it can read. Raises BindError if it has problems or fails.
        """
        from taskrun.templates.api import generate_elements

        return generate_elements(
            section,
            values,
            language=self.language,
            settings=self.settings,
            libraries=self.libraries,
            prefixes=self.prefixes,
        )

    def run_sections(self, tag: str, values: Mapping[str, Any]) -> None:
        """Run all sections of the root with the tag ``tag``; raises BindError if one fails or outputs elements.

        ``values`` are the variables that they can read.
        """
        for section in self.root.children:
            if section.tag == tag:
                made = self.generate(section, values)
                if made:
                    message = f"<{tag}> outputs elements, which are not used"
                    hint = "use x:post-extends to change the flow"
                    raise BindError([section.problem("no-meaning", message, hint=hint)])


def expand_templates(root: Node, templates_of: Callable[[Node], FlowTemplates]) -> tuple[Node, FlowTemplates]:
    """Run the sections ``x:pre-parse`` and ``x:post-parse`` of a flow; return its tree and its FlowTemplates.

    The returned tree has neither these sections nor ``x:config``. ``templates_of`` creates the FlowTemplates for a
    tree. Raises BindError if a section has problems or fails.
    """
    templates = templates_of(root)
    if all(root.child(tag) is None for tag in (CONFIG, BEFORE, AFTER)):
        return root, templates
    from taskrun.templates.element import Element

    tree = Element(root)
    templates.run_sections(BEFORE, {"_dsl_root": tree, "dsl_root": tree})
    rest = tuple(child for child in root.children if child.tag not in {CONFIG, BEFORE, AFTER})
    templates.run_sections(AFTER, {"_dsl_model": describe(root), "dsl_model": describe(root)})
    return root._replace(children=rest), templates


def describe(node: Node) -> dict[str, Any]:
    """Return a flow, or one of its steps, as a map for scripts.

    It contains the type, the attributes, the names of inputs and outputs, and the steps inside it, as such maps.
    """
    steps = node.child("steps")
    return {
        "type": node.tag,
        **node.attributes,
        "inputs": [child.attributes.get("name") for child in node.children if child.tag == "input"],
        "outputs": [child.attributes.get("name") for child in node.children if child.tag == "output"],
        "steps": [describe(child) for child in steps.children if child.tag != TEXT] if steps is not None else [],
    }
