"""From the elements of a template to pieces.

    <source>
      <c:if test="${total > 100}"><shop:Discount total="${total}"/></c:if>
    </source>

Rules: every script and every tag is compiled before anything runs, and every problem is noted at its place. A tag of the
core (``c:``) has a function in ``CORE``; a tag with another prefix is looked up in the library that the prefix stands for; a
tag without prefix is output, which only the modes ``xml``, ``html`` and ``node`` have.
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
from taskrun.templates.analysis import Found
from taskrun.templates.attributes import with_attributes
from taskrun.templates.closures import NOTHING, Environment, Piece, Variables, nothing, sequence
from taskrun.templates.imports import imported
from taskrun.templates.libraries import Libraries, Library
from taskrun.templates.slots import Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskrun.script.text_template import TextTemplate

_LITERAL = frozenset({"xml", "html", "node"})
MAX_DEPTH = 60
"""How deep macros may make calls of macros, and files include files."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the elements of one template.

    ``prefixes`` are the libraries that prefixes stand for here; ``slots`` the slots of the tag whose body this is; ``loops`` is how many loops
    are around; ``depth`` how deep macros and included files are nested, ``including`` which files these are.
    """

    settings: ScriptSettings
    language: str
    mode: str
    libraries: Libraries
    prefixes: Mapping[str, Library]
    found: Found
    slots: frozenset[str] = frozenset()
    loops: int = 0
    depth: int = 0
    including: tuple[str, ...] = ()

    def note(self, node: Node, code: str, message: str, *, hint: str = "", attribute: str | None = None) -> None:
        """Note a problem."""
        self.found.problems.append(node.problem(code, message, hint=hint, attribute=attribute))

    # ---- scripts

    def script(self, node: Node, *, leaves: bool = False) -> Script | None:
        """Return the script that is an element's text, None when it is wrong."""
        return self._script(ScriptSource(node, None, node.text), expression=False, leaves=leaves)

    def part(self, part: ScriptSource) -> Script | None:
        """Return the expression in a part of the file, None when it is wrong."""
        return self._script(part, expression=True)

    def _script(self, part: ScriptSource, *, expression: bool, leaves: bool = False) -> Script | None:
        try:
            script = compile_source(
                part, self.settings, language=self.language, expression=expression, awaits=not expression, leaves=leaves
            )
        except BindError as error:
            self.found.problems.extend(error.diagnostics)
            return None
        self.took(script)
        return script

    def took(self, script: Script | Template | TextTemplate) -> None:
        """Note what a script of the template reads and does."""
        self.found.scripts.append(script)
        self.found.reads |= script.reads
        self.found.uses |= script.uses
        self.found.stores |= script.stores
        self.found.suspends = self.found.suspends or getattr(script, "suspends", False)

    def template(self, node: Node, attribute: str | None) -> Template | None:
        """Return the text with ``${…}`` in an attribute, or in the element; None when it is wrong."""
        try:
            template = compile_template(node, attribute, language=self.language, settings=self.settings)
        except BindError as error:
            self.found.problems.extend(error.diagnostics)
            return None
        self.took(template)
        return template

    def expression(self, node: Node, attribute: str, *, needed: bool = True) -> Script | Template | None:
        """Return the expression in an attribute, with ``${…}`` round it or without; None when there is none."""
        text = node.attributes.get(attribute)
        if text is None:
            if needed:
                self.note(node, "missing-attribute", f"<{node.tag}> needs the attribute {attribute}")
            return None
        if "${" not in text:
            return self._script(ScriptSource(node, attribute, text), expression=True)
        template = self.template(node, attribute)
        if template is not None and not template.whole:
            self.note(node, "bad-value", f"{attribute}='{text}' is text; expected one ${{…}}", attribute=attribute)
        return template

    def only(self, node: Node, *names: str, xpl: bool = True) -> None:
        """Note every attribute of a tag of the core that it does not have; parts of tags have no ``xpl:`` attributes."""
        for name in node.attributes:
            free = name.startswith(("xpl:", "xmlns:")) if xpl else name.startswith("xmlns:")
            if name not in names and not free:
                hint = near_hint(name, names) or ("allowed here: " + ", ".join(names) if names else "it has none")
                self.note(node, "unknown-attribute", f"<{node.tag}> has no attribute {name}", hint=hint, attribute=name)

    def empty(self, node: Node) -> None:
        """Note what a tag holds that can hold nothing."""
        if node.children:
            child = node.children[0]
            name = "text" if child.tag == TEXT else f"<{child.tag}>"
            self.note(child, "no-meaning", f"{name} in <{node.tag}>, which holds nothing")
        elif node.text.strip():
            self.note(node, "unexpected-text", f"text in <{node.tag}>, which holds nothing")

    def names(self, node: Node, *attributes: str) -> None:
        """Take the variables that attributes name, which a tag sets itself."""
        for attribute in attributes:
            name = node.attributes.get(attribute)
            if name is not None:
                self.bind(node, attribute, name)

    def bind(self, node: Node, attribute: str, name: str) -> None:
        """Take a variable that a tag sets itself."""
        if not name.isidentifier() or name.startswith("_"):
            self.note(node, "bad-value", f"'{name}' is no name of a variable", attribute=attribute)
        self.found.bound.add(name)

    # ---- bodies

    def into(self, mode: str) -> Compiler:
        """Return the compiler of a body in another mode."""
        return replace(self, mode=mode)

    def in_loop(self) -> Compiler:
        """Return the compiler of a loop's body."""
        return replace(self, loops=self.loops + 1)

    def body(self, node: Node) -> Piece:
        """Return the piece for what an element holds: each part in turn; the value is that of the last with one."""
        if node.text and not node.children:
            return self.text(node)
        return sequence([self.element(child) for child in node.children])

    def source(self, node: Node) -> Piece:
        """Return the piece for a whole body, which may begin with imports."""
        compiler = self.with_declarations(node)
        rest = list(node.children)
        while rest and rest[0].tag == "c:import":
            compiler = imported(compiler, rest.pop(0))
        if len(rest) != len(node.children):
            node = node._replace(children=tuple(rest))
        return compiler.body(node)

    def slot(self, node: Node, mode: str, names: tuple[str, ...]) -> Content:
        """Return what fills a slot with what an element holds; its body sees ``names``."""
        inner = Found(problems=self.found.problems)
        piece = replace(self, mode=mode, loops=0, found=inner).source(node)
        self.found.took(inner, names)
        return Content(names, piece, inner, mode)

    def element(self, node: Node) -> Piece:
        """Return the piece for an element or a text."""
        if node.tag == TEXT:
            return self.text(node)
        prefix, colon, local = node.tag.partition(":")
        scoped = self.with_declarations(node)
        if any(name.startswith("xpl:") for name in node.attributes):
            return with_attributes(scoped, node)
        return scoped.tag(node, prefix if colon else "", local)

    def plain(self, node: Node) -> Piece:
        """Return the piece for an element whose ``xpl:`` attributes have been dealt with."""
        prefix, colon, local = node.tag.partition(":")
        return self.tag(node, prefix if colon else "", local)

    def tag(self, node: Node, prefix: str, local: str) -> Piece:
        """Return the piece for a tag."""
        from taskrun.templates.core_tags import CORE

        if prefix == "c":
            make: Callable[[Compiler, Node], Piece] | None = CORE.get(local)
            if make is not None:
                return make(self, node)
            hint = near_hint(local, CORE) or "there are c:" + ", c:".join(CORE)
            self.note(node, "unknown-tag", f"<{node.tag}> is no tag of the core", hint=hint)
            return nothing
        library = self.prefixes.get(prefix) or self.libraries.shipped(prefix)
        if library is not None:
            return library.call(self, node, local)
        if self.mode in _LITERAL and prefix != "x":
            return self.literal(node)
        if prefix:
            hint = near_hint(prefix, [*self.prefixes, "c"])
            if not hint or prefix in node.attributes:
                hint = f'say where it is: xmlns:{prefix}="….xlib", xpl:lib or c:import'
            self.note(node, "unknown-tag", f"<{node.tag}>: no library has the prefix '{prefix}'", hint=hint)
        else:
            hint = (
                f"did you mean <c:{local or node.tag}>?"
                if node.tag in CORE
                else "elements are put out with xpl:outputMode='xml', 'html' or 'node'"
            )
            self.note(node, "unknown-tag", f"<{node.tag}> is no tag, and nothing is put out here", hint=hint)
        return nothing

    def with_declarations(self, node: Node) -> Compiler:
        """Return the compiler for an element that may declare prefixes itself."""
        added: dict[str, Library] = {}
        for name, text in node.attributes.items():
            if name.startswith("xmlns:"):
                library = self.libraries.named(self, node, name, text, needed=False)
                if library is not None:
                    added[name[6:]] = library
            elif name == "xpl:lib":
                for path in filter(None, (part.strip() for part in text.split(","))):
                    library = self.libraries.named(self, node, name, path, needed=True)
                    if library is not None:
                        added[library.prefix] = library
        return replace(self, prefixes={**self.prefixes, **added}) if added else self

    def text(self, node: Node) -> Piece:
        """Return the piece for text: it is put out, its ``${…}`` replaced."""
        if not node.text.strip():
            return nothing
        if self.mode == "none":
            hint = "a script stands in <c:script>; text is put out with xpl:outputMode='text'"
            self.note(node, "unexpected-text", "text between tags, and nothing is put out here", hint=hint)
            return nothing
        template = self.template(node, None)
        if template is None:
            return nothing
        if template.constant:
            text = template.run(Variables({}))

            async def fixed(env: Environment) -> Any:
                env.out.value(text, node)
                return NOTHING

            return fixed

        async def changing(env: Environment) -> Any:
            for part in template.parts:
                env.out.value(part if isinstance(part, str) else part.run(env.scope), node)
            return NOTHING

        return changing

    def _is_library(self, name: str) -> bool:
        """Whether an attribute declares the prefix of a library, which is nothing that is put out."""
        return name.startswith("xmlns:") and name[6:] in self.prefixes

    def literal(self, node: Node) -> Piece:
        """Return the piece for an element that is put out itself."""
        names = [name for name in node.attributes if not name.startswith("xpl:") and not self._is_library(name)]
        values = {name: self.template(node, name) for name in names}
        extra = self.expression(node, "xpl:attrs", needed=False)
        inside = self.body(node) if node.children or node.text else nothing
        bare = node._replace(attributes=NO_ATTRIBUTES, children=(), text="")

        async def put_out(env: Environment) -> Any:
            from taskrun.templates.literal import put

            made = {name: value.run(env.scope) for name, value in values.items() if value is not None}
            if extra is not None:
                made = {**(extra.run(env.scope) or {}), **made}
            await put(env, node, bare, made, inside)
            return NOTHING

        return put_out
