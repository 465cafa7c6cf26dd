"""Compile elements of a template to template nodes.

    <source>
      <c:if test="${total > 100}"><shop:Discount total="${total}"/></c:if>
    </source>

Rules: every script and every tag is compiled before anything runs, and every problem is reported at its location. The
function of a tag with the prefix ``c:`` is found in the table ``CORE``; a tag with another prefix is searched in the
library of that prefix. A tag without a prefix is an element of the output, which exists only in the output modes
``xml``, ``html`` and ``node``. The module has more than 300 lines, because the methods of Compiler call each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, near_hint
from taskrun.script.compiled_script import Script, compile_source
from taskrun.script.script_source import ScriptSource
from taskrun.script.settings import ScriptSettings
from taskrun.script.template import Template, compile_template
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node
from taskrun.templates.analysis import TemplateFacts
from taskrun.templates.attributes import compile_with_attributes
from taskrun.templates.closures import NO_VALUE, Environment, TemplateNode, TemplateVariables, no_op, sequence
from taskrun.templates.imports import apply_import
from taskrun.templates.libraries import Libraries, Library
from taskrun.templates.literal import emit_element
from taskrun.templates.slots import SlotBody

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskrun.script.text_template import TextTemplate

_LITERAL = frozenset({"xml", "html", "node"})
MAX_DEPTH = 60
"""The maximal nesting of macros that output calls of macros, and of included files."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the elements of one template to template nodes; it is immutable, nested bodies use changed copies.

    Problems are reported: they are added to ``facts.problems``, and the compilation goes on.

    Attributes:
        settings: the settings of the scripts.
        language: the dialect of the scripts.
        mode: the output mode.
        libraries: the tag libraries of the flow.
        prefixes: the tag libraries by the prefixes that are declared here.
        facts: collects the facts about the template.
        slots: if the body of a tag is compiled: the slots of this tag.
        loops: the number of enclosing loops.
        depth: how deep macro calls are nested that were output by macros.
        including: the paths of the files whose ``c:include`` is being compiled, the outermost first.
    """

    settings: ScriptSettings
    language: str
    mode: str
    libraries: Libraries
    prefixes: Mapping[str, Library]
    facts: TemplateFacts
    slots: frozenset[str] = frozenset()
    loops: int = 0
    depth: int = 0
    including: tuple[str, ...] = ()

    def report(self, node: Node, code: str, message: str, *, hint: str = "", attribute: str | None = None) -> None:
        """Report a problem of an element, or of one of its attributes: add a diagnostic to the facts."""
        self.facts.problems.append(node.problem(code, message, hint=hint, attribute=attribute))

    def script(self, node: Node, *, leaves: bool = False) -> Script | None:
        """Compile the text of an element as a script and return it; report problems and return None if it has any.

        With ``leaves``, the value of a script that contains ``return`` is Ellipsis when it ends without ``return``.
        """
        return self._script(ScriptSource(node, None, node.text), expression=False, leaves=leaves)

    def part(self, part: ScriptSource) -> Script | None:
        """Compile the text ``part`` as one expression and return it; report problems and return None if it has any."""
        return self._script(part, expression=True)

    def _script(self, part: ScriptSource, *, expression: bool, leaves: bool = False) -> Script | None:
        """Compile the text ``part`` and add the script to the facts; report problems and return None if it has any."""
        try:
            script = compile_source(
                part, self.settings, language=self.language, expression=expression, awaits=not expression, leaves=leaves
            )
        except BindError as error:
            self.facts.problems.extend(error.diagnostics)
            return None
        self.add_script(script)
        return script

    def add_script(self, script: Script | Template | TextTemplate) -> None:
        """Add a compiled script, the names that it uses, and whether it has to be awaited, to the facts."""
        self.facts.scripts.append(script)
        self.facts.reads |= script.reads
        self.facts.uses |= script.uses
        self.facts.stores |= script.stores
        self.facts.suspends = self.facts.suspends or getattr(script, "suspends", False)

    def template(self, node: Node, attribute: str | None) -> Template | None:
        """Compile an attribute, or an element's text if ``attribute`` is None, as a text that may contain ``${…}``.

        Reports problems and returns None if it has any.
        """
        try:
            template = compile_template(node, attribute, language=self.language, settings=self.settings)
        except BindError as error:
            self.facts.problems.extend(error.diagnostics)
            return None
        self.add_script(template)
        return template

    def expression(self, node: Node, attribute: str, *, needed: bool = True) -> Script | Template | None:
        """Compile an attribute as one expression, with or without ``${…}`` around it, and return it.

        Returns None if the expression has problems or the attribute is missing. Both are reported, a missing attribute
        only if it is ``needed``.
        """
        text = node.attributes.get(attribute)
        if text is None:
            if needed:
                self.report(node, "missing-attribute", f"<{node.tag}> needs the attribute {attribute}")
            return None
        if "${" not in text:
            return self._script(ScriptSource(node, attribute, text), expression=True)
        template = self.template(node, attribute)
        if template is not None and not template.whole:
            self.report(node, "bad-value", f"{attribute}='{text}' is text; expected one ${{…}}", attribute=attribute)
        return template

    def check_attributes(self, node: Node, *names: str, xpl: bool = True) -> None:
        """Report all attributes of an element that are not in ``names``.

        Attributes that begin with ``xmlns:`` are allowed and, with ``xpl``, those that begin with ``xpl:``.
        """
        for name in node.attributes:
            free = name.startswith(("xpl:", "xmlns:")) if xpl else name.startswith("xmlns:")
            if name not in names and not free:
                hint = near_hint(name, names) or ("allowed here: " + ", ".join(names) if names else "it has none")
                message = f"<{node.tag}> has no attribute {name}"
                self.report(node, "unknown-attribute", message, hint=hint, attribute=name)

    def check_empty(self, node: Node) -> None:
        """Report a problem if an element has content although it must be empty."""
        if node.children:
            child = node.children[0]
            name = "text" if child.tag == TEXT else f"<{child.tag}>"
            self.report(child, "no-meaning", f"{name} in <{node.tag}>, which must be empty")
        elif node.text.strip():
            self.report(node, "unexpected-text", f"text in <{node.tag}>, which must be empty")

    def bind_variables(self, node: Node, *attributes: str) -> None:
        """Record the variables that a tag sets, whose names are the values of the given attributes of its element.

        An attribute that is missing is ignored.
        """
        for attribute in attributes:
            name = node.attributes.get(attribute)
            if name is not None:
                self.bind_variable(node, attribute, name)

    def bind_variable(self, node: Node, attribute: str, name: str) -> None:
        """Record that a tag sets the variable ``name``, which its ``attribute`` contains; report an invalid name."""
        if not name.isidentifier() or name.startswith("_"):
            self.report(node, "bad-value", f"'{name}' is no name of a variable", attribute=attribute)
        self.facts.bound.add(name)

    def with_mode(self, mode: str) -> Compiler:
        """Return a copy of this compiler for a body with another output mode."""
        return replace(self, mode=mode)

    def in_loop(self) -> Compiler:
        """Return a copy of this compiler for the body of a loop, in which ``c:break`` is allowed."""
        return replace(self, loops=self.loops + 1)

    def body(self, node: Node) -> TemplateNode:
        """Compile the content of an element to a template node, whose value is that of the last child that has one."""
        if node.text and not node.children:
            return self.text(node)
        return sequence([self.element(child) for child in node.children])

    def source(self, node: Node) -> TemplateNode:
        """Compile the content of an element like ``body``; it may begin with ``<c:import>`` elements."""
        compiler = self.with_declarations(node)
        rest = list(node.children)
        while rest and rest[0].tag == "c:import":
            compiler = apply_import(compiler, rest.pop(0))
        if len(rest) != len(node.children):
            node = node._replace(children=tuple(rest))
        return compiler.body(node)

    def slot(self, node: Node, mode: str, names: tuple[str, ...]) -> SlotBody:
        """Compile the content of an element as a slot body with the output mode ``mode``.

        ``names`` are the arguments of the slot, which the content can read as variables.
        """
        facts = TemplateFacts(problems=self.facts.problems)
        compiled = replace(self, mode=mode, loops=0, facts=facts).source(node)
        self.facts.include(facts, names)
        return SlotBody(names, compiled, facts, mode)

    def element(self, node: Node) -> TemplateNode:
        """Compile a text node, or an element with its ``xpl:`` and ``xmlns:`` attributes, to a template node."""
        if node.tag == TEXT:
            return self.text(node)
        scoped = self.with_declarations(node)
        if any(name.startswith("xpl:") for name in node.attributes):
            return compile_with_attributes(scoped, node)
        return scoped.tag(node)

    def tag(self, node: Node) -> TemplateNode:
        """Compile an element to a template node, ignoring its ``xpl:`` attributes and prefix declarations.

        Its tag is a core tag, a tag of a library, or an element of the output; anything else is reported.
        """
        from taskrun.templates.core_tags import CORE

        prefix, colon, local = node.tag.partition(":")
        if not colon:
            prefix = ""
        if prefix == "c":
            make: Callable[[Compiler, Node], TemplateNode] | None = CORE.get(local)
            if make is not None:
                return make(self, node)
            hint = near_hint(local, CORE) or "there are c:" + ", c:".join(CORE)
            self.report(node, "unknown-tag", f"<{node.tag}> is not a core tag", hint=hint)
            return no_op
        library = self.prefixes.get(prefix) or self.libraries.built_in(prefix)
        if library is not None:
            return library.call(self, node, local)
        if self.mode in _LITERAL and prefix != "x":
            return self.literal(node)
        if prefix:
            hint = near_hint(prefix, [*self.prefixes, "c"])
            if not hint or prefix in node.attributes:
                hint = f'declare it: xmlns:{prefix}="….xlib", xpl:lib or c:import'
            self.report(node, "unknown-tag", f"<{node.tag}>: no library has the prefix '{prefix}'", hint=hint)
        else:
            hint = (
                f"did you mean <c:{local or node.tag}>?"
                if node.tag in CORE
                else "set xpl:outputMode to 'xml', 'html' or 'node' to output elements"
            )
            self.report(node, "unknown-tag", f"<{node.tag}> is not a tag; elements cannot be output here", hint=hint)
        return no_op

    def with_declarations(self, node: Node) -> Compiler:
        """Return a copy of this compiler with the prefixes that an element declares by ``xmlns:`` and ``xpl:lib``."""
        added: dict[str, Library] = {}
        for name, text in node.attributes.items():
            if name.startswith("xmlns:"):
                library = self.libraries.find_or_report(self, node, name, text, needed=False)
                if library is not None:
                    added[name[6:]] = library
            elif name == "xpl:lib":
                for path in filter(None, (part.strip() for part in text.split(","))):
                    library = self.libraries.find_or_report(self, node, name, path, needed=True)
                    if library is not None:
                        added[library.prefix] = library
        return replace(self, prefixes={**self.prefixes, **added}) if added else self

    def text(self, node: Node) -> TemplateNode:
        """Compile a text node to a template node that outputs the text, with the values of its ``${…}``.

        In the output mode ``none`` a text is reported, unless it is white space.
        """
        if not node.text.strip():
            return no_op
        if self.mode == "none":
            hint = "write scripts in <c:script>; set xpl:outputMode='text' to output text"
            self.report(node, "unexpected-text", "text between tags cannot be output here", hint=hint)
            return no_op
        template = self.template(node, None)
        if template is None:
            return no_op
        if template.constant:
            text = template.run(TemplateVariables({}))

            async def emit_constant(env: Environment) -> Any:
                env.out.add_value(text, node)
                return NO_VALUE

            return emit_constant

        async def emit_parts(env: Environment) -> Any:
            for part in template.parts:
                env.out.add_value(part if isinstance(part, str) else part.run(env.scope), node)
            return NO_VALUE

        return emit_parts

    def _declares_library(self, name: str) -> bool:
        """Return whether the attribute ``name`` declares the prefix of a tag library, so that it is not output."""
        return name.startswith("xmlns:") and name[6:] in self.prefixes

    def literal(self, node: Node) -> TemplateNode:
        """Compile an element whose tag is not to be executed: it is output with its attributes and content."""
        names = [name for name in node.attributes if not name.startswith("xpl:") and not self._declares_library(name)]
        values = {name: self.template(node, name) for name in names}
        extra = self.expression(node, "xpl:attrs", needed=False)
        inside = self.body(node) if node.children or node.text else no_op
        bare = node._replace(attributes=NO_ATTRIBUTES, children=(), text="")

        async def run(env: Environment) -> Any:
            attributes = {name: value.run(env.scope) for name, value in values.items() if value is not None}
            if extra is not None:
                attributes = {**(extra.run(env.scope) or {}), **attributes}
            await emit_element(env, node, bare, attributes, inside)
            return NO_VALUE

        return run
