"""From the elements of a template to pieces.

    <source>
      <c:if test="${total > 100}"><shop:Discount total="${total}"/></c:if>
    </source>

Rules: every script and every tag is compiled before anything runs, and every problem is noted at its place. A tag of the
core (``c:``) has a function in ``CORE``; a tag with another prefix is looked up in the library that the prefix stands for; a
tag without prefix is output, which only the modes ``xml``, ``html`` and ``node`` have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from taskrun.errors import BindError, Diagnostic, PluginError, near_hint
from taskrun.script.bind import Script, bind
from taskrun.script.part import Part
from taskrun.script.settings import ScriptSettings
from taskrun.script.template import Template, compile_template
from taskrun.script.xpl.attributes import with_attributes
from taskrun.script.xpl.libraries import Libraries, Library
from taskrun.script.xpl.output import TEXTUAL
from taskrun.script.xpl.piece import NOTHING, Environment, Piece
from taskrun.syntax.node import NO_ATTRIBUTES, TEXT, Node

if TYPE_CHECKING:
    from collections.abc import Callable

_LITERAL = TEXTUAL | {"node"}


@dataclass(slots=True)
class Found:
    """What a template's scripts read, assign and do, gathered while it is compiled."""

    problems: list[Diagnostic] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    suspends: bool = False
    sets_any: bool = False


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the elements of one template.

    ``prefixes`` are the libraries that prefixes stand for here; ``slots`` the slots of the tag whose body this is.
    """

    settings: ScriptSettings
    language: str
    mode: str
    libraries: Libraries
    prefixes: Mapping[str, Library]
    found: Found
    slots: frozenset[str] = frozenset()
    loops: int = 0

    def note(self, node: Node, code: str, message: str, *, hint: str = "", attribute: str | None = None) -> None:
        """Note a problem."""
        self.found.problems.append(node.problem(code, message, hint=hint, attribute=attribute))

    # ---- scripts

    def script(self, node: Node, *, leaves: bool = False) -> Script | None:
        """Return the script that is an element's text, None when it is wrong."""
        return self._script(Part(node, None, node.text), expression=False, leaves=leaves)

    def part(self, part: Part) -> Script | None:
        """Return the expression in a part of the file, None when it is wrong."""
        return self._script(part, expression=True)

    def _script(self, part: Part, *, expression: bool, leaves: bool = False) -> Script | None:
        try:
            script = bind(
                part, self.settings, language=self.language, expression=expression, awaits=not expression, leaves=leaves
            )
        except BindError as error:
            self.found.problems.extend(error.diagnostics)
            return None
        self._took(script)
        return script

    def _took(self, script: Script | Template) -> None:
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
        self._took(template)
        return template

    def expression(self, node: Node, attribute: str, *, needed: bool = True) -> Script | Template | None:
        """Return the expression in an attribute, with ``${…}`` round it or without; None when there is none."""
        text = node.attributes.get(attribute)
        if text is None:
            if needed:
                self.note(node, "missing-attribute", f"<{node.tag}> needs the attribute {attribute}")
            return None
        if "${" in text:
            return self.template(node, attribute)
        return self._script(Part(node, attribute, text), expression=True)

    def only(self, node: Node, *names: str) -> None:
        """Note every attribute of a tag of the core that it does not have."""
        for name in node.attributes:
            if name not in names and not name.startswith(("xpl:", "xmlns:")):
                hint = near_hint(name, names) or ("allowed here: " + ", ".join(names) if names else "it has none")
                self.note(node, "unknown-attribute", f"<{node.tag}> has no attribute {name}", hint=hint, attribute=name)

    def bind(self, name: str) -> None:
        """Note a variable that a tag sets itself."""
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

    def slot(self, node: Node, mode: str, names: Iterable[str]) -> tuple[Piece, bool]:
        """Return the piece for what fills a slot whose body sees ``names``, and whether it waits."""
        found = self.found
        inner = Found(problems=found.problems)
        piece = replace(self, mode=mode, loops=0, found=inner).source(node)
        found.reads |= inner.reads.difference(names)
        found.uses |= inner.uses
        found.stores |= inner.stores
        found.bound |= inner.bound.difference(names)
        return piece, inner.suspends

    def text_template(self, node: Node) -> Script | None:
        """Return the jinja2 template that is an element's text, None when it is wrong."""
        from taskrun.script.text_template import compile_text_template

        try:
            script = compile_text_template(node, settings=self.settings)
        except BindError as error:
            self.found.problems.extend(error.diagnostics)
            return None
        self._took(script)
        return script

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
        from taskrun.script.xpl.core_tags import CORE

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
                else "output has xpl:outputMode='xml' or 'node'"
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
            text = template.run(_NO_NAMES)

            async def fixed(env: Environment) -> Any:
                env.out.text(text, raw=True) if env.out.mode in TEXTUAL else env.out.value(text, node)
                return NOTHING

            return fixed

        async def changing(env: Environment) -> Any:
            env.out.value(template.run(env.scope), node)
            return NOTHING

        return changing

    def literal(self, node: Node) -> Piece:
        """Return the piece for an element that is put out itself."""
        values = {name: self.template(node, name) for name in node.attributes}
        inside = self.body(node) if node.children or node.text else nothing
        bare = node._replace(attributes=NO_ATTRIBUTES, children=(), text="")

        async def put_out(env: Environment) -> Any:
            from taskrun.script.xpl.literal import put

            made = {name: value.run(env.scope) for name, value in values.items() if value is not None}
            await put(env, node, bare, made, inside)
            return NOTHING

        return put_out


def imported(compiler: Compiler, node: Node) -> Compiler:
    """Return the compiler with what a ``<c:import>`` adds: a library of tags, or a Python object for scripts."""
    compiler.only(node, "from", "class", "as")
    origin, name = node.attributes.get("from"), node.attributes.get("class")
    if (origin is None) == (name is None):
        compiler.note(node, "missing-attribute", "<c:import> needs from (a library of tags) or class (a Python object)")
        return compiler
    if name is not None:
        return _with_object(compiler, node, name)
    library = compiler.libraries.named(compiler, node, "from", origin or "", needed=True)
    if library is None:
        return compiler
    return replace(compiler, prefixes={**compiler.prefixes, node.attributes.get("as", library.prefix): library})


def _with_object(compiler: Compiler, node: Node, name: str) -> Compiler:
    settings = compiler.settings
    try:
        if settings.imports is None:
            raise PluginError("scripts import nothing here")
        value = settings.imports(name)
    except PluginError as error:
        compiler.note(node, "unknown-class", str(error), attribute="class")
        return compiler
    alias = node.attributes.get("as") or name.replace(":", ".").rpartition(".")[2]
    functions = {**settings.functions, alias: value}
    return replace(compiler, settings=replace(settings, functions=functions))


_NO_NAMES: Any = {}


async def nothing(_env: Environment) -> Any:
    """The piece that does nothing."""
    return NOTHING


def sequence(pieces: list[Piece]) -> Piece:
    """Return the piece that runs pieces in turn; its value is that of the last one that has a value."""
    pieces = [piece for piece in pieces if piece is not nothing]
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return nothing

    async def run(env: Environment) -> Any:
        value: Any = NOTHING
        for piece in pieces:
            given = await piece(env)
            if given is not NOTHING:
                value = given
        return value

    return run
